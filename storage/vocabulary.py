"""The values that pass between the rooms: what a person did and said, what the bot says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Language = Literal["vi", "en"]
Role = Literal["citizen", "collaborator", "officer", "analyst", "supervisor", "administrator"]
Asks = Literal["text", "place", "files"]

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
    """What somebody said, with nothing of the channel left in it; exactly one field is set."""

    text: str | None = None
    pressed: Pressed | None = None
    place: Point | None = None
    files: tuple[FileAt, ...] = ()
    start: str | None = None
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person did in a channel. `id` is unique among the person's for good."""

    id: str
    person: Person
    said: Said
    at: datetime
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers a question offers."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Message:
    """One thing the bot says. `question` ties its buttons to what they answer.

    `protect`: it belongs to a talk that nobody else should see or measure.
    """

    text: str
    question: str | None = None
    choices: tuple[Option, ...] = ()
    asks: Asks | None = None
    picture: str | None = None
    about: str = ""
    protect: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits for its person, as the outbox finds it."""

    id: str
    message: Message
