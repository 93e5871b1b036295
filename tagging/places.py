"""The communes of Viet Nam: sought by part of a name, old or new, with or without marks."""

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tagging.gazetteer import FILE
from tagging.normal import fold, spelled
from tagging.words import PAUSES, Words, read

_LONGEST = 6  # words of a name
_READ = 120  # characters of a search; what is longer is no name
_NEAR = 14  # words after a commune's name in which its district or province stands

# How a search may shorten or vary what stands before a name, and what it is shortened to.
_KINDS = (
    (r"\b(?:thanh pho|t\.?p\.?)\s*(?:hcm|ho chi minh)\b|\b(?:tp)?hcm\b|\bsai gon\b(?=.*\bquan\b)", " ho chi minh "),
    (r"\b(?:phuong|phg|p)[\s.]*(\d{1,2})\b", r" p\1 "),
    (r"\b(?:quan|q)[\s.]*(\d{1,2})\b", r" q\1 "),
    (r"\b(?:phuong|xa|thi tran|dac khu|tt|thi xa|tx|thanh pho|tp|tinh|quan|huyen|p|x|q|h|t)\.\s*", " "),
    (r"\b(?:phuong|xa|thi tran|dac khu|tt|thi xa|tx|thanh pho|tp|tinh|quan|huyen|p|x|q|h)\s+", " "),
)
_KINDS_READ = tuple((re.compile(pattern), short) for pattern, short in _KINDS)
_OTHER_NAMES = {"sg": "sai gon", "hn": "ha noi", "dn": "da nang", "hue": "hue", "brvt": "ba ria vung tau"}


class NoPlaces(FileNotFoundError):
    """There is no places.json in this folder; `langnghe tagger train` makes it."""


@dataclass(frozen=True)
class Ward:
    """A commune (phường, xã, đặc khu) of today.

    `id` is "<province code>.<key>", ASCII, and never changes; `old` are the communes it was
    made of, as they were written before 1 July 2025: "Phường Bến Nghé, Quận 1, Thành phố ...".
    """

    id: str
    name: str
    province: str
    old: tuple[str, ...]


@dataclass(frozen=True)
class _Entry:
    """A name under which a ward is found: `around` are the words that may stand with it."""

    ward: int
    around: frozenset[str]
    worth: int
    name: str


class Places:
    """The list of communes, with an index by name; loaded once, safe to share."""

    def __init__(self, wards: list[Ward]) -> None:
        self._wards = wards
        self._by_id = {ward.id: ward for ward in wards}
        self._entries: dict[str, list[_Entry]] = {}
        shared: dict[frozenset[str], frozenset[str]] = {}
        for at, ward in enumerate(wards):
            for name, around, worth in _names(ward):
                around = shared.setdefault(around, around)
                self._entries.setdefault(short(name), []).append(_Entry(at, around, worth, name))
        self._sorted = sorted(self._entries)

    @classmethod
    def load(cls, folder: Path) -> "Places":
        """The places that training has laid in `folder`; raises `NoPlaces`."""
        path = folder / FILE
        if not path.is_file():
            raise NoPlaces(str(folder))
        rows = json.loads(path.read_text(encoding="utf-8"))["wards"]
        return cls([Ward(id, name, province, tuple(old)) for id, name, province, old in rows])

    def __len__(self) -> int:
        return len(self._wards)

    def ward(self, id: str) -> Ward | None:
        """The ward with that id."""
        return self._by_id.get(id)

    def search(self, text: str, most: int = 6) -> list[Ward]:
        """The wards that `text`, a name or the beginning of one, may mean; likeliest first."""
        asked = short(text[:_READ]).split()
        best: dict[int, int] = {}
        for entry, score in self._candidates(asked):
            if score > best.get(entry.ward, 0):
                best[entry.ward] = score
        ranked = sorted(best, key=lambda at: (-best[at], len(self._wards[at].name), self._wards[at].id))
        return [self._wards[at] for at in ranked[:most]]

    def find(self, text: str) -> Ward | None:
        """The one ward that a narrative names beyond doubt, kind and all, or None."""
        words = read(text)
        meant = {at for start, names in self._named(words) for at in self._certain(words, start, names)}
        return self._wards[meant.pop()] if len(meant) == 1 else None
