"""Danger now: the words of a message that call for the emergency numbers before anything else."""

import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from tagging.matcher import Match, Matcher
from tagging.words import PAUSES, Words, read

_DANGERS = ("alone", "danger")
_OTHERS = ("now", "urge", "over", "never", "calm")
_SHORT = 8  # words; who is in danger types little, and says not that it is now


@dataclass(frozen=True)
class _Sentence:
    """What is said in one sentence: the danger in it, and which grades of other words."""

    dangers: tuple[Match[str], ...]
    grades: frozenset[str]


class Emergency:
    """Word rules, apart from the trained model: they hold on the first day, without any model."""

    def __init__(self, phrases: dict[str, list[str]]) -> None:
        self._dangers = Matcher((phrase, one) for one in _DANGERS for phrase in phrases[one])
        self._others = Matcher((phrase, one) for one in _OTHERS for phrase in phrases[one])

    @classmethod
    @cache
    def load(cls) -> "Emergency":
        """The rules of emergency.toml, read once."""
        path = Path(__file__).parent / "emergency.toml"
        return cls(tomllib.loads(path.read_text(encoding="utf-8")))

    def tells(self, text: str) -> tuple[str, ...]:
        """The words, as they stand in `text`, that tell of danger now; empty when none do."""
        return self.told(read(text))

    def told(self, words: Words) -> tuple[str, ...]:
        """`tells`, for a message that was read already."""
        if not (dangers := self._dangers.found(words)):
            return ()
        matches = [*dangers, *self._others.found(words)]
        matches.sort(key=lambda match: match.start)
        sentences = [_weighed(part) for part in _by_sentence(words, matches)]
        said = frozenset[str]().union(*(one.grades for one in sentences))
        if len(words.folded) - sum(map(words.folded.count, PAUSES)) <= _SHORT:
            said |= {"now"}
        counted = [danger for one in sentences for danger in _counted(one, said)]
        return tuple(dict.fromkeys(words.between(*span) for span in _widest(counted)))


def _by_sentence(words: Words, matches: list[Match[str]]) -> Iterator[list[Match[str]]]:
    """The matches of each sentence."""
    ends = words.ends()
    for _, part in groupby(matches, key=lambda match: bisect_left(ends, match.start)):
        yield list(part)


def _weighed(matches: list[Match[str]]) -> _Sentence:
    """One sentence without the words that a fixed, harmless expression covers."""
    calm = {at for one in matches if one.value == "calm" for at in range(one.start, one.end)}
    heard = [one for one in matches if calm.isdisjoint(range(one.start, one.end))]
    dangers = tuple(one for one in heard if one.value in _DANGERS)
    return _Sentence(dangers, frozenset(one.value for one in heard))


def _counted(sentence: _Sentence, said: frozenset[str]) -> Iterator[Match[str]]:
    """The dangers of `sentence` that count, when the whole message has said `said`."""
    here = sentence.grades
    if "never" in here and "urge" not in here:
        return
    over = "over" in here
    alone = not over or bool(here & {"now", "urge"})
    other = "urge" in here if over else bool(said & {"now", "urge"})
    for danger in sentence.dangers:
        if alone if danger.value == "alone" else other:
            yield danger


def _widest(matches: Iterable[Match[str]]) -> Iterator[tuple[int, int]]:
    """Where the matches stand, without those that lie inside another."""
    spans = sorted({(match.start, -match.end) for match in matches})
    reached = -1
    for start, end in spans:
        if -end > reached:
            reached = -end
            yield start, -end
