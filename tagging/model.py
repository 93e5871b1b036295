"""The trained model as it is kept and run: one row of whole numbers for every feature, all axes side by side."""

import json
import sys
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import exp, sqrt
from pathlib import Path

from tagging.weights import Weights

FILE = "tagger.model"
_SHAPE = 1  # of the file; a reader of another shape refuses it
_LARGEST = 32767
_RARITY = 100.0  # rarities (idf) are at most some tens; squared they are kept in hundredths


class NoModel(FileNotFoundError):
    """There is no trained model in this folder; `langnghe tagger train` makes one."""


class BrokenModel(ValueError):
    """The model file is damaged or of another version; `langnghe tagger train` makes a new one."""


@dataclass(frozen=True)
class Axis:
    """One axis of the model: its labels and how its scores become confidence.

    `steepness` turns scores into probabilities (softmax); what is less probable than `sure` is
    shown as "chưa rõ". `also` is the probability from which a second label is named, and
    `alarm` the one from which the label `emergency` is taken (both 1 where they do not apply).
    """

    name: str
    labels: tuple[str, ...]
    scale: float
    bias: tuple[float, ...]
    steepness: float = 1.0
    sure: float = 0.5
    also: float = 1.0
    alarm: float = 1.0

    def confidence(self, scores: list[float]) -> list[float]:
        """The probability of each label, for the scores of one text."""
        highest = max(scores)
        odds = [exp((score - highest) * self.steepness) for score in scores]
        total = sum(odds)
        return [one / total for one in odds]


class Model:
    """Scores the labels of every axis for the features of a message.

    A row holds, axis after axis, the weight of each label and then the squared rarity.
    """

    def __init__(self, axes: tuple[Axis, ...], features: list[str], rows: "array[int]") -> None:
        self.axes = axes
        self._rows = rows
        self._width = sum(len(axis.labels) + 1 for axis in axes)
        self._at = dict(zip(features, range(0, len(rows), self._width), strict=True))

    @property
    def size(self) -> int:
        """How many features it knows."""
        return len(self._at)

    def calibrated(self, axes: tuple[Axis, ...]) -> "Model":
        """The same weights with other thresholds."""
        return Model(axes, list(self._at), self._rows)

    def rows(self, found: Iterable[str]) -> dict[str, "array[int]"]:
        """The row of each feature that the model knows."""
        at, rows, width = self._at, self._rows, self._width
        return {name: rows[at[name] : at[name] + width] for name in found if name in at}

    def scores(self, rows: Mapping[str, "array[int]"]) -> list[list[float]]:
        """For each axis the scores of its labels, for a message with these rows."""
        sums = list(map(sum, zip(*rows.values(), strict=True))) or [0] * self._width
        scores, start = [], 0
        for axis in self.axes:
            end = start + len(axis.labels)
            per = axis.scale / (sqrt(sums[end] / _RARITY) or 1.0)
            scores.append([n * per + b for n, b in zip(sums[start:end], axis.bias, strict=True)])
            start = end + 1
        return scores

    def column(self, axis: int, label: int) -> int:
        """Where in a row the weight of a label of an axis stands."""
        return sum(len(one.labels) + 1 for one in self.axes[:axis]) + label

    def save(self, path: Path) -> None:
        """Write the model to `path`: a line of JSON, the features line by line, the rows."""
        names = "\n".join(self._at).encode()
        head = {"shape": _SHAPE, "axes": [asdict(axis) for axis in self.axes], "names": len(names)}
        path.write_bytes(json.dumps(head).encode() + b"\n" + names + _little(self._rows).tobytes())

    @classmethod
    def load(cls, folder: Path) -> "Model":
        """The model in `folder`; raises `NoModel` or `BrokenModel`."""
        path = folder / FILE
        if not path.is_file():
            raise NoModel(str(folder))
        head, _, body = path.read_bytes().partition(b"\n")
        try:
            facts = json.loads(head)
            names = body[: facts["names"]].decode().split("\n")
            rows = array("h", body[facts["names"] :])
            return cls(tuple(_axis(one) for one in facts["axes"]), names, _little(rows))
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenModel(str(path)) from error


def packed(axes: dict[str, Weights], order: dict[str, tuple[str, ...]]) -> Model:
    """One model of the weights of several axes, labels in the order given, idle features left out."""
    kept, columns, described = _worth(axes.values()), [], []
    for name, weights in axes.items():
        at = [weights.features.get(feature, -1) for feature in kept]
        rarity = [weights.rarity[i] if i >= 0 else 0.0 for i in at]
        width, rows = len(weights.features), []
        for label in order[name]:
            start = weights.labels.index(label) * width
            row = [weights.weight[start + i] * r if i >= 0 else 0.0 for i, r in zip(at, rarity, strict=True)]
            rows.append(row)
        scale = max(abs(value) for row in rows for value in row) / _LARGEST
        columns += [[round(value / scale) for value in row] for row in rows]
        columns.append([min(_LARGEST, round(r * r * _RARITY)) for r in rarity])
        bias = tuple(weights.bias[weights.labels.index(label)] for label in order[name])
        described.append(Axis(name, order[name], scale, bias))
    return Model(tuple(described), kept, array("h", (n for row in zip(*columns, strict=True) for n in row)))


def _worth(axes: Iterable[Weights]) -> list[str]:
    """The features that weigh anything on any axis, in the order of the alphabet."""
    kept: set[str] = set()
    for weights in axes:
        width = len(weights.features)
        for name, at in weights.features.items():
            if any(abs(w) > _IDLE for w in weights.weight[at::width]):
                kept.add(name)
    return sorted(kept)


_IDLE = 1e-3  # of a weight; the largest are about 2


def _axis(facts: dict[str, object]) -> Axis:
    """An axis from what the file says of it."""
    labels, bias = facts.pop("labels"), facts.pop("bias")
    return Axis(labels=tuple(labels), bias=tuple(bias), **facts)  # type: ignore[arg-type]


def _little(rows: "array[int]") -> "array[int]":
    """`rows` in the byte order of the file, which is the usual one."""
    if sys.byteorder == "big":
        rows = array("h", rows)
        rows.byteswap()
    return rows
