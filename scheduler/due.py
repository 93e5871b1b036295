"""What is due now: digests people wait for, digests of closed periods, rows past their day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from scheduler import accounts, edition, periods, press, rounds
from scheduler.office import Office
from scheduler.periods import BadPeriod, Period
from scheduler.press import NoSuchUnit
from scheduler.snapshot import Snapshot, thaw
from storage import digests, outbox, people, reach, talks
from storage.digests import Digest, Reader, Wanted
from storage.outbox import Letter, Post
from storage.people import Member
from storage.reach import Way
from storage.store import Store, Work
from storage.vocabulary import Message

MOST_LATE = 12  # periods that are caught up with after downtime
FORGIVEN_AFTER = timedelta(days=1)  # wrong guesses are weighed over minutes; a day is past any use


@dataclass(frozen=True)
class _Owed:
    """A closed period of a unit, and who has yet to receive its digest."""

    period: Period
    unit: str
    members: Sequence[Member]


def due(store: Store, now: datetime, office: Office) -> bool:
    """Do what is due and return whether letters were put into the outbox.

    Everything is decided from rows, so it may be called at any time, by any number of processes,
    after any downtime: each thing happens once, the late ones first. Raises StoreDown.
    """
    sent = _answer_wishes(store, now, office)
    sent |= forward(store, now, office)
    sent |= rounds.due(store, now, office)
    for owed in _owed(store, now, office):
        sent |= _send(store, owed, now, office)
        sent |= _answer_wishes(store, now, office)  # who waits in a talk does not wait for all
    sent |= accounts.due(store, now, office)
    _forget(store, now, office)
    return sent


def _answer_wishes(store: Store, now: datetime, office: Office) -> bool:
    with store.read() as work:
        wanted = digests.wanted(work)
    answered = [_answer(store, one, now, office) for one in wanted]
    return any(answered)


def _answer(store: Store, wish: Wanted, now: datetime, office: Office) -> bool:
    """One digest for the one who asked, at once: somebody sits and waits, quiet hours or not."""
    with store.read() as work:
        found = digests.readers(work).get(wish.unit, ())
    member = next((one.member for one in found if one.member.id == wish.person), None)
    digest = None
    if member is not None:
        try:
            digest = press.ask(store, wish.unit, wish.period, now, office)
        except (BadPeriod, NoSuchUnit):
            digest = None  # a wish no dialogue makes; it goes unanswered
    with store.write() as work:
        if not digests.fulfil(work, wish.id) or digest is None or member is None:
            return False
        ways = reach.ways(work, [member.id]).get(member.id)
        if not ways:
            return False
        there = next((way for way in ways if way.key == wish.key), None)
        way = there or office.reach(now).best(ways)
        letter = _letter(digest, thaw(digest.snapshot), member, way, ways, office)
        if digests.kept(work, digest.id):
            _note_as_given(work, digest, member, letter, now)
        _put(work, [letter], now, office)
        return True


def _note_as_given(
    work: Work, digest: Digest, member: Member, letter: Letter, now: datetime
) -> None:
    """Whoever asked has it, and gets it no second time by the letter that may wait for them."""
    if not digests.deliver(work, digest.id, member.id, now):
        waits = digests.letter_of(work, digest.id, member.id)
        if waits is None or not outbox.withdraw(work, waits):
            return
    digests.addressed(work, digest.id, member.id, letter.id, letter.channel, letter.channel)


def _owed(store: Store, now: datetime, office: Office) -> Iterator[_Owed]:
    """Digests that are due and not delivered: the oldest period first, and units below first.

    Whoever was enrolled after a digest was due can ask for it, and is not sent it.
    """
    with store.read() as work:
        since = digests.earliest(work)
        if since is None:
            return
        readers = digests.readers(work)
        received = digests.received(work, office.kind)
        tree = digests.whole_tree(work)
    units = sorted(readers, key=lambda unit: (-len(tree.above(unit)), unit))
    for period in reversed(list(_periods_due(since, now, office))):
        on = periods.due(period, office.digest_day, office.digest_hour, office.zone).date()
        for unit in units:
            members = [
                one.member
                for one in readers[unit]
                if one.since <= on and not _has(received, period, one)
            ]
            if members:
                yield _Owed(period, unit, members)


def _has(received: set[tuple[str, str, date, str]], period: Period, one: Reader) -> bool:
    return (one.member.unit, period.key, period.until, one.member.id) in received


def _periods_due(since: date, now: datetime, office: Office) -> Iterator[Period]:
    period = periods.last_closed(office.kind, office.cut, office.today(now))
    for _ in range(MOST_LATE):
        if since >= period.until:
            return
        if periods.due(period, office.digest_day, office.digest_hour, office.zone) <= now:
            yield period
        period = periods.before(period)


def _send(store: Store, owed: _Owed, now: datetime, office: Office) -> bool:
    digest = press.make(store, owed.unit, owed.period, now, office, final=True)
    with store.write() as work:
        mine = [one for one in owed.members if digests.deliver(work, digest.id, one.id, now)]
        letters = list(_addressed(work, digest, mine, now, office))
        _put(work, letters, now, office)
        return bool(letters)


def _addressed(
    work: Work, digest: Digest, members: Sequence[Member], now: datetime, office: Office
) -> Iterator[Letter]:
    """A letter for each member, at the best of their addresses; it is noted which way it goes."""
    taken = thaw(digest.snapshot)
    ways = reach.ways(work, [member.id for member in members])
    for member in members:
        theirs = ways.get(member.id)
        if not theirs:  # the key is gone, and with it the way to this person
            digests.addressed(work, digest.id, member.id, None, None, None)
            continue
        best = office.reach(now).best(theirs)
        letter = _letter(digest, taken, member, best, theirs, office)
        letter = replace(letter, not_before=office.not_before(now), bulk=True, roams=True)
        meant = reach.last_heard(theirs).at.channel
        digests.addressed(work, digest.id, member.id, letter.id, letter.channel, meant)
        yield letter


def _put(work: Work, letters: Sequence[Letter], now: datetime, office: Office) -> None:
    until = office.today(now) + timedelta(days=office.letter_days)
    outbox.put(work, Post(list(letters)), until)


def _letter(
    digest: Digest,
    taken: Snapshot,
    member: Member,
    to: Way,
    ways: Sequence[Way],
    office: Office,
) -> Letter:
    """A digest at an address, as long as each of the person's channels takes it."""
    words = office.catalogues[member.language]
    longest = office.fits(way.at.channel for way in ways)
    text = edition.text(taken, words, office.taxonomy, longest)
    message = Message(text, protect=True)
    if digest.chart:
        about = edition.about(taken, words, office.taxonomy)
        message = Message(text, picture=digest.id, about=about, protect=True)
    return Letter(office.ids(20), to.key, to.at.channel, to.at.address, message)


def forward(store: Store, now: datetime, office: Office) -> bool:
    """Move what waits where nothing arrives to an address of the same person where it does."""
    with store.read() as work:
        wanted = reach.moves(work, office.reach(now), office.ids)
    if not wanted:
        return False
    with store.write() as work:
        return bool(reach.move(work, wanted))


def _forget(store: Store, now: datetime, office: Office) -> None:
    """Delete what is past its day; a tick that finds nothing writes nothing."""
    today, guesses = office.today(now), now - FORGIVEN_AFTER
    with store.read() as work:
        if not digests.overdue(work, today, guesses):
            return
    with store.write() as work:
        talks.forget(work, today)
        outbox.expire(work, today)
        people.forgive(work, guesses)
