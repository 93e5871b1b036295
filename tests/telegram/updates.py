"""Updates of every type of the Bot API out of dice: as they should be, and now and then odd."""

from __future__ import annotations

import itertools
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.telegram.schema import Part, schema

Thing = dict[str, Any]
NOON = 1_795_600_000  # seconds, the date of the first message
PEOPLE = 300
FIRST_PERSON = 6_000_000_001
TEXTS = (
    "/start",
    "/start moi-abcd-efgh-2222",
    "/tinbao",
    "/huy",
    "/khong_co@langnghe_thu_bot",
    "1",
    "đồng ý",
    "gửi",
    "không nhớ",
    "ben thanh",
    "1111 2222 3333 4444",
    "Có nhóm thanh niên tụ tập bán ma túy ở hẻm 12 mỗi đêm",
    "Thủ tục cấp giấy tờ ở phường rất lâu " * 9,
    "cháy nhà, cứu với",
    "a" * 4096,
    "🙂",
)
ODD_TEXTS = (
    "",
    " \n\t",
    unicodedata.normalize("NFD", "Đường Nguyễn Huệ, tiếng kêu cứu"),
    "\u202eđảo chiều\u202c",
    "مرحبا بالعالم",
    "\ud83d",  # half of a letter, as an escape on the wire
    "trước \udc00 sau",
    "\x00\x07\x1b[2J",
    "{0}{x}%s</b><script>",
    "👨‍👩‍👧‍👦" * 300,
    "zero\u200bwidth\ufeff",
)
ODD_NUMBERS = (0, -1, 2**31, 2**52 + 1, 2**53 + 1, 2**63 - 1, -(2**63), 10**25)
DATA = ("menu|tip", "kind|seen", "review|send", "evidence|done", "what|~0123456789abcdef")
ODD_DATA = ("", "|", "x", "no|such|thing", "đ" * 32, "\x00|\x00", "menu|")
# What a message may carry besides its content, and what it is never given here by accident.
AROUND = (
    "forward_origin",
    "reply_to_message",
    "entities",
    "reply_markup",
    "via_bot",
    "media_group_id",
    "has_protected_content",
    "quote",
    "edit_date",
    "caption",
    "effect_id",
    "sender_business_bot",
    "author_signature",
)
OWN = {"message_id", "date", "chat", "from", "text"}
NOT_CONTENT = {
    *AROUND,
    *OWN,
    "caption_entities",
    "message_thread_id",
    "sender_chat",
    "sender_boost_count",
    "sender_tag",
    "business_connection_id",
    "direct_messages_topic",
    "is_topic_message",
    "is_automatic_forward",
    "is_from_offline",
    "is_paid_post",
    "external_reply",
    "reply_to_story",
    "reply_to_checklist_task_id",
    "reply_to_poll_option_id",
    "suggested_post_info",
    "link_preview_options",
    "show_caption_above_media",
    "has_media_spoiler",
    "paid_star_count",
    "guest_bot_caller_user",
    "guest_bot_caller_chat",
    "guest_query_id",
    "date",
}
DEEPEST = 4
# Half are messages, as in life; the rest is spread over every kind there is.
MESSAGES = 0.5
PRIVATE = 0.8


@cache
def contents() -> tuple[str, ...]:
    """Everything a message may be besides a text: photo, venue, new_chat_members ..."""
    return tuple(name for name in schema().types["Message"] if name not in NOT_CONTENT)


@cache
def _parts(kind: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """The fields of a type that must be there, and those that may be."""
    parts = schema().types[kind].values()
    return tuple(p for p in parts if p.required), tuple(p for p in parts if not p.required)


@dataclass
class Maker:
    """Makes updates out of dice. `odd`: which share of them gets something strange."""

    dice: random.Random
    odd: float = 0.2
    first: int = 800_000_001
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(2001))

    def __post_init__(self) -> None:
        self.ids = itertools.count(self.first)

    def _chance(self, share: float) -> bool:
        """Whether something rare happens; never where the dice show nought, so that it shrinks."""
        return self.dice.random() >= 1 - share

    def update(self, kind: str | None = None) -> Thing:
        """One update, of this kind or of any; numbers rise from one to the next."""
        if kind is None:
            rare = self._chance(1 - MESSAGES)
            kind = self.dice.choice(schema().update_kinds()) if rare else "message"
        made = {"update_id": next(self.ids), kind: self._content(kind)}
        if self._chance(self.odd):
            self._spoil(made[kind])
        return made

    def _content(self, kind: str) -> Any:
        part = schema().types["Update"][kind]
        if part.kinds == ("Message",):
            return self._message(kind in ("message", "edited_message"))
        if kind == "callback_query":
            return self._pressed()
        content = self._value(part.kinds, kind, 1, part)
        if kind == "my_chat_member":
            person = self._person()
            content |= {"chat": _private(person), "from": person}
        return content

    # -- what people do -------------------------------------------------------------------------

    def _person(self) -> Thing:
        number = self.dice.randrange(PEOPLE)
        person: Thing = {"id": FIRST_PERSON + number, "is_bot": False}
        person["first_name"] = self.dice.choice(("An", "Bình", "Ngọc 🙂", "ليلى", "Đ"))
        if self._chance(0.6):
            person["language_code"] = self.dice.choice(("vi", "en", "zh-hans"))
        return person

    def _message(self, private: bool) -> Thing:
        person = self._person()
        message: Thing = {"message_id": next(self.numbers), "date": self._date(), "from": person}
        alone = private and not self._chance(1 - PRIVATE)
        message["chat"] = _private(person) if alone else self._group()
        return {**message, **self._said(1)}

    def _group(self) -> Thing:
        kind = self.dice.choice(("group", "supergroup", "channel"))
        return {"id": -1_000_000_000_000 - self.dice.randrange(50), "type": kind, "title": "Tổ 5"}

    def _said(self, depth: int) -> Thing:
        said: Thing = {}
        if self._chance(0.4):
            name = self.dice.choice(contents())
            said[name] = self._field("Message", name, depth + 1)
        else:
            said["text"] = self.dice.choice(TEXTS)
        for name in AROUND:
            if name in schema().types["Message"] and self._chance(0.05):
                said[name] = self._field("Message", name, depth + 1)
        return said

    def _pressed(self) -> Thing:
        person = self._person()
        own = {"message_id": next(self.numbers), "chat": _private(person)}
        message = {**own, "date": self._date(), **self._said(2)}
        query: Thing = {
            "id": str(self.dice.randrange(10**18)),
            "from": person,
            "chat_instance": str(self.dice.randrange(10**18)),
            "message": {**own, "date": 0} if self._chance(0.3) else message,
        }
        if not self._chance(0.1):
            return {**query, "data": self.dice.choice((*DATA, *ODD_DATA))}
        without = {name: each for name, each in query.items() if name != "message"}
        return {**without, "inline_message_id": "AAQ", "game_short_name": "co"}

    # -- any value of the contract --------------------------------------------------------------

    def _field(self, kind: str, name: str, depth: int) -> Any:
        part = schema().types[kind][name]
        return self._value(part.kinds, name, depth, part)

    def _value(self, kinds: tuple[str, ...], name: str, depth: int, part: Part | None) -> Any:
        if not kinds:
            return self._text(name, None)
        plain = [kind for kind in kinds if kind in _PLAIN]
        kind = self.dice.choice(plain if plain and depth > DEEPEST else kinds)
        if kind.startswith("Array of "):
            count = self.dice.randrange(3) if depth <= DEEPEST else 0
            inner = (kind.removeprefix("Array of "),)
            return [self._value(inner, name, depth + 1, None) for _ in range(count)]
        if kind == "Integer":
            return self._number(name)
        if kind == "Boolean":
            return part is None or not part.required or self._chance(0.5)
        if kind == "Float":
            return round(self.dice.uniform(-90, 90), 6)
        return self._text(name, part) if kind == "String" else self._thing(kind, depth)

    def _thing(self, kind: str, depth: int) -> Any:
        if kind in schema().subtypes:
            return self._value(schema().subtypes[kind], kind, depth, None)
        if kind == "User":
            return self._person()
        required, optional = _parts(kind)
        chosen = [*required]
        if depth <= DEEPEST and optional:
            chosen += [part for part in optional if self._chance(2 / len(optional))]
        return {part.name: self._value(part.kinds, part.name, depth + 1, part) for part in chosen}

    def _number(self, name: str) -> int:
        if name.endswith("date"):
            return self._date()
        if name == "id" or name.endswith("_id"):
            return FIRST_PERSON + self.dice.randrange(10**6)
        return self.dice.randrange(1, 5)

    def _date(self) -> int:
        return NOON + self.dice.randrange(86_400)

    def _text(self, name: str, part: Part | None) -> str:
        if part is not None and part.words:
            return self.dice.choice(part.words)
        if name == "id" or name.endswith("_id"):
            return f"{name[:2]}{self.dice.randrange(10**12)}"
        return self.dice.choice(TEXTS[:-3])

    # -- odd values -----------------------------------------------------------------------------

    def _spoil(self, content: Any) -> None:
        """Put something strange somewhere into an object: text, number, or an unknown field."""
        places = list(_places(content))
        if not places:
            return
        holder, name = self.dice.choice(places)
        value = holder[name]
        if isinstance(value, bool) or not isinstance(value, str | int):
            self._add_unknown(holder)
        elif isinstance(value, str):
            holder[name] = self.dice.choice(ODD_TEXTS)
        else:
            holder[name] = self.dice.choice(ODD_NUMBERS)

    def _add_unknown(self, holder: Any) -> None:
        if isinstance(holder, dict):
            holder["field_of_next_year"] = self.dice.choice(([], {"new": {"x": None}}, 1.5, "x"))


_PLAIN = ("String", "Integer", "Boolean", "Float")


def _private(person: Thing) -> Thing:
    return {"id": person["id"], "type": "private", "first_name": person["first_name"]}


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(content, dict | list):
        keys = list(content) if isinstance(content, dict) else range(len(content))
        for key in keys:
            yield content, key
            yield from _places(content[key])


# -- what is offered ----------------------------------------------------------------------------


def some_updates(seed: int, count: int, odd: float = 0.2) -> Iterator[Thing]:
    """So many updates of every type, the same for the same seed; ids and messages rise."""
    maker = Maker(random.Random(seed), odd)
    return (maker.update() for _ in range(count))


def updates(kind: str | None = None, odd: float = 0.2) -> st.SearchStrategy[Thing]:
    """A strategy for hypothesis: an update of this kind or of any, which shrinks."""
    return st.randoms(use_true_random=False).map(lambda dice: Maker(dice, odd).update(kind))


def conversations(most: int = 20, odd: float = 0.2) -> st.SearchStrategy[list[Thing]]:
    """A strategy for hypothesis: several updates whose numbers rise."""

    def make(dice: random.Random, count: int) -> list[Thing]:
        maker = Maker(dice, odd)
        return [maker.update() for _ in range(count)]

    return st.builds(make, st.randoms(use_true_random=False), st.integers(1, most))


def private_chat(update: Thing) -> int | None:
    """The chat that has to get an answer: of a message somebody wrote to the bot alone.

    None for everything else, and where an odd value makes it unclear who wrote where.
    """
    message = update.get("message")
    if not isinstance(message, dict):
        return None
    chat, sender = message.get("chat", {}), message.get("from", {})
    known = chat.get("type") == "private" and sender.get("is_bot") is False
    same = chat.get("id") == sender.get("id") and FIRST_PERSON <= chat["id"] < FIRST_PERSON + PEOPLE
    return chat["id"] if known and same else None
