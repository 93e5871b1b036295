"""What must be taken out of words before they are kept: persons, secrets, and accusations."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tagging import masks
from tagging.normal import fold

_PERSONAL = ("name", "phone", "id", "account", "plate", "email", "link", "number")


@dataclass(frozen=True)
class Look:
    """What was seen in a text: what points to persons, what is marked as secret, as it stands.

    `accuses`: it says of one official that they did wrong, so it belongs with the tips.
    `masked`: the text with the persons taken out.
    """

    persons: tuple[str, ...]
    secrets: tuple[str, ...]
    accuses: bool
    masked: str


def look(text: str) -> Look:
    """Look at a text (made NFC). Suggestions only: what nobody taught it, it does not see."""
    text = unicodedata.normalize("NFC", text)
    found = [hit for hit in masks.found(text) if hit.kind in _PERSONAL]
    persons = tuple(dict.fromkeys(text[hit.start : hit.end] for hit in found))
    folded = fold(text)
    rules = _rules()
    secrets = [m[0] for m in rules.marked.finditer(text)]
    secrets += [m[0] for m in rules.secret.finditer(folded)]
    of_one = any(hit.kind == "name" for hit in found) or rules.official.search(folded)
    accuses = bool(of_one and rules.accusation.search(folded))
    return Look(persons, tuple(dict.fromkeys(secrets)), accuses, masks.mask(text))


@dataclass(frozen=True)
class _Rules:
    secret: re.Pattern[str]
    marked: re.Pattern[str]
    official: re.Pattern[str]
    accusation: re.Pattern[str]


@cache
def _rules() -> _Rules:
    data = tomllib.loads((Path(__file__).parent / "guard.toml").read_text(encoding="utf-8"))
    return _Rules(
        _either(data["secret"]),
        re.compile("|".join(data["secret_marked"])),
        _either(data["official"]),
        _either(data["accusation"]),
    )


def _either(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)")
