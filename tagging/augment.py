"""Copies of the training messages as other people would have typed them, made by rule and seed."""

import random
import re
import unicodedata
from collections.abc import Callable
from functools import cache

from tagging.words import shorthand

_BARE = dict.fromkeys(range(768, 880))
_WORD = re.compile(r"[^\W\d_]+")
_ONE_WORD_IN = 7  # is slipped in
_NEIGHBOURS = {  # of each key, on the keyboard
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "g": "fh", "h": "gj", "i": "uo",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et",
    "s": "ad", "t": "ry", "u": "yi", "v": "cb", "x": "zc", "y": "tu",
}  # fmt: skip


def bare(text: str) -> str:
    """`text` without Vietnamese marks, all else kept."""
    letters = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return unicodedata.normalize("NFC", letters.translate(_BARE))


def noisy(text: str, chance: random.Random) -> str:
    """`text` as typed in haste: shorthand, one word in seven with a slip of the finger."""
    short = _shortened()

    def typed(match: re.Match[str]) -> str:
        word = match[0]
        if word.lower() in short and chance.random() < 0.6:
            return chance.choice(short[word.lower()])
        if len(word) > 2 and chance.randrange(_ONE_WORD_IN) == 0:
            return chance.choice(_SLIPS)(word, chance)
        return word

    return _WORD.sub(typed, text)


def _swapped(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _lost(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def _doubled(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word))
    return word[:at] + word[at] + word[at:]


def _beside(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word))
    return word[:at] + chance.choice(_NEIGHBOURS.get(word[at].lower(), word[at])) + word[at + 1 :]


_SLIPS: tuple[Callable[[str, random.Random], str], ...] = (_swapped, _lost, _doubled, _beside)


@cache
def _shortened() -> dict[str, list[str]]:
    """For each word the ways to type it for short."""
    ways: dict[str, list[str]] = {}
    for short, word in shorthand().items():
        ways.setdefault(word, []).append(short)
    return ways
