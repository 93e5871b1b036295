"""From rows to figures: reports sorted by axis, and a snapshot of what may be shown of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.disclosure import LEAST, Axis
from scheduler.drift import drift
from scheduler.periods import Period
from scheduler.snapshot import Part, Row, Snapshot
from scheduler.spans import Ground, Issue, Span, Spot
from storage.digests import Figure, Told
from storage.people import Office as Unit
from storage.reports import OPEN
from tagging.taxonomy import Taxonomy

NONE = "none"  # the label of a report that has none: not read by the machine, place unknown
TOTAL = "total"
MOST_MOVED = 3  # topics named as rising, and as falling


@dataclass(frozen=True)
class Reading:
    """All that was read of a unit and a period, and what protection left of it to show."""

    unit: Unit
    period: Period
    span: Span
    closed: bool
    floor: int
    rows: Sequence[Told]
    issue: Issue | None
    past: Snapshot | None
    past_rows: Sequence[Told]
    since: date | None
    earlier: Sequence[Snapshot] = ()


def axes(rows: Iterable[Told], until: date, taxonomy: Taxonomy) -> list[Axis]:
    """The reports by every axis; `until` is the day as of which they are answered or not."""
    sorters = _sorters(until)
    counts: dict[str, Counter[tuple[Spot, str]]] = {name: Counter() for name in sorters}
    for row in rows:
        spot = Spot(row.unit, row.about, row.told)
        for name, label in sorters.items():
            counts[name][spot, label(row)] += 1
    known = {
        "answer": frozenset(("answered", "waiting", NONE)),
        "sure": frozenset(("sure", "unsure", NONE)),
        "alike": frozenset(("many", "few")),
        **{n: frozenset((*taxonomy.ids(n), NONE)) for n in ("topic", "sentiment", "urgency")},
    }
    return [Axis(name, known.get(name), told) for name, told in counts.items()]


def _sorters(until: date) -> dict[str, Callable[[Told], str]]:
    return {
        "topic": lambda row: row.topic or NONE,
        "sentiment": lambda row: row.sentiment or NONE,
        "urgency": lambda row: row.urgency or NONE,
        "place": lambda row: row.ward or NONE,
        "kind": lambda row: row.kind,
        "answer": lambda row: _answer(row, until),
        "sure": lambda row: NONE if row.topic is None else "sure" if row.sure else "unsure",
        "alike": lambda row: "many" if row.alike >= LEAST else "few",
    }


def _answer(row: Told, until: date) -> str:
    if row.state is None:
        return NONE
    late = row.answered is not None and row.answered >= until
    return "waiting" if row.state in OPEN or late else "answered"


def counted(rows: Iterable[Told], ground: Ground, span: Span) -> list[Told]:
    """The reports that count in a span."""
    return [row for row in rows if ground.holds(span, Spot(row.unit, row.about, row.told))]


def issues(figures: Iterable[Figure]) -> list[Issue]:
    """Published figures put together as the bulletins they stood in."""
    spans: dict[str, Span] = {}
    totals: dict[str, int] = {}
    shown: dict[str, dict[str, dict[str, int]]] = {}
    for one in figures:
        spans[one.digest] = Span(one.unit, one.first, one.until)
        if one.axis == TOTAL:
            totals[one.digest] = one.count
        else:
            shown.setdefault(one.digest, {}).setdefault(one.axis, {})[one.label] = one.count
    return [Issue(span, totals[one], shown.get(one, {})) for one, span in spans.items()]


def published(digest: str, issue: Issue) -> list[Figure]:
    """Every figure of a bulletin, as it is remembered."""
    span = issue.span
    cells = [(TOTAL, "", issue.total)]
    cells += [(a, label, n) for a, of in issue.shown.items() for label, n in of.items()]
    return [Figure(digest, a, x, span.unit, span.first, span.until, n) for a, x, n in cells]


def snapshot(read: Reading, place: Callable[[str], str], phrases: Sequence[str]) -> Snapshot:
    """The snapshot of a reading: figures where there are any to show, or why there are none."""
    bare = Snapshot(
        kind=read.period.kind,
        period=read.period.key,
        cut=read.period.cut,
        first=read.span.first,
        until=read.span.until,
        closed=read.closed,
        unit=read.unit.id,
        names={"vi": read.unit.name, "en": read.unit.name_en},
        floor=read.floor,
        state="shown",
        since=read.since,
    )
    if not read.rows:
        return bare.model_copy(update={"state": "empty", "total": 0})
    if read.issue is None:
        few = len(read.rows) < read.floor
        return bare.model_copy(update={"state": "few" if few else "hidden"})
    parts = {axis: _part(axis, read.issue, read.past) for axis in sorted(read.issue.shown)}
    topics = parts["topic"].rows
    return bare.model_copy(
        update={
            "total": read.issue.total,
            "before": read.past.total if read.past else None,
            "axes": parts,
            "new": _new(read, topics),
            "rising": _moved(topics, read.floor, 1),
            "falling": _moved(topics, read.floor, -1),
            "oldest": _oldest(read),
            "phrases": tuple(phrases),
            "drift": drift(read.issue.total, parts, read.earlier),
            "places": {r.label: place(r.label) for r in parts["place"].rows if r.label != NONE},
        }
    )


def _part(axis: str, issue: Issue, past: Snapshot | None) -> Part:
    shown = issue.labels(axis)
    rows = tuple(
        Row(label=label, count=count, before=past.of(axis, label) if past else None)
        for label, count in shown.items()
    )
    return Part(rows=rows, rest=issue.total - sum(shown.values()))


def _new(read: Reading, topics: Sequence[Row]) -> tuple[str, ...]:
    if read.past is None or read.past.state != "shown":
        return ()
    known = {row.topic or NONE for row in read.past_rows}
    return tuple(row.label for row in topics if row.label not in known and row.label != NONE)


def _moved(topics: Sequence[Row], least: int, way: int) -> tuple[Row, ...]:
    """The topics that moved most, by as many reports as a group must have to be spoken of."""
    moves = [(way * (row.count - row.before), row) for row in topics if row.before is not None]
    far = sorted((-by, row.label, row) for by, row in moves if by >= least)
    return tuple(row for _, _, row in far[:MOST_MOVED])


def _oldest(read: Reading) -> int | None:
    if read.issue is None or "waiting" not in read.issue.labels("answer"):
        return None
    until = read.span.until
    oldest = min(row.told for row in read.rows if _answer(row, until) == "waiting")
    return (until - timedelta(days=1) - oldest).days
