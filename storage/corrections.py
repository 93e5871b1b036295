"""What people made of the machine's labels, and the lessons that the tagger took from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import ColumnElement, exists, func, select, update

from storage import alike
from storage.sealing import CannotOpen
from storage.store import Work, table
from storage.tables import Lesson as LessonRow
from storage.tables import Report, Tag

_report, _tag, _lesson = table(Report), table(Tag), table(LessonRow)

MACHINE = "machine"
NIGHT, ROLLBACK, BY_HAND = "night", "rollback", "by hand"


@dataclass(frozen=True)
class Corrected:
    """The words of a report and the labels people gave it, by axis; `on` is the newest's day."""

    text: str
    labels: Mapping[str, str]
    also: tuple[str, ...]
    on: date


@dataclass(frozen=True)
class Lesson:
    """One time the tagger learned: from how many texts, and how well old and new model did.

    `state` is begun, taken (the new model is in use), kept (the old one is), nothing (there was
    nothing new to learn from), failed, or back (somebody went back to the model before).
    """

    day: date
    what: str
    state: str
    texts: int = 0
    heldout_old: float | None = None
    heldout_new: float | None = None
    recent_old: float | None = None
    recent_new: float | None = None


def readable() -> ColumnElement[bool]:
    """Whether the sender of a report agreed to a machine reading it: then one has."""
    own = _tag.alias()
    read: ColumnElement[bool] = exists().where(own.c.report == _report.c.id, own.c.by == MACHINE)
    return read


def correct(work: Work, report: str, by: str, labels: Mapping[str, str], on: date) -> None:
    """Set the labels that count, axis by axis; what the machine suggested stays beside them."""
    for axis, label in labels.items():
        row = {
            "report": report,
            "axis": axis,
            "by": by,
            "label": label,
            "confidence": 1.0,
            "reasons": work.seal.close(b"[]", f"tag|reasons|{report}.{axis}"),
            "on": on,
        }
        put = work.insert(Tag)
        key = ["report", "axis", "by"]
        changed = {name: put.excluded[name] for name in ("label", "on")}
        work.connection.execute(put.on_conflict_do_update(index_elements=key, set_=changed), row)
    values: dict[str, Any] = dict(labels)
    if "topic" in labels:
        values |= {"sure": True, "also": _besides(work, report, labels["topic"])}
        alike.again(work, report)
    work.connection.execute(update(_report).where(_report.c.id == report).values(values))


def _besides(work: Work, report: str, topic: str) -> str:
    also = work.connection.execute(select(_report.c.also).where(_report.c.id == report)).scalar()
    return ",".join(one for one in (also or "").split(",") if one and one != topic)


def given(work: Work, report: str) -> dict[str, tuple[str, date]]:
    """The labels that people gave a report, by axis, with the day; the newest one counts."""
    rows = work.connection.execute(
        select(_tag.c.axis, _tag.c.label, _tag.c.on)
        .where(_tag.c.report == report, _tag.c.by != MACHINE)
        .order_by(_tag.c.on, _tag.c.by)
    )
    return {axis: (label, on) for axis, label, on in rows}


def corrected(work: Work, before: date) -> list[Corrected]:
    """What people labelled before a day, of reports a machine may read and whose words stand.

    The words are opened here and are the caller's to keep in memory only.
    """
    rows = work.connection.execute(
        select(_tag.c.report, _tag.c.axis, _tag.c.label, _tag.c.on, _report.c.also, _report.c.body)
        .join(_report, _report.c.id == _tag.c.report)
        .where(_tag.c.by != MACHINE, _tag.c.on < before, _report.c.body != b"", readable())
        .order_by(_tag.c.report, _tag.c.on, _tag.c.by)
    )
    labels: dict[str, dict[str, str]] = {}
    newest: dict[str, Any] = {}
    for row in rows:
        labels.setdefault(row.report, {})[row.axis] = row.label
        newest[row.report] = row
    found = (_opened(work, row, labels[report]) for report, row in newest.items())
    return [one for one in found if one is not None]


def _opened(work: Work, row: Any, labels: Mapping[str, str]) -> Corrected | None:
    try:
        body = orjson.loads(work.seal.open(row.body, f"report|body|{row.report}"))
    except CannotOpen:
        return None  # its key was taken out of use
    also = tuple(one for one in row.also.split(",") if one)
    return Corrected(str(body.get("what", "")), labels, also, row.on)


def newest_day(work: Work, before: date) -> date | None:
    """The day of the newest correction made before a day."""
    day: date | None = work.connection.execute(
        select(func.max(_tag.c.on)).where(_tag.c.by != MACHINE, _tag.c.on < before)
    ).scalar()
    return day


def begin(work: Work, day: date, what: str) -> bool:
    """Own the learning of a night. False when it was done, or another program is at it."""
    put = work.insert(LessonRow).on_conflict_do_nothing().returning(_lesson.c.day)
    row = asdict(Lesson(day, what, "begun"))
    return work.connection.execute(put, row).first() is not None


def note(work: Work, lesson: Lesson) -> None:
    """Write down what came of a lesson."""
    row = asdict(lesson)
    put = work.insert(LessonRow)
    rest = {name: put.excluded[name] for name in row if name not in ("day", "what")}
    key = ["day", "what"]
    work.connection.execute(put.on_conflict_do_update(index_elements=key, set_=rest), row)


def had(work: Work, day: date, what: str) -> bool:
    """Whether the lesson of a day was begun."""
    here = exists().where(_lesson.c.day == day, _lesson.c.what == what)
    return bool(work.connection.execute(select(here)).scalar())


def lessons(work: Work, most: int) -> Sequence[Lesson]:
    """The newest lessons, the newest first."""
    rows = work.connection.execute(
        select(_lesson).order_by(_lesson.c.day.desc(), _lesson.c.what).limit(most)
    )
    return [Lesson(**row._mapping) for row in rows]


def last(work: Work) -> date | None:
    """The day of the last lesson that came to an end; corrections from that day on are new."""
    ended = _lesson.c.state.in_(("taken", "kept", "back"))
    day: date | None = work.connection.execute(
        select(func.max(_lesson.c.day)).where(ended)
    ).scalar()
    return day
