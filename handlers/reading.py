"""Reading what people type for a choice: numbers, numerals, labels, with or without diacritics."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from handlers.numbering import numbers
from storage.vocabulary import Option
from storage.words import Words
from tagging.normal import fold

DIGITS = re.compile(r"\d{1,2}")
NOT_WORD = re.compile(r"[^\w\s]+")


def plain(text: str) -> str:
    """What is compared: folded, without punctuation at the ends or inside, spaces once."""
    return " ".join(NOT_WORD.sub(" ", fold(text)).split())


def chosen(text: str, options: Sequence[Option], words: Words) -> str | None:
    """The option somebody means by its label, its number (see `number_in`), or another way."""
    said = plain(text)
    labels = [plain(option.label) for option in options]
    listed = list(zip(options, labels, numbers(options), strict=True))
    for option, label, at in listed:
        if said and said in (label, f"{at} {label}"):
            return option.id
    number = number_in(text, words)
    if number is not None:
        return next((option.id for option, _, at in listed if at == number), None)
    return next((o.id for o in options if is_way(said, o.id, words)), None)


def is_way(said: str, meaning: str, words: Words) -> bool:
    """Whether something said (see `plain`) is one of the catalogue's ways to say a meaning."""
    return bool(said) and said in _ways(meaning, words)


@lru_cache(maxsize=256)
def _ways(meaning: str, words: Words) -> tuple[str, ...]:
    key = f"ways.{meaning}"
    return tuple(plain(way) for way in words.all(key)) if words.knows(key) else ()


def number_in(text: str, words: Words) -> int | None:
    """The number a text is: `1`, `1.`, `(1)`, `số 1`, `một`, `mot`, `one`; None for any other."""
    said = plain(text).split()
    around = _ways("number", words)
    while said and said[0] in around:
        said.pop(0)
    while said and said[-1] in around:
        said.pop()
    bare = " ".join(said)
    if DIGITS.fullmatch(bare):
        return int(bare)
    for numerals in (_ways("numerals", words), _ways("foreign_numerals", words)):
        if bare in numerals:
            return numerals.index(bare) + 1
    return None
