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

from tagging.weights import Weights

_UNSEEN = 0.5  # how often what was never seen is taken to have been seen


def leaned(weights: Weights, documents: Iterable[tuple[list[str], str]], part: float) -> Weights:
    """`weights` with this part of the log odds of every feature of these documents added."""
    counts: dict[str, Counter[str]] = {label: Counter() for label in weights.labels}
    for found, label in documents:
        counts[label].update(found)
    everywhere = sum(counts.values(), Counter[str]())
    size, total = _UNSEEN * len(everywhere), everywhere.total()
    names = sorted(weights.features, key=weights.features.__getitem__)
    weight = array("f")
    for own in counts.values():
        here = own.total()
        apart = log((here + size) / (total - here + size))
        for name in names:
            with_it = own[name] + _UNSEEN
            without = everywhere[name] - own[name] + _UNSEEN
            at = len(weight)
            weight.append(weights.weight[at] + part * (log(with_it / without) - apart))
    return replace(weights, weight=weight)
