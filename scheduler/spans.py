"""Whose reports of which days a bulletin counts, and how two such spans lie to one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from storage.people import Tree


class Spot(NamedTuple):
    """Where a report stands among published figures: its unit, whom it is about, its day."""

    unit: str
    about: str | None
    told: date


@dataclass(frozen=True, slots=True)
class Span:
    """One unit with all below it, over the days `[first, until)`."""

    unit: str
    first: date
    until: date

    @property
    def days(self) -> int:
        """How many days it is long."""
        return (self.until - self.first).days


@dataclass(frozen=True)
class Issue:
    """One published bulletin: its span, its total, and by axis the labels shown, with counts."""

    span: Span
    total: int
    shown: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def labels(self, axis: str) -> Mapping[str, int]:
        """What it shows of an axis."""
        return self.shown.get(axis, {})


class Ground:
    """The tree of units laid beside the calendar."""

    def __init__(self, tree: Tree) -> None:
        self._below = {unit: tree.below(unit) for unit in tree.units}
        self._above = {unit: frozenset(tree.above(unit)) for unit in tree.units}

    @property
    def units(self) -> frozenset[str]:
        """Every unit there is."""
        return frozenset(self._below)

    def below(self, unit: str) -> frozenset[str]:
        """A unit and everything under it."""
        return self._below.get(unit, frozenset((unit,)))

    def above(self, unit: str) -> frozenset[str]:
        """A unit and its superiors: a report about one of these is not counted for the unit."""
        return self._above.get(unit, frozenset((unit,)))

    def depth(self, unit: str) -> int:
        """How far down the tree a unit stands."""
        return len(self.above(unit))

    def holds(self, span: Span, spot: Spot) -> bool:
        """Whether a report at a spot counts in a span; one about the span's own people never."""
        return (
            span.first <= spot.told < span.until
            and spot.unit in self.below(span.unit)
            and spot.about not in self.above(span.unit)
        )

    def inside(self, inner: Span, outer: Span) -> bool:
        """Whether everything that counts in one span counts in the other."""
        # True of complaints too: what is not about the inner unit or above it
        # is not about the outer one or above that.
        days = outer.first <= inner.first and inner.until <= outer.until
        return days and inner.unit in self.below(outer.unit)

    def apart(self, one: Span, other: Span) -> bool:
        """Whether nothing can count in both spans."""
        if one.until <= other.first or other.until <= one.first:
            return True
        return one.unit not in self.below(other.unit) and other.unit not in self.below(one.unit)

    def across(self, one: Span, other: Span) -> bool:
        """Whether both count some of the same reports over days that merely overlap."""
        first, second = sorted(((one.first, one.until), (other.first, other.until)))
        overlap = first[0] < second[0] < first[1] < second[1]
        return overlap and not self.apart(one, other)
