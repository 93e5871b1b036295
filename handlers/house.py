"""The rules of the house: how long things are kept, when people may be called, what rounds need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from storage import talks
from storage.campaign import Campaign
from storage.organisations import Organisation
from storage.workdays import Workdays


@dataclass(frozen=True)
class House:
    """The rules of this house, in days, and its clock's zone.

    `smallest_panel`: people who have to answer a round. `templates`: campaigns to begin with.
    """

    zone: ZoneInfo
    workdays: Workdays
    smallest_panel: int = 10
    organisations: tuple[Organisation, ...] = ()
    templates: tuple[Campaign, ...] = ()
    seen_days: int = 3  # a platform repeats an event for 24 hours at most
    imported_days: int = 400  # an import may be repeated long after
    talk_days: int = talks.TALK_DAYS
    quiet_days: int = 180
    letter_days: int = 7
    notice_days: int = 60  # what nobody waits for
    dead_days: int = 14
    file_days: int = 8
    reply_grace: timedelta = timedelta(seconds=10)
    staff_for: timedelta = timedelta(minutes=30)  # after their last word the bot speaks again
    held_days: int = 2
    held_for: timedelta = timedelta(seconds=1.5)  # nothing of a group for so long: it is whole
