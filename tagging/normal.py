"""Spelling made even: marks dropped, tone placement settled, Telex undone, rubbish swept out."""

import importlib.util
import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

_MARKS: dict[int, str | None] = dict.fromkeys(range(768, 880))
_FOLDED = _MARKS | {ord("đ"): "d"}
_TONE_KEYS = {"\u0300": "f", "\u0301": "s", "\u0309": "r", "\u0303": "x", "\u0323": "j"}
_QUALITY_KEYS = {"\u0306": "w", "\u031b": "w"}
_CIRCUMFLEX = "\u0302"  # typed by doubling the vowel

# What draws nothing or redraws what stands beside it: controls but line feed and tab, zero-width
# and direction marks, lone surrogates (they cannot be stored), tags, noncharacters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r" ?\n ?(?:\n ?)+")
_RUNAWAY = re.compile(r"([^\d\s])\1{4,}")  # digits stay: 1000000000 is a sum of money
_MANY_MARKS = re.compile("([\u0300-\u036f]{2})[\u0300-\u036f]+")  # no letter bears more than two
_WORD = re.compile(r"[^\W\d_]+")
_SYLLABLE = re.compile(  # the list holds foreign words too, and `cos` must decode to `có`
    "(?:ngh?|gh?|gi|[knpt]h|qu|tr|ch|[bcdhklmnpqrstvx])?[aeiouy]{1,3}(?:ch|n[gh]?|[cmpt])?"
)


class MissingWordList(RuntimeError):
    """The word list of the package underthesea is not installed; reinstall the requirements."""


def fold(text: str) -> str:
    """`text` in small letters without Vietnamese marks and with single spaces, for matching."""
    if not text.isascii():
        text = unicodedata.normalize("NFD", text.lower()).translate(_FOLDED)
    return " ".join(text.lower().split())


@lru_cache(maxsize=1 << 15)
def spelled(word: str) -> str:
    """`word` in small letters with its tone behind it, so that `thuý` and `thúy` are one."""
    if word.isascii():
        return word.lower()
    letters = unicodedata.normalize("NFD", word.lower())
    tones = "".join(letter for letter in letters if letter in _TONE_KEYS)
    kept = "".join(letter for letter in letters if letter not in _TONE_KEYS)
    return unicodedata.normalize("NFC", kept) + tones


def tidy(text: str) -> str:
    """`text` as it may be stored and shown: NFC, nothing unseen, no runaway of one character."""
    text = _UNSEEN.sub("", _LINE_BREAKS.sub("\n", text))
    text = _MANY_MARKS.sub(r"\1", unicodedata.normalize("NFC", text))
    text = _BLANK_LINES.sub("\n\n", _SPACES.sub(" ", text))
    return _RUNAWAY.sub(r"\1\1\1", text).replace(" \n", "\n").replace("\n ", "\n").strip()


def looks_bare(text: str) -> bool:
    """Whether `text` was typed without marks: fewer than one word in ten bears any."""
    words = _WORD.findall(unicodedata.normalize("NFC", text[:4000]))
    marked = sum(not word.isascii() for word in words)
    return bool(words) and marked * 10 < len(words)


def untelex(word: str) -> str:
    """The syllable that `word` spells in raw Telex (`ddanhs` → `đánh`), or `word` itself.

    Of a spelling half done (`danhs`) the letters are kept and the tone key is dropped.
    """
    if not word.isascii() or not 2 <= len(word) <= 11:
        return word
    keys = word.lower()
    if syllable := telex().get(keys):
        return syllable
    half = keys[-1] in "fsrxj" and keys not in bare_syllables() and keys[:-1] in bare_syllables()
    return word[:-1] if half else word


@cache
def telex() -> dict[str, str]:
    """Raw Telex spellings and the syllables they stand for; none that is itself a bare syllable."""
    spellings: dict[str, str] = {}
    for syllable in sorted(syllables()):
        for keys in _typed(syllable):
            if keys not in bare_syllables():
                spellings.setdefault(keys, syllable)
    return spellings


@cache
def syllables() -> frozenset[str]:
    """The syllables of Vietnamese, in small letters: those of the word list Viet74K.

    The list lies in the package underthesea, which is not imported for it: that costs 88 MB.
    """
    words: set[str] = set()
    with package("underthesea", "corpus/data/Viet74K.txt").open(encoding="utf-8") as lines:
        for line in lines:  # all at once would take 15 MB that stay with the program
            words.update(re.split(r"[\s\-]+", unicodedata.normalize("NFC", line).lower()))
    return frozenset(word for word in words if _SYLLABLE.fullmatch(fold(word)))


@cache
def bare_syllables() -> frozenset[str]:
    """The syllables without their marks."""
    return frozenset(map(fold, syllables()))


def package(name: str, file: str) -> Path:
    """Where `file` of the installed package `name` lies, found without importing it."""
    spec = importlib.util.find_spec(name)
    places = list(spec.submodule_search_locations or ()) if spec else []
    for place in places:
        if (path := Path(place, file)).is_file():
            return path
    raise MissingWordList(f"{name}/{file}")


def _typed(syllable: str) -> Iterator[str]:
    """The ways to type `syllable` in Telex: the tone key last or with its vowel, `ươ` as `uow`."""
    letters, tone, toned = "", "", 0
    for letter in syllable:
        parts = unicodedata.normalize("NFD", letter)
        letters += "dd" if letter == "đ" else parts[0]
        for mark in parts[1:]:
            letters += _QUALITY_KEYS.get(mark, "") or (parts[0] if mark == _CIRCUMFLEX else "")
            tone += _TONE_KEYS.get(mark, "")
        toned = toned or (len(letters) if tone else 0)
    if letters + tone != syllable:
        yield letters + tone
        yield letters[:toned] + tone + letters[toned:]
        yield letters.replace("uwow", "uow") + tone
