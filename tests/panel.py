"""A house with people to be asked and the clock that asks them, over one store."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scheduler import rounds as clock
from scheduler.office import Office
from storage import people, rounds, talks, words
from storage.campaign import Campaign
from storage.campaign_file import read_campaign
from storage.migrating import migrate
from storage.people import Member
from storage.rounds import Round
from storage.sealing import Keys, Seal
from storage.store import Store
from storage.vocabulary import Message, Pressed, Role, Said
from tests.house import ROOT, Talkers, at, open_house
from tests.scheduler.station import letters, office

BOTH = words.load(ROOT / "handlers" / "catalogues", ROOT / "scheduler" / "catalogues")
numbers = itertools.count(1)
MORNING = datetime(2026, 11, 10, 2, tzinfo=UTC)  # Tuesday, 9 in the morning, Viet Nam


def shipped(name: str, **changes: Any) -> Campaign:
    found = read_campaign(ROOT / "campaigns" / f"{name}.toml")
    return Campaign.model_validate(found.model_dump() | changes)


@dataclass
class Panel:
    """People of the house by name, a campaign or several, and a clock that is turned by hand."""

    store: Store
    house: Talkers
    office: Office
    names: list[str] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.house.now

    def enrol(self, *names: str, role: Role = "officer", unit: str = "ben-thanh") -> None:
        with self.store.write() as work:
            for name in names:
                key = talks.key_of(work, at(name))
                people.enrol(work, Member(name, role, unit, "vi"), key, at(name), self.now.date())
                talks.keep(work, {key: _welcomed()}, self.now.date() + timedelta(days=180))
        self.names += names

    def start(self, campaign: Campaign) -> None:
        with self.store.write() as work:
            rounds.set_campaign(work, campaign, self.now)

    def tick(self) -> bool:
        return clock.due(self.store, self.house.now, self.office)

    def later(self, **span: float) -> None:
        self.house.later(**span)

    def round(self) -> Round:
        with self.store.read() as work:
            found = [*rounds.open_rounds(work), *rounds.closed_rounds(work, 100)]
        return found[0]

    def say(self, who: str, *said: str | Said) -> list[Message]:
        replies: list[Message] = []
        for each in said:
            replies = self.house.say(each, who)
        return replies

    def answer(self, who: str, *said: str | Said) -> list[Message]:
        """Tap the prompt, agree to begin, and say these things."""
        prompt = next(m for m in self.house.waiting(who) if (m.question or "").startswith("round:"))
        assert prompt.question is not None
        return self.say(who, Said(pressed=Pressed(prompt.question, "answer")), "1", *said)

    def close(self) -> None:
        until = self.round().until
        self.house.now = max(self.now, until) + timedelta(minutes=1)
        self.tick()


def _welcomed() -> dict[str, Any]:
    return {"language": "vi", "welcomed": True, "running": None, "aside": None, "remarks": []}


def open_panel(store: Store, seed: int = 7, **changes: Any) -> Panel:
    house = open_house(store, seed)
    house.now = MORNING
    return Panel(store, house, office(catalogues=BOTH, **changes))


def unhurried(path: Path) -> Store:
    """A store on SQLite that does not wait for the disk: what survives a power cut is not asked."""
    store = Store(f"sqlite:///{path}", Seal(Keys.new()))
    migrate(store.engine)
    with store.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA synchronous=OFF")
    return store


def open_now(store: Store, names: Sequence[str], now: datetime) -> None:
    """Put shipped campaigns in force and open a round of each, at the next moment that may be."""
    rules = office(catalogues=BOTH, ids=letters(1_000 + next(numbers)))
    while not rules.workdays.calls(now):
        now += timedelta(hours=1)
    with store.write() as work:
        for name in names:
            mine = f"{name}-{next(numbers)}"  # a store may serve several talks, one after another
            rounds.set_campaign(work, shipped(name, when="once", id=mine), now)
    clock.due(store, now, rules)


def texts(messages: Sequence[Message]) -> str:
    return "\n".join(message.text for message in messages)
