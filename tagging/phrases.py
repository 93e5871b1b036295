"""Key phrases: what many different texts say, cut into words by underthesea in its own process.

Importing underthesea takes 88 MB and installs a log handler, so the server never does it: `common`
starts `python -m tagging.phrases`, hands it JSON on standard input and reads JSON from its output.
"""

import json
import logging
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tagging.masks import mask
from tagging.normal import fold, tidy

_READ = 4000  # characters of one text
_LONGEST = 5  # syllables; what the segmenter glues together beyond that is no phrase
_SECONDS = 600


class PhrasesFailed(RuntimeError):
    """The process that finds key phrases did not do so; its last line is given."""


@dataclass(frozen=True)
class Phrase:
    """A phrase of two syllables or more, and in how many different texts it stands."""

    words: str
    count: int


def common(texts: Sequence[str], at_least: int, most: int) -> list[Phrase]:
    """The `most` commonest phrases that stand in at least `at_least` different texts.

    Persons and numbers are masked first; texts that are equal count once. Raises
    `PhrasesFailed`.
    """
    asked = json.dumps({"texts": list(texts), "at_least": at_least, "most": most})
    done = subprocess.run(
        [sys.executable, "-m", "tagging.phrases"],
        input=asked.encode("ascii"),
        capture_output=True,
        cwd=Path(__file__).parent.parent,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no word of why"]
        raise PhrasesFailed(said[-1])
    return [Phrase(words, count) for words, count in json.loads(done.stdout)]


def counted(texts: Iterable[str], at_least: int, most: int) -> list[tuple[str, int]]:
    """`common`, in this process: the work of the child.

    A phrase typed without marks counts with the marked one, which is what is shown.
    """
    different = {fold(text): text for text in (mask(tidy(text[:_READ])) for text in texts)}
    counts: Counter[str] = Counter()
    spellings: dict[str, Counter[str]] = {}
    for text in different.values():
        said = {fold(phrase): phrase for phrase in _phrases(text)}
        counts.update(said.keys())
        for folded, phrase in said.items():
            spellings.setdefault(folded, Counter())[phrase] += 1
    common = [(_shown(spellings[key]), count) for key, count in counts.items() if count >= at_least]
    return sorted(common, key=lambda one: (-one[1], one[0]))[:most]


def _shown(spellings: Counter[str]) -> str:
    """The commonest spelling that bears marks, if any does."""
    return min(spellings, key=lambda one: (one.isascii(), -spellings[one], one))


def _phrases(text: str) -> Iterator[str]:
    """The words of two syllables or more in `text`, in small letters."""
    for word in _cut(text.replace("[", " . [").replace("]", "] . ").lower()):
        parts = fold(word).split()
        fits = 1 < len(parts) <= _LONGEST and all(part.isalpha() for part in parts)
        if fits and fold(word) not in _idle() and not _idle().issuperset(parts):
            yield word


def _cut(text: str) -> list[str]:
    """The words of `text`; without `fixed_words`, which the library would keep for later calls."""
    from underthesea import word_tokenize  # here only: it costs 88 MB and half a second

    words: list[str] = word_tokenize(text)
    return words


@cache
def _idle() -> frozenset[str]:
    """Words that say nothing of a matter, folded."""
    text = (Path(__file__).parent / "idle.toml").read_text(encoding="utf-8")
    return frozenset(map(fold, tomllib.loads(text)["words"]))


def _main() -> None:
    asked = json.load(sys.stdin.buffer)
    found = counted(asked["texts"], asked["at_least"], asked["most"])
    logging.getLogger().handlers.clear()  # underthesea installs one
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    _main()
