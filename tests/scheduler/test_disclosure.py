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
# "none" is what a report bears that no machine was allowed to read: an axis always has it.
LABELS = {
    "topic": ("drugs", "theft", "fire", "noise", "none"),
    "sentiment": ("praise", "criticism", "none"),
}
SPANS = ((0, 1), (1, 2), (2, 3), (3, 4), (0, 2), (2, 4), (0, 3), (0, 4), (1, 3))
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
        named = {r.about for r in reports if r.about}
        abouts = [None, *sorted(named)]
        topics, sentiments = LABELS.values()
        self.kinds = list(product(tree.units, range(4), abouts, topics, sentiments))
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
        st.sampled_from(LABELS["topic"][:4]),
        st.sampled_from(LABELS["sentiment"][:2]),
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


def test_the_reader_finds_a_bulletin_that_forgets_the_others() -> None:
    tree = a_tree([0])
    reports = [
        Some("u0", 0, None, "drugs", "praise", 3),
        Some("u1", 0, None, "drugs", "praise", 7),
    ]
    spans = [span("u1", (0, 1)), span("u0", (0, 1))]
    reader = Reader(tree, reports)
    assert reader.smallest(publish(tree, spans, reports, each_for_itself)) == 3
    assert reader.smallest(publish(tree, spans, reports)) == 7


def test_a_small_label_takes_the_next_smallest_into_the_rest() -> None:
    reports = [
        Some("u0", 0, None, topic, "praise", count)
        for topic, count in (("drugs", 20), ("theft", 6), ("fire", 2))
    ]
    (issue,) = publish(a_tree([]), [span("u0", (0, 1))], reports)
    assert issue.total == 28
    assert issue.shown["topic"] == {"drugs": 20}


def test_a_rest_of_five_stays_apart_and_no_rest_needs_none() -> None:
    tree, where = a_tree([]), [span("u0", (0, 1))]
    some = [Some("u0", 0, None, "drugs", "praise", 6), Some("u0", 0, None, "theft", "praise", 9)]
    (issue,) = publish(tree, where, some)
    assert issue.shown["topic"] == {"theft": 9, "drugs": 6}
    more = [
        Some("u0", 0, None, "fire", "praise", 2),
        Some("u0", 0, None, "noise", "praise", 3),
    ]
    (issue,) = publish(tree, where, some + more)
    assert issue.shown["topic"] == {"theft": 9, "drugs": 6}


def test_a_total_under_the_floor_is_not_published() -> None:
    reports = [Some("u0", 0, None, "drugs", "praise", 4)]
    assert publish(a_tree([]), [span("u0", (0, 1))], reports) == []


def test_the_quarter_is_withheld_when_its_months_would_leave_three() -> None:
    tree = a_tree([])
    reports = [Some("u0", day, None, "drugs", "praise", n) for day, n in ((0, 8), (1, 9), (2, 3))]
    months = [span("u0", (n, n + 1)) for n in range(3)]
    issues = publish(tree, [*months, span("u0", (0, 3))], reports)
    assert [issue.span for issue in issues] == months[:2]


def test_days_that_cut_across_published_ones_are_hidden() -> None:
    reports = [Some("u0", day, None, "drugs", "praise", 50) for day in range(4)]
    issues = publish(a_tree([]), [span("u0", (0, 3)), span("u0", (2, 4))], reports)
    assert [issue.span for issue in issues] == [span("u0", (0, 3))]


def test_today_less_yesterday_leaves_nobody_alone() -> None:
    tree, yesterday, today = a_tree([]), span("u0", (0, 1)), span("u0", (0, 2))
    reports = [Some("u0", 0, None, "drugs", "praise", 8)]
    (first,) = publish(tree, [yesterday], reports)
    late = [Some("u0", 0, None, "fire", "praise", 1), Some("u0", 1, None, "drugs", "praise", 1)]
    protection = Protection(Ground(tree), 5, [first])
    assert protection.issue(today, told(reports + late)) is None
    many = [Some("u0", 1, None, "drugs", "praise", 6)]
    assert protection.issue(today, told(reports + many)) is not None


def test_a_complaint_is_not_counted_for_the_unit_it_is_about() -> None:
    tree = a_tree([0])
    reports = [
        Some("u1", 0, None, "drugs", "praise", 10),
        Some("u1", 0, "u1", "drugs", "criticism", 6),
    ]
    commune, province = publish(tree, [span("u1", (0, 1)), span("u0", (0, 1))], reports)
    assert (commune.total, province.total) == (10, 16)


def test_a_raised_floor_does_not_silence_what_comes_after() -> None:
    tree = a_tree([0])
    reports = [Some("u1", 0, None, "drugs", "praise", 7), Some("u0", 0, None, "fire", "praise", 40)]
    (old,) = publish(tree, [span("u1", (0, 1))], reports)
    issue = Protection(Ground(tree), 10, [old]).issue(span("u0", (0, 1)), told(reports))
    assert issue is not None
    assert issue.total == 47


@pytest.mark.parametrize("floor", [0, 1, 4])
def test_the_floor_cannot_be_lowered(floor: int) -> None:
    with pytest.raises(ValueError, match="smaller than 5"):
        Protection(Ground(a_tree([])), floor, [])


@settings(max_examples=100, deadline=None)
@given(worlds(), st.data())
def test_printed_numbers_of_bulletins_made_on_different_days_leave_no_small_remainder(
    world: tuple[Tree, list[Some], list[Span]], data: st.DataObject
) -> None:
    tree, reports, spans = world
    ground, issues, so_far = Ground(tree), list[Issue](), 0
    for where in spans:
        so_far = data.draw(st.integers(so_far, len(reports)))
        if all(issue.span != where for issue in issues):
            issue = protected(ground, issues, where, reports[:so_far])
            issues += [issue] if issue else []
    for one, other in combinations(issues, 2):
        if ground.inside(one.span, other.span) or ground.inside(other.span, one.span):
            assert not 0 < abs(one.total - other.total) < 5
            for axis in LABELS:
                for label in one.labels(axis).keys() & other.labels(axis).keys():
                    left = one.labels(axis)[label] - other.labels(axis)[label]
                    assert not 0 < abs(left) < 5
