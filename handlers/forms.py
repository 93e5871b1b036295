"""Reports written elsewhere (an imported file): tagged, routed and stored like those told here."""

from __future__ import annotations

from datetime import datetime

from handlers.dialogue import Desk
from storage import reports
from storage.reports import Told
from storage.vocabulary import Form
from tagging.normal import tidy


class NotAReport(Exception):
    """A form without words in it: leave the line out."""


class NoSuchUnit(Exception):
    """A form names a unit that is not in the tree: add the unit or mend the line."""


def settle_form(desk: Desk, form: Form, at: datetime) -> None:
    """Store one form as a report. Raises NotAReport, NoSuchUnit."""
    text = tidy(form.text).strip()
    if not text:
        raise NotAReport
    if form.unit is not None and form.unit not in desk.tree().units:
        raise NoSuchUnit(form.unit)
    reports.add(
        desk.work,
        Told(
            id=desk.chance.letters(20),
            kind="opinion",
            legal="reflection",
            stream="citizen",
            channel=form.channel or "import",
            language="vi",
            told=at.astimezone(desk.now.tzinfo).date(),
            unit=form.unit or desk.tree().root.id,
            about=None,
            ward=None,
            body={"what": text},
            tags=desk.ears.tagger.tag(text),
        ),
    )
