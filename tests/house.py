"""A house to talk in without any channel: the reception over a real store, with small doubles."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from handlers.dialogue import Chance, Ears
from handlers.house import House
from handlers.reception import Reception, Taken
from storage import outbox, people, reports, talks, words
from storage.campaign_file import read_campaign
from storage.organisations import read_organisations
from storage.outbox import Letter, Post
from storage.people import Office
from storage.store import Store, Work
from storage.vocabulary import (
    ROLES,
    Event,
    FileAt,
    Language,
    Message,
    Person,
    Said,
)
from storage.workdays import Workdays, read_holidays
from tagging.emergency import Emergency
from tagging.normal import fold

ROOT = Path(__file__).parent.parent
CATALOGUES = words.load(ROOT / "handlers" / "catalogues")
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
WORKDAYS = Workdays(ZONE, 21, 7, read_holidays())
NOON = datetime(2026, 11, 10, 5, tzinfo=UTC)  # noon in Viet Nam
UNITS = (
    Office("tinh", "Công an tỉnh", "Provincial police", None, None, False),
    Office("thanh-tra", "Thanh tra", "Inspectorate", None, None, True),
    Office(
        "ben-thanh", "Công an phường Bến Thành", "Ben Thanh police", "tinh", "79.benthanh", False
    ),
    Office("tan-dinh", "Công an phường Tân Định", "Tan Dinh police", "tinh", "79.tandinh", False),
)


@dataclass(frozen=True)
class SomeWard:
    id: str
    name: str
    province: str = "Thành phố Hồ Chí Minh"
    old: tuple[str, ...] = ()


class SmallGazetteer:
    wards = (
        SomeWard("79.benthanh", "Phường Bến Thành"),
        SomeWard("79.tandinh", "Phường Tân Định"),
        SomeWard("01.bendo", "Phường Bến Độ", "Thành phố Hà Nội"),
    )

    def search(self, text: str, most: int = 6) -> Sequence[SomeWard]:
        wanted = fold(text).removeprefix("phuong ").removeprefix("xa ")
        return [w for w in self.wards if len(wanted) > 2 and wanted in fold(w.name)][:most]

    def find(self, text: str) -> SomeWard | None:
        return next((w for w in self.wards if w.name.lower() in text.lower()), None)

    def ward(self, id: str) -> SomeWard | None:
        return next((ward for ward in self.wards if ward.id == id), None)


@dataclass(frozen=True)
class SomeTags:
    topic: str
    also: tuple[str, ...] = ()
    sentiment: str = "neutral"
    urgency: str = "routine"
    sure: bool = True
    confidence: dict[str, float] = field(default_factory=lambda: {"topic": 0.9})
    reasons: dict[str, tuple[str, ...]] = field(default_factory=dict)


class OneWordTagger:
    def tag(self, text: str) -> SomeTags:
        if "poison" in text:
            raise RuntimeError("a fault that a message sets off")
        topic = "drugs" if "ma tuy" in fold(text) else "other"
        return SomeTags(topic, reasons={"topic": (text.split()[0],)} if text.split() else {})


def chance(seed: int = 7) -> Chance:
    dice = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    return Chance(
        lambda n: "".join(dice.choices(letters, k=n)),
        lambda n: "".join(dice.choices("0123456789", k=n)),
    )


def ears() -> Ears:
    return Ears(OneWordTagger(), SmallGazetteer(), Emergency.load().tells)


@dataclass
class Talkers:
    """People who talk to the house, one event after the other, at a clock that is handed in."""

    store: Store
    reception: Reception
    now: datetime = NOON
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def say(self, said: Said | str, who: str = "an", event: str | None = None) -> list[Message]:
        if isinstance(said, str):
            said = Said(text=said)
        taken = self.take(Event(event or f"e{next(self.numbers)}", at(who), said, self.now))
        return [reply.message for reply in taken.replies]

    def take(self, event: Event) -> Taken:
        with self.store.write() as work:
            return self.reception.take(work, [event], self.now)[0]

    def restart(self) -> None:
        """The program is stopped and started: nothing is left but what the store holds."""
        kept = self.reception
        fresh = chance(next(self.numbers) + 1000)
        self.reception = Reception(kept.ears, kept.catalogues, kept.house, fresh)

    def invite(self, role: str, unit: str) -> str:
        number = next(self.numbers)
        code = f"abcd-efgh-{''.join('234567'[number // 6**place % 6] for place in range(4))}"
        wanted = next(known for known in ROLES if known == role)
        with self.store.write() as work:
            people.invite(work, code, wanted, unit, self.now + timedelta(days=7))
        return code

    def answer(self, receipt: str, text: str) -> None:
        """The office answers; a sender who asked for it is told that there is an answer."""
        with self.store.write() as work:
            known = reports.by_receipt(work, receipt.replace(" ", ""))
            assert known is not None
            reports.say(work, known.report, False, text, self.now.date())
            told = reports.move(work, known.report, "answered", self.now.date())
            if told is not None:
                self._tell(work, *told)

    def _tell(self, work: Work, person: Person, language: Language) -> None:
        post = Post()
        message = Message(CATALOGUES[language]("case.notice"))
        letters = f"n{next(self.numbers)}"
        post.add(Letter(letters, talks.key_of(work, person), "web", person.address, message))
        outbox.put(work, post, self.now.date() + timedelta(days=60))

    def files(self, kind: str, count: int, who: str = "an") -> tuple[FileAt, ...]:
        return tuple(FileAt(f"at{next(self.numbers)}", kind) for _ in range(count))

    def waiting(self, who: str = "an") -> list[Message]:
        with self.store.read() as work:
            key = talks.key_of(work, at(who))
            return [w.message for w in outbox.waiting(work, key, self.now)]

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)


def at(who: str) -> Person:
    return Person("web", who)


def open_house(store: Store, seed: int = 7) -> Talkers:
    with store.write() as work:
        for unit in UNITS:
            people.add_unit(work, unit, date(2025, 7, 1))
    organisations = read_organisations(ROOT / "campaigns" / "organisations.toml")
    templates = (read_campaign(ROOT / "campaigns" / "opinion-round.toml"),)
    house = House(ZONE, WORKDAYS, 10, organisations, templates)
    return Talkers(store, Reception(ears(), CATALOGUES, house, chance(seed)))
