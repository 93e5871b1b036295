"""What an event of a Zalo Official Account says, with nothing of Zalo left in it."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.channels.zalo.naming import CHANNEL, ID, anonymous
from bot.reading import loads
from bot.splitting import units
from handlers.reception import PIECES
from storage.vocabulary import Event, FileAt, Part, Person, Point, Said

Body = Mapping[str, Any]

FILES = "files"  # the group of pictures and files that come one right after the other
CUT_AT = 1900  # UTF-16 units; the app cuts a longer text by 2,000
MILLISECONDS = 1e11  # a timestamp above it counts milliseconds, one below seconds
KEYWORD = re.compile(r"#([A-Za-z_]{2,20})")  # what an item of the account's menu may say
TOGETHER = ("photo", "video", "document")  # kinds that people send several of at once
SILENT = frozenset(
    (
        "user_received_message",
        "user_seen_message",
        "user_reacted_message",
        "oa_reacted_message",
    )
)
SENT = re.compile(r"(user|anonymous)_send_")
ECHO = "oa_send_"  # what the account itself said: ours, or of staff who typed it


def heard(body: Body, raw: bytes, now: datetime) -> Sequence[Event] | None:
    """The events of a webhook, none for what wants no answer; None for a kind that is unknown."""
    name = body.get("event_name")
    if not isinstance(name, str):
        return None
    if name in SILENT:
        return ()
    if name.startswith(ECHO):
        return _staff(body, raw, now)
    address = _address(body, name)
    said = _said(name, body)
    if said is None or address is None:
        return None
    mark, person, at = _mark(body, raw), Person(CHANNEL, address), _moment(body, now)
    return [
        Event(f"{mark}{n or ''}", person, one, at, part=_part(one, mark, at))
        for n, one in enumerate(said)
    ]


def told_at(body: Body) -> float | None:
    """When Zalo says that it happened: seconds since the epoch; None where it says nothing."""
    given = body.get("timestamp")
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        return None
    try:
        number = float(given)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(number) or number <= 0:
        return None
    return number / 1000 if number > MILLISECONDS else number


def _moment(body: Body, now: datetime) -> datetime:
    """When it happened: one that Zalo tried to tell of before happened earlier."""
    told = told_at(body)
    soonest = now.timestamp() if told is None else min(told, now.timestamp())
    return datetime.fromtimestamp(soonest, UTC)


# -- who ------------------------------------------------------------------------------------------


def _address(body: Body, name: str) -> str | None:
    if name.startswith("anonymous_"):
        sender, conversation = _id(body, "sender", "id"), _id(body, "message", "conversation_id")
        return anonymous(sender, conversation) if sender and conversation else None
    return _id(body, "sender", "id") or _id(body, "follower", "id") or _id(body, "user_id")


def _staff(body: Body, raw: bytes, now: datetime) -> Sequence[Event]:
    """Somebody of the office types in the account's own app: the bot has to be quiet."""
    person = _id(body, "recipient", "id")
    if not _id(body, "sender", "admin_id") or person is None:
        return ()
    conversation = _id(body, "message", "conversation_id")
    address = anonymous(person, conversation) if conversation else person
    person_there = Person(CHANNEL, address)
    return [Event(_mark(body, raw), person_there, Said(staff=True), _moment(body, now))]


def _id(body: Body, *way: str) -> str | None:
    found: Any = body
    for name in way:
        found = found.get(name) if isinstance(found, Mapping) else None
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    return found if isinstance(found, str) and ID.fullmatch(found) else None


def _mark(body: Body, raw: bytes) -> str:
    """What makes the event the same when it comes again."""
    message = _id(body, "message", "msg_id")
    return f"m{message}" if message else f"h{hashlib.sha256(raw).hexdigest()[:32]}"


# -- what -----------------------------------------------------------------------------------------


def _said(name: str, body: Body) -> tuple[Said, ...] | None:
    """What an event says; None for a kind that is unknown."""
    if name in ("follow", "user_click_chatnow"):
        return (Said(reachable=True), Said(start=""))
    if name == "unfollow":
        return (Said(reachable=False),)
    if name == "user_withdraw":
        return (Said(withdrawn=True),)
    if name == "user_submit_info":
        return (_words(_text(_inner(body, "info").get("phone"))),)
    sent = SENT.match(name)
    reading = KINDS.get(name[sent.end() :]) if sent else None
    return (reading(_inner(body, "message")),) if reading else None


def _typed(message: Body) -> Said:
    text = _text(message.get("text"))
    keyword = KEYWORD.fullmatch(text or "")
    return _words(f"/{keyword[1]}" if keyword else text)


def _words(text: str | None) -> Said:
    return Said(text=text) if text else Said(unread=True)


def _link(message: Body) -> Said:
    """A page that was shared: its address, with the words that came with it."""
    text = _text(message.get("text"))
    for payload in _payloads(message):
        described, url = _text(payload.get("description")), _text(payload.get("url"))
        words = [text or described, url if url and url not in (text or "") else None]
        return _words("\n".join(filter(None, words)))
    return _words(text)


def _card(message: Body) -> Said:
    """Somebody's card: their number, as a contact on other platforms."""
    for payload in _payloads(message):
        try:
            card = loads(_text(payload.get("description")) or "")
        except ValueError:
            continue
        if isinstance(card, dict):
            return _words(_text(card.get("phone")))
    return Said(unread=True)


def _place(message: Body) -> Said:
    for payload in _payloads(message):
        given = _inner(payload, "coordinates")
        lat, lon = _degrees(given, "latitude", 90), _degrees(given, "longitude", 180)
        if lat is not None and lon is not None:
            return Said(place=Point(lat, lon))
    return Said(unread=True)


def _degrees(given: Body, name: str, most: float) -> float | None:
    try:
        degrees = float(given.get(name, ""))
    except (TypeError, ValueError, OverflowError):
        return None
    return degrees if math.isfinite(degrees) and abs(degrees) <= most else None


def _files(kind: str) -> Callable[[Body], Said]:
    def files(message: Body) -> Said:
        at = tuple(
            FileAt(url, kind, size=_size(payload))
            for payload in _payloads(message)
            if (url := _text(payload.get("url")))
        )
        caption = _text(message.get("text"))
        return Said(text=caption, files=at) if at else _words(caption)

    return files


def _size(payload: Body) -> int:
    given = payload.get("size")
    return int(given) if isinstance(given, str | int) and str(given).isdecimal() else 0


def _unread(message: Body) -> Said:
    return Said(unread=True)


KINDS: Mapping[str, Callable[[Body], Said]] = {
    "text": _typed,
    "image": _files("photo"),
    "gif": _files("photo"),
    "video": _files("video"),
    "audio": _files("voice"),
    "file": _files("document"),
    "location": _place,
    "link": _link,
    "business_card": _card,
    "sticker": _unread,
}


def _inner(body: Body, name: str) -> Body:
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def _payloads(message: Body) -> Sequence[Body]:
    attachments = message.get("attachments")
    listed = attachments if isinstance(attachments, list) else []
    payloads = (each.get("payload") for each in listed if isinstance(each, dict))
    return [payload for payload in payloads if isinstance(payload, dict)]


def _text(given: object) -> str | None:
    return given if isinstance(given, str) and given.strip() else None


# -- parts ----------------------------------------------------------------------------------------


def _part(said: Said, mark: str, at: datetime) -> Part | None:
    """Several pictures sent at once are an event each: they are one answer, and get one reply."""
    if said.files:
        together = all(file.kind in TOGETHER for file in said.files)
        return Part(FILES, _number(mark), more=True) if together else None
    if said.text is None or said.text.startswith("/"):
        return None
    return Part(PIECES, round(at.timestamp() * 1000), more=units(said.text) >= CUT_AT)


def _number(mark: str) -> int:
    """A number for a message that no other has: by it what ends with it is known to be over."""
    return int(hashlib.sha256(mark.encode()).hexdigest()[:12], 16)
