"""Reports that say nearly the same: which wait to be compared, and the groups, sealed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy import bindparam, delete, select, text, update

from storage.sealing import CannotOpen
from storage.store import Work, table
from storage.tables import Alike, Case, Report

_alike, _report, _case = table(Alike), table(Report), table(Case)

ONE_AT_A_TIME = 7_316_403  # any number; who holds this advisory lock writes groups


class Corner(NamedTuple):
    """Where reports are compared: one topic, one place, one week, and only within one unit.

    A complaint stands apart (`about`) from what else is told there, so that no group shows to
    anyone a report that is not theirs to see.
    """

    topic: str
    unit: str
    about: str | None
    ward: str | None
    week: date  # its Monday


@dataclass(frozen=True)
class Like:
    """A report of the same group: its alias if it is a case, its state, its day."""

    alias: str | None
    state: str | None
    told: date


def put(work: Work, report: str) -> None:
    """A report, read by the machine, that waits to be laid beside its like."""
    row = {"report": report, "waits": True, "sealed": b""}
    work.connection.execute(work.insert(Alike), row)


def again(work: Work, report: str) -> None:
    """Its topic is another now: it waits again, if it may be read."""
    work.connection.execute(
        update(_alike).where(_alike.c.report == report).values(waits=True, sealed=b"")
    )


def waiting(work: Work) -> list[Corner]:
    """The corners in which a report waits."""
    rows = work.connection.execute(
        select(_report.c.topic, _report.c.unit, _report.c.about, _report.c.ward, _report.c.told)
        .join(_alike, _alike.c.report == _report.c.id)
        .where(_alike.c.waits, _report.c.topic.is_not(None))
        .distinct()
    )
    return sorted({_corner(row) for row in rows}, key=str)


def _corner(row: Any) -> Corner:
    monday = row.told - timedelta(days=row.told.weekday())
    return Corner(row.topic, row.unit, row.about, row.ward, monday)


def texts(work: Work, corner: Corner) -> dict[str, str]:
    """What was said in the reports of a corner, in the order of their random names."""
    rows = work.connection.execute(
        select(_report.c.id, _report.c.body)
        .join(_alike, _alike.c.report == _report.c.id)
        .where(*_within(corner))
        .order_by(_report.c.id)
    )
    return {one: _said(work, one, body) for one, body in rows}


def _within(corner: Corner) -> tuple[Any, ...]:
    column = _report.c
    return (
        column.told >= corner.week,
        column.told < corner.week + timedelta(days=7),
        column.unit == corner.unit,
        column.topic == corner.topic,
        column.about.is_not_distinct_from(corner.about),
        column.ward.is_not_distinct_from(corner.ward),
    )


def _said(work: Work, report: str, body: bytes) -> str:
    try:
        opened = work.seal.open(body, f"report|body|{report}") if body else b"{}"
    except CannotOpen:
        return ""  # its key was taken out of use: it is like nothing
    return str(orjson.loads(opened).get("what", ""))


def group(work: Work, corner: Corner, groups: Mapping[str, str]) -> bool:
    """Write which group each report of a corner is in; False when the corner has changed since.

    Every row is sealed anew, so that nobody who watches the rows sees whom a new one joined.
    """
    if work.shared:
        work.connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": ONE_AT_A_TIME})
    now = work.connection.execute(
        select(_report.c.id).join(_alike, _alike.c.report == _report.c.id).where(*_within(corner))
    ).scalars()
    if set(now) != groups.keys():
        return False
    rows = [
        {"r": one, "s": work.seal.close(name.encode(), f"alike|sealed|{one}")}
        for one, name in groups.items()
    ]
    written = update(_alike).where(_alike.c.report == bindparam("r"))
    work.connection.execute(written.values(waits=False, sealed=bindparam("s")), rows)
    return True


def names(work: Work, reports: Collection[str]) -> dict[str, str]:
    """The group of each of these reports that is in one, alone or not."""
    rows = work.connection.execute(
        select(_alike).where(_alike.c.report.in_(sorted(reports)), _alike.c.sealed != b"")
    )
    return {row.report: name for row in rows if (name := _opened(work, row)) is not None}


def _opened(work: Work, row: Any) -> str | None:
    try:
        return work.seal.open(row.sealed, f"alike|sealed|{row.report}").decode()
    except CannotOpen:
        return None


def sizes(work: Work, units: Collection[str], first: date, until: date) -> dict[str, int]:
    """For each report to these units told in `[first, until)` how many are in its group.

    A group that began in the week before or goes on after is counted whole.
    """
    week = timedelta(days=7)
    rows = work.connection.execute(
        select(_alike.c.report, _alike.c.sealed, _report.c.told)
        .join(_report, _report.c.id == _alike.c.report)
        .where(
            _report.c.unit.in_(sorted(units)),
            _report.c.told >= first - week,
            _report.c.told < until + week,
            _alike.c.sealed != b"",
        )
    ).all()
    named = [(row, name) for row in rows if (name := _opened(work, row)) is not None]
    counts = Counter(name for _, name in named)
    return {row.report: counts[name] for row, name in named if first <= row.told < until}


def like(work: Work, report: str) -> list[Like]:
    """The other reports of its group, oldest first."""
    corner = work.connection.execute(select(_report).where(_report.c.id == report)).first()
    if corner is None or corner.topic is None:
        return []
    others = select(_report.c.id, _report.c.told, _case.c.alias, _case.c.state)
    rows = work.connection.execute(
        others.outerjoin(_case, _case.c.report == _report.c.id)
        .where(*_within(_corner(corner)))
        .order_by(_report.c.told, _report.c.id)
    ).all()
    groups = names(work, [row.id for row in rows])
    own = groups.get(report)
    same = [row for row in rows if row.id != report and own and groups.get(row.id) == own]
    return [Like(row.alias, row.state, row.told) for row in same]


def forget(work: Work, reports: Sequence[str]) -> None:
    """Their words are destroyed, and with them what they were like."""
    work.connection.execute(delete(_alike).where(_alike.c.report.in_(list(reports))))
