"""How much oftener a feature stands with one label than with the others: naive Bayes as weights.

The support vector machine looks at what separates the labels and forgets what it does not need;
plain counting forgets nothing. A part of the one added to the other does better than either
(Wang and Manning 2012, "Baselines and Bigrams"), and costs nothing when a message is labelled,
since both are weights.
"""

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from math import log

from tagging.features import Feature
from tagging.weights import Weights

_UNSEEN = 0.5  # how often what was never seen is taken to have been seen


def leaned(
    weights: Weights, documents: Iterable[tuple[list[Feature], str]], part: float
) -> Weights:
    """`weights` with this part of the log odds of every feature of these documents added."""
    counts: dict[str, Counter[Feature]] = {label: Counter() for label in weights.labels}
    for found, label in documents:
        counts[label].update(found)
    names = sorted(weights.features, key=weights.features.__getitem__)
    with_it = [[own[name] for name in names] for own in counts.values()]
    with_any = [sum(column) for column in zip(*with_it, strict=True)]
    logs = [log(n + _UNSEEN) for n in range(max(with_any, default=0) + 1)]
    size, total = _UNSEEN * len(names), sum(with_any)
    weight = array("f")
    for own in with_it:
        apart = log((sum(own) + size) / (total - sum(own) + size))
        before = weights.weight[len(weight) : len(weight) + len(names)]
        weight.extend(
            old + part * (logs[n] - logs[all_of_it - n] - apart)
            for old, n, all_of_it in zip(before, own, with_any, strict=True)
        )
    return replace(weights, weight=weight)
