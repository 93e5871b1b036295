"""What a dialogue is, what it knows of its person, and what may come of it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, Protocol

from handlers.house import House
from handlers.scene import Gazetteer
from storage.people import Member, Tree
from storage.reports import Suggested
from storage.store import Work
from storage.vocabulary import Language, Message, Person, Role
from storage.words import Words


class Tagging(Protocol):
    """Reads a text and suggests its labels."""

    def tag(self, text: str) -> Suggested: ...


@dataclass(frozen=True)
class Ears:
    """What the core hears with: the tagger, the gazetteer, the words of danger."""

    tagger: Tagging
    places: Gazetteer
    danger: Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class Chance:
    """Where codes come from, so that tests know them: letters a-z2-7, and decimal digits."""

    letters: Callable[[int], str]
    digits: Callable[[int], str]


@dataclass(frozen=True)
class About:
    """What a script may know of its person. `given` is what the dialogue was begun with."""

    role: Role
    language: Language
    given: Mapping[str, Any]


@dataclass(frozen=True)
class Begin:
    """Which dialogue comes next, and what it is given.

    `carries`: answers given so far under the same keys hold there too.
    """

    name: str
    given: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    carries: bool = False


@dataclass(frozen=True)
class Settled:
    """What an outcome led to: what to say, what comes next, which language from now on.

    `wishes`: a row waits for the clock, which need not wait for its next tick.
    """

    say: tuple[Message, ...] = ()
    next: Begin | None = None
    language: Language | None = None
    welcomed: bool | None = None
    forget: bool = False
    wishes: bool = False


@dataclass(frozen=True)
class Desk:
    """What an outcome works with while it settles: the open transaction and who is speaking."""

    work: Work
    key: bytes
    person: Person
    member: Member | None
    words: Words
    catalogues: Mapping[Language, Words]
    now: datetime
    today: date
    tree: Callable[[], Tree]
    ears: Ears
    chance: Chance
    house: House

    @property
    def language(self) -> Language:
        """The language of the person speaking."""
        return self.words.language

    def tell(self, key: str, **values: object) -> Message:
        """A sentence of the catalogue as a message."""
        return Message(self.words(key, **values))


class Outcome(Protocol):
    """What a dialogue came to. It settles once, inside the transaction of its last event."""

    def settle(self, desk: Desk) -> Settled: ...


Script = Callable[[About], Coroutine[Any, Any, Outcome]]


@dataclass(frozen=True)
class Dialogue:
    """One dialogue: its name, its script, who may begin it, whether it stands in the menu.

    `resumable`: it may be set aside and taken up again. `yields`: it gives way to whatever
    else is said, and is nothing one could cancel. `stored`: what it is about is stored, so
    cancelling does not undo it.
    """

    name: str
    script: Script
    roles: frozenset[Role] | None = None
    menu: int | None = None
    before_consent: bool = False
    resumable: bool = False
    yields: bool = False
    stored: bool = False

    def open_to(self, role: Role) -> bool:
        """Whether somebody with this role may begin it."""
        return self.roles is None or role in self.roles


@dataclass(frozen=True)
class Nothing:
    """A dialogue that ends without a trace, with a sentence or without."""

    say: str | None = None
    next: Begin | None = None

    def settle(self, desk: Desk) -> Settled:
        """Nothing is written."""
        return Settled((desk.tell(self.say),) if self.say else (), self.next)


@cache
def dialogues() -> Mapping[str, Dialogue]:
    """Every dialogue there is: each module of `handlers/dialogues/` defines one as DIALOGUE."""
    package = importlib.import_module("handlers.dialogues")
    modules = (
        importlib.import_module(f"handlers.dialogues.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
    )
    return {module.DIALOGUE.name: module.DIALOGUE for module in modules}
