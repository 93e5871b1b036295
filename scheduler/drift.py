"""Whether the machine's labels drift: this bulletin beside those before, by printed figures alone.

Nothing is counted here. What comes out follows from figures that may be shown and were, so that
it gives away no more than they do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scheduler.snapshot import Drift, Part, Snapshot

MOST_BEFORE = 6  # bulletins that a new one is laid beside
PER = 1000


def drift(total: int, parts: Mapping[str, Part], before: Sequence[Snapshot]) -> Drift | None:
    """How a bulletin of `total` reports differs from those before; None where none was shown."""
    shown = [one for one in before if one.state == "shown" and one.total]
    if not shown or not total:
        return None
    return Drift(
        periods=len(shown),
        unsure=_share(parts.get("sure", Part()), "unsure", total),
        unsure_before=_unsure_before(shown),
        mix=_distance(_shares(parts.get("topic", Part()), total), _mean(shown)),
    )


def _share(part: Part, label: str, total: int) -> int | None:
    return next((round(PER * row.count / total) for row in part.rows if row.label == label), None)


def _unsure_before(shown: Sequence[Snapshot]) -> int | None:
    """The mean over those bulletins that say it."""
    known = [(one.of("sure", "unsure"), one.total or 1) for one in shown]
    told = [(count, total) for count, total in known if count is not None]
    if not told:
        return None
    return round(PER * sum(count for count, _ in told) / sum(total for _, total in told))


def _shares(part: Part, total: int) -> dict[str, float]:
    return {row.label: row.count / total for row in part.rows}


def _mean(shown: Sequence[Snapshot]) -> dict[str, float]:
    """The mean share of every topic that each of the bulletins shows."""
    each = [_shares(one.part("topic"), one.total or 1) for one in shown]
    common = set.intersection(*(set(shares) for shares in each))
    return {label: sum(shares[label] for shares in each) / len(each) for label in common}


def _distance(now: Mapping[str, float], before: Mapping[str, float]) -> int | None:
    """The part of all reports (in thousandths) that would have to change their topic.

    Topics that are not shown on both sides are weighed together; None where none is.
    """
    both = now.keys() & before.keys()
    if not both:
        return None
    apart = sum(abs(now[label] - before[label]) for label in both)
    rest = abs(sum(before[label] for label in both) - sum(now[label] for label in both))
    return round(PER * (apart + rest) / 2)
