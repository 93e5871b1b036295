"""Texts that say nearly the same, grouped as they come: MinHash proposes, overlap confirms."""

import re
from collections.abc import Iterable

from rensa import RMinHash, RMinHashLSH

from tagging.normal import fold
from tagging.words import MOST_CHARACTERS

_LENGTH = 5  # letters of the pieces that are compared
_HASHES, _BANDS = 128, 32
_SEED = 42  # any number; the same one makes the same groups
_ENOUGH = 0.45  # the part of their pieces that two texts must share
_WORD = re.compile(r"\w+")


class Likeness:
    """Takes texts one by one and tells with which earlier one each goes together.

    Two texts are alike when they share enough of their pieces of five letters, whatever
    their marks; groups are chains of such pairs. Nothing of this may be stored
    unsealed: hashes of a short text can be guessed back.
    """

    def __init__(self) -> None:
        self._near = RMinHashLSH(threshold=_ENOUGH, num_perm=_HASHES, num_bands=_BANDS)
        self._texts: list[str] = []
        self._leader: list[int] = []

    def add(self, text: str) -> int:
        """The number of a text, counted from 0."""
        number = len(self._texts)
        even = _even(text)
        pieces = _pieces(even)
        self._texts.append(even)
        self._leader.append(number)
        if not pieces:
            return number  # it says nothing, so nothing is like it
        sketch = RMinHash(num_perm=_HASHES, seed=_SEED)
        sketch.update(list(pieces))
        for other in sorted(self._near.query(sketch)):
            if self.leader(other) != self.leader(number) and self._overlap(pieces, other):
                self._join(number, other)
        self._near.insert(number, sketch)
        return number

    def leader(self, number: int) -> int:
        """The first text of its group; its own number when it stands alone."""
        while self._leader[number] != number:
            self._leader[number] = self._leader[self._leader[number]]
            number = self._leader[number]
        return number

    def _join(self, one: int, other: int) -> None:
        first, second = sorted((self.leader(one), self.leader(other)))
        self._leader[second] = first

    def _overlap(self, pieces: frozenset[str], other: int) -> bool:
        theirs = _pieces(self._texts[other])
        shared = len(pieces & theirs)
        return shared >= _ENOUGH * (len(pieces) + len(theirs) - shared)


def grouped(texts: Iterable[str]) -> list[int]:
    """For each text the place of the first one of its group."""
    likeness = Likeness()
    numbers = [likeness.add(text) for text in texts]
    return [likeness.leader(number) for number in numbers]


def _even(text: str) -> str:
    return " ".join(_WORD.findall(fold(text[:MOST_CHARACTERS])))


def _pieces(even: str) -> frozenset[str]:
    """The runs of five letters; of what is shorter the whole."""
    runs = range(max(1, len(even) - _LENGTH + 1)) if even else ()
    return frozenset(even[at : at + _LENGTH] for at in runs)
