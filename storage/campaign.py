"""A campaign as data: whom it asks, when, how long, and its questions in every language it has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from croniter import croniter
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from storage.vocabulary import Language

Kind = Literal["scale", "one", "several", "text", "place"]
SCALE = ("1", "2", "3", "4", "5")
SKIPPED = "-"  # the option of whoever gave no answer
ELSEWHERE = "+"  # a place in words of one's own
LONGEST_TEXT = 500  # characters of a free answer: what takes three minutes to type on a phone
WIDEST_TEXT = 4 * LONGEST_TEXT  # bytes
WIDEST_TAPS = 512  # bytes that any other answer takes at most, its key included
STEP = 4096  # bytes; sizes are told to the next multiple only
MOST_LISTED = 5  # sayings of earlier rounds that may be confirmed
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,19}")
_MEETING = re.compile(r"meeting-(\d|1\d|2[0-8]) ([01]\d|2[0-3]):([0-5]\d)")
_DAILY = re.compile(r"\d{1,2} \d{1,2}( \S+){3}$")
_ONCE = "%Y-%m-%d %H:%M"
EXPECTED = (
    'a cron rule such as "0 8 18 * *", "meeting-7 08:00", "2026-12-01 08:00" or "once", '
    "in the installation's time zone"
)
CONFIRMED = "confirmed"  # the question under which sayings of earlier rounds are confirmed
RESERVED = frozenset((CONFIRMED, "promise", "review", "again"))
Wording = dict[Language, str]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Choice(_Frozen):
    """One answer of a list; its id is stored and never renamed."""

    id: str
    vi: Annotated[str, Field(min_length=1, max_length=60)]
    en: Annotated[str, Field(max_length=60)] = ""

    @field_validator("id")
    @classmethod
    def _plain(cls, id: str) -> str:
        if not _KEY.fullmatch(id):
            raise ValueError("an id is a-z, 0-9 and _, at most 20, and begins with a letter")
        return id

    def label(self, language: Language) -> str:
        """What people read."""
        return self.en if language == "en" and self.en else self.vi


class Asked(_Frozen):
    """One question."""

    key: str
    kind: Kind
    text: Wording
    options: tuple[Choice, ...] = ()
    required: bool = False

    @field_validator("key")
    @classmethod
    def _plain(cls, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise ValueError("a key is a-z, 0-9 and _, at most 20, and begins with a letter")
        if key in RESERVED:
            raise ValueError(f"{key} is what the talk itself is asked under: use another key")
        return key

    @model_validator(mode="after")
    def _listed(self) -> Asked:
        listed = self.kind in ("one", "several")
        if listed and not 2 <= len(self.options) <= 20:
            raise ValueError(f"a question of kind {self.kind} has 2 to 20 options")
        if not listed and self.options:
            raise ValueError(f"a question of kind {self.kind} has no options")
        if len({each.id for each in self.options}) != len(self.options):
            raise ValueError("two options have one id")
        return self

    def ids(self) -> tuple[str, ...]:
        """The ids of its answers, in order; a place and a text have none that are known before."""
        return SCALE if self.kind == "scale" else tuple(each.id for each in self.options)


class Who(_Frozen):
    """Whom a campaign asks. No units: everybody's; no organisations: whether in one or not."""

    roles: Annotated[tuple[Literal["collaborator", "officer"], ...], Field(min_length=1)]
    units: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()


class Campaign(_Frozen):
    """A campaign. `repeat`: how many matters one may tell in a round; `anytime`: also between."""

    id: str
    title: Wording
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("vi",)
    about: Wording = {}
    who: Who
    when: str = "meeting-7 08:00"
    open_days: Annotated[int, Field(ge=1, le=60)] = 5
    grace_days: Annotated[int, Field(ge=0, le=14)] = 1
    reminders: Annotated[int, Field(ge=0, le=5)] = 2
    repeat: Annotated[int, Field(ge=1, le=5)] = 1
    anytime: bool = False
    confirm: bool = False
    question: Annotated[tuple[Asked, ...], Field(min_length=1, max_length=10)]

    @field_validator("id")
    @classmethod
    def _plain(cls, id: str) -> str:
        if not _ID.fullmatch(id):
            raise ValueError("an id is a-z, 0-9 and -, at most 40")
        return id

    @field_validator("when")
    @classmethod
    def _rule(cls, when: str) -> str:
        if is_rule(when):
            return when
        raise ValueError(f"expected is {EXPECTED}")

    @model_validator(mode="after")
    def _whole(self) -> Campaign:
        keys = [each.key for each in self.question]
        if len(set(keys)) != len(keys):
            raise ValueError("two questions have one key")
        worded = [self.title, *([self.about] if self.about else [])]
        worded += [each.text for each in self.question]
        for text in worded:
            missing = [one for one in self.languages if not text.get(one)]
            if missing:
                raise ValueError(f"a text is missing in {', '.join(missing)}")
        long = [t for text in worded for t in text.values() if len(t) > 600]
        if long:
            raise ValueError("a text is longer than 600 characters")
        if "officer" in self.who.roles and any(each.required for each in self.question):
            raise ValueError("officers may skip every question: none may be required")
        return self

    def say(self, text: Mapping[Language, str], language: Language) -> str:
        """A text in a language, or in the first the campaign has."""
        return text.get(language) or text.get(self.languages[0], "")

    def room(self) -> int:
        """Bytes that any answer to it fits in, the same for everybody."""
        texts = sum(each.kind == "text" for each in self.question)
        taps = len(self.question) - texts + 2
        widest = self.repeat * (texts * WIDEST_TEXT + taps * WIDEST_TAPS)
        return -(-(widest + STEP // 2) // STEP) * STEP

    def kept(self) -> str:
        """Canonical JSON: the same for the same campaign."""
        return self.model_dump_json()


@lru_cache(maxsize=64)
def campaign_from(kept: str) -> Campaign:
    """A campaign out of its stored form."""
    return Campaign.model_validate_json(kept)


def is_rule(when: str) -> bool:
    """Whether it says when rounds are due."""
    if when == "once" or _MEETING.fullmatch(when):
        return True
    return _moment(when) is not None or _cron(when)


def last_due(
    campaign: Campaign, since: datetime, now: datetime, zone: ZoneInfo, meeting_day: int
) -> datetime | None:
    """The newest moment from `since` to `now` at which a round was due; the older ones are past.

    `meeting_day`: of the month (1 to 28), for rules that count from the monthly meeting.
    """
    when = campaign.when
    if when == "once":
        return since if since <= now else None
    found = _moment(when)
    if found is not None:
        due = found.replace(tzinfo=zone).astimezone(UTC)
    elif (meeting := _MEETING.fullmatch(when)) is not None:
        due = _before_meeting(now, zone, meeting_day, meeting)
    else:
        local = now.astimezone(zone) + timedelta(minutes=1)
        due = croniter(when, local.replace(second=0, microsecond=0)).get_prev(datetime)
        due = due.astimezone(UTC)
    return due if since <= due <= now else None


def _before_meeting(
    now: datetime, zone: ZoneInfo, meeting_day: int, rule: re.Match[str]
) -> datetime:
    """So many days before the meeting of this month or the next, whichever passed last."""
    days, hour, minute = (int(each) for each in rule.groups())
    first = now.astimezone(zone).date().replace(day=1)
    months = [_month_on(first, by) for by in (2, 1, 0, -1)]
    for month in months:
        day = month.replace(day=meeting_day) - timedelta(days=days)
        due = datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
        if due <= now:
            return due
    raise AssertionError("a meeting of last month less four weeks is past")  # 28 days at most


def _month_on(first: date, by: int) -> date:
    month = first.year * 12 + first.month - 1 + by
    return date(month // 12, month % 12 + 1, 1)


def _moment(when: str) -> datetime | None:
    try:
        return datetime.strptime(when, _ONCE)
    except ValueError:
        return None


def _cron(when: str) -> bool:
    # One minute of one hour: a campaign calls once a day at most.
    return bool(_DAILY.match(when)) and bool(croniter.is_valid(when))
