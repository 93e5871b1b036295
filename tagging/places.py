"""The communes of Viet Nam: sought by part of a name, old or new, with or without marks."""

import json
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tagging.gazetteer import FILE
from tagging.normal import fold, spelled
from tagging.words import PAUSES, Words, read

_LONGEST = 6  # words of a name
_READ = 120  # characters of a search; what is longer is no name
_NEAR = 14  # words after a commune's name in which its district or province stands
_MOST_BEGUN = 400
_SHORTEST_SLIP = 4  # letters; in a shorter name one slip makes too many others

# How a search is scored. A word of the name weighs most, then a word of where it lies; a word that
# fits nowhere costs more than a word that fits gains.
_WORD, _AROUND, _STRANGE = 10, 6, 7
_EXACT, _BEGUN, _SLIPPED = 4, 0, -4
_NEW, _OLD, _DISTRICT = 3, 1, 0
_MARKS = 2  # the name stands there with its very marks
_SLIPS_IN = 3  # words; looking for slips costs a look at every name
_BEHIND = 10  # what scores so much less than the best is not shown

# What stands before a name says its kind; `phường 12` and `quận 1` are names only with it.
_KINDS = ("Phường", "Xã", "Thị trấn", "Đặc khu", "Quận", "Huyện", "Thị xã", "Thành phố", "Tỉnh")
_NUMBERED_WARD = re.compile(r"\b(?:phuong|phg|p)[\s.]*0?(\d{1,2})\b")
_NUMBERED_DISTRICT = re.compile(r"\b(?:quan|q)[\s.]*0?(\d{1,2})\b")
_KIND = re.compile(
    r"\b(?:(?:phuong|xa|thi tran|dac khu|thi xa|thanh pho|tinh|quan|huyen|tt|tx|tp|[pxqht])\.\s*"
    r"|(?:phuong|xa|thi tran|dac khu|thi xa|thanh pho|tinh|quan|huyen|tt|tx|tp|[pxqh])\s+(?=\S))"
)
_BEFORE_COMMUNE = {"phuong": "", "xa": "", "p": "", "x": "", "tran": "thi", "khu": "dac"}
_ALSO_CALLED = {  # provinces, by what people write for short
    "ho chi minh": "hcm tphcm sg sai gon",
    "ha noi": "hn",
    "da nang": "dn",
    "hue": "thua thien",
    "hai phong": "hp",
    "can tho": "ct",
}


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


@dataclass(frozen=True, slots=True)
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
        self._at = {ward.id: at for at, ward in enumerate(wards)}
        self._entries: dict[str, list[_Entry]] = {}
        for at, ward in enumerate(wards):
            for entry in _entries(at, ward):
                self._entries.setdefault(_key(entry.name), []).append(entry)
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
        return self._wards[self._at[id]] if id in self._at else None

    def search(self, text: str, most: int = 6) -> list[Ward]:
        """The wards that `text`, a name or the beginning of one, may mean; likeliest first."""
        asked = _KIND.sub(" ", f" {_key(text[:_READ])} ").split()
        typed = unicodedata.normalize("NFC", text[:_READ]).lower()
        best: dict[int, int] = {}
        for entry, score in self._candidates(asked):
            score += _MARKS * (entry.name.lower() in typed)
            best[entry.ward] = max(score, best.get(entry.ward, 0))
        least = max(best.values(), default=0) - _BEHIND
        shown = [(-score, at) for at, score in best.items() if score > max(least, 0)]
        wards = self._wards
        shown.sort(key=lambda one: (one[0], len(wards[one[1]].name), wards[one[1]].id))
        return [wards[at] for _, at in shown[:most]]

    def find(self, text: str) -> Ward | None:
        """The one ward that a narrative names beyond doubt, kind and all, or None."""
        words = read(text)
        meant = {at for mention in self._mentions(words) for at in _certain(words, mention)}
        return self._wards[meant.pop()] if len(meant) == 1 else None

    def _candidates(self, asked: list[str]) -> Iterator[tuple[_Entry, int]]:
        """The entries that a run of the words asked names, each with its score."""
        starts = range(len(asked))
        runs = [(i, j) for i in starts for j in range(i + 1, min(i + _LONGEST, len(asked)) + 1)]
        named = [(run, " ".join(asked[slice(*run)])) for run in runs]
        found = [(run, name, _EXACT) for run, name in named if name in self._entries]
        for run, name in named:
            if run[1] == len(asked):
                found += [(run, longer, _BEGUN) for longer in self._begun(name)]
        if not found and len(asked) <= _SLIPS_IN:  # what is longer describes, and names nothing
            found = [(run, near, _SLIPPED) for run, name in named for near in self._near(name)]
        for (start, end), name, bonus in found:
            rest = asked[:start] + asked[end:]
            for entry in self._entries[name]:
                worth = bonus + entry.worth + _WORD * (end - start)
                yield entry, worth + _context(entry, rest)

    def _begun(self, name: str) -> list[str]:
        """The names that begin with `name`, which is still being typed."""
        start = bisect_left(self._sorted, name)
        end = bisect_left(self._sorted, name + "\uffff", lo=start)
        longer = self._sorted[start : min(end, start + _MOST_BEGUN)]
        return [other for other in longer if other != name]

    def _near(self, name: str) -> list[str]:
        """The names one slip away from `name`, the first letter being right."""
        if len(name) < _SHORTEST_SLIP:
            return []
        start = bisect_left(self._sorted, name[0])
        end = bisect_left(self._sorted, name[0] + "\uffff", lo=start)
        return [other for other in self._sorted[start:end] if _one_slip(name, other)]

    def _mentions(self, words: Words) -> Iterator["_Mention"]:
        """The names that stand behind the kind of a commune, the longest at each place."""
        for at, word in enumerate(words.folded):
            if word not in _BEFORE_COMMUNE:
                continue
            first = _BEFORE_COMMUNE[word]
            if first and (at == 0 or words.folded[at - 1] != first):
                continue
            for end in range(min(at + 1 + _LONGEST, len(words.folded)), at + 1, -1):
                entries = self._spelled_so(words, at + 1, end)
                if entries:
                    yield _Mention(at, end, entries)
                    break

    def _spelled_so(self, words: Words, start: int, end: int) -> list[_Entry]:
        """The communes named by these words, whose marks, where there are any, must agree."""
        run = words.folded[start:end]
        name = f"p{int(run[0])}" if len(run) == 1 and run[0].isdecimal() else " ".join(run)
        bare = all(word.isascii() for word in words.spelled[start:end])
        return [
            entry
            for entry in self._entries.get(name, ())
            if entry.worth != _DISTRICT and (bare or _agrees(entry.name, words, start))
        ]


@dataclass(frozen=True)
class _Mention:
    """Words `start` (the kind) to before `end` name a commune; which, `entries` tell."""

    start: int
    end: int
    entries: list[_Entry]


def _key(name: str) -> str:
    """`name` as the index has it: folded, numbered names in one word, no punctuation."""
    name = _NUMBERED_WARD.sub(r" p\1 ", fold(name).replace("'", "").replace("’", ""))
    name = _NUMBERED_DISTRICT.sub(r" q\1 ", name)
    return " ".join(name.replace(",", " ").replace("-", " ").replace(";", " ").split())


def _entries(at: int, ward: Ward) -> Iterator[_Entry]:
    """The names under which `ward` is found: its own, those of its parts, of old districts."""
    today = _around(ward.province)
    pieces = [tuple(old.split(", ")) for old in ward.old]
    lying = {f"{district}, {province}" for _, district, province in pieces}
    around = today.union(*map(_around, lying))
    yield _Entry(at, around, _NEW, _own(ward.name))
    for name, district, province in pieces:
        yield _Entry(at, _joined(today, f"{district}, {province}"), _OLD, _own(name))
    for place in sorted(lying):
        district, province = place.split(", ")
        yield _Entry(at, _joined(today, province), _DISTRICT, _own(district))


@cache
def _joined(today: frozenset[str], names: str) -> frozenset[str]:
    return today | _around(names)


@cache
def _around(names: str) -> frozenset[str]:
    """The words that may stand with the name of a commune to say where it lies."""
    parts = [_key(_own(part)) for part in names.split(", ")]
    return frozenset(word for part in parts for word in (*part.split(), *_short(part)))


def _short(province: str) -> list[str]:
    return _ALSO_CALLED.get(province, "").split()


@cache
def _own(name: str) -> str:
    """The name without its kind; a number keeps the letter of its kind: p12, q1."""
    for kind in _KINDS:
        if name.startswith(kind + " "):
            own = name[len(kind) + 1 :]
            return f"{kind[0].lower()}{int(own)}" if own.isdecimal() else own
    return name


def _context(entry: _Entry, rest: list[str]) -> int:
    """What the other words of a search say for the entry; the last may be half typed."""
    known = sum(word in entry.around for word in rest)
    last = rest[-1] if rest else ""
    if last not in entry.around and any(word.startswith(last) for word in entry.around):
        known += bool(last)
    return _AROUND * known - _STRANGE * (len(rest) - known)


def _one_slip(name: str, other: str) -> bool:
    """Whether one letter more, less, other or two swapped make `name` of `other`."""
    if abs(len(name) - len(other)) > 1 or name == other:
        return False
    pairs = enumerate(zip(name, other, strict=False))
    same = next((i for i, (a, b) in pairs if a != b), min(len(name), len(other)))
    left, right = name[same:], other[same:]
    swapped = left[:2] == right[1::-1] and left[2:] == right[2:]
    return swapped or left[1:] == right or left == right[1:] or left[1:] == right[1:]


def _agrees(name: str, words: Words, start: int) -> bool:
    """Whether the words from `start` that bear marks bear those of `name`."""
    parts = [spelled(part) for part in re.split(r"[\s\-]+", name)]
    typed = words.spelled[start : start + len(parts)]
    return all(a.isascii() or a == b for a, b in zip(typed, parts, strict=False))


def _certain(words: Words, mention: _Mention) -> set[int]:
    """The ward that is meant, by what follows in the same sentence; empty in doubt.

    Without a district or a province a name counts when only one commune bears it and its
    kind is written out with its mark: `xa Tân Phú` may be far from Tân Phú.
    """
    following = words.folded[mention.end : mention.end + _NEAR]
    stop = next((i for i, w in enumerate(following) if w in PAUSES and w != ","), len(following))
    said = _key(" ".join(following[:stop])).split()
    known = [(sum(word in one.around for word in said), one.ward) for one in mention.entries]
    most = max(count for count, _ in known)
    wards = {ward for count, ward in known if count == most}
    kind = words.spelled[mention.start]
    doubtless = most > 0 or not kind.isascii()
    return wards if len(wards) == 1 and doubtless else set()
