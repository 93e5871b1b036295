"""Who has received the digests of a period, and by which channel, for the operator."""

from __future__ import annotations

from rich.table import Table

from bot.installation import Installation
from scheduler import accounts, periods
from scheduler.panel import CELL
from storage import digests, reach, rounds


class NoSuchRound(Exception):
    """No round has that id: look at the list of campaigns."""


def received(opened: Installation, period: str, unit: str | None) -> Table:
    """Each recipient of a period's digests: unit, where heard from last, by what, and whether.

    The person is the beginning of an id that says nothing. Raises BadPeriod.
    """
    chosen = opened.settings
    found = periods.parse(period, chosen.digest_cut)
    with opened.store.read() as work:
        units = digests.whole_tree(work).below(unit) if unit else None
        standing = digests.reached(work, found.kind, found.key, found.until)
        ways = reach.ways(work, {each.person for each in standing})
    listed = Table("unit", "person", "heard on", "by", "digest", "last word")
    for each in standing:
        if units is None or each.unit in units:
            hours = [way.heard for way in ways.get(each.person, ()) if way.heard is not None]
            last = f"{max(hours).astimezone(chosen.zone):%d/%m/%Y %Hh}" if hours else "-"
            by = each.channel or "-"
            listed.add_row(each.unit, each.person[:6], each.meant or "-", by, each.state, last)
    return listed


def called(opened: Installation, round: str) -> Table:
    """By units, joined as in results: how many a round's call has not gone to. Raises NoSuchRound.

    Fewer than five, or all but fewer than five, are not told exactly.
    """
    with opened.store.read() as work:
        found = rounds.find_round(work, round)
        if found is None:
            raise NoSuchRound(round)
        asked, waiting = rounds.calls_waiting(work, round)
        counted = accounts.calls(asked, waiting, digests.whole_tree(work), found.floor)
    listed = Table("unit", "asked", "not reached")
    for bucket, (of, left) in sorted(counted.items()):
        few = f"fewer than {CELL}" if left else "0"
        most = f"more than {of - CELL}"
        exact = str(left) if of - left >= CELL else most
        listed.add_row(bucket, str(of), few if left < CELL else exact)
    return listed
