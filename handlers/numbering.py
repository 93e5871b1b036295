"""The numbers that options bear where there are no buttons, and the words that ask for one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from storage.vocabulary import Option
from storage.words import Words

FEW = 5  # numbers that are named one by one
BARE = re.compile(r"\W*(\d{1,2})\W*")  # a label that is a number: a point of a scale, days


def own_number(option: Option) -> int | None:
    """The number that a label is by itself."""
    found = BARE.fullmatch(option.label)
    return int(found[1]) if found else None


def numbers(options: Sequence[Option]) -> list[int | None]:
    """What each option is chosen by: its place, from 1 on, or itself where its label is a number.

    None for one whose place is another's label.
    """
    own = [own_number(option) for option in options]
    return [
        mine if mine is not None else None if at in own else at for at, mine in enumerate(own, 1)
    ]


def how_to_answer(options: Sequence[Option], words: Words, also_words: bool) -> str:
    """The sentence that asks for a number; nothing where there is none to give."""
    known = [number for number in numbers(options) if number is not None]
    if not known:
        return ""
    form = "also_" if also_words else ""
    if len(known) == 1:
        return words(f"by_number.{form}only", last=known[0])
    in_a_row = known == list(range(known[0], known[0] + len(known)))
    if len(known) > FEW and in_a_row:
        return words(f"by_number.{form}many", first=known[0], last=known[-1])
    listed = ", ".join(map(str, known[:-1]))
    return words(f"by_number.{form}few", numbers=listed, last=known[-1])
