"""The lexicon: words and phrases that speak for a label, by weight, kept in lexicon.toml."""

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

Lists = dict[str, dict[str, list[str]]]


def phrases(axis: str) -> Iterator[tuple[str, str, int]]:
    """The phrases of one axis, each with the label it speaks for and its weight, 1 to 3."""
    for label, lists in _tables()[axis].items():
        for weight, spoken in lists.items():
            for phrase in dict.fromkeys(spoken):
                yield phrase, label, int(weight)


@cache
def _tables() -> dict[str, Lists]:
    text = (Path(__file__).parent / "lexicon.toml").read_text(encoding="utf-8")
    tables: dict[str, Lists] = tomllib.loads(text)
    return tables
