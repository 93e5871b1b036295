"""What the clock is handed: the office's rules, and what is done at each tick."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from bot.installation import Installation, chance, now
from scheduler import chart
from scheduler.due import due
from scheduler.lessons import tonight
from scheduler.likeness import gather
from scheduler.office import Office
from storage import attachments, people, reports, rounds
from storage.reach import Windows
from tagging import phrases, taxonomy
from tagging.learning import School
from tagging.model import BrokenModel, NoModel

log = logging.getLogger("langnghe.office")

LETTER_DAYS = 60  # a digest, or a notice, waits so long for its reader


def office_of(
    installation: Installation,
    longest: Mapping[str, int] | None = None,
    windows: Windows | None = None,
) -> Office:
    """The rules of the office out of the settings; what channels can is by their names."""
    chosen = installation.settings

    def place(ward: str) -> str:
        found = installation.places.ward(ward)
        return found.name if found else ward

    return Office(
        zone=chosen.zone,
        kind=chosen.digest_kind,
        cut=chosen.digest_cut,
        digest_day=chosen.digest_day,
        digest_hour=chosen.digest_hour,
        quiet_from=chosen.quiet_from,
        quiet_until=chosen.quiet_until,
        floor=chosen.smallest_group,
        catalogues=installation.catalogues,
        taxonomy=taxonomy.load(),
        place=place,
        phrases=phrases.common,
        chart=chart.draw,
        ids=chance().letters,
        letter_days=LETTER_DAYS,
        longest=longest or {},
        windows=windows or {},
        workdays=installation.workdays,
        meeting_day=chosen.meeting_day,
        smallest_panel=chosen.smallest_panel,
        school=School(installation.models),
        learn_hour=chosen.learn_hour,
    )


def tick_of(installation: Installation, office: Office) -> Callable[[], None]:
    """One look of the clock: what is due, and what is past its time."""

    def tick() -> None:
        gather(installation.store)
        due(installation.store, now(), office)
        forget(installation)
        tonight(installation.store, now(), office)
        renew(installation)

    return tick


def renew(installation: Installation) -> None:
    """Pick up the model that another program, or the night, has put in place."""
    try:
        if installation.tagger.look():
            log.info("another model labels from now on")
    except (NoModel, BrokenModel) as error:
        log.error("the new model cannot be used, the old one stays: %s", type(error).__name__)


def forget(installation: Installation) -> None:
    """Destroy the words of old reports, and the files that no row wants any more."""
    today = installation.today()
    with installation.store.write() as work:
        long_ago = today - timedelta(days=installation.settings.keep_days)
        reports.forget(work, long_ago)
        people.expire(work, long_ago)
        rounds.forget(work, now() - timedelta(days=installation.settings.keep_days))
        attachments.expire(work, today)
        wanted = attachments.stored(work)
    for name in installation.vault.older(now() - timedelta(hours=1)) - wanted:
        installation.vault.drop(name)
    for name in installation.incoming.older(now() - timedelta(days=8)):
        installation.incoming.drop(name)
