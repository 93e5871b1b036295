"""The administrative names of Viet Nam, old and new, made small enough to carry in memory.

The source is the mapping that the package underthesea holds (Apache-2.0, made of vietnamadminunits
1.0.4): 63 provinces and 10,602 pieces of old communes, and the 34 provinces and 3,321 communes of
1 July 2025.
"""

import json
import os
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from tagging.normal import package, syllables

FILE = "places.json"
_PREFIXES = ("phường", "xã", "thị trấn", "đặc khu")
_LETTERS = {
    "đ": "dd", "\u0302": "a", "\u0306": "w", "\u031b": "w",
    "\u0300": "f", "\u0301": "s", "\u0309": "r", "\u0303": "x", "\u0323": "j",
}  # fmt: skip

Row = dict[str, str]


def build(folder: Path) -> int:
    """Write places.json to `folder`; gives the number of communes."""
    source = json.loads(
        package("underthesea", "address/data/mapping.json").read_text(encoding="utf-8")
    )
    wards = list(_wards(source["ward_mapping"], source["province_names"]))
    beside = folder / f"{FILE}.{os.getpid()}"
    text = json.dumps({"wards": wards}, ensure_ascii=False, separators=(",", ":"))
    beside.write_text(text, encoding="utf-8")
    beside.replace(folder / FILE)
    return len(wards)


def _wards(rows: list[Row], provinces: dict[str, Row]) -> Iterator[list[str | list[str]]]:
    """Each commune of today: id, name, province, and the old names that lie in it."""
    spellings = _spellings(row[field] for row in rows for field in ("new_ward", "old_ward"))
    wards: dict[str, list[Row]] = {}
    for row in rows:
        code = provinces[row["new_province_key"]]["code"]
        wards.setdefault(f"{code}.{_ascii(row['new_ward_key'])}", []).append(row)
    for id, pieces in sorted(wards.items()):
        first = pieces[0]
        name = first["new_ward"] or _written(first["new_ward_key"], spellings)
        yield [id, name, first["new_province"], sorted(set(_old(pieces, spellings)))]


def _old(pieces: list[Row], spellings: dict[str, str]) -> Iterator[str]:
    for row in pieces:
        if name := row["old_ward"] or _written(row["old_ward_key"], spellings):
            yield f"{name}, {row['old_district']}, {row['old_province']}"


def _written(key: str, spellings: dict[str, str]) -> str:
    """The name that `key` runs together; empty where it cannot be told."""
    if key in spellings:
        return spellings[key]
    for prefix in _PREFIXES:
        run = prefix.replace(" ", "")
        if key.startswith(run) and (parts := _cut(key.removeprefix(run))):
            return " ".join((prefix.capitalize(), *(part.capitalize() for part in parts)))
    return ""


def _cut(run: str) -> tuple[str, ...]:
    """`run` cut into as few syllables as will do; empty when it cannot be."""
    if run in syllables():
        return (run,)
    ends = (at for at in range(2, len(run) - 1) if run[:at] in syllables())
    cuts = [(run[:at], *rest) for at in ends if (rest := _cut(run[at:]))]
    return min(cuts, key=len, default=())


def _spellings(names: Iterable[str]) -> dict[str, str]:
    """How a name is written that the source gives only run together (`xãtânthạnh`).

    It does so where two communes of one district differ in marks alone; elsewhere the
    same name stands written, perhaps for a commune of another kind.
    """
    spellings: dict[str, str] = {}
    for name in names:
        kind, own = _parted(name)
        for prefix in _PREFIXES if own else ():
            key = f"{prefix}{own}".lower().replace(" ", "")
            written = f"{prefix.capitalize()} {own}"
            if prefix == kind.lower():
                spellings[key] = written
            else:
                spellings.setdefault(key, written)
    return spellings


def _parted(name: str) -> tuple[str, str]:
    """The kind of a commune and its own name: `Thị trấn Phong Điền` → `Thị trấn`, `Phong Điền`."""
    for prefix in _PREFIXES:
        if name.lower().startswith(prefix + " "):
            return name[: len(prefix)], name[len(prefix) + 1 :]
    return "", name


def _ascii(key: str) -> str:
    """`key` in ASCII, its marks kept as letters: it may differ from another in marks alone."""
    letters = unicodedata.normalize("NFD", key)
    return "".join(_LETTERS.get(letter, letter) for letter in letters)
