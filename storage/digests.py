"""Digests: the rows figures come from, the frozen figures, all that was shown, who received it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import case, delete, exists, func, or_, select, text, update

from storage import alike, tables
from storage.corrections import readable
from storage.people import Member, Office, Tree
from storage.sealing import CannotOpen
from storage.store import Work, table

_report, _case, _unit = table(tables.Report), table(tables.Case), table(tables.Unit)
_digest, _shown, _delivery = table(tables.Digest), table(tables.Shown), table(tables.Delivery)
_person, _wish = table(tables.Enrolled), table(tables.Wish)
_out, _accounted = table(tables.Outgoing), table(tables.Accounted)
_fleeting = [
    table(t)
    for t in (
        tables.Talk,
        tables.Seen,
        tables.DeadLetter,
        tables.Held,
        tables.LastAsked,
        tables.Outgoing,
    )
]

ONE_AT_A_TIME = 7_316_402  # any number; who holds this advisory lock publishes figures


class Told(NamedTuple):
    """One report as it is counted: where, when, about whom, its labels; no word of it."""

    unit: str
    about: str | None
    told: date
    kind: str
    ward: str | None
    topic: str | None
    sentiment: str | None
    urgency: str | None
    sure: bool
    state: str | None
    answered: date | None
    alike: int  # how many say nearly the same, itself among them; 0 where it was not compared


@dataclass(frozen=True)
class Digest:
    """A period in figures for one unit: canonical JSON, its hash, and a PNG or no bytes."""

    id: str
    kind: str
    unit: str
    period: str
    first: date
    until: date
    closed: bool
    made: datetime
    snapshot: bytes
    sha256: str
    chart: bytes


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure: which label of which axis, of whom, over which days, how many."""

    digest: str
    axis: str
    label: str
    unit: str
    first: date
    until: date
    count: int


FIGURE = tuple(each.name for each in fields(Figure))
DIGEST = tuple(each.name for each in fields(Digest))


@dataclass(frozen=True)
class Reader:
    """Someone who receives a unit's digest, and the day since when."""

    member: Member
    since: date


class Wanted(NamedTuple):
    """A digest somebody asked for and waits for."""

    id: str
    unit: str
    period: str
    person: str
    key: bytes | None = None  # of the address where it was asked for


def whole_tree(work: Work) -> Tree:
    """Every unit that ever stood: what was told to one that is gone still counts above it."""
    rows = work.connection.execute(select(_unit).order_by(_unit.c.id))
    return Tree({r.id: Office(r.id, r.name, r.name_en, r.parent, r.ward, r.inspects) for r in rows})


def told(work: Work, units: Collection[str], first: date, until: date) -> list[Told]:
    """The reports to these units told in `[first, until)`, in no order that means anything."""
    columns = [_report.c[name] for name in Told._fields[:9]]
    query = (
        select(*columns, _case.c.state, _case.c.answered, _report.c.id)
        .outerjoin(_case, _case.c.report == _report.c.id)
        .where(*_within(units, first, until))
    )
    sizes = alike.sizes(work, units, first, until)
    rows = work.connection.execute(query)
    return [Told._make((*labels, sizes.get(one, 0))) for *labels, one in rows]


def texts(
    work: Work, units: Collection[str], not_about: Collection[str], first: date, until: date
) -> Iterator[str]:
    """What was said in these reports; those about one of the units `not_about` stay closed.

    So do those whose sender did not agree to a machine reading them, whoever labelled them.
    """
    others = or_(_report.c.about.is_(None), _report.c.about.not_in(list(not_about)))
    rows = work.connection.execute(
        select(_report.c.id, _report.c.body)
        .where(*_within(units, first, until), others, readable())
        .order_by(_report.c.id)
    )
    for one, body in rows:
        try:
            yield str(orjson.loads(work.seal.open(body, f"report|body|{one}")).get("what", ""))
        except CannotOpen:
            continue  # its key was taken out of use: counted, but silent


def _within(units: Collection[str], first: date, until: date) -> tuple[Any, ...]:
    day = _report.c.told
    return _report.c.unit.in_(sorted(units)), day >= first, day < until


def earliest(work: Work) -> date | None:
    """The day of the first report of the installation."""
    day: date | None = work.connection.execute(select(func.min(_report.c.told))).scalar()
    return day


def alone(work: Work) -> None:
    """From here to the end of the transaction no other process publishes figures."""
    if work.shared:
        work.connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": ONE_AT_A_TIME})


def edition(work: Work) -> int:
    """How many digests there are. None ever goes, so an equal number means nothing new."""
    return int(work.connection.execute(select(func.count()).select_from(_digest)).scalar_one())


def shown(work: Work, units: Collection[str], first: date, until: date) -> list[Figure]:
    """Every figure ever published of these units whose days overlap with `[first, until)`."""
    rows = work.connection.execute(
        select(*[_shown.c[name] for name in FIGURE])
        .where(_shown.c.unit.in_(sorted(units)), _shown.c.first < until, _shown.c.until > first)
        .order_by(_shown.c.digest, _shown.c.axis, _shown.c.label)
    )
    return [Figure(*row) for row in rows]


def add(work: Work, digest: Digest, figures: Sequence[Figure]) -> bool:
    """Freeze a digest with the figures it shows. False, and nothing done, when it is there."""
    row = {name: getattr(digest, name) for name in DIGEST}
    put = work.insert(tables.Digest).on_conflict_do_nothing().returning(_digest.c.id)
    if work.connection.execute(put, row).first() is None:
        return False
    if figures:
        rows = [asdict(figure) for figure in figures]
        work.connection.execute(work.insert(tables.Shown), rows)
    return True


def find(work: Work, kind: str, unit: str, period: str, until: date) -> Digest | None:
    """The frozen digest of a unit's period as it ended on a day, or nothing."""
    row = work.connection.execute(
        select(_digest).where(
            _digest.c.kind == kind,
            _digest.c.unit == unit,
            _digest.c.period == period,
            _digest.c.until == until,
        )
    ).first()
    return Digest(**row._mapping) if row else None


def kept(work: Work, digest: str) -> bool:
    """Whether a digest was frozen, and not only shown to whoever asked."""
    return bool(work.connection.execute(select(exists().where(_digest.c.id == digest))).scalar())


def received(work: Work, kind: str) -> set[tuple[str, str, date, str]]:
    """Who has which closed digest of a kind: unit, period, its end, person."""
    rows = work.connection.execute(
        select(_digest.c.unit, _digest.c.period, _digest.c.until, _delivery.c.person)
        .join(_delivery, _delivery.c.digest == _digest.c.id)
        .where(_digest.c.kind == kind, _digest.c.closed)
    )
    return {tuple(row) for row in rows}


def deliver(work: Work, digest: str, person: str, at: datetime) -> bool:
    """Own the sending of a digest to a person. False when someone was quicker."""
    put = work.insert(tables.Delivery).on_conflict_do_nothing().returning(_delivery.c.digest)
    row = {"digest": digest, "person": person, "at": at}
    return work.connection.execute(put, row).first() is not None


def addressed(
    work: Work, digest: str, person: str, letter: str | None, channel: str | None, meant: str | None
) -> None:
    """Note by which letter a digest goes to a person, and by which channel; none: it was lost."""
    values = {"letter": letter, "channel": channel, "meant": meant, "lost": letter is None}
    mine = _delivery.c.digest == digest, _delivery.c.person == person
    work.connection.execute(update(_delivery).where(*mine).values(values))


def letter_of(work: Work, digest: str, person: str) -> str | None:
    """The letter by which a digest goes, or went, to a person."""
    mine = _delivery.c.digest == digest, _delivery.c.person == person
    found: str | None = work.connection.execute(select(_delivery.c.letter).where(*mine)).scalar()
    return found


class Reached(NamedTuple):
    """How a digest stands with one it was sent to: received, waits, doubt (nobody knows), lost.

    `meant`: the channel they were last heard from. `channel`: the one that took it, or has it.
    """

    unit: str
    person: str
    role: str
    meant: str | None
    channel: str | None
    state: str


def reached(work: Work, kind: str, period: str, until: date) -> list[Reached]:
    """How the digests of a period stand with those they were sent to, who are still enrolled."""
    state = case(
        (_delivery.c.lost, "lost"),
        (_out.c.doubt, "doubt"),
        (_out.c.id.is_not(None), "waits"),
        else_="received",
    )
    theirs = _person.c.id, _person.c.role, _delivery.c.meant, _delivery.c.channel, state
    rows = work.connection.execute(
        select(_digest.c.unit, *theirs)
        .join(_delivery, _delivery.c.digest == _digest.c.id)
        .join(_person, _person.c.id == _delivery.c.person)
        .outerjoin(_out, _out.c.id == _delivery.c.letter)
        .where(_digest.c.kind == kind, _digest.c.period == period, _digest.c.until == until)
        .where(_digest.c.closed, _person.c.until.is_(None))
        .order_by(_digest.c.unit, _person.c.id)
    )
    return [Reached(*row) for row in rows]


class Sending(NamedTuple):
    """A period whose digests were sent."""

    period: str
    first: date
    until: date


def went_out(work: Work, kind: str, since: datetime, before: datetime) -> list[Sending]:
    """The periods whose digests were sent between two moments and no more since the second."""
    last = func.max(_delivery.c.at)
    rows = work.connection.execute(
        select(_digest.c.period, _digest.c.first, _digest.c.until)
        .join(_delivery, _delivery.c.digest == _digest.c.id)
        .where(_digest.c.kind == kind, _digest.c.closed)
        .group_by(_digest.c.period, _digest.c.first, _digest.c.until)
        .having(last > since, last <= before)
        .order_by(_digest.c.until, _digest.c.period)
    )
    return [Sending(*row) for row in rows]


def accounted(work: Work, what: str) -> bool:
    """Whether it was told already who was not reached by a sending."""
    return bool(work.connection.execute(select(exists().where(_accounted.c.what == what))).scalar())


def account(work: Work, what: str) -> bool:
    """Own the telling of who was not reached by a sending. False when someone was quicker."""
    put = work.insert(tables.Accounted).on_conflict_do_nothing().returning(_accounted.c.what)
    return work.connection.execute(put, {"what": what}).first() is not None


def chart_for(work: Work, digest: str, person: str) -> bytes | None:
    """The picture of a digest, for someone it was delivered to; for others, or none, None."""
    theirs = exists().where(_delivery.c.digest == digest, _delivery.c.person == person)
    found: bytes | None = work.connection.execute(
        select(_digest.c.chart).where(_digest.c.id == digest, theirs)
    ).scalar()
    return found or None


def readers(work: Work) -> dict[str, list[Reader]]:
    """Who receives the digest of each unit that has a supervisor."""
    rows = work.connection.execute(
        select(_person)
        .where(_person.c.role == "supervisor", _person.c.until.is_(None))
        .order_by(_person.c.unit, _person.c.id)
    )
    found: dict[str, list[Reader]] = {}
    for row in rows:
        member = Member(row.id, row.role, row.unit, row.language)
        found.setdefault(row.unit, []).append(Reader(member, row.since))
    return found


def wanted(work: Work) -> list[Wanted]:
    """The digests people wait for. They stay wanted until `fulfil`."""
    columns = [_wish.c[name] for name in Wanted._fields]
    rows = work.connection.execute(
        select(*columns).where(_wish.c.kind == "digest").order_by(_wish.c.id)
    )
    return [Wanted(*row) for row in rows]


def fulfil(work: Work, wish: str) -> bool:
    """Take a wish off the list and own its answer. False when someone was quicker."""
    return bool(work.connection.execute(delete(_wish).where(_wish.c.id == wish)).rowcount)


def overdue(work: Work, today: date, forgive_before: datetime) -> bool:
    """Whether anything is past its day, so that a tick with nothing to delete writes nothing."""
    past = [exists().where(each.c.until < today) for each in _fleeting]
    past.append(exists().where(table(tables.Attempt).c.since < forgive_before))
    past.append(exists().where(table(tables.Link).c.until < forgive_before))
    return bool(work.connection.execute(select(or_(*past))).scalar())
