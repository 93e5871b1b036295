"""A police station on paper: units, reports, supervisors, and an office with small doubles."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.office import Office
from storage import people, reports, talks, words
from storage.people import Member
from storage.people import Office as Unit
from storage.reports import Told
from storage.store import Store, Work
from storage.vocabulary import Language, Person
from storage.workdays import Workdays, read_holidays
from tagging import taxonomy
from tests.house import ROOT, SomeTags

WORDS = words.load(ROOT / "scheduler" / "catalogues")
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DUE = datetime(2026, 11, 1, 1, tzinfo=UTC)  # 8 in the morning, 1 November, Viet Nam
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
UNITS = (
    Unit("tinh", "Công an tỉnh Bình An", "Binh An provincial police", None, None, False),
    Unit("ben", "Công an phường Bến Thành", "Ben Thanh ward police", "tinh", "79.ben", False),
    Unit("tan", "Công an phường Tân Định", "Tan Dinh ward police", "tinh", "79.tan", False),
)


@dataclass(frozen=True)
class Words:
    words: str


def said_by_all(texts: Sequence[str], at_least: int, most: int) -> list[Words]:
    """A phrase is a whole text here, said so often."""
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    often = sorted((-count, text) for text, count in counts.items() if count >= at_least)
    return [Words(text) for _, text in often[:most]]


def a_picture(picture: Mapping[str, Any]) -> bytes:
    return b"PNG of " + str(picture["title"]).encode()


def letters(seed: int = 3) -> Any:
    dice = random.Random(seed)
    return lambda n: "".join(dice.choices("abcdefghijklmnopqrstuvwxyz234567", k=n))


def office(**changes: Any) -> Office:
    usual: dict[str, Any] = {
        "zone": ZONE,
        "kind": "month",
        "cut": "1",
        "digest_day": 1,
        "digest_hour": 8,
        "quiet_from": 21,
        "quiet_until": 7,
        "floor": 5,
        "catalogues": WORDS,
        "taxonomy": taxonomy.load(),
        "place": {"79.ben": "Phường Bến Thành", "79.tan": "Phường Tân Định"}.__getitem__,
        "phrases": said_by_all,
        "chart": a_picture,
        "ids": letters(),
        "letter_days": 30,
        "workdays": Workdays(ZONE, 21, 7, read_holidays()),
        "meeting_day": 25,
        "smallest_panel": 10,
        "longest": {"web": 4096},
    }
    return Office(**usual | changes)


class Station:
    """Fills a store: units, then reports and supervisors one call at a time."""

    def __init__(self, store: Store) -> None:
        self.store, self._ids = store, letters(11)
        with store.write() as work:
            for unit in UNITS:
                people.add_unit(work, unit, date(2025, 7, 1))

    def tell(
        self,
        count: int,
        on: date = OCTOBER[0],
        unit: str = "ben",
        about: str | None = None,
        topic: str | None = "drugs",
        sentiment: str = "criticism",
        text: str = "bán ma túy ở đầu hẻm",
        state: str | None = None,
    ) -> None:
        ward = {"ben": "79.ben", "tan": "79.tan"}.get(unit)
        tags = SomeTags(topic, sentiment=sentiment) if topic else None
        with self.store.write() as work:
            for _ in range(count):
                one = self._ids(20)
                reports.add(
                    work,
                    Told(
                        id=one,
                        kind="tip" if state else "opinion",
                        legal="crime",
                        stream="citizen",
                        channel="web",
                        language="vi",
                        told=on,
                        unit=unit,
                        about=about,
                        ward=ward,
                        body={"what": text},
                        tags=tags,
                    ),
                )
                if state:
                    self._case(work, one, on, state)

    def _case(self, work: Work, one: str, on: date, state: str) -> None:
        reports.open_case(work, reports.Opened(one, self._ids(8), self._ids(16), on, None))
        if state != "new":
            reports.move(work, one, state, on)

    def enrol(
        self,
        one: str,
        unit: str = "tinh",
        language: Language = "vi",
        since: date = date(2026, 1, 1),
        channel: str = "web",
    ) -> bytes:
        at = Person(channel, one)
        with self.store.write() as work:
            key = talks.key_of(work, at)
            people.enrol(work, Member(one, "supervisor", unit, language), key, at, since)
        return key

    def wish(self, person: str, period: str, unit: str = "tinh") -> None:
        with self.store.write() as work:
            people.wish(work, self._ids(20), "digest", unit, period, person)
