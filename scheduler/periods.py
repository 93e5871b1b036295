"""Reporting periods as data: month, quarter, half, nine months, year, cut at the 1st or 15th."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal, get_args
from zoneinfo import ZoneInfo

Kind = Literal["month", "quarter", "half", "nine", "year"]
Cut = Literal["1", "15"]  # calendar months, or the 15th to the 14th of Decree 09/2019/NĐ-CP

KINDS: tuple[Kind, ...] = get_args(Kind)
EXPECTED = "use 2026-10 (month), 2026-Q4 (quarter), 2026-H1 (half), 2026-9M (nine months) or 2026"

_MONTHS: dict[Kind, int] = {"month": 1, "quarter": 3, "half": 6, "nine": 9, "year": 12}
_EVERY: dict[Kind, int] = {**_MONTHS, "nine": 12}  # the nine months come once a year
_KEY = re.compile(
    "(?P<year>(?:19|20)[0-9]{2})"
    "(?:-(?:(?P<month>0[1-9]|1[0-2])|Q(?P<quarter>[1-4])|H(?P<half>[12])|(?P<nine>9M)))?"
)


class BadPeriod(Exception):
    """A period that cannot be had: the message says which ones can."""


@dataclass(frozen=True, slots=True)
class Period:
    """A span of days `[first, until)` that is reported on, and the key people name it by."""

    kind: Kind
    key: str
    first: date
    until: date

    @property
    def cut(self) -> Cut:
        """Where its months are cut."""
        return "1" if self.first.day == 1 else "15"

    def closed(self, today: date) -> bool:
        """Whether its last day is over."""
        return self.until <= today


def parse(key: str, cut: Cut) -> Period:
    """The period people mean by a key. Raises BadPeriod."""
    found = _KEY.fullmatch(key.strip().upper())
    if found is None:
        raise BadPeriod(f"{key!r} is not a period: {EXPECTED}")
    year = int(found["year"]) * 12
    if found["month"]:
        return _starting("month", year + int(found["month"]) - 1, cut)
    if found["quarter"]:
        return _starting("quarter", year + 3 * (int(found["quarter"]) - 1), cut)
    if found["half"]:
        return _starting("half", year + 6 * (int(found["half"]) - 1), cut)
    return _starting("nine" if found["nine"] else "year", year, cut)


def running(kind: Kind, cut: Cut, today: date) -> Period:
    """The period a day lies in; for the nine months that of its year, though it may be over."""
    month = today.year * 12 + today.month - 1
    if cut == "15" and today.day >= 15:
        month += 1
    return _starting(kind, month - month % _EVERY[kind], cut)


def before(period: Period) -> Period:
    """The period of the same kind that came before."""
    month = _month_of(period.first)
    return _starting(period.kind, month - _EVERY[period.kind], period.cut)


def last_closed(kind: Kind, cut: Cut, today: date) -> Period:
    """The newest period whose last day is over."""
    newest = running(kind, cut, today)
    return newest if newest.closed(today) else before(newest)


def due(period: Period, day: int, hour: int, zone: ZoneInfo) -> datetime:
    """When its digest goes out: the first such day (1 to 28) and hour after its last day."""
    on = period.until.replace(day=day)
    if on < period.until:
        on = _first_of(_month_of(on.replace(day=1)) + 1).replace(day=day)
    return datetime.combine(on, time(hour), zone)


def _starting(kind: Kind, month: int, cut: Cut) -> Period:
    edges = _edge(month, cut), _edge(month + _MONTHS[kind], cut)
    return Period(kind, _key(kind, month), *edges)


def _key(kind: Kind, month: int) -> str:
    year, within = divmod(month, 12)
    return (
        f"{year}"
        + {
            "month": f"-{within + 1:02}",
            "quarter": f"-Q{within // 3 + 1}",
            "half": f"-H{within // 6 + 1}",
            "nine": "-9M",
            "year": "",
        }[kind]
    )


def _edge(month: int, cut: Cut) -> date:
    return _first_of(month) if cut == "1" else _first_of(month - 1).replace(day=15)


def _first_of(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _month_of(first: date) -> int:
    # The 15th opens the month that follows it, so that a period is named by where it ends.
    return first.year * 12 + first.month - 1 + (first.day == 15)
