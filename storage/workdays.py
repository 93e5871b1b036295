"""When people may be called upon unasked: not at night, not at weekends, not on public holidays."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

SHIPPED = Path(__file__).parent / "holidays.toml"
BEFORE_TET, FROM_TET = 2, 4  # days off before the first of the year, and from it on
SATURDAY = 5


@dataclass(frozen=True)
class Holidays:
    """Public holidays; `known_until` is the last year whose lunar dates are known."""

    fixed: frozenset[tuple[int, int]]
    dates: frozenset[date]
    known_until: int

    def on(self, day: date) -> bool:
        """Whether a day is one."""
        return day in self.dates or (day.month, day.day) in self.fixed


@dataclass(frozen=True)
class Workdays:
    """Knows the quiet hours (local), weekends and holidays of an installation."""

    zone: ZoneInfo
    quiet_from: int
    quiet_until: int
    holidays: Holidays

    def calls(self, now: datetime) -> bool:
        """Whether people may be called upon at a moment."""
        local = now.astimezone(self.zone)
        start, end = self.quiet_from, self.quiet_until
        night = (
            local.hour >= start or local.hour < end if start > end else start <= local.hour < end
        )
        return not night and self.works(local.date())

    def works(self, day: date) -> bool:
        """Whether a day is a working day."""
        return day.weekday() < SATURDAY and not self.holidays.on(day)


def read_holidays(path: Path = SHIPPED) -> Holidays:
    """The holidays of a file. Raises ValueError saying what is off."""
    with path.open("rb") as source:
        written = tomllib.load(source)
    try:
        fixed = frozenset(_month_and_day(each) for each in written.get("every_year", ()))
        lunar = {int(year): days for year, days in written.get("lunar", {}).items()}
        dates: set[date] = set(written.get("days", ()))
        for year, days in lunar.items():
            if days["tet"].year != year or days["hung_kings"].year != year:
                raise ValueError(f"lunar.{year}: a date of another year")
            dates |= {days["tet"] + timedelta(days=n) for n in range(-BEFORE_TET, FROM_TET)}
            dates.add(days["hung_kings"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"holidays: {type(error).__name__} {error}") from None
    if not all(isinstance(each, date) for each in dates):
        raise ValueError("holidays: days = [2027-02-04, ...] holds dates")
    return Holidays(fixed, frozenset(dates), max(lunar, default=0))


def _month_and_day(written: str) -> tuple[int, int]:
    day = date.fromisoformat(f"2000-{written}")
    return day.month, day.day
