from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.disclosure import Axis, Protection
from scheduler.spans import Ground, Issue, Span, Spot
from storage.people import Office, Tree

FIRST = date(2026, 1, 1)
LABELS = {"topic": ("drugs", "theft", "fire", "noise"), "sentiment": ("praise", "criticism")}
SPANS = ((0, 1), (1, 2), (2, 3), (3, 4), (0, 2), (2, 4), (0, 3), (1, 3), (0, 4))
MOST_DERIVED = 220


@dataclass(frozen=True)
class Some:
    """So many reports alike: unit, day, whom they are about, and a label on both axes."""

    unit: str
    day: int
    about: str | None
    topic: str
    sentiment: str
    count: int


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def span(unit: str, days: tuple[int, int]) -> Span:
    return Span(unit, day(days[0]), day(days[1]))


def a_tree(parents: Sequence[int]) -> Tree:
    names = [f"u{n}" for n in range(len(parents) + 1)]
    units = {"u0": Office("u0", "", "", None, None, False)}
    for n, parent in enumerate(parents, 1):
        units[names[n]] = Office(names[n], "", "", names[parent], None, False)
    return Tree(units)


def told(reports: Iterable[Some]) -> list[Axis]:
    axes: dict[str, Counter[tuple[Spot, str]]] = {axis: Counter() for axis in LABELS}
    for one in reports:
        spot = Spot(one.unit, one.about, day(one.day))
        axes["topic"][spot, one.topic] += one.count
        axes["sentiment"][spot, one.sentiment] += one.count
    return [Axis(name, frozenset(LABELS[name]), of) for name, of in axes.items()]


class Reader:
    """Collects every bulletin, and derives groups of reports from their figures.

    A group is a set of kinds of report that could exist (unit, day, about, labels), so what the
    reader knows is only what the bulletins say, and where units and days lie.
    """

    def __init__(self, tree: Tree, reports: Sequence[Some]) -> None:
        self.tree = tree
        abouts: list[str | None] = sorted({r.about for r in reports if r.about}) + [None]  # type: ignore[operator]  # mypy joins to object
        self.kinds = list(product(tree.units, range(4), abouts, *LABELS.values()))
        self.sizes: dict[int, int] = {}
        place = {kind: n for n, kind in enumerate(self.kinds)}
        for one in reports:
            n = place[one.unit, one.day, one.about, one.topic, one.sentiment]
            self.sizes[n] = self.sizes.get(n, 0) + one.count

    def size(self, group: int) -> int:
        return sum(count for n, count in self.sizes.items() if group >> n & 1)

    def figures(self, issue: Issue) -> set[int]:
        where = issue.span
        of = [("", "")]
        of += [(axis, label) for axis, shown in issue.shown.items() for label in shown]
        return {self._group(where, axis, label) for axis, label in of}

    def _group(self, where: Span, axis: str, label: str) -> int:
        group = 0
        for n, (unit, on, about, topic, sentiment) in enumerate(self.kinds):
            mine = where.unit in self.tree.above(unit) and where.first <= day(on) < where.until
            if not mine or about in self.tree.above(where.unit):
                continue
            if not label or label == (topic if axis == "topic" else sentiment):
                group |= 1 << n
        return group

    def derive(self, issues: Sequence[Issue]) -> set[int]:
        """Every group that nested differences and disjoint sums come to, up to a patience."""
        groups = {figure for issue in issues for figure in self.figures(issue)}
        fresh = list(groups)
        while fresh and len(groups) < MOST_DERIVED:
            one = fresh.pop(0)
            for other in list(groups):
                for found in _combined(one, other):
                    if found and found not in groups:
                        groups.add(found)
                        fresh.append(found)
        return groups

    def smallest(self, issues: Sequence[Issue]) -> int | None:
        """The smallest group of people the reader can single out."""
        return min((s for g in self.derive(issues) if (s := self.size(g))), default=None)


def _combined(one: int, other: int) -> Iterable[int]:
    both = one & other
    if both == other:
        yield one & ~other
    elif both == one:
        yield other & ~one
    elif not both:
        yield one | other


Decide = Callable[[Ground, list[Issue], Span, Sequence[Some]], Issue | None]


def protected(
    ground: Ground, past: list[Issue], where: Span, reports: Sequence[Some]
) -> Issue | None:
    return Protection(ground, 5, past).issue(where, told(reports))


def each_for_itself(
    ground: Ground, past: list[Issue], where: Span, reports: Sequence[Some]
) -> Issue | None:
    """The planted bug: a floor of five, a safe rest, and no memory of what was published."""
    return protected(ground, [], where, reports)


def publish(
    tree: Tree, spans: Sequence[Span], reports: Sequence[Some], decide: Decide = protected
) -> list[Issue]:
    ground = Ground(tree)
    issues: list[Issue] = []
    for where in spans:
        if where not in [issue.span for issue in issues]:
            issue = decide(ground, issues, where, reports)
            issues += [issue] if issue else []
    return issues


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Tree, list[Some], list[Span]]:
    size = draw(st.integers(1, 4))
    tree = a_tree([draw(st.integers(0, n)) for n in range(size)])
    units = st.sampled_from(sorted(tree.units))
    some = st.builds(
        Some,
        units,
        st.integers(0, 3),
        st.one_of(st.none(), st.none(), units),
        st.sampled_from(LABELS["topic"]),
        st.sampled_from(LABELS["sentiment"]),
        st.integers(1, 9),
    )
    reports = draw(st.lists(some, min_size=1, max_size=14))
    spans = draw(st.lists(st.builds(span, units, st.sampled_from(SPANS)), max_size=7))
    return tree, reports, spans


@settings(max_examples=250, deadline=None)
@given(worlds())
def test_no_reader_of_all_bulletins_can_single_out_a_small_group(
    world: tuple[Tree, list[Some], list[Span]],
) -> None:
    tree, reports, spans = world
    smallest = Reader(tree, reports).smallest(publish(tree, spans, reports))
    assert smallest is None or smallest >= 5
