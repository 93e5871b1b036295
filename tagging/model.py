"""The trained model as it is kept and run: a row of small whole numbers for every feature."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from itertools import accumulate, chain, pairwise, repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagging.features import Feature, named, written
from tagging.weights import Weights

FILE = "tagger.model"
BEFORE = "tagger.before"  # the model that was in use before this one
_SHAPE = 2  # of the file; a reader of another shape refuses it
ZERO = 128  # the byte of a weight that says nothing; less speaks against a label, more for it
_STEPS = 127
_PLACE, _ROW = 20, 24  # bits of a whole number that holds a message, a row and a place
_RARITY = 2.0  # a squared rarity (idf) is at most about 110 and is kept in halves
_STRONGEST = 0.9995  # the share of weights that is kept in full; the few above are cut to it
_IDLE = 1e-3  # a weight that says nothing; the largest are about 2
Numbers = NDArray[np.int64]
Scores = NDArray[np.float64]  # a line for each message, in it a column for each label


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

    def confidence(self, scores: Scores) -> Scores:
        """The probability of each label, for the scores of each message."""
        odds = np.exp((scores - scores.max(axis=1, keepdims=True)) * self.steepness)
        chances: Scores = odds / odds.sum(axis=1, keepdims=True)
        return chances


@dataclass(frozen=True, eq=False)
class Reading:
    """The rows of the features that stand in some messages, message after message, each once.

    `messages[i]` is the number of the message in which row `rows[i]` was found, `places[i]` where
    among its features it stands first; message `n` begins at `starts[n]`. The last row of a
    message is always the one that says nothing, so that none is without any.
    """

    messages: Numbers
    rows: Numbers
    places: Numbers
    starts: Numbers


@dataclass(frozen=True, eq=False)
class Model:
    """Scores the labels of every axis for the features of a message.

    A row of `weights` is, axis after axis, the weight of each label (128 is zero) and then the
    squared rarity of the feature, which gives the length by which a score is divided. `rows` are
    the features in the order of their rows, and of the alphabet; the last row says nothing and
    stands for every other feature.

    Corrections made before the day `until` (ISO) were learned, "" where none; `best` is the best
    mean F1 on held-out messages of the models it was learned after.
    """

    axes: tuple[Axis, ...]
    rows: dict[Feature, int]
    weights: NDArray[np.uint8]
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
        return sum(map(self.rows.__contains__, words))

    def read(self, found: Iterable[Iterable[Feature]]) -> Reading:
        """What the model knows of the features of each message."""
        known, nothing = self.rows.get, len(self.rows)
        rows = [list(map(known, features, repeat(nothing))) for features in found]
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        starts, numbers = np.cumsum(lengths) - lengths, np.arange(len(rows))
        keys = np.fromiter(chain.from_iterable(rows), np.int64, lengths.sum()) << _PLACE
        keys += np.arange(len(keys)) + np.repeat((numbers << _ROW + _PLACE) - starts, lengths)
        keys = np.append(keys, (numbers << _ROW | nothing) << _PLACE)
        keys.sort()
        both = keys >> _PLACE
        keys = keys[np.append(True, both[1:] != both[:-1])]
        messages = keys >> _ROW + _PLACE
        once, places = keys >> _PLACE & (1 << _ROW) - 1, keys & (1 << _PLACE) - 1
        return Reading(messages, once, places, np.searchsorted(messages, numbers))

    def scores(self, reading: Reading) -> list[Scores]:
        """For each axis the scores of its labels, for each message read."""
        rows, start = self.weights.take(reading.rows, axis=0), 0
        sums = np.add.reduceat(rows, reading.starts, axis=0, dtype=np.int64)
        zero = ZERO * np.diff(reading.starts, append=len(reading.rows))
        scores: list[Scores] = []
        for axis in self.axes:
            end = start + len(axis.labels)
            length = np.sqrt(sums[:, end] / _RARITY)
            per = axis.scale / np.where(length > 0, length, 1.0)
            scores.append((sums[:, start:end] - zero[:, None]) * per[:, None] + axis.bias)
            start = end + 1
        return scores

    def weightiest(
        self, reading: Reading, columns: Numbers, most: int, part: float
    ) -> list[list[list[int]]]:
        """The places of the features that weigh most in a column, most of all the first.

        `columns` has a line for each message, and of each column in it a list is given. Not more
        than `most` in a list, and each at least this `part` as much as the first; of two that
        weigh alike the first in the alphabet.
        """
        width = columns.shape[1]
        at = reading.rows * self.weights.shape[1]
        weights = self.weights.ravel().take(at[:, None] + columns[reading.messages]).astype(int)
        highest = np.maximum.reduceat(weights, reading.starts, axis=0)
        least = np.maximum(np.ceil(ZERO + (highest - ZERO) * part), ZERO + 1)
        heavy, which = np.nonzero(weights >= least[reading.messages])
        lists = reading.messages[heavy] * width + which
        ranked = np.argsort((lists << 8) - weights[heavy, which], kind="stable")
        places = reading.places[heavy[ranked]].tolist()
        counts = np.bincount(lists, minlength=columns.size).tolist()
        bounds = pairwise(accumulate(counts, initial=0))
        each = [places[start : min(end, start + most)] for start, end in bounds]
        return [each[at : at + width] for at in range(0, len(each), width)]

    def column(self, axis: int, label: int) -> int:
        """Where in a row the weight of a label of an axis stands."""
        return _width(self.axes[:axis]) + label

    def save(self, path: Path) -> None:
        """Write the model to `path`: a line of JSON, the features line by line, the rows."""
        names = "\n".join(map(written, self.rows)).encode()
        axes = [asdict(axis) for axis in self.axes]
        learned = {"until": self.until, "best": self.best}
        head = {"shape": _SHAPE, "axes": axes, "names": len(names), **learned}
        rows = self.weights[:-1].tobytes()
        path.write_bytes(json.dumps(head).encode() + b"\n" + names + rows)

    @classmethod
    def load(cls, folder: Path, file: str = FILE) -> "Model":
        """The model in `folder`; raises `NoModel` or `BrokenModel`."""
        path = folder / file
        if not path.is_file():
            raise NoModel(str(folder))
        try:
            with path.open("rb") as kept:
                facts = json.loads(kept.readline())
                if facts["shape"] != _SHAPE:
                    raise BrokenModel(str(path))
                axes = tuple(map(_axis, facts["axes"]))
                # Name by name: what all of them take at once would stay with the program.
                names = BytesIO(kept.read(facts["names"]))
                known = {named(name.decode().rstrip("\n")): at for at, name in enumerate(names)}
                rows = np.frombuffer(kept.read(), np.uint8).reshape(len(known), _width(axes))
            until, best = facts.get("until", ""), facts.get("best", 0.0)
            return cls(axes, known, _with_nothing(axes, rows), until, best)
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
    small = np.frombuffer(b"".join(columns), np.uint8).reshape(len(columns), len(features))
    places = {feature: at for at, feature in enumerate(features)}
    return Model(tuple(described), places, _with_nothing(described, small.T))


def _width(axes: Iterable[Axis]) -> int:
    return sum(len(axis.labels) + 1 for axis in axes)


def _with_nothing(axes: Iterable[Axis], rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`rows`, and below them the one that says nothing."""
    nothing = b"".join(bytes([ZERO]) * len(axis.labels) + b"\0" for axis in axes)
    return np.vstack((rows, np.frombuffer(nothing, np.uint8)))


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
