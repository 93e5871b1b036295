"""The protection of those who answered a round: what is counted apart, and what may be shown.

Three rules, the reasons for which stand in docs/adr/0012 and 0013:

1. *Buckets.* A unit is counted apart only where enough of its people answered; smaller ones are
   counted together, and nothing under the floor is left over.
2. *Groups.* The options of a question are joined until every group of the whole panel holds
   `CELL` people; all tables of the round use the same groups, and a group of nobody is not shown.
3. *Pieces.* The tables of a round nest. What can be had from them by adding and subtracting
   is made of pieces (a table less those inside it); each holds `floor` contributors, and `CELL`
   people in every group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from storage.campaign import SCALE, SKIPPED, Asked
from storage.people import Tree

LEAST = 5  # contributors; a floor can be raised, never lowered
CELL = 5  # people in whatever is shown or can be found by subtraction
MEAN_FROM = 20  # contributors; under it an average would move visibly with each of them

Counts = Mapping[str, Counter[str]]  # people by bucket and option
Region = frozenset[str]  # the buckets of a table
Groups = tuple[tuple[str, ...], ...]  # options that are counted together


class Refused(Exception):
    """A table that may not be shown; the word says why: few, mixed, across, leftover, cells."""


@dataclass(frozen=True)
class Grouping:
    """The groups of a question: every option is in one, but for `several`, which has a pair each.

    A pair is those who chose an option, and all others.
    """

    question: str
    groups: Groups
    several: bool = False


# -- buckets --------------------------------------------------------------------------------------


def buckets(contributors: Mapping[str, int], tree: Tree, floor: int) -> dict[str, str]:
    """The bucket each unit with contributors is counted in; empty when all are too few.

    A bucket bears the name of the unit that holds all its units.
    """
    if sum(contributors.values()) < floor:
        return {}
    children: dict[str | None, list[str]] = {}
    for unit in tree.units.values():
        children.setdefault(unit.parent, []).append(unit.id)
    found: dict[str, str] = {}
    left: list[str] = [unit for unit in contributors if unit not in tree.units]
    for top in sorted(children.get(None, ())):
        left += _gathered(top, contributors, children, floor, found)
    if left:
        _join_leftover(left, contributors, tree, floor, found)
    return found


def _gathered(
    unit: str,
    contributors: Mapping[str, int],
    children: Mapping[str | None, Sequence[str]],
    floor: int,
    found: dict[str, str],
) -> list[str]:
    """Put what is enough into buckets; return the units that are left for the one above."""
    left = [unit] if contributors.get(unit) else []
    for child in sorted(children.get(unit, ())):
        left += _gathered(child, contributors, children, floor, found)
    if sum(contributors[each] for each in left) < floor:
        return left
    found.update(dict.fromkeys(left, unit))
    return []


def _join_leftover(
    left: Sequence[str],
    contributors: Mapping[str, int],
    tree: Tree,
    floor: int,
    found: dict[str, str],
) -> None:
    """What is left at the top joins the smallest bucket, or is one where all else is."""
    name = tree.root.id
    sizes: Counter[str] = Counter()
    for unit, bucket in found.items():
        sizes[bucket] += contributors[unit]
    if sizes and sum(contributors[each] for each in left) < floor:
        smallest = min(sizes, key=lambda one: (sizes[one], one))
        left = [*left, *(unit for unit, bucket in found.items() if bucket == smallest)]
    found.update(dict.fromkeys(left, name))


def region(unit: str, of: Mapping[str, str], tree: Tree) -> Region:
    """The buckets that hold a unit's people and nobody else. Raises Refused("mixed"), ("few")."""
    below = tree.below(unit)
    mine = {bucket for each, bucket in of.items() if each in below}
    foreign = {bucket for each, bucket in of.items() if each not in below}
    if not mine:
        raise Refused("few")
    if mine & foreign:
        raise Refused("mixed")
    return frozenset(mine)


# -- groups ---------------------------------------------------------------------------------------


def grouping(question: Asked, total: Counter[str], size: int) -> Grouping:
    """The finest groups of a question whose every group holds `CELL` of a panel of that size."""
    if question.kind == "several":
        shown = [
            option
            for option in question.ids()
            if total[option] >= CELL and size - total[option] >= CELL
        ]
        return Grouping(question.key, tuple((option,) for option in shown), several=True)
    scale = question.kind == "scale"
    options = list(SCALE) if scale else _ranked(question, total)
    groups = [[option] for option in options]
    _take_in_skipped(groups, total, scale)
    while len(groups) > 1 and (small := _smallest(groups, total)) is not None:
        _join(groups, small, total, scale)
    enough = bool(groups) and _count(groups[0], total) >= CELL
    return Grouping(question.key, tuple(map(tuple, groups)) if enough else ())


def _ranked(question: Asked, total: Counter[str]) -> list[str]:
    known = question.ids() or tuple(sorted(o for o in total if o != SKIPPED))
    return sorted(known, key=lambda option: (-total[option], option))


def _take_in_skipped(groups: list[list[str]], total: Counter[str], scale: bool) -> None:
    """Those who gave no answer are a group, or part of the middle or of the others."""
    if total[SKIPPED] >= CELL or not groups:
        groups.append([SKIPPED])
    else:
        groups[len(groups) // 2 if scale else -1].append(SKIPPED)


def _count(group: Sequence[str], total: Counter[str]) -> int:
    return sum(total[option] for option in group)


def _smallest(groups: Sequence[Sequence[str]], total: Counter[str]) -> int | None:
    counts = [(_count(group, total), at) for at, group in enumerate(groups)]
    least, at = min(counts)
    return at if least < CELL else None


def _join(groups: list[list[str]], small: int, total: Counter[str], scale: bool) -> None:
    """Join a group that is too small with the smaller neighbour, or with the next smallest."""
    others = [at for at in range(len(groups)) if at != small]
    if scale:
        near = [at for at in others if abs(at - small) == 1 and groups[at] != [SKIPPED]]
        others = near or others
    other = min(others, key=lambda at: (_count(groups[at], total), at))
    first, second = sorted((small, other))
    groups[first] += groups.pop(second)


# -- pieces ---------------------------------------------------------------------------------------


def admit(new: Region, shown: Collection[Region], sizes: Mapping[str, int], floor: int) -> None:
    """Whether a table may stand beside those shown, by its size alone. Raises Refused.

    `sizes`: contributors by bucket.
    """
    if floor < LEAST:
        raise ValueError(f"no panel smaller than {LEAST} is ever shown, not {floor}")
    if any(new & other and not (new <= other or other <= new) for other in shown):
        raise Refused("across")
    if sum(sizes[each] for each in new) < floor:
        raise Refused("few")
    for piece in pieces([*shown, new]):
        if piece and sum(sizes[each] for each in piece) < floor:
            raise Refused("leftover")


def pieces(regions: Iterable[Region]) -> Iterator[Region]:
    """Each of the nested regions less those inside it."""
    family = set(regions)
    for one in family:
        inside: set[str] = set()
        for other in family:
            if other < one:
                inside |= other
        yield one - inside


def cells(
    new: Region,
    shown: Collection[Region],
    group: Grouping,
    counts: Counts,
    sizes: Mapping[str, int],
) -> dict[str, int] | None:
    """The people in each group of a table, or None where one, or a piece of one, is too small.

    `shown`: the regions whose table shows this question. Groups are named by their options.
    """
    safe = all(
        people >= CELL
        for piece in pieces([*shown, new])
        if piece
        for people in _each(piece, group, counts, sizes)
    )
    if not safe or not group.groups:
        return None
    return {
        "+".join(one): sum(counts[bucket][option] for bucket in new for option in one)
        for one in group.groups
    }


def _each(
    piece: Region, group: Grouping, counts: Counts, sizes: Mapping[str, int]
) -> Iterator[int]:
    size = sum(sizes[bucket] for bucket in piece)
    for one in group.groups:
        people = sum(counts[bucket][option] for bucket in piece for option in one)
        yield people
        if group.several:
            yield size - people
