"""The weights inside a trained `underthesea_core.TextClassifier`, read from the file it saves.

Its interface tells only the best label of a text. Secondary topics, calibrated confidence and the
words that caused a tag need the score of every label, so the file is read here, at training time
only, and what was read is checked against what the classifier itself predicts.
"""

import struct
from array import array
from dataclasses import dataclass
from math import exp, sqrt
from pathlib import Path

from tagging.features import Feature, named

_TOLERANCE = 1e-3  # the file holds single precision
_SETTINGS = struct.calcsize("<QQQQdBB")  # features, n-grams from and to, document frequencies


class UnknownModelFile(RuntimeError):
    """This version of underthesea_core saves its models in another shape; install 3.3.2."""


@dataclass(frozen=True)
class Weights:
    """A linear model: for every feature its rarity (idf), for every label a weight a feature."""

    labels: tuple[str, ...]
    features: dict[Feature, int]
    rarity: "array[float]"
    weight: "array[float]"  # label after label, each as long as `features`
    bias: "array[float]"

    def scores(self, found: list[Feature]) -> list[float]:
        """The score of each label for a text of these features, each named once."""
        known = [self.features[feature] for feature in found if feature in self.features]
        length = sqrt(sum(self.rarity[at] ** 2 for at in known)) or 1.0
        width = len(self.features)
        return [
            sum(self.weight[row * width + at] * self.rarity[at] for at in known) / length + bias
            for row, bias in enumerate(self.bias)
        ]

    def check(self, found: list[Feature], label: str, score: float) -> None:
        """Raise `UnknownModelFile` unless the classifier's own `score` of `label` comes out."""
        own = dict(zip(self.labels, self.scores(found), strict=True))[label]
        if abs(1 / (1 + exp(-own)) - score) > _TOLERANCE:
            raise UnknownModelFile


def read(path: Path) -> Weights:
    """The weights in a file that `TextClassifier.save` has written."""
    data = _Reader(path.read_bytes())
    features: dict[Feature, int] = {}
    for _ in range(data.count()):
        name = named(data.text())
        features[name] = data.number("<I")
    rarity = data.floats()
    data.skip(8 + _SETTINGS)
    weight, bias = data.floats(), data.floats()
    labels = tuple(data.text() for _ in range(data.count()))
    if len(weight) != len(features) * len(labels) or len(bias) != len(labels):
        raise UnknownModelFile
    return Weights(labels, features, rarity, weight, bias)


class _Reader:
    """Numbers, texts and rows of numbers, one after another (little endian, lengths first)."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def skip(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        self._at += size
        if len(piece) < size:
            raise UnknownModelFile
        return piece

    def number(self, shape: str) -> int:
        return int(struct.unpack(shape, self.skip(struct.calcsize(shape)))[0])

    def count(self) -> int:
        return self.number("<Q")

    def text(self) -> str:
        return self.skip(self.count()).decode()

    def floats(self) -> "array[float]":
        return array("f", self.skip(4 * self.count()))
