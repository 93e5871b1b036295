"""A message cut into words as the ear reads them: shorthand written out, raw Telex decoded."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from sys import intern

from tagging.normal import fold, spelled, untelex

MOST_CHARACTERS = 4000  # what is read of a message; longer ones say their matter early
_LONGEST = 24  # characters of a word; what is longer is a link, a code or a keyboard held down
_TOKEN = re.compile(r"(\w+|[.,:;!?…()\n]+)")
_ENDS = ("?", "!", ".")  # of a sentence; a line ends one too
PAUSES = frozenset((*_ENDS, ","))
START = "^"  # stands before the first word
Word = tuple[str, str]  # as spelled with marks, as folded


@dataclass(frozen=True)
class Words:
    """The words of a message: as spelled with marks and as folded.

    A pause is a word too, one of `PAUSES`, so that no phrase is found across it.

    `spelled[i]` bears its tone at its end (see `normal.spelled`); `folded[i]` bears no marks.
    `pieces` is the whole message, by turns what stands between its tokens and a token; word `i`
    was read from token `tokens[i]`.
    """

    spelled: list[str]
    folded: list[str]
    pieces: list[str]
    tokens: list[int]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Each folded word with the one before it, the first with `START`."""
        return zip(chain((START,), self.folded), self.folded, strict=False)

    def between(self, start: int, end: int) -> str:
        """The words from `start` to before `end`, as they stand in the message."""
        first, last = self.tokens[start], self.tokens[end - 1]
        return "".join(self.pieces[2 * first + 1 : 2 * last + 2])

    def ends(self) -> list[int]:
        """Where its sentences end."""
        return [at for at, word in enumerate(self.folded) if word in _ENDS]


def read(text: str) -> Words:
    """`text` (only its first 4,000 characters) as words."""
    pieces = _TOKEN.split(unicodedata.normalize("NFC", text[:MOST_CHARACTERS]))
    forms = list(map(_forms, pieces[1::2]))
    words = list(chain.from_iterable(forms))
    folded = [bare for _, bare in words]
    return Words(
        spelled=[full for full, _ in words],
        folded=folded,
        pieces=pieces,
        tokens=[at for at, form in enumerate(forms) for _ in form],
    )


@lru_cache(maxsize=1 << 15)
def _forms(token: str) -> tuple[Word, ...]:
    """The words that `token` stands for, interned: they are sought in long lists."""
    if not (token[0].isalnum() or token[0] == "_"):
        ended = any(end in token for end in ".;…\n")
        pause = "?" if "?" in token else "!" if "!" in token else "." if ended else ","
        return ((intern(pause), intern(pause)),)
    if len(token) > _LONGEST:
        return ()
    short = shorthand()
    written = short.get(token) or short.get(token.lower()) or untelex(token)
    parts = written.replace("_", " ").split()
    return tuple((intern(spelled(part)), intern(fold(part))) for part in parts)


@cache
def shorthand() -> dict[str, str]:
    """What people type for short and what it stands for."""
    text = (Path(__file__).parent / "shorthand.toml").read_text(encoding="utf-8")
    words: dict[str, str] = tomllib.loads(text)["words"]
    return words
