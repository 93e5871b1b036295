"""The trained model as it is kept and run: a row of small whole numbers for every feature."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import compress
from math import ceil, exp, sqrt
from pathlib import Path
from typing import Any
from zlib import adler32

from tagging.features import Feature, named, written
from tagging.weights import Weights

FILE = "tagger.model"
BEFORE = "tagger.before"  # the model that was in use before this one
_SHAPE = 2  # of the file; a reader of another shape refuses it
ZERO = 128  # the byte of a weight that says nothing; less speaks against a label, more for it
_STEPS = 127
_MOST_AT_ONCE = 256  # bytes whose sum Adler-32 does not cut (65,521)
# For each weight what makes of bytes at least that great 1, and of all others 0.
_AT_LEAST = [bytes(one >= least for one in range(256)) for least in range(257)]
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
        highest, steepness = max(scores), self.steepness
        odds = [exp((score - highest) * steepness) for score in scores]
        total = sum(odds)
        return [one / total for one in odds]


@dataclass(frozen=True)
class Reading:
    """The features of a message that the model knows, and their rows, one after another."""

    known: list[Feature]
    weights: bytes
    width: int

    def sums(self) -> list[int]:
        """The sum of each column."""
        return [_sum(self.weights[at :: self.width]) for at in range(self.width)]

    def weightiest(self, column: int, most: int, part: float) -> list[Feature]:
        """Which features weigh most in a column, and most of all the first.

        Not more than `most`, and each at least this `part` as much as the first.
        """
        weights = self.weights[column :: self.width]
        heaviest = sorted(weights)[-most:]
        least = max(ceil(ZERO + (heaviest[-1] - ZERO) * part), ZERO + 1, heaviest[0])
        heavy = weights.translate(_AT_LEAST[least])
        chosen = zip(compress(weights, heavy), compress(self.known, heavy), strict=True)
        ranked = sorted([(-weight, written(feature), feature) for weight, feature in chosen])
        return [feature for _, _, feature in ranked[:most]]


def _sum(column: bytes) -> int:
    """The sum of a column, several times as quickly as `sum`: Adler-32 begins as one such."""
    if len(column) > _MOST_AT_ONCE:
        return _sum(column[:_MOST_AT_ONCE]) + _sum(column[_MOST_AT_ONCE:])
    return (adler32(column) & 0xFFFF) - 1


@dataclass(frozen=True)
class Model:
    """Scores the labels of every axis for the features of a message.

    A row is a string of bytes: axis after axis, the weight of each label (128 is zero) and then
    the squared rarity of the feature, which gives the length by which a score is divided.

    Corrections made before the day `until` (ISO) were learned, "" where none; `best` is the best
    mean F1 on held-out messages of the models it was learned after.
    """

    axes: tuple[Axis, ...]
    rows: dict[Feature, bytes]
    until: str = ""
    best: float = 0.0

    @property
    def size(self) -> int:
        """How many features it knows."""
        return len(self.rows)

    def calibrated(self, axes: tuple[Axis, ...]) -> "Model":
        """The same weights with other thresholds."""
        return replace(self, axes=axes)

    def taught(self, until: str, best: float) -> "Model":
        """The same model, which says until which day it has learned, and after how good ones."""
        return replace(self, until=until, best=best)

    def names(self) -> frozenset[str]:
        """Every feature it knows: what of the texts it was made of can be read out of it."""
        return frozenset(map(written, self.rows))

    def known(self, words: set[str]) -> int:
        """How many of these words it has met."""
        return len(self.rows.keys() & words)

    def read(self, found: Iterable[Feature]) -> Reading:
        """What the model knows of these features."""
        found = dict.fromkeys(found)
        each = list(map(self.rows.get, found))
        known = list(compress(found, each))
        return Reading(known, b"".join(filter(None, each)), _width(self.axes))

    def scores(self, reading: Reading) -> list[list[float]]:
        """For each axis the scores of its labels, for a message read so."""
        sums, zero, start = reading.sums(), ZERO * len(reading.known), 0
        scores: list[list[float]] = []
        for axis in self.axes:
            end = start + len(axis.labels)
            per = axis.scale / (sqrt(sums[end] / _RARITY) or 1.0)
            own = zip(sums[start:end], axis.bias, strict=True)
            scores.append([(total - zero) * per + bias for total, bias in own])
            start = end + 1
        return scores

    def column(self, axis: int, label: int) -> int:
        """Where in a row the weight of a label of an axis stands."""
        return _width(self.axes[:axis]) + label

    def save(self, path: Path) -> None:
        """Write the model to `path`: a line of JSON, the features line by line, the rows."""
        names = "\n".join(map(written, self.rows)).encode()
        axes = [asdict(axis) for axis in self.axes]
        learned = {"until": self.until, "best": self.best}
        head = {"shape": _SHAPE, "axes": axes, "names": len(names), **learned}
        rows = b"".join(self.rows.values())
        path.write_bytes(json.dumps(head).encode() + b"\n" + names + rows)

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
            features = map(named, names)
            known = {f: rows[at : at + width] for f, at in zip(features, starts, strict=True)}
            return cls(axes, known, facts.get("until", ""), facts.get("best", 0.0))
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenModel(str(path)) from error


def packed(axes: Mapping[str, Weights], order: Mapping[str, tuple[str, ...]]) -> Model:
    """One model of the weights of several axes, its labels in the order given."""
    features = _telling(axes.values())
    columns: list[bytes] = []
    described: list[Axis] = []
    for name, weights in axes.items():
        at = [weights.features.get(feature, -1) for feature in features]
        rarity = [weights.rarity[i] if i >= 0 else 0.0 for i in at]
        rows = [_pulls(weights, label, at, rarity) for label in order[name]]
        sizes = sorted(abs(value) for row in rows for value in row if value)
        scale = sizes[int(len(sizes) * _STRONGEST)] / _STEPS
        columns += [_small(row, scale) for row in rows]
        columns.append(bytes(min(255, round(r * r * _RARITY)) for r in rarity))
        bias = tuple(weights.bias[weights.labels.index(label)] for label in order[name])
        described.append(Axis(name, order[name], scale, bias))
    small = map(bytes, zip(*columns, strict=True))
    return Model(tuple(described), dict(zip(features, small, strict=True)))


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


def _telling(axes: Iterable[Weights]) -> list[Feature]:
    """The features that weigh anything on any axis, in the order of the alphabet."""
    telling: set[Feature] = set()
    for weights in axes:
        width = len(weights.features)
        for name, at in weights.features.items():
            if any(abs(one) > _IDLE for one in weights.weight[at::width]):
                telling.add(name)
    return sorted(telling, key=written)


def _axis(facts: dict[str, Any]) -> Axis:
    """An axis from what the file says of it."""
    return Axis(**{**facts, "labels": tuple(facts["labels"]), "bias": tuple(facts["bias"])})
