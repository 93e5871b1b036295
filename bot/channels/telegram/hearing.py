"""What a Telegram update says, with nothing of Telegram left in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.types import CallbackQuery, ChatMemberUpdated, Update
from aiogram.types import Message as Told

from bot.channels.telegram.naming import CHANNEL
from bot.splitting import units
from handlers.reception import PIECES
from storage.vocabulary import Event, FileAt, Part, Person, Point, Pressed, Said

CUT_AT = 4000  # UTF-16 units; an app cuts a longer text, at a space where it finds one, by 4,096
BETWEEN = "|"  # in a button's data: the question's key, then the option's code


def heard(update: Update, now: datetime) -> Event | None:
    """The event of an update; None for what is left without a word (groups, bots, payments)."""
    if update.message is not None:
        return _message(update.message, now)
    if update.edited_message is not None:
        return _edit(update.edited_message, update.update_id, now)
    if update.callback_query is not None:
        return _press(update.callback_query, now)
    if update.my_chat_member is not None:
        return _member(update.my_chat_member, update.update_id, now)
    return None


ESSENTIAL = ("text", "caption")


def essence(raw: dict[str, Any]) -> dict[str, Any]:
    """An update with nothing left but who wrote what: for one with a part that nobody knows."""
    message = raw.get("message")
    if not isinstance(message, dict):
        return {}
    update = raw.get("update_id")
    kept: dict[str, Any] = {"message_id": update, "date": 0}
    kept |= {name: message[name] for name in ESSENTIAL if isinstance(message.get(name), str)}
    chat, sender = message.get("chat"), message.get("from")
    if isinstance(chat, dict):
        kept["chat"] = {name: chat.get(name) for name in ("id", "type")}
    if isinstance(sender, dict):
        kept["from"] = {name: sender.get(name) for name in ("id", "is_bot")} | {"first_name": ""}
    return {"update_id": update, "message": kept}


def _message(told: Told, now: datetime) -> Event | None:
    if not _is_private(told):
        return None
    said = _said(told)
    if said is None:
        return None
    ref = str(told.message_id)
    return Event(f"m{ref}", _person(told), said, now, ref=ref, part=_part(told, said))


def _edit(told: Told, update: int, now: datetime) -> Event | None:
    words = told.text or told.caption
    if not _is_private(told) or not words:
        return None  # a live location moves on, a picture was changed: the answer stands
    said = Said(text=words, edits=str(told.message_id))
    return Event(f"e{update}", _person(told), said, now)


def _press(query: CallbackQuery, now: datetime) -> Event | None:
    if query.from_user.is_bot or query.message is None or not query.data:
        return None
    if query.message.chat.type != ChatType.PRIVATE:
        return None
    question, _, option = query.data.partition(BETWEEN)
    person = Person(CHANNEL, str(query.message.chat.id))
    return Event(f"c{query.id}", person, Said(pressed=Pressed(question, option)), now)


def _member(change: ChatMemberUpdated, update: int, now: datetime) -> Event | None:
    if change.chat.type != ChatType.PRIVATE:
        return None
    gone = change.new_chat_member.status in (ChatMemberStatus.KICKED, ChatMemberStatus.LEFT)
    person = Person(CHANNEL, str(change.chat.id))
    return Event(f"u{update}", person, Said(reachable=not gone), now)


def added_to_a_group(change: ChatMemberUpdated) -> bool:
    """Whether somebody put the bot into a group or a channel."""
    there = change.new_chat_member.status in (
        ChatMemberStatus.MEMBER,
        ChatMemberStatus.ADMINISTRATOR,
    )
    return there and change.chat.type != ChatType.PRIVATE


def _is_private(told: Told) -> bool:
    by_a_bot = told.from_user is not None and told.from_user.is_bot
    return told.chat.type == ChatType.PRIVATE and not by_a_bot


def _person(told: Told) -> Person:
    return Person(CHANNEL, str(told.chat.id))


def _said(told: Told) -> Said | None:
    """What a message says; None for what the app notes by itself (a message was pinned)."""
    if told.text is not None:
        return Said(text=told.text)
    file = _file(told)
    if file is not None and file.locator:
        return Said(text=told.caption, files=(file,))
    if told.location is not None:  # a venue and a live place bring one too
        return Said(place=Point(told.location.latitude, told.location.longitude))
    if told.contact is not None:
        return Said(text=told.contact.phone_number)
    return None if _is_a_note(told) else Said(unread=True)


def _file(told: Told) -> FileAt | None:
    if told.photo:
        largest = max(told.photo, key=lambda size: size.width * size.height)
        return FileAt(largest.file_id, "photo", size=largest.file_size or 0)
    for kind, sent in (
        ("video", told.video or told.video_note or told.animation),
        ("voice", told.voice or told.audio),
        ("document", told.document),
    ):
        if sent is not None:
            return FileAt(sent.file_id, kind, size=sent.file_size or 0)
    return None


def _is_a_note(told: Told) -> bool:
    """What the app writes into the chat when somebody changes a setting: they said nothing."""
    return any(
        note is not None
        for note in (
            told.pinned_message,
            told.message_auto_delete_timer_changed,
            told.chat_background_set,
            told.write_access_allowed,
        )
    )


def _part(told: Told, said: Said) -> Part | None:
    if told.media_group_id is not None:
        return Part(f"album:{told.media_group_id}", told.message_id, more=True)
    if said.text is None or said.files or said.text.startswith("/"):
        return None
    return Part(PIECES, told.message_id, more=units(said.text) >= CUT_AT)
