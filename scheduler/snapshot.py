"""A period in figures as it is frozen: canonical JSON, the same bytes for the same figures."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict

from scheduler.periods import Cut, Kind, Period, parse
from storage.vocabulary import Language

# shown: figures follow. few: fewer than the floor. hidden: they would give others away.
State = Literal["shown", "few", "hidden", "empty"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(_Frozen):
    """A label with its count, and its count in the period before where both were shown."""

    label: str
    count: int
    before: int | None = None


class Part(_Frozen):
    """One axis: the labels shown, the largest first, and how many reports are in the others."""

    rows: tuple[Row, ...] = ()
    rest: int = 0


class Drift(_Frozen):
    """How the labels differ from those of so many bulletins before, in thousandths.

    `unsure` is the share the machine was not sure of, `mix` the share of reports that would
    have to change their topic for the topics to be as before.
    """

    periods: int
    unsure: int | None = None
    unsure_before: int | None = None
    mix: int | None = None


class Snapshot(_Frozen):
    """What one bulletin says. It holds no text that anybody wrote, and nothing of a person."""

    version: Literal[1] = 1
    kind: Kind
    period: str
    cut: Cut
    first: date
    until: date
    closed: bool
    unit: str
    names: dict[Language, str]
    floor: int
    state: State
    since: date | None = None  # the first report of the installation; says why nothing is here
    total: int | None = None
    before: int | None = None
    axes: dict[str, Part] = {}
    new: tuple[str, ...] = ()
    rising: tuple[Row, ...] = ()
    falling: tuple[Row, ...] = ()
    oldest: int | None = None  # days that the oldest unanswered report has waited
    phrases: tuple[str, ...] = ()
    drift: Drift | None = None
    places: dict[str, str] = {}

    def part(self, axis: str) -> Part:
        """One axis; nothing is shown of one that is not there."""
        return self.axes.get(axis, Part())

    def of(self, axis: str, label: str) -> int | None:
        """The count shown for a label."""
        return next((row.count for row in self.part(axis).rows if row.label == label), None)

    def spoken_of(self) -> Period:
        """The period as people name it, whole also while it runs."""
        return parse(self.period, self.cut)


def freeze(snapshot: Snapshot) -> bytes:
    """The canonical bytes: keys in order, no spaces."""
    said = snapshot.model_dump(mode="json")
    if said["drift"] is None:
        del said["drift"]  # as in bulletins that were frozen before there was such a field
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def thaw(frozen: bytes) -> Snapshot:
    """The snapshot in its bytes."""
    return Snapshot.model_validate_json(frozen)


def sha256(frozen: bytes) -> str:
    """The hash that is kept beside the bytes."""
    return hashlib.sha256(frozen).hexdigest()
