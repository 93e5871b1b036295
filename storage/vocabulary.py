"""The values that pass between the rooms: what a person did and said, what the bot says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

Language = Literal["vi", "en"]
Role = Literal["citizen", "collaborator", "officer", "analyst", "supervisor", "administrator"]
Asks = Literal["text", "place", "files"]

LONGEST_CODE = 30  # characters of an option's id that fit a platform's button beside its question
ROLES: tuple[Role, ...] = ("supervisor", "analyst", "collaborator", "officer", "administrator")


@dataclass(frozen=True, slots=True)
class Person:
    """Someone at the other end of a channel, by the platform's own address."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Point:
    """A pin on the map, WGS 84 degrees."""

    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class FileAt:
    """A file that still lies at the platform: where, and what it is said to be."""

    locator: str
    kind: str
    name: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button: the question it belonged to and the option it stood for."""

    question: str
    option: str


@dataclass(frozen=True, slots=True)
class Form:
    """A report written elsewhere (an imported file): no talk follows, only the report."""

    text: str
    unit: str | None = None
    channel: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said, with nothing of the channel left in it; exactly one field is set.

    But a text may stand beside `files` as their caption, and `edits` beside the new text of a
    message: the `ref` of the event that brought the old one. `unread`: a kind of message that is
    not read here. `reachable`: the person took the bot up again, or blocked it. `settled`:
    nothing more came for the group of parts named here (see Part). `withdrawn`: at the platform
    the person took back their consent, so all that is tied to them goes. `staff`: one of ours
    speaks with the person there, so the bot is quiet. `to`: the question that the person saw when
    they wrote a text, where there are no buttons that would say so.
    """

    text: str | None = None
    pressed: Pressed | None = None
    place: Point | None = None
    files: tuple[FileAt, ...] = ()
    start: str | None = None
    form: Form | None = None
    edits: str | None = None
    unread: bool = False
    reachable: bool | None = None
    settled: str | None = None
    withdrawn: bool = False
    staff: bool = False
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """An event that may be a part of something: a picture of an album, a piece of a long text.

    `number` is its place among the person's messages, which may leave gaps. `more`: others are to
    be expected, so what was said is held until they are there.
    """

    group: str
    number: int
    more: bool


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person did in a channel. `id` is unique among the person's for good.

    `ref` is what a later edit will call this event by, where the channel has edits.
    """

    id: str
    person: Person
    said: Said
    at: datetime
    seen: tuple[str, ...] = ()
    ref: str = ""
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers a question offers."""

    id: str
    label: str

    @property
    def code(self) -> str:
        """Its id where that is short and plain, else 17 characters that stand for it."""
        if len(self.id) <= LONGEST_CODE and self.id.isascii():
            return self.id
        return "~" + sha256(self.id.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Message:
    """One thing the bot says. `question` ties its buttons to what they answer.

    `protect`: for staff: a platform that can is asked to let nobody pass it on, and not even its
    length is told by the row in which it waits. `by_number`: the sentence by which a platform
    without buttons asks for an option's number.
    """

    text: str
    question: str | None = None
    choices: tuple[Option, ...] = ()
    asks: Asks | None = None
    picture: str | None = None
    about: str = ""
    protect: bool = False
    by_number: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits for its person, as the outbox finds it.

    `loose`: it may still go to another address of theirs, so it is claimed before it is shown.
    """

    id: str
    message: Message
    loose: bool = False
