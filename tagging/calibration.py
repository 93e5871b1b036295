"""How far scores can be trusted: probabilities and thresholds, fitted on messages not seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from operator import add

import numpy as np

from tagging.model import Axis

SURE_ENOUGH = 0.80  # of the tags shown as sure this share is right, among messages as hard as ours
RECALL_OF_EMERGENCIES = 0.97  # of ours, so that 0.95 of those are caught that others write
MOST_FALSE_ALARMS = 0.03  # of the messages that are none, and in which no danger was heard
_GENTLE, _STEEP, _NEAR_ENOUGH = 0.2, 20.0, 0.01
_GOLDEN = 0.382
_SHIFTS = tuple(step / 20 for step in range(-10, 11))
_ALARMS = tuple(step / 100 for step in range(2, 100))
_FEW = 5  # labels; with so few, one that is rare is easily overlooked


@dataclass(frozen=True)
class Judged:
    """The scores of a message for one axis, from a model that has not seen it, and the truth.

    `told`: the word rules have heard danger in it.
    """

    scores: list[float]
    truth: str
    also: tuple[str, ...] = ()
    told: bool = False


def calibrated(axis: Axis, judged: Sequence[Judged]) -> Axis:
    """`axis` with the bias, the steepness and the thresholds that suit `judged` best."""
    if len(axis.labels) <= _FEW:
        shifts = _shifts(axis, judged)
        bias = tuple(a + b for a, b in zip(axis.bias, shifts, strict=True))
        axis, judged = replace(axis, bias=bias), [_shifted(one, shifts) for one in judged]
    axis = replace(axis, steepness=_steepness(axis, judged))
    axis = replace(axis, sure=_sure(axis, judged))
    if any(one.also for one in judged):
        axis = replace(axis, also=_also(axis, judged))
    if "emergency" in axis.labels:
        alarm, heard = _alarms(axis, judged)
        axis = replace(axis, alarm=alarm, heard=heard)
    return axis


def _shifted(judged: Judged, shifts: Sequence[float]) -> Judged:
    scores = [score + shift for score, shift in zip(judged.scores, shifts, strict=True)]
    return replace(judged, scores=scores)


def _shifts(axis: Axis, judged: Sequence[Judged]) -> list[float]:
    """What to add to the score of each label so that the mean F1 of the labels is highest."""
    shifts = [0.0] * len(axis.labels)
    rows = [(one.scores, axis.labels.index(one.truth)) for one in judged]
    for _ in range(2):
        for at in range(len(shifts)):
            tries = ([*shifts[:at], shift, *shifts[at + 1 :]] for shift in _SHIFTS)
            shifts = max(tries, key=lambda one: (_mean_f1(rows, one), -sum(map(abs, one))))
    return shifts


def _mean_f1(rows: Sequence[tuple[list[float], int]], shifts: Sequence[float]) -> float:
    """The mean F1 when these shifts are added; of a row the scores and the place of the truth."""
    right, said, true = ([0] * len(shifts) for _ in range(3))
    for scores, truth in rows:
        moved = list(map(add, scores, shifts))
        at = moved.index(max(moved))
        said[at] += 1
        true[truth] += 1
        right[at] += at == truth
    f1 = (2 * r / ((s + t) or 1) for r, s, t in zip(right, said, true, strict=True))
    return sum(f1)


def _steepness(axis: Axis, judged: Sequence[Judged]) -> float:
    """The steepness under which the truth is likeliest; the likelihood has one summit."""
    low, high = _GENTLE, _STEEP
    while high - low > _NEAR_ENOUGH:
        left, right = low + (high - low) * _GOLDEN, high - (high - low) * _GOLDEN
        if _surprise(axis, left, judged) < _surprise(axis, right, judged):
            high = right
        else:
            low = left
    return round((low + high) / 2, 2)


def _surprise(axis: Axis, steepness: float, judged: Sequence[Judged]) -> float:
    chances = _chances(replace(axis, steepness=steepness), judged)
    at = {label: i for i, label in enumerate(axis.labels)}
    both = zip(chances, judged, strict=True)
    return -sum(log(max(own[at[one.truth]], 1e-12)) for own, one in both)


def _chances(axis: Axis, judged: Sequence[Judged]) -> list[list[float]]:
    """For each message the probability of each label."""
    scores = np.array([one.scores for one in judged]).reshape(-1, len(axis.labels))
    chances: list[list[float]] = axis.confidence(scores).tolist()
    return chances


def _sure(axis: Axis, judged: Sequence[Judged]) -> float:
    """The least confidence at which, and above, the tags are right often enough."""
    ranked = []
    for chances, one in zip(_chances(axis, judged), judged, strict=True):
        ranked.append((max(chances), axis.labels[chances.index(max(chances))] == one.truth))
    right, least = 0, 1.0
    for count, (confidence, correct) in enumerate(sorted(ranked, reverse=True), 1):
        right += correct
        if right >= SURE_ENOUGH * count:
            least = confidence
    return round(least, 3)


def _also(axis: Axis, judged: Sequence[Judged]) -> float:
    """The probability from which naming a second label does best (F0.5: precision first)."""
    pairs: list[tuple[float, bool]] = []
    for chances, one in zip(_chances(axis, judged), judged, strict=True):
        best = chances.index(max(chances))
        labels = enumerate(zip(chances, axis.labels, strict=True))
        wanted = (*one.also, one.truth)
        pairs += [(chance, label in wanted) for at, (chance, label) in labels if at != best]
    return _best_threshold(sorted(pairs, reverse=True))


def _best_threshold(ranked: list[tuple[float, bool]]) -> float:
    wanted, hits, best, at = sum(right for _, right in ranked), 0, 0.0, 1.0
    for count, (chance, right) in enumerate(ranked, 1):
        hits += right
        if (score := 1.25 * hits / (count + 0.25 * wanted)) > best:
            best, at = score, chance
    return round(at, 3)


def _alarms(axis: Axis, judged: Sequence[Judged]) -> tuple[float, float]:
    """The probabilities of emergency from which to sound the alarm, without and with danger heard.

    The word rules know the emergencies among our own messages better than anybody else's. So
    where they hear nothing the alarm is as quick as false alarms allow; and where they hear
    danger it is as slow as the share of emergencies allows that we promise to catch.
    """
    at = axis.labels.index("emergency")
    both = zip(_chances(axis, judged), judged, strict=True)
    chances = [(own[at], one) for own, one in both]
    quiet, loud = (
        [(chance, one.truth == "emergency") for chance, one in chances if one.told is told]
        for told in (False, True)
    )
    emergencies = sum(right for _, right in (*quiet, *loud))
    if not emergencies:
        return 1.0, 1.0
    allowed = MOST_FALSE_ALARMS * (len(judged) - emergencies)
    alarm = next((one for one in _ALARMS if _over(quiet, one, False) <= allowed), 1.0)
    wanted = RECALL_OF_EMERGENCIES * emergencies - _over(quiet, alarm, True)
    slow = (one for one in reversed(_ALARMS) if _over(loud, one, True) >= wanted)
    return alarm, min(alarm, next(slow, _ALARMS[0]))


def _over(chances: Sequence[tuple[float, bool]], threshold: float, right: bool) -> int:
    """How many emergencies (`right`), or others, reach a threshold."""
    return sum(is_one is right and chance >= threshold for chance, is_one in chances)
