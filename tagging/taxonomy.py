"""The labels a report can bear: topics, sentiments and urgencies, read from taxonomy.toml."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

AXES = ("topic", "sentiment", "urgency")


class UnknownLabel(LookupError):
    """No label of that axis has that id; taxonomy.toml lists those that exist."""


@dataclass(frozen=True)
class Label:
    """One label: `id` is stored and never renamed, `vi` and `en` are what people read."""

    id: str
    vi: str
    en: str


@dataclass(frozen=True)
class Taxonomy:
    """The three axes, each in the order of the file, which is the order of print."""

    topics: tuple[Label, ...]
    sentiments: tuple[Label, ...]
    urgencies: tuple[Label, ...]

    def axis(self, axis: str) -> tuple[Label, ...]:
        """The labels of `topic`, `sentiment` or `urgency`."""
        found = {"topic": self.topics, "sentiment": self.sentiments, "urgency": self.urgencies}
        if axis not in found:
            raise UnknownLabel(axis)
        return found[axis]

    def ids(self, axis: str) -> tuple[str, ...]:
        """The ids of one axis, in order."""
        return tuple(label.id for label in self.axis(axis))

    def label(self, axis: str, id: str, language: str = "vi") -> str:
        """What people read for `id`; English for `en`, Vietnamese for every other language."""
        for label in self.axis(axis):
            if label.id == id:
                return label.en if language == "en" else label.vi
        raise UnknownLabel(f"{axis} {id!r}")


@cache
def load() -> Taxonomy:
    """The taxonomy of this product, read once."""
    tables = tomllib.loads((Path(__file__).parent / "taxonomy.toml").read_text(encoding="utf-8"))
    topics, sentiments, urgencies = (tuple(Label(**row) for row in tables[axis]) for axis in AXES)
    return Taxonomy(topics, sentiments, urgencies)
