"""What the clock is handed: the office's rules, and what is done at each tick."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from bot.installation import Installation, now
from scheduler.due import Office, due
from storage import attachments, reports

log = logging.getLogger("langnghe.clock")


def office_of(installation: Installation) -> Office:
    """The rules of the office out of the settings."""
    raise NotImplementedError


def tick_of(installation: Installation, office: Office) -> Callable[[], None]:
    """One look of the clock: what is due, and what is past its time."""

    def tick() -> None:
        due(installation.store, now(), office)
        forget(installation)

    return tick


def forget(installation: Installation) -> None:
    """Destroy the words of old reports, and the files that no row wants any more."""
    today = installation.today()
    with installation.store.write() as work:
        reports.forget(work, today - timedelta(days=installation.settings.keep_days))
        attachments.expire(work, today)
        wanted = attachments.stored(work)
    for name in installation.vault.older(now() - timedelta(hours=1)) - wanted:
        installation.vault.drop(name)
    for name in installation.incoming.older(now() - timedelta(days=8)):
        installation.incoming.drop(name)
