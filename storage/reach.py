"""How enrolled people are reached: by their addresses, of which one is the best at a moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import exists, select

from storage import outbox
from storage.outbox import Letter
from storage.sealing import CannotOpen
from storage.store import Work, table
from storage.tables import Address, Outgoing
from storage.vocabulary import Person

MOST = 500  # letters looked through in one go
NEVER = datetime.min.replace(tzinfo=UTC)
Windows = Mapping[str, timedelta | None]  # by channel, for how long after a word it takes letters

_address, _out = table(Address), table(Outgoing)
_other = _address.alias()
_stuck = (
    select(_out, _address.c.person)
    .join(_address, _address.c.key == _out.c.key)
    .where(*outbox.LOOSE)
    .where(exists().where(_other.c.person == _address.c.person, _other.c.key != _address.c.key))
    .order_by(_out.c.n)
)


@dataclass(frozen=True, slots=True)
class Way:
    """One address of an enrolled person, the hour of their last word there, and what is against it.

    `shut`: they blocked the bot there. `closed`: the platform waits for them to speak again.
    """

    person: str
    key: bytes
    at: Person
    heard: datetime | None
    shut: bool
    closed: bool


@dataclass(frozen=True)
class Reach:
    """A moment, and for how long after a word each channel takes letters (see bot/channel.py).

    A channel that is not named is not served here: nothing is pushed there.
    """

    now: datetime
    windows: Windows

    def takes(self, way: Way) -> bool:
        """Whether a letter that nobody waits for arrives there now."""
        if way.shut or way.closed or way.at.channel not in self.windows:
            return False
        window = self.windows[way.at.channel]
        return window is None or (way.heard is not None and way.heard > self.now - window)

    def best(self, ways: Sequence[Way]) -> Way:
        """Where a letter goes: where it arrives now, else where the person will be looked for.

        Among several the one last heard from.
        """
        return max(ways, key=lambda way: (self._rank(way), way.key))

    def better(self, ways: Sequence[Way], than: bytes) -> Way | None:
        """The best of a person's addresses, if it is better than the one with this keyed hash."""
        best = self.best(ways)
        this = next((way for way in ways if way.key == than), None)
        return best if this is None or self._rank(best) > self._rank(this) else None

    def _rank(self, way: Way) -> tuple[bool, bool, datetime]:
        return self.takes(way), not (way.shut or way.closed), way.heard or NEVER


def last_heard(ways: Sequence[Way]) -> Way:
    """The address a person spoke at last, whether anything arrives there or not."""
    return max(ways, key=lambda way: (way.heard or NEVER, way.key))


def ways(work: Work, people: Collection[str]) -> dict[str, list[Way]]:
    """The addresses of these people; one whose key is gone is no way to anybody."""
    rows = work.connection.execute(
        select(_address)
        .where(_address.c.person.in_(sorted(people)))
        .order_by(_address.c.person, _address.c.key)
    ).all()
    found = [way for row in rows if (way := _way(work, row)) is not None]
    return {one: list(several) for one, several in groupby(found, key=lambda way: way.person)}


def _way(work: Work, row: Any) -> Way | None:
    try:
        plain = work.seal.open(row.sealed, f"address|sealed|{row.key.hex()}").decode()
    except CannotOpen:
        return None
    channel, _, address = plain.partition(":")
    return Way(row.person, row.key, Person(channel, address), row.heard, row.shut, row.closed)


# -- what waits where nothing arrives -------------------------------------------------------------

Move = tuple[Letter, Letter]  # as it waits, and as it should


def moves(work: Work, reach: Reach, ids: Callable[[int], str]) -> list[Move]:
    """The letters that another address of their person is better for, by `ids(n)` named anew.

    A letter of which some pieces have arrived stays where it is, as does one that is being sent.
    """
    found: list[Move] = []
    after = 0
    while rows := work.connection.execute(_stuck.where(_out.c.n > after).limit(MOST)).all():
        of = ways(work, {row.person for row in rows})
        for row in rows:
            to = reach.better(of[row.person], row.key) if row.person in of else None
            letter = outbox.opened(work, row) if to is not None else None
            if to is not None and letter is not None:
                found.append((letter, _to(letter, to, ids)))
        after = rows[-1].n
    return found


def move(work: Work, wanted: Iterable[Move]) -> int:
    """Readdress letters that nobody has begun to send meanwhile. Returns how many."""
    return sum(outbox.readdress(work, letter, moved) for letter, moved in wanted)


def let_go(work: Work, person: str, key: bytes, ids: Callable[[int], str]) -> None:
    """Move what waits for a person at an address that is no longer theirs to one of their others.

    To the one last heard from; the clock moves it on to where it arrives.
    """
    theirs = ways(work, [person]).get(person)
    if not theirs:
        return
    best = Reach(NEVER, {}).best(theirs)
    here = select(_out).where(_out.c.key == key, *outbox.LOOSE).order_by(_out.c.n)
    for row in work.connection.execute(here).all():
        letter = outbox.opened(work, row)
        if letter is not None:
            outbox.readdress(work, letter, _to(letter, best, ids))


def _to(letter: Letter, way: Way, ids: Callable[[int], str]) -> Letter:
    at = way.at
    return replace(letter, id=ids(20), key=way.key, channel=at.channel, address=at.address)


def elsewhere(work: Work, key: bytes) -> bool:
    """Whether anything waits for a person at another of their addresses than this one."""
    mine = select(_address.c.person).where(_address.c.key == key).scalar_subquery()
    waits = _stuck.where(_address.c.person == mine, _out.c.key != key)
    return work.connection.execute(waits.limit(1)).first() is not None
