"""A message cut into words as the ear reads them: shorthand written out, raw Telex decoded."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from tagging.normal import fold, spelled, untelex

MOST_CHARACTERS = 4000  # what is read of a message; longer ones say their matter early
_LONGEST = 24  # characters of a word; what is longer is a link, a code or a keyboard held down
_TOKEN = re.compile(r"\w+|[.,:;!?…()\n]+")
_ENDS = ("?", "!", ".")  # of a sentence; a line ends one too
PAUSES = frozenset((*_ENDS, ","))


@dataclass(frozen=True)
class Words:
    """The words of a message: as spelled with marks, as folded, and where each stands in `text`.

    A pause is a word too, one of `PAUSES`, so that no phrase is found across it.

    `spelled[i]` bears its tone at its end (see `normal.spelled`); `folded[i]` bears no marks.
    """

    text: str
    spelled: list[str]
    folded: list[str]
    spans: list[tuple[int, int]]

    def between(self, start: int, end: int) -> str:
        """The words from `start` to before `end`, as they stand in the message."""
        return self.text[self.spans[start][0] : self.spans[end - 1][1]]

    def sentences(self) -> list[int]:
        """For each word the number of the sentence it stands in."""
        number, numbers = 0, []
        for word in self.folded:
            numbers.append(number)
            number += word in _ENDS
        return numbers


def read(text: str) -> Words:
    """`text` (only its first 4,000 characters) as words."""
    text = unicodedata.normalize("NFC", text[:MOST_CHARACTERS])
    full: list[str] = []
    bare: list[str] = []
    spans: list[tuple[int, int]] = []
    for token in _TOKEN.finditer(text):
        for one, folded in _forms(token[0]):
            full.append(one)
            bare.append(folded)
            spans.append(token.span())
    return Words(text, full, bare, spans)


@lru_cache(maxsize=1 << 15)
def _forms(token: str) -> tuple[tuple[str, str], ...]:
    """The words that `token` stands for, each spelled and folded."""
    if not (token[0].isalnum() or token[0] == "_"):
        ended = any(end in token for end in ".;…\n")
        pause = "?" if "?" in token else "!" if "!" in token else "." if ended else ","
        return ((pause, pause),)
    if len(token) > _LONGEST:
        return ()
    short = shorthand()
    written = short.get(token) or short.get(token.lower()) or untelex(token)
    return tuple((spelled(word), fold(word)) for word in written.split())


@cache
def shorthand() -> dict[str, str]:
    """What people type for short and what it stands for."""
    text = (Path(__file__).parent / "shorthand.toml").read_text(encoding="utf-8")
    words: dict[str, str] = tomllib.loads(text)["words"]
    return words
