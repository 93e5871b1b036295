"""Reading what people type for a choice: numbers, numerals, labels, with or without diacritics."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from storage.vocabulary import Option
from storage.words import Words
from tagging.normal import fold

NUMBER = re.compile(r"\(?\s*(\d{1,2})\s*[.)]?")
NOT_WORD = re.compile(r"[^\w\s]+")


def plain(text: str) -> str:
    """What is compared: folded, without punctuation at the ends or inside, spaces once."""
    return " ".join(NOT_WORD.sub(" ", fold(text)).split())


def chosen(text: str, options: Sequence[Option], words: Words) -> str | None:
    """The option somebody means by `1`, `1.`, `(1)`, `một`, its label, or another way to say it."""
    said = plain(text)
    number = _number(text, said, words)
    if number is not None:
        return options[number - 1].id if 1 <= number <= len(options) else None
    for option in options:
        if said and said == plain(option.label):
            return option.id
    return next((o.id for o in options if is_way(said, o.id, words)), None)


def is_way(said: str, meaning: str, words: Words) -> bool:
    """Whether something said (see `plain`) is one of the catalogue's ways to say a meaning."""
    return bool(said) and said in _ways(meaning, words)


@lru_cache(maxsize=256)
def _ways(meaning: str, words: Words) -> tuple[str, ...]:
    key = f"ways.{meaning}"
    return tuple(plain(way) for way in words.all(key)) if words.knows(key) else ()


def _number(text: str, said: str, words: Words) -> int | None:
    digits = NUMBER.fullmatch(text.strip())
    if digits:
        return int(digits[1])
    numerals = _ways("numerals", words)
    return numerals.index(said) + 1 if said in numerals else None
