"""What an update of the Bot Platform says, with nothing of Zalo left in it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from bot.channels.zalobot.naming import CHANNEL, ID
from bot.splitting import units
from handlers.reception import PIECES
from storage.vocabulary import Event, FileAt, Part, Person, Said

Body = Mapping[str, Any]

PHOTOS = "photos"  # the group of pictures that come one right after the other
CUT_AT = 1900  # UTF-16 units; whether the app cuts a longer text is not known: then it is by 2,000
MILLISECONDS = 1e11  # a date above it counts milliseconds, one below seconds
LONGEST_ADDRESS = 4096  # characters of a file's
GROUP = "zgr-"  # what the id of a group begins with


def updates(body: object) -> Sequence[Body]:
    """The updates of a webhook's or a poll's body: as it is, or wrapped as a result."""
    if isinstance(body, dict) and body.get("ok") is True and "result" in body:
        body = body["result"]
    listed = body if isinstance(body, list) else [body]
    return [each for each in listed if isinstance(each, dict)]


def heard(update: Body, now: datetime) -> Event | None:
    """The event of an update; None for what is left alone (groups, bots, unknown kinds)."""
    message = update.get("message")
    reading = KINDS.get(str(update.get("event_name")))
    if reading is None or not isinstance(message, dict):
        return None
    address = _private(message)
    if address is None:
        return None
    name, said = mark(update), reading(message)
    return Event(name, Person(CHANNEL, address), said, now, part=_part(name, message, said))


def mark(update: Body) -> str:
    """What makes an update the same when it comes again."""
    message = update.get("message")
    given = message.get("message_id") if isinstance(message, dict) else None
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if isinstance(given, str) and ID.fullmatch(given):
        return f"m{given}"
    try:
        whole = orjson.dumps(update, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # half a letter, a number beyond 64 bits
        whole = repr(update).encode(errors="surrogatepass")
    return f"h{hashlib.sha256(whole).hexdigest()[:32]}"


def told_at(message: object) -> int | None:
    """When Zalo says that a message was sent: milliseconds since the epoch; None where it does not.

    Dates come as milliseconds, in older samples as seconds, perhaps as texts.
    """
    given = message.get("date") if isinstance(message, Mapping) else None
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        return None
    try:
        number = float(given)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(number) or not 0 < number < 1e15:
        return None
    return int(number if number > MILLISECONDS else number * 1000)


def _private(message: Body) -> str | None:
    """The address of whoever wrote in a chat of their own; None for groups and bots."""
    chat, sender = _inner(message, "chat"), _inner(message, "from")
    address = _id(chat.get("id")) or _id(sender.get("id"))
    if address is None or sender.get("is_bot") is True:
        return None
    kind = str(chat.get("chat_type") or ("GROUP" if address.startswith(GROUP) else "PRIVATE"))
    return address if kind.upper() == "PRIVATE" else None


def _id(given: object) -> str | None:
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    return given if isinstance(given, str) and ID.fullmatch(given) else None


def _inner(body: Body, name: str) -> Body:
    found = body.get(name)
    return found if isinstance(found, dict) else {}


# -- what -----------------------------------------------------------------------------------------


def _typed(message: Body) -> Said:
    return _words(_text(message.get("text")))


def _words(text: str | None) -> Said:
    return Said(text=text) if text else Said(unread=True)


def _photo(message: Body) -> Said:
    return _file("photo", message, ("photo_url", "photo", "url"))


def _voice(message: Body) -> Said:
    return _file("voice", message, ("voice_url", "voice", "url"))


def _file(kind: str, message: Body, places: Sequence[str]) -> Said:
    """A file by its address, which stands in one of several places; its caption without one."""
    caption = _text(message.get("caption")) or _text(message.get("text"))
    at = next((url for place in places if (url := _address(message.get(place)))), None)
    return Said(text=caption, files=(FileAt(at, kind),)) if at else _words(caption)


def _address(given: object) -> str | None:
    """The address of a file: a text, or an object that holds it."""
    if isinstance(given, dict):
        given = given.get("url") or given.get("href")
    fits = isinstance(given, str) and given.isascii() and given.isprintable() and given
    return str(given) if fits and len(str(given)) <= LONGEST_ADDRESS else None


def _link(message: Body) -> Said:
    """A page that was shared: its address, with the words that came with it."""
    text = _text(message.get("text"))
    places = ("link", "url", "href")
    url = next((found for place in places if (found := _address(message.get(place)))), None)
    return _words("\n".join(filter(None, (text, url if url and url not in (text or "") else None))))


def _unread(message: Body) -> Said:
    return Said(unread=True)


KINDS: Mapping[str, Callable[[Body], Said]] = {
    "message.text.received": _typed,
    "message.image.received": _photo,
    "message.voice.received": _voice,
    "message.link.received": _link,
    "message.sticker.received": _unread,
    "message.unsupported.received": _unread,
}


def _text(given: object) -> str | None:
    return given if isinstance(given, str) and given.strip() else None


# -- parts ----------------------------------------------------------------------------------------


def _part(name: str, message: Body, said: Said) -> Part | None:
    """Pictures sent one right after the other are one answer, and get one reply."""
    if said.files:
        # Not numbered by date: two may bear the same, and what says that no more came is told once.
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:6])
        return Part(PHOTOS, number, more=True) if said.files[0].kind == "photo" else None
    at = told_at(message)
    if at is None or said.text is None or said.text.startswith("/"):
        return None
    return Part(PIECES, at, more=units(said.text) >= CUT_AT)
