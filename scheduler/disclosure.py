"""The protection of those who spoke: what a bulletin may show, given all that was shown before.

Whoever holds several bulletins can subtract them: the quarter less its months, the province less
its communes, this month so far less the same as of yesterday, a total less its parts. So a figure
is not judged alone. Two rules hold for everything published together:

1. *Pieces.* The published totals, and the published figures of one label, cut the reports into
   pieces, each piece wholly inside or wholly outside of each figure. Whatever sum and difference
   of figures comes to a group of reports, the group is made of whole pieces. So a piece is empty
   or holds `floor` reports; and so does what is left of a total less the labels shown in it.
2. *Remainders.* Between two bulletins reports come in late and labels are corrected, and the rows
   no longer give the numbers that were printed. So the printed numbers, too, are subtracted as
   a reader would do it, and nothing from 1 to `floor - 1` may remain.

Days that merely overlap (the second half-year beside the first nine months) let labels be played
against one another in too many ways, so a bulletin that cuts across a published one is hidden.

A label that would break a rule goes into the rest of its axis, the smallest first; a rest that is
too small takes the next smallest label with it; a total that would break one hides the bulletin.
What was published long ago and breaks a rule today (the floor was raised, old reports were
deleted) is past mending, and only what a new bulletin adds to it counts.

What is counted is reports. No tie from a report to its sender exists, so five reports may be five
people, or one who wrote five times: that is the price of not knowing who wrote. And what a reader
knows from elsewhere (that all of a ward's reports of a topic came from one street) is not weighed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from scheduler.spans import Ground, Issue, Span, Spot

LEAST = 5  # reports; the floor can be raised, never lowered

# Of one axis: how many reports of a label there are at a spot.
Told = Mapping[tuple[Spot, str], int]


@dataclass(frozen=True)
class Axis:
    """One way to sort reports, each under one label; `labels` is None where nobody knows all."""

    name: str
    labels: frozenset[str] | None
    told: Told


@dataclass(frozen=True)
class Protection:
    """Decides what a new bulletin may show beside those of the past.

    Raises ValueError when it is made with a floor under 5.
    """

    ground: Ground
    floor: int
    past: Sequence[Issue]

    def __post_init__(self) -> None:
        if self.floor < LEAST:
            raise ValueError(f"no group smaller than {LEAST} is ever shown, not {self.floor}")

    def issue(self, span: Span, axes: Sequence[Axis]) -> Issue | None:
        """The bulletin of a span as it may be published; None when not even its total may be.

        Each axis has all reports of the span and of every issue it touches.
        """
        if any(self.ground.across(span, each.span) for each in self.past):
            return None
        touched = [span, *(each.span for each in touching(self.ground, self.past, [span]))]
        # What cuts those that the new one cuts has a say, though it lies apart from the new one.
        past = touching(self.ground, self.past, touched)
        spots = _Spots(self.ground, [*(each.span for each in past), span])
        scales = {axis.name: _Scale(axis, self.floor, past, span, spots) for axis in axes}
        if not all(scale.total_safe() for scale in scales.values()):
            return None
        total = next((scale.total for scale in scales.values()), 0)
        return Issue(span, total, {name: scale.shown() for name, scale in scales.items()})


def touching(ground: Ground, past: Sequence[Issue], spans: Sequence[Span]) -> list[Issue]:
    """The issues that count, or could count, a report which one of the spans counts."""
    return [
        each
        for each in past
        if any(not ground.apart(each.span, span) for span in dict.fromkeys(spans))
    ]


def remainders(axis: str, outer: Issue, inner: Sequence[Issue]) -> Iterator[tuple[str, int]]:
    """What a reader finds who subtracts disjoint bulletins from one that holds them, by name.

    `=` is the total; then each label; `*` is what is left beside the labels that all show.
    """
    rest = outer.total - sum(each.total for each in inner)
    yield "=", rest
    for label, count in outer.labels(axis).items():
        shares = [each.labels(axis)[label] for each in inner if label in each.labels(axis)]
        if shares:
            yield label, count - sum(shares)
        if len(shares) == len(inner):
            rest -= count - sum(shares)
    yield "*", rest


class _Spots:
    """The spans that touch a new one, which is the last of them, and what readers subtract."""

    def __init__(self, ground: Ground, spans: Sequence[Span]) -> None:
        self._ground, self._spans = ground, spans
        self._known: dict[Spot, int] = {}
        self.new = len(spans) - 1
        self.inner = [
            [other for other in range(len(spans)) if other != number and self._in(other, number)]
            for number in range(len(spans))
        ]
        self.families = sorted(self._families())
        self.subtractions = list(self._subtractions())

    def _in(self, inner: int, outer: int) -> bool:
        return self._ground.inside(self._spans[inner], self._spans[outer])

    def mask(self, spot: Spot) -> int:
        """Which spans hold a spot, a bit each."""
        if spot not in self._known:
            holds = [self._ground.holds(span, spot) for span in self._spans]
            self._known[spot] = _bits([number for number, held in enumerate(holds) if held])
        return self._known[spot]

    def _families(self) -> Iterator[tuple[int, int]]:
        """A span, and spans that are taken out of it, as bits: for the pieces."""
        for number, span in enumerate(self._spans):
            inner = self.inner[number]
            yield 1 << number, 0
            yield from ((1 << number, 1 << other) for other in inner)
            yield 1 << number, _bits(inner)
            yield 1 << number, _bits([i for i in inner if self._spans[i].unit == span.unit])
            yield 1 << number, _bits([i for i in inner if _days(self._spans[i]) == _days(span)])

    def _subtractions(self) -> Iterator[tuple[int, list[int]]]:
        """A span, and disjoint spans inside it, the new one among them: for printed numbers."""
        inner = self.inner[self.new]
        outer = [number for number in range(self.new) if self._in(self.new, number)]
        yield from ((self.new, [each]) for each in inner)
        yield from ((each, [self.new]) for each in outer)
        for order in (self._longest_first, self._largest_first):
            yield self.new, self._disjoint(sorted(inner, key=order))
            for each in outer:
                others = sorted((i for i in self.inner[each] if i != self.new), key=order)
                yield each, self._disjoint([self.new, *others])

    def _disjoint(self, numbers: Sequence[int]) -> list[int]:
        chosen: list[int] = []
        for one in numbers:
            if all(self._ground.apart(self._spans[one], self._spans[i]) for i in chosen):
                chosen.append(one)
        return chosen

    def _longest_first(self, number: int) -> tuple[int, int]:
        span = self._spans[number]
        return -span.days, self._ground.depth(span.unit)

    def _largest_first(self, number: int) -> tuple[int, int]:
        return self._longest_first(number)[::-1]


class _Scale:
    """One axis of a new bulletin, weighed against the bulletins it touches."""

    def __init__(
        self, axis: Axis, floor: int, past: Sequence[Issue], span: Span, spots: _Spots
    ) -> None:
        self._name, self._labels, self._floor = axis.name, axis.labels, floor
        self._past, self._span, self._spots = past, span, spots
        self._told: Counter[tuple[str, int]] = Counter()
        for (spot, label), count in axis.told.items():
            self._told[label, spots.mask(spot)] += count
        self._new = 1 << spots.new
        self._showing = _showing(past, axis.name)
        self._counts: Counter[str] = Counter()
        for (label, mask), count in self._told.items():
            if mask & self._new:
                self._counts[label] += count
        self.total = self._counts.total()

    def total_safe(self) -> bool:
        """Whether the bare total may be shown."""
        totals: Counter[int] = Counter()
        for (_, mask), count in self._told.items():
            totals[mask] += count
        return self._fits(self.total) and self._pieces_safe(totals) and self._safe({})

    def shown(self) -> dict[str, int]:
        """The labels that may be shown, the largest first; the others are the rest."""
        ranked = sorted(self._counts.items(), key=lambda one: (-one[1], one[0]))
        shown = {label: count for label, count in ranked if self._label_safe(label, count)}
        while shown and not (self._several_left(shown) and self._safe(shown)):
            shown.popitem()
        return shown

    def _several_left(self, shown: Mapping[str, int]) -> bool:
        """Whether the rest is not the figure of a single label that may not be shown."""
        left = (self._labels or frozenset()) - shown.keys()
        return len(left) != 1 or not any(self._counts[label] for label in left)

    def _label_safe(self, label: str, count: int) -> bool:
        if count < self._floor:
            return False
        figures = self._showing.get(label, 0) | self._new
        pieces: Counter[int] = Counter()
        for (name, mask), number in self._told.items():
            if name == label:
                pieces[mask & figures] += number
        left = self._remainders({label: count})
        return self._pieces_safe(pieces) and all(self._fits(n) for of, n in left if of == label)

    def _fits(self, number: int) -> bool:
        return not 0 < abs(number) < self._floor

    def _pieces_safe(self, pieces: Counter[int]) -> bool:
        before: Counter[int] = Counter()
        for mask, count in pieces.items():
            before[mask & ~self._new] += count
        return all(
            self._fits(count) or (mask & ~self._new and before[mask & ~self._new] == count)
            for mask, count in pieces.items()
            if mask
        )

    def _safe(self, shown: Mapping[str, int]) -> bool:
        """Whether neither totals nor what is left of them beside the labels tell too much."""
        rests = _Rests(self._told, self._figures(shown), self._floor)
        stood = _Rests(self._told, self._showing, self._floor)
        for group in rests.groups(self._spots.families):
            left = rests.of(group)
            # What could be singled out before is not this bulletin's doing.
            if not self._fits(left) and (self._cuts(rests, group) or stood.of(group) != left):
                return False
        return all(self._fits(number) for _, number in self._remainders(shown))

    def _cuts(self, rests: _Rests, group: int) -> bool:
        """Whether only the new total tells a group from the reports beside it."""
        within, beside = rests.masks(group), rests.masks(~group) | {0}
        return any(mask ^ self._new in beside for mask in within)

    def _figures(self, shown: Mapping[str, int]) -> dict[str, int]:
        added = {label: self._showing.get(label, 0) | self._new for label in shown}
        return self._showing | added

    def _remainders(self, shown: Mapping[str, int]) -> Iterator[tuple[str, int]]:
        issues = [*self._past, Issue(self._span, self.total, {self._name: shown})]
        for outer, inner in self._spots.subtractions:
            if inner:
                yield from remainders(self._name, issues[outer], [issues[i] for i in inner])


class _Rests:
    """What is left of groups of reports once the shown labels are taken out of them.

    A group is made of pieces of the totals, a bit each. A label's piece is taken out of a group
    that holds all of it.
    """

    def __init__(
        self, told: Mapping[tuple[str, int], int], showing: Mapping[str, int], floor: int
    ) -> None:
        self._masks = sorted({mask for _, mask in told if mask})
        self._floor = floor
        place = {mask: number for number, mask in enumerate(self._masks)}
        self._sizes = [0] * len(place)
        pieces: dict[tuple[str, int], Counter[int]] = {}
        for (label, mask), count in told.items():
            if mask:
                self._sizes[place[mask]] += count
            if key := mask & showing.get(label, 0):
                pieces.setdefault((label, key), Counter())[place[mask]] += count
        self._pieces = [(_bits(one), one.total(), one) for one in pieces.values()]

    def masks(self, group: int) -> set[int]:
        """The spans that hold each piece of a group."""
        return {mask for number, mask in enumerate(self._masks) if group >> number & 1}

    def of(self, group: int) -> int:
        """How many reports of a group are in no label that can be taken out of it."""
        size = sum(size for number, size in enumerate(self._sizes) if group >> number & 1)
        return size - sum(count for bits, count, _ in self._pieces if not bits & ~group)

    def groups(self, families: Sequence[tuple[int, int]]) -> Iterator[int]:
        """The groups a reader would try."""
        for inside, outside in families:
            chosen = (
                number
                for number, mask in enumerate(self._masks)
                if mask & inside and not mask & outside
            )
            yield _bits(chosen)
        seeds = {1 << number for number in range(len(self._masks))}
        seeds |= {bits for bits, _, _ in self._pieces}
        yield from {self._grown(seed) for seed in seeds}

    def _grown(self, group: int) -> int:
        """A group with every label's piece made whole of which it has too much to leave."""
        while True:
            grown = group
            for bits, _, counts in self._pieces:
                if bits & group and bits & ~group and self._held(counts, group) >= self._floor:
                    grown |= bits
            if grown == group:
                return group
            group = grown

    def _held(self, counts: Counter[int], group: int) -> int:
        return sum(count for number, count in counts.items() if group >> number & 1)


def _showing(past: Sequence[Issue], axis: str) -> dict[str, int]:
    """By label, which issues show it, a bit each."""
    showing: dict[str, int] = {}
    for number, issue in enumerate(past):
        for label in issue.labels(axis):
            showing[label] = showing.get(label, 0) | 1 << number
    return showing


def _bits(numbers: Iterable[int]) -> int:
    return sum(1 << number for number in numbers)


def _days(span: Span) -> tuple[date, date]:
    return span.first, span.until
