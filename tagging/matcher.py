"""Many phrases sought in a message at once, by walking its words down one tree of phrases."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import Generic, TypeVar

from tagging.normal import fold, spelled
from tagging.words import PAUSES, Words

GAP = "*"  # in a phrase: up to three words of any kind
EXACT = "="  # before a word of a phrase: with these marks only
_WIDEST = 3
T = TypeVar("T")


@dataclass(frozen=True)
class Match(Generic[T]):
    """A phrase found: words `start` to before `end`, and what the phrase stands for."""

    start: int
    end: int
    value: T


@dataclass
class _Node(Generic[T]):
    """One step in the tree: the words that may follow, and the phrases that end here."""

    next: dict[str, "_Node[T]"] = field(default_factory=dict)
    ends: list[tuple[tuple[str, ...], T]] = field(default_factory=list)


class Matcher(Generic[T]):
    """Phrases, each with a value.

    A phrase written with marks matches the same words with the same marks, or typed without
    any: `chơi đá` matches `choi da` and not `chơi dạ`. A phrase written without marks
    matches whatever the marks. After `=` a word must bear these marks: `=máu`, not `mau`.
    """

    def __init__(self, phrases: Iterable[tuple[str, T]]) -> None:
        self._root: _Node[T] = _Node()
        for phrase, value in phrases:
            self._add(phrase.split(), value)
        first = self._root.next.items()
        self._pairs = {(word, second) for word, node in first for second in node.next}
        self._marked = {end[1:] for _, node in first for (end,), _ in node.ends if end[0] == EXACT}
        self._bare = {word for word, node in first if GAP in node.next}
        self._bare |= {word for word, node in first if any(e[0][0] != EXACT for e, _ in node.ends)}

    def _add(self, phrase: list[str], value: T) -> None:
        node = self._root
        for word in phrase:
            node = node.next.setdefault(fold(word.removeprefix(EXACT)), _Node())
        node.ends.append((tuple(spelled(word) for word in phrase if word != GAP), value))

    def found(self, words: Words) -> list[Match[T]]:
        """Every phrase that stands in `words`, by where it starts; matches may overlap."""
        if not self._begins(words):
            return []
        first, matches = self._root.next, list[Match[T]]()
        after = [*words.folded[1:], ""]
        for at in [at for at, word in enumerate(words.folded) if word in first]:
            node = first[words.folded[at]]
            if node.ends or after[at] in node.next or GAP in node.next:
                matches += self._from(node, words, at, at + 1, (at,))
        return matches

    def _begins(self, words: Words) -> bool:
        """Whether the first words of any phrase stand in `words`, told quickly; mostly none do."""
        within = self._pairs.isdisjoint(words.pairs()) and self._bare.isdisjoint(words.folded)
        return not (within and self._marked.isdisjoint(words.spelled))

    def _from(
        self, node: _Node[T], words: Words, start: int, at: int, taken: tuple[int, ...]
    ) -> Iterator[Match[T]]:
        for phrase, value in node.ends:
            if all(map(_same, phrase, taken, repeat(words))):
                yield Match(start, at, value)
        if not node.next or at == len(words.folded):
            return
        if after := node.next.get(words.folded[at]):
            yield from self._from(after, words, start, at + 1, (*taken, at))
        if gap := node.next.get(GAP):
            for skipped in range(at, min(at + _WIDEST + 1, len(words.folded))):
                if words.folded[skipped] in PAUSES:
                    return
                if after := gap.next.get(words.folded[skipped]):
                    yield from self._from(after, words, start, skipped + 1, (*taken, skipped))


def _same(word: str, at: int, words: Words) -> bool:
    """Whether the word read at `at` is `word`, or was typed without any mark."""
    read = words.spelled[at]
    if word[0] == EXACT:
        return word[1:] == read
    return read == word or word.isascii() or read.isascii()
