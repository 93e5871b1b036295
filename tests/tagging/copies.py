"""Texts with altered copies among them, as people send the same matter on; whose each is."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import combinations

from tagging.augment import bare, noisy

GREETINGS = ("Kính gửi các anh chị,", "alo", "Em chào ad ạ.", "xin phép phản ánh:")


def altered(text: str, chance: random.Random) -> str:
    """A copy as somebody else would have sent it on."""
    ways: tuple[Callable[[str], str], ...] = (
        bare,
        lambda one: noisy(one, chance),
        lambda one: " ".join(w for w in one.split() if chance.random() > 0.15),
        lambda one: f"{chance.choice(GREETINGS)} {one}",
        _halves_swapped,
    )
    return chance.choice(ways)(text)


def _halves_swapped(text: str) -> str:
    words = text.split()
    middle = len(words) // 2
    return " ".join((*words[middle:], *words[:middle]))


def crowd(sources: Sequence[str], count: int, seed: int) -> tuple[list[str], list[int]]:
    """So many texts, a fifth of the originals with one to three altered copies; whose each is."""
    chance = random.Random(seed)
    made: list[tuple[str, int]] = []
    for number, source in enumerate(sources):
        copies = chance.randint(1, 3) if chance.random() < 0.2 else 0
        made += [(altered(source, chance) if n else source, number) for n in range(copies + 1)]
        if len(made) >= count:
            break
    chance.shuffle(made)
    return [text for text, _ in made], [number for _, number in made]


def right_pairs(groups: Sequence[int], origin: Sequence[int]) -> tuple[float, float]:
    """Precision and recall over the pairs of texts that were put together."""
    said, true = _pairs(groups), _pairs(origin)
    right = len(said & true)
    return right / len(said), right / len(true)


def _pairs(groups: Sequence[int]) -> set[tuple[int, int]]:
    members: dict[int, list[int]] = defaultdict(list)
    for at, group in enumerate(groups):
        members[group].append(at)
    return {pair for some in members.values() for pair in combinations(some, 2)}
