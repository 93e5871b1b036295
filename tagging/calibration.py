"""How far the scores can be trusted: probabilities and thresholds fitted on messages not learned from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

from tagging.model import Axis

SURE_ENOUGH = 0.80  # of the tags shown as sure this share is right, among messages as hard as ours
RECALL_OF_EMERGENCIES = 0.95
_GENTLE, _STEEP, _STEPS = 0.2, 20.0, 60


@dataclass(frozen=True)
class Judged:
    """The scores of a message for one axis, from a model that has not seen it, and the truth."""

    scores: list[float]
    truth: str
    also: tuple[str, ...] = ()


def calibrated(axis: Axis, judged: Sequence[Judged]) -> Axis:
    """`axis` with the steepness and the thresholds that suit `judged` best."""
    axis = replace(axis, steepness=_steepness(axis, judged))
    axis = replace(axis, sure=_sure(axis, judged))
    if any(one.also for one in judged):
        axis = replace(axis, also=_also(axis, judged))
    if "emergency" in axis.labels:
        axis = replace(axis, alarm=_alarm(axis, judged))
    return axis


def _steepness(axis: Axis, judged: Sequence[Judged]) -> float:
    """The steepness under which the truth is likeliest; the likelihood has one summit."""
    low, high = _GENTLE, _STEEP
    for _ in range(_STEPS):
        left, right = low + (high - low) * 0.382, low + (high - low) * 0.618
        if _surprise(replace(axis, steepness=left), judged) < _surprise(replace(axis, steepness=right), judged):
            high = right
        else:
            low = left
        if high - low < 0.01:
            break
    return round((low + high) / 2, 2)


def _surprise(axis: Axis, judged: Sequence[Judged]) -> float:
    at = {label: i for i, label in enumerate(axis.labels)}
    return -sum(log(max(axis.confidence(one.scores)[at[one.truth]], 1e-12)) for one in judged)


def _sure(axis: Axis, judged: Sequence[Judged]) -> float:
    """The least confidence at which, and above, the tags are right often enough."""
    ranked = []
    for one in judged:
        chances = axis.confidence(one.scores)
        ranked.append((max(chances), axis.labels[chances.index(max(chances))] == one.truth))
    ranked.sort(reverse=True)
    right, least = 0, 1.0
    for count, (confidence, correct) in enumerate(ranked, 1):
        right += correct
        if right >= SURE_ENOUGH * count:
            least = confidence
    return round(least, 3)


def _also(axis: Axis, judged: Sequence[Judged]) -> float:
    """The probability from which naming a second label pleases precision and recall (F1) most."""
    pairs: list[tuple[float, bool]] = []
    for one in judged:
        chances = axis.confidence(one.scores)
        best = chances.index(max(chances))
        pairs += [
            (chance, axis.labels[at] in (*one.also, one.truth))
            for at, chance in enumerate(chances)
            if at != best
        ]
    return _best_threshold(sorted(pairs, reverse=True))


def _best_threshold(ranked: list[tuple[float, bool]]) -> float:
    wanted, hits, best, at = sum(right for _, right in ranked), 0, 0.0, 1.0
    for count, (chance, right) in enumerate(ranked, 1):
        hits += right
        if (score := 2 * hits / (count + wanted)) > best:
            best, at = score, chance
    return round(at, 3)


def _alarm(axis: Axis, judged: Sequence[Judged]) -> float:
    """The highest probability of emergency that still catches the share of them that we promise."""
    at = axis.labels.index("emergency")
    caught = sorted(axis.confidence(one.scores)[at] for one in judged if one.truth == "emergency")
    missed = int(len(caught) * (1 - RECALL_OF_EMERGENCIES))
    return round(caught[missed], 4) - 1e-4 if caught else 1.0
