"""The press: makes the digest of a unit and a period, once, and keeps it for good."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from subprocess import SubprocessError
from typing import Any

from scheduler import figures, periods
from scheduler.chart import ChartFailed
from scheduler.disclosure import Protection, touching
from scheduler.drift import MOST_BEFORE
from scheduler.office import Office
from scheduler.periods import BadPeriod, Period
from scheduler.picture import picture
from scheduler.snapshot import Snapshot, freeze, sha256, thaw
from scheduler.spans import Ground, Issue, Span
from storage import digests
from storage.digests import Digest, Figure
from storage.store import Store, Work
from tagging.phrases import PhrasesFailed

MOST_PHRASES = 5
log = logging.getLogger("langnghe.press")


class NoSuchUnit(Exception):
    """No unit has that id: look at the list of units."""


@dataclass(frozen=True)
class _Draft:
    """A digest that waits to be kept, and how many digests there were when it was weighed."""

    digest: Digest
    figures: Sequence[Figure]
    edition: int


def wanted_period(key: str, now: datetime, office: Office) -> Period:
    """The period a key means: `now`, `last`, or one by its key. Raises BadPeriod.

    Of periods that still run only the office's own kind is given: a quarter so far would cut
    across the month that ends after it, and that month's digest would have to be hidden.
    """
    today = office.today(now)
    if key == "now":
        return periods.running(office.kind, office.cut, today)
    if key == "last":
        return periods.last_closed(office.kind, office.cut, today)
    period = periods.parse(key, office.cut)
    if period.first > today:
        raise BadPeriod(f"{key} begins on {period.first:%d/%m/%Y}: ask for one that has begun")
    if period.kind != office.kind and not period.closed(today):
        raise BadPeriod(
            f"{key} ends on {period.until:%d/%m/%Y}: "
            f"before that only the running {office.kind} can be had"
        )
    return period


def ask(store: Store, unit: str, period_key: str, now: datetime, office: Office) -> Digest:
    """The digest of a unit for a period, made now if nobody has asked before.

    Raises BadPeriod, NoSuchUnit. What shows nothing yet is not kept.
    """
    return make(store, unit, wanted_period(period_key, now, office), now, office)


def make(
    store: Store, unit: str, period: Period, now: datetime, office: Office, final: bool = False
) -> Digest:
    """The digest of a period: the frozen one, or a new one; a `final` one is kept even if empty.

    One of a running period holds for the day. Raises NoSuchUnit.
    """
    closed = period.closed(office.today(now))
    if closed:
        _make_the_one_before(store, unit, period, now, office)
    while True:
        with store.read() as work:
            found = _found(work, unit, period, now, office)
        draft = found or _draft(store, unit, period, now, office)
        if isinstance(draft, Digest):
            return draft
        if not final and _may_still_fill(draft.digest):
            return draft.digest
        if _keep(store, draft):
            return draft.digest


def _may_still_fill(digest: Digest) -> bool:
    """Nothing was shown: reports may yet be imported, or told before the running period is over."""
    state = thaw(digest.snapshot).state
    return state == "empty" or (state == "few" and not digest.closed)


def _make_the_one_before(
    store: Store, unit: str, period: Period, now: datetime, office: Office
) -> None:
    """So that there is something to compare with; that one compares with nothing, if it is new."""
    earlier = periods.before(period)
    with store.read() as work:
        since = digests.earliest(work)
        if since is None or since >= earlier.until or _found(work, unit, period, now, office):
            return
        if _found(work, unit, earlier, now, office):
            return
    draft = _draft(store, unit, earlier, now, office)
    if thaw(draft.digest.snapshot).state != "empty":
        _keep(store, draft)


def _found(work: Work, unit: str, period: Period, now: datetime, office: Office) -> Digest | None:
    until = _span(unit, period, now, office).until
    return digests.find(work, period.kind, unit, period.key, until)


def _span(unit: str, period: Period, now: datetime, office: Office) -> Span:
    tomorrow = office.today(now) + timedelta(days=1)
    return Span(unit, period.first, min(period.until, tomorrow))


def _keep(store: Store, draft: _Draft) -> bool:
    """Freeze a draft, unless anything was published since it was weighed."""
    with store.write() as work:
        digests.alone(work)
        if digests.edition(work) != draft.edition:
            return False
        return digests.add(work, draft.digest, draft.figures)


def _draft(store: Store, unit: str, period: Period, now: datetime, office: Office) -> _Draft:
    """Read and weigh without holding anything up; words and picture come after the reading."""
    with store.read() as work:
        edition = digests.edition(work)
        read = _read(work, unit, period, now, office)
        texts = _texts(work, read)
    taken = figures.snapshot(read, office.place, _phrases(texts, office))
    frozen = freeze(taken)
    one = office.ids(20)
    digest = Digest(
        id=one,
        kind=period.kind,
        unit=unit,
        period=period.key,
        first=read.span.first,
        until=read.span.until,
        closed=read.closed,
        made=now,
        snapshot=frozen,
        sha256=sha256(frozen),
        chart=_chart(taken, office),
    )
    shown = figures.published(one, read.issue) if read.issue else []
    return _Draft(digest, shown, edition)


def _read(work: Work, unit: str, period: Period, now: datetime, office: Office) -> figures.Reading:
    tree = digests.whole_tree(work)
    if unit not in tree.units:
        raise NoSuchUnit(unit)
    ground, span = Ground(tree), _span(unit, period, now, office)
    past = _past(work, ground, span)
    rows = _told(work, ground, [span, *(each.span for each in touching(ground, past, [span]))])
    protection = Protection(ground, office.floor, past)
    issue = protection.issue(span, figures.axes(rows, span.until, office.taxonomy))
    closed = period.closed(office.today(now))
    earlier = periods.before(period)
    before = _found(work, unit, earlier, now, office) if closed else None
    was = Span(unit, earlier.first, earlier.until)
    return figures.Reading(
        unit=tree.units[unit],
        period=period,
        span=span,
        closed=closed,
        floor=office.floor,
        rows=figures.counted(rows, ground, span),
        issue=issue,
        past=thaw(before.snapshot) if before else None,
        past_rows=figures.counted(_told(work, ground, [was]), ground, was) if before else (),
        since=digests.earliest(work),
        earlier=_earlier(work, unit, period, now, office) if closed else (),
    )


def _earlier(
    work: Work, unit: str, period: Period, now: datetime, office: Office
) -> list[Snapshot]:
    """The bulletins before this one that were published, the newest first."""
    found = []
    for _ in range(MOST_BEFORE):
        period = periods.before(period)
        digest = _found(work, unit, period, now, office)
        found += [thaw(digest.snapshot)] if digest else []
    return found


def _past(work: Work, ground: Ground, span: Span) -> list[Issue]:
    """What was published that touches a span, and what touches that."""
    units = ground.units
    near = figures.issues(digests.shown(work, units, span.first, span.until))
    spans = [span, *(each.span for each in touching(ground, near, [span]))]
    first, until = min(each.first for each in spans), max(each.until for each in spans)
    return figures.issues(digests.shown(work, units, first, until))


def _told(work: Work, ground: Ground, spans: Sequence[Span]) -> list[digests.Told]:
    units = frozenset().union(*(ground.below(each.unit) for each in spans))
    first, until = min(each.first for each in spans), max(each.until for each in spans)
    return digests.told(work, units, first, until)


def _texts(work: Work, read: figures.Reading) -> list[str]:
    if read.issue is None or not read.issue.total:
        return []
    ground, span = Ground(digests.whole_tree(work)), read.span
    below, above = ground.below(span.unit), ground.above(span.unit)
    return list(digests.texts(work, below, above, span.first, span.until))


def _phrases(texts: Sequence[str], office: Office) -> list[str]:
    if not texts:
        return []
    try:
        return [one.words for one in office.phrases(texts, office.floor, MOST_PHRASES)]
    except (PhrasesFailed, OSError, SubprocessError) as error:
        log.error("a bulletin goes without its phrases: %s", type(error).__name__)
        return []


def _chart(taken: Snapshot, office: Office) -> bytes:
    drawn: Mapping[str, Any] | None = picture(taken, office.catalogues["vi"], office.taxonomy)
    if drawn is None:
        return b""
    try:
        return office.chart(drawn)
    except ChartFailed as error:
        log.error("a bulletin goes without its picture: %s", error)
        return b""
