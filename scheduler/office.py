"""What an installation hands to the clock: its calendar, its floor, its words, its functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from scheduler.periods import Cut, Kind
from storage.reach import Reach, Windows
from storage.vocabulary import Language
from storage.words import Words
from storage.workdays import Workdays
from tagging.learning import Correction
from tagging.learning import Lesson as Learned
from tagging.taxonomy import Taxonomy

SHORTEST = 2000  # UTF-16 units: what every channel takes (Zalo is the one that takes no more)


class Phrase(Protocol):
    """Words that several people used."""

    @property
    def words(self) -> str: ...


class Phrases(Protocol):
    """Finds what at least so many texts say, persons masked (tagging.phrases.common fits)."""

    def __call__(self, texts: Sequence[str], at_least: int, most: int) -> Sequence[Phrase]: ...


class School(Protocol):
    """Learns from corrections made before a day (tagging.learning.School fits)."""

    def learn(self, corrections: Sequence[Correction], until: str, several: int) -> Learned: ...


@dataclass(frozen=True)
class Office:
    """An installation as the clock sees it. Hours are local; `ids(n)` gives n random letters.

    `workdays` knows when people may be called upon; `meeting_day` (1 to 28) is that of the monthly
    meeting; `smallest_panel` is how many have to answer a round before anything of it is shown.
    `place` names a ward by its id; `chart` draws a picture (scheduler.chart.draw) or gives no
    bytes; `longest` is how many UTF-16 units a message may have, by channel, where not 2,000;
    `windows` is for how long after a word of its person each channel takes letters (storage.reach).
    `school` is where the tagger learns from corrections, after `learn_hour`; None: nowhere.
    """

    zone: ZoneInfo
    kind: Kind
    cut: Cut
    digest_day: int
    digest_hour: int
    quiet_from: int
    quiet_until: int
    floor: int
    catalogues: Mapping[Language, Words]
    taxonomy: Taxonomy
    place: Callable[[str], str]
    phrases: Phrases
    chart: Callable[[Mapping[str, Any]], bytes]
    ids: Callable[[int], str]
    letter_days: int
    workdays: Workdays
    meeting_day: int
    smallest_panel: int
    longest: Mapping[str, int] = field(default_factory=dict)
    windows: Windows = field(default_factory=dict)
    school: School | None = None
    learn_hour: int = 3

    def today(self, now: datetime) -> date:
        """The date where the office is."""
        return now.astimezone(self.zone).date()

    def reach(self, now: datetime) -> Reach:
        """How people are reached at a moment."""
        return Reach(now, self.windows)

    def fits(self, channels: Iterable[str]) -> int:
        """How many UTF-16 units a message has that fits each of these channels."""
        return min(self.longest.get(channel, SHORTEST) for channel in channels)

    def not_before(self, now: datetime) -> datetime | None:
        """The end of the quiet hours when it is quiet now."""
        local = now.astimezone(self.zone)
        start, end = self.quiet_from, self.quiet_until
        over_midnight = start > end
        quiet = (
            local.hour >= start or local.hour < end if over_midnight else start <= local.hour < end
        )
        if not quiet:
            return None
        later = over_midnight and local.hour >= start
        day = local.date() + timedelta(days=1) if later else local.date()
        return datetime.combine(day, time(end), self.zone).astimezone(UTC)
