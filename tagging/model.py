"""The trained model as it is kept and run: a row of small whole numbers for every feature."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import exp, sqrt
from pathlib import Path
from typing import Any

from tagging.weights import Weights

FILE = "tagger.model"
BEFORE = "tagger.before"  # the model that was in use before this one
_SHAPE = 2  # of the file; a reader of another shape refuses it
ZERO = 128  # the byte of a weight that says nothing; less speaks against a label, more for it
_STEPS = 127
_RARITY = 2.0  # a squared rarity (idf) is at most about 110 and is kept in halves
_STRONGEST = 0.9995  # the share of weights that is kept in full; the few above are cut to it
_IDLE = 1e-3  # a weight that says nothing; the largest are about 2


class NoModel(FileNotFoundError):
    """There is no trained model in this folder; `langnghe tagger train` makes one."""


class BrokenModel(ValueError):
    """The model file is damaged or of another version; `langnghe tagger train` makes a new one."""


@dataclass(frozen=True)
class Axis:
    """One axis of the model: its labels and how its scores become confidence.

    `steepness` turns scores into probabilities (softmax); what is less probable than `sure` is
    shown as "chưa rõ". `also` is the probability from which a second label is named,
    `alarm` the one from which the label `emergency` is taken, and `heard` the same where the word
    rules have heard danger (all 1 where they do not apply).
    """

    name: str
    labels: tuple[str, ...]
    scale: float
    bias: tuple[float, ...]
    steepness: float = 1.0
    sure: float = 0.5
    also: float = 1.0
    alarm: float = 1.0
    heard: float = 1.0

    def confidence(self, scores: list[float]) -> list[float]:
        """The probability of each label, for the scores of one text."""
        highest = max(scores)
        odds = [exp((score - highest) * self.steepness) for score in scores]
        total = sum(odds)
        return [one / total for one in odds]


@dataclass(frozen=True)
class Reading:
    """The features of a message that the model knows, and their weights column by column."""

    names: list[str]
    columns: list[bytes]


class Model:
    """Scores the labels of every axis for the features of a message.

    A row is a string of bytes: axis after axis, the weight of each label (128 is zero) and then
    the squared rarity of the feature, which gives the length by which a score is divided.
    """

    def __init__(
        self, axes: tuple[Axis, ...], rows: dict[str, bytes], until: str = "", best: float = 0.0
    ) -> None:
        self.axes = axes
        self.until = until  # corrections made before this day (ISO) were learned; "" for none
        self.best = best  # the best mean F1 on held-out messages of those it was learned after
        self._rows = rows
        self._width = _width(axes)

    @property
    def size(self) -> int:
        """How many features it knows."""
        return len(self._rows)

    def calibrated(self, axes: tuple[Axis, ...]) -> "Model":
        """The same weights with other thresholds."""
        return Model(axes, self._rows, self.until, self.best)

    def taught(self, until: str, best: float) -> "Model":
        """The same model, which says until which day it has learned, and after how good ones."""
        return Model(self.axes, self._rows, until, best)

    def names(self) -> frozenset[str]:
        """Every feature it knows: what of the texts it was made of can be read out of it."""
        return frozenset(self._rows)

    def read(self, found: Iterable[str]) -> "Reading":
        """What the model knows of these features."""
        rows = self._rows
        names = [name for name in found if name in rows]
        together, width = b"".join([rows[name] for name in names]), self._width
        return Reading(names, [together[at::width] for at in range(width)])

    def scores(self, reading: "Reading") -> list[list[float]]:
        """For each axis the scores of its labels, for a message read so."""
        sums = list(map(sum, reading.columns))
        zero, scores, start = ZERO * len(reading.names), [], 0
        for axis in self.axes:
            end = start + len(axis.labels)
            per = axis.scale / (sqrt(sums[end] / _RARITY) or 1.0)
            own = zip(sums[start:end], axis.bias, strict=True)
            scores.append([(total - zero) * per + bias for total, bias in own])
            start = end + 1
        return scores

    def column(self, axis: int, label: int) -> int:
        """Where in a row the weight of a label of an axis stands."""
        return sum(len(one.labels) + 1 for one in self.axes[:axis]) + label

    def save(self, path: Path) -> None:
        """Write the model to `path`: a line of JSON, the features line by line, the rows."""
        names = "\n".join(self._rows).encode()
        axes = [asdict(axis) for axis in self.axes]
        learned = {"until": self.until, "best": self.best}
        head = {"shape": _SHAPE, "axes": axes, "names": len(names), **learned}
        path.write_bytes(json.dumps(head).encode() + b"\n" + names + b"".join(self._rows.values()))

    @classmethod
    def load(cls, folder: Path, file: str = FILE) -> "Model":
        """The model in `folder`; raises `NoModel` or `BrokenModel`."""
        path = folder / file
        if not path.is_file():
            raise NoModel(str(folder))
        head, _, body = path.read_bytes().partition(b"\n")
        try:
            facts = json.loads(head)
            if facts["shape"] != _SHAPE:
                raise BrokenModel(str(path))
            names = body[: facts["names"]].decode().split("\n")
            axes, rows = tuple(map(_axis, facts["axes"])), body[facts["names"] :]
            starts = range(0, len(rows), width := _width(axes))
            known = {n: rows[at : at + width] for n, at in zip(names, starts, strict=True)}
            return cls(axes, known, facts.get("until", ""), facts.get("best", 0.0))
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenModel(str(path)) from error


def packed(axes: Mapping[str, Weights], order: Mapping[str, tuple[str, ...]]) -> Model:
    """One model of the weights of several axes, its labels in the order given."""
    names = _telling(axes.values())
    columns: list[bytes] = []
    described: list[Axis] = []
    for name, weights in axes.items():
        at = [weights.features.get(feature, -1) for feature in names]
        rarity = [weights.rarity[i] if i >= 0 else 0.0 for i in at]
        rows = [_pulls(weights, label, at, rarity) for label in order[name]]
        sizes = sorted(abs(value) for row in rows for value in row if value)
        scale = sizes[int(len(sizes) * _STRONGEST)] / _STEPS
        columns += [_small(row, scale) for row in rows]
        columns.append(bytes(min(255, round(r * r * _RARITY)) for r in rarity))
        bias = tuple(weights.bias[weights.labels.index(label)] for label in order[name])
        described.append(Axis(name, order[name], scale, bias))
    packed_rows = map(bytes, zip(*columns, strict=True))
    return Model(tuple(described), dict(zip(names, packed_rows, strict=True)))


def _width(axes: Iterable[Axis]) -> int:
    return sum(len(axis.labels) + 1 for axis in axes)


def _pulls(weights: Weights, label: str, at: list[int], rarity: list[float]) -> list[float]:
    """What each feature adds to the score of `label`; `at` is -1 for one the axis knows not."""
    start = weights.labels.index(label) * len(weights.features)
    pairs = zip(at, rarity, strict=True)
    return [weights.weight[start + i] * r if i >= 0 else 0.0 for i, r in pairs]


def _small(row: list[float], scale: float) -> bytes:
    """Weights as bytes, cut to the strongest that is kept."""
    most = scale * _STEPS
    cut = (most if one > most else -most if one < -most else one for one in row)
    return bytes([ZERO + round(one / scale) for one in cut])


def _telling(axes: Iterable[Weights]) -> list[str]:
    """The features that weigh anything on any axis, in the order of the alphabet."""
    telling: set[str] = set()
    for weights in axes:
        width = len(weights.features)
        for name, at in weights.features.items():
            if any(abs(one) > _IDLE for one in weights.weight[at::width]):
                telling.add(name)
    return sorted(telling)


def _axis(facts: dict[str, Any]) -> Axis:
    """An axis from what the file says of it."""
    return Axis(**{**facts, "labels": tuple(facts["labels"]), "bias": tuple(facts["bias"])})
