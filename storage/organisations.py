"""The mass organisations people may say they belong to, as an office lists them in a TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from storage.vocabulary import Language


@dataclass(frozen=True)
class Organisation:
    """One of them; the id is stored and never renamed."""

    id: str
    vi: str
    en: str

    def called(self, language: Language) -> str:
        """Its name in a language."""
        return self.en if language == "en" else self.vi


def read_organisations(path: Path) -> tuple[Organisation, ...]:
    """The organisations of a file. Raises ValueError saying what is off."""
    with path.open("rb") as source:
        listed = tomllib.load(source).get("organisation", [])
    try:
        found = tuple(
            Organisation(str(each["id"]), str(each["vi"]), str(each.get("en", each["vi"])))
            for each in listed
        )
    except (KeyError, TypeError) as missing:
        raise ValueError(f"an organisation without {missing}") from None
    if len({each.id for each in found}) != len(found):
        raise ValueError("two organisations have one id")
    return found
