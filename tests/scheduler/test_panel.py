from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler import panel
from scheduler.panel import Grouping, Refused, Region
from storage.campaign import SCALE, SKIPPED, Asked, Choice
from storage.people import Office, Tree

MOOD = Asked(key="mood", kind="scale", text={"vi": "?"})
VIEW = Asked(
    key="view",
    kind="one",
    text={"vi": "?"},
    options=tuple(Choice(id=one, vi=one) for one in ("yes", "so", "no")),
)
WORRIES = VIEW.model_copy(update={"key": "worries", "kind": "several", "options": VIEW.options[:2]})


def tree(parents: Mapping[str, str | None]) -> Tree:
    return Tree({u: Office(u, u, u, parent, None, False) for u, parent in parents.items()})


# -- buckets --------------------------------------------------------------------------------------


@st.composite
def forests(draw: st.DrawFn) -> tuple[Tree, Counter[str]]:
    count = draw(st.integers(1, 9))
    parents: dict[str, str | None] = {"u0": None}
    for number in range(1, count):
        parents[f"u{number}"] = f"u{draw(st.integers(0, number - 1))}"
    people = draw(st.lists(st.integers(0, 14), min_size=count, max_size=count))
    return tree(parents), Counter({f"u{n}": some for n, some in enumerate(people) if some})


@given(forests(), st.integers(5, 12))
@settings(max_examples=400, deadline=None)
def test_no_bucket_is_under_the_floor_and_nobody_is_left_out(
    forest: tuple[Tree, Counter[str]], floor: int
) -> None:
    units, people = forest
    of = panel.buckets(people, units, floor)
    if people.total() < floor:
        assert of == {}
        return
    assert of.keys() == people.keys()
    sizes: Counter[str] = Counter()
    for unit, bucket in of.items():
        sizes[bucket] += people[unit]
        assert unit in units.below(bucket)
    assert min(sizes.values()) >= floor


def test_small_units_are_counted_together_and_a_leftover_takes_the_smallest_along() -> None:
    units = tree({"top": None, "a": "top", "b": "top", "c": "top"})
    people = Counter(a=12, b=15, c=3)
    assert panel.buckets(people, units, 10) == {"a": "top", "b": "b", "c": "top"}
    people = Counter(a=12, b=6, c=5)
    assert panel.buckets(people, units, 10) == {"a": "a", "b": "top", "c": "top"}


def test_people_of_a_unit_that_is_gone_are_counted_at_the_top() -> None:
    units = tree({"top": None, "a": "top"})
    assert panel.buckets(Counter(a=12, gone=2), units, 10) == {"a": "top", "gone": "top"}


# -- groups ---------------------------------------------------------------------------------------


def test_neighbours_on_a_scale_are_joined_until_each_group_holds_five() -> None:
    total = Counter({"1": 2, "2": 6, "3": 9, "4": 1, "5": 7, SKIPPED: 1})
    assert panel.grouping(MOOD, total, 26).groups == (("1", "2"), ("3", SKIPPED), ("4", "5"))


def test_unanimity_shows_nothing() -> None:
    assert panel.grouping(MOOD, Counter({"1": 12}), 12).groups == (
        ("1", "2", "3", SKIPPED, "4", "5"),
    )
    assert panel.grouping(WORRIES, Counter(yes=12), 12).groups == ()


def test_small_options_of_a_list_become_the_others() -> None:
    total = Counter(yes=11, so=3, no=4)
    assert panel.grouping(VIEW, total, 18).groups == (("yes",), ("no", "so", SKIPPED))


@given(st.lists(st.integers(0, 12), min_size=6, max_size=6))
@settings(max_examples=300, deadline=None)
def test_every_group_holds_five_and_a_scale_stays_in_order(people: list[int]) -> None:
    total = Counter(dict(zip((*SCALE, SKIPPED), people, strict=True)))
    groups = panel.grouping(MOOD, total, total.total()).groups
    if total.total() >= panel.CELL:
        assert sorted(option for group in groups for option in group) == sorted((*SCALE, SKIPPED))
        assert all(sum(total[o] for o in group) >= panel.CELL for group in groups)
        points = [option for group in groups for option in group if option != SKIPPED]
        assert points == list(SCALE)


# -- tables and whoever subtracts them ------------------------------------------------------------


@dataclass
class Press:
    """Publishes tables of one round in whatever order they are asked for, as the clock does."""

    question: Asked
    counts: dict[str, Counter[str]]
    sizes: dict[str, int]
    floor: int
    regions: list[Region] = field(default_factory=list)
    tables: dict[Region, dict[str, int]] = field(default_factory=dict)
    grouping: Grouping | None = None

    def ask(self, region: Region) -> str | None:
        """Publish a table; the reason why not."""
        if region in self.regions:
            return None
        try:
            panel.admit(region, self.regions, self.sizes, self.floor)
        except Refused as refused:
            return str(refused)
        total = sum(self.counts.values(), Counter[str]())
        group = panel.grouping(self.question, total, sum(self.sizes.values()))
        found = panel.cells(region, list(self.tables), group, self.counts, self.sizes)
        self.regions.append(region)
        if found is not None:
            self.tables[region] = found
        return None


@dataclass
class Attacker:
    """Knows every published number; looks for any group of people that they single out.

    `atoms`: people by what is not known of them; what is published are sums over atoms.
    """

    atoms: Sequence[tuple[str, str]]
    people: Mapping[tuple[str, str], int]
    known: list[list[int]] = field(default_factory=list)

    def learn(self, holds: Callable[[tuple[str, str]], bool]) -> None:
        self.known.append([int(holds(atom)) for atom in self.atoms])

    def smallest_group(self) -> int | None:
        """The smallest group whose number follows from what is known; None where none does."""
        everything = numpy.array(list(product((0, 1), repeat=len(self.atoms)))[1:], dtype=object)
        free = numpy.array(_null_space(self.known, len(self.atoms)), dtype=object)
        follows = (
            (everything @ free.T == 0).all(axis=1) if len(free) else numpy.ones(len(everything))
        )
        values = everything[numpy.asarray(follows, dtype=bool)] @ numpy.array(
            [self.people.get(atom, 0) for atom in self.atoms], dtype=object
        )
        return min(values, default=None)


def _null_space(rows: list[list[int]], width: int) -> list[list[int]]:
    reduced = [[Fraction(each) for each in row] for row in rows]
    pivots: list[int] = []
    for column in range(width):
        at = next((r for r in range(len(pivots), len(reduced)) if reduced[r][column]), None)
        if at is None:
            continue
        row = len(pivots)
        reduced[row], reduced[at] = reduced[at], reduced[row]
        reduced[row] = [each / reduced[row][column] for each in reduced[row]]
        for other in range(len(reduced)):
            if other != row and reduced[other][column]:
                by = reduced[other][column]
                reduced[other] = [
                    a - by * b for a, b in zip(reduced[other], reduced[row], strict=True)
                ]
        pivots.append(column)
    basis = []
    for free in (column for column in range(width) if column not in pivots):
        vector = [Fraction(0)] * width
        vector[free] = Fraction(1)
        for row, pivot in enumerate(pivots):
            vector[pivot] = -reduced[row][free]
        scale = 1
        for each in vector:
            scale = scale * each.denominator
        basis.append([int(each * scale) for each in vector])
    return basis


BUCKETS = ("a", "b", "c")
LISTS: dict[str, tuple[str, ...]] = {
    "view": ("yes", "so", "no", SKIPPED),
    "worries": ("", "yes", "so", "yes,so"),  # what one person chose, of two
}


def panels(dice: random.Random, question: Asked) -> tuple[Press, Attacker]:
    """A random panel of some buckets of at least the floor, and an attacker who knows nothing."""
    floor = dice.choice((5, 5, 10))
    buckets = BUCKETS[: dice.randint(1, 3)]
    choices = LISTS[question.key]
    people: Counter[tuple[str, str]] = Counter()
    for bucket in buckets:
        weights = [dice.random() ** 3 + 0.01 for _ in choices]
        for choice in dice.choices(choices, weights, k=floor + dice.randint(0, 15)):
            people[bucket, choice] += 1
    counts: dict[str, Counter[str]] = {bucket: Counter() for bucket in buckets}
    for (bucket, choice), some in people.items():
        for option in choice.split(",") if question.kind == "several" else [choice]:
            counts[bucket][option] += some
    sizes = {b: sum(n for (bucket, _), n in people.items() if bucket == b) for b in buckets}
    atoms = [(bucket, choice) for bucket in buckets for choice in choices]
    return Press(question, counts, sizes, floor), Attacker(atoms, people)


def asked_for(dice: random.Random, press: Press) -> Iterator[Region]:
    """The whole panel first, then any other regions in any order, some of them twice."""
    yield frozenset(press.sizes)
    for _ in range(dice.randint(0, 8)):
        yield frozenset(b for b in press.sizes if dice.random() < 0.5) or frozenset("a")


def subtracted(press: Press, attacker: Attacker) -> int | None:
    """The smallest group that follows from everything the press has published."""
    for region in press.regions:
        attacker.learn(lambda atom, region=region: atom[0] in region)
    for region, table in press.tables.items():
        for group in table:
            options = set(group.split("+"))
            attacker.learn(
                lambda atom, region=region, options=options: (
                    atom[0] in region and bool(options & set(atom[1].split(",")))
                )
            )
    return attacker.smallest_group()


def smallest_found(seeds: range, question: Asked) -> int:
    least = 1_000
    for seed in seeds:
        dice = random.Random(seed)
        press, attacker = panels(dice, question)
        for region in asked_for(dice, press):
            press.ask(region)
        found = subtracted(press, attacker)
        least = min(least, 1_000 if found is None else found)
    return least


@given(st.integers(0, 1 << 30), st.sampled_from([VIEW, WORRIES]))
@settings(max_examples=250, deadline=None)
def test_no_sequence_of_tables_gives_a_group_under_five(seed: int, question: Asked) -> None:
    assert smallest_found(range(seed, seed + 1), question) >= panel.CELL


@pytest.mark.parametrize("question", [VIEW, WORRIES], ids=["one", "several"])
def test_the_attacker_would_find_a_table_that_is_not_weighed(
    question: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel, "pieces", lambda regions: iter(list(regions)[-1:]))
    assert smallest_found(range(200), question) < panel.CELL


def test_the_attacker_would_find_a_table_before_the_last_that_is_not_weighed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(panel, "pieces", lambda regions: iter(list(regions)[-2:]))
    assert smallest_found(range(400), VIEW) < panel.CELL


def test_the_attacker_would_find_a_group_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel, "CELL", 0)
    assert smallest_found(range(200), VIEW) == 0


def test_the_attacker_would_find_that_others_than_the_pair_are_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = panel._each
    half = Callable[..., Iterator[int]]

    def one_side(piece: Region, group: Grouping, *rest: object) -> Iterator[int]:
        each: half = real
        return each(piece, Grouping(group.question, group.groups), *rest)

    monkeypatch.setattr(panel, "_each", one_side)
    monkeypatch.setattr(
        panel,
        "grouping",
        lambda question, total, size: Grouping(
            question.key, tuple((o,) for o in question.ids() if total[o] >= 5), several=True
        ),
    )
    assert smallest_found(range(200), WORRIES) < panel.CELL


def test_a_second_breakdown_that_could_be_subtracted_is_refused_with_its_reason() -> None:
    sizes = {"a": 6, "b": 6, "c": 8}
    everybody = frozenset(sizes)
    with pytest.raises(Refused, match="leftover"):
        panel.admit(frozenset("ac"), [everybody], sizes, 10)
    with pytest.raises(Refused, match="across"):
        panel.admit(frozenset("bc"), [frozenset("ab")], sizes, 10)
    with pytest.raises(Refused, match="few"):
        panel.admit(frozenset("a"), [everybody], sizes, 10)
    panel.admit(everybody, [], sizes, 10)


def test_a_floor_under_five_is_no_floor() -> None:
    with pytest.raises(ValueError, match="smaller than 5"):
        panel.admit(frozenset("a"), [], {"a": 50}, 4)
