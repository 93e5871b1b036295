"""The lexicon: words and phrases that speak for a label, with weights, kept in lexicon.toml."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tagging.matcher import Match, Matcher
from tagging.taxonomy import AXES
from tagging.words import Words


@dataclass(frozen=True)
class Hint:
    """What a phrase speaks for, and how strongly: 1 hints, 2 makes likely, 3 says it almost alone."""

    axis: str
    label: str
    weight: int


class Lexicon:
    """All phrases of all labels, sought at once."""

    def __init__(self, tables: dict[str, dict[str, dict[str, list[str]]]]) -> None:
        self._matcher = Matcher(
            (phrase, Hint(axis, label, int(weight)))
            for axis in AXES
            for label, lists in tables[axis].items()
            for weight, phrases in lists.items()
            for phrase in dict.fromkeys(phrases)
        )

    @classmethod
    @cache
    def load(cls) -> "Lexicon":
        """The lexicon of this product, read once."""
        text = (Path(__file__).parent / "lexicon.toml").read_text(encoding="utf-8")
        return cls(tomllib.loads(text))

    def found(self, words: Words) -> list[Match[Hint]]:
        """Every phrase of the lexicon in `words`."""
        return self._matcher.found(words)
