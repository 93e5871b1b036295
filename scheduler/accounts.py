"""Who was not reached: told once to whoever answers for a sending, a day after it went out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduler import panel
from scheduler.office import Office
from scheduler.periods import Period
from scheduler.wording import Wording
from storage import digests, outbox, people, reach, rounds
from storage.campaign import Campaign
from storage.digests import Reached, Sending
from storage.outbox import Letter, Post
from storage.people import Member, Tree
from storage.reach import Reach, Way
from storage.rounds import Round
from storage.store import Store, Work
from storage.vocabulary import Message
from storage.words import Words

AFTER = timedelta(days=1)
UNTIL = timedelta(days=14)  # what went out longer ago is no news
MOST_UNITS = 8  # named in one line
Sentence = Callable[[Words], str]


def due(store: Store, now: datetime, office: Office) -> bool:
    """Tell what is to be told, in working hours. True when letters were put into the outbox."""
    if not office.workdays.calls(now):
        return False
    with store.read() as work:
        sent = digests.went_out(work, office.kind, now - UNTIL, now - AFTER)
        sent = [each for each in sent if not digests.accounted(work, _name(each, office))]
        opened = [
            each
            for each in rounds.open_rounds(work)
            if now - UNTIL < each.opened <= now - AFTER
            and not digests.accounted(work, f"round:{each.id}")
        ]
    told = [_account_for_digest(store, each, now, office) for each in sent]
    told += [_account_for_round(store, each, now, office) for each in opened]
    return any(told)


def _name(sending: Sending, office: Office) -> str:
    return f"digest:{office.kind}:{sending.period}:{sending.until}"


# -- digests --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Account:
    """How many of those a digest was for have it, how many by another channel, and who has not.

    `instead`: by the channel they were last heard from and the one that took it. `missing`: the
    units of the rest, by the reason and what belongs in its sentence.
    """

    of: int
    received: int
    instead: Mapping[tuple[str, str], int]
    missing: Mapping[tuple[str, int], Sequence[str]]


def account(
    standing: Sequence[Reached], ways: Mapping[str, Sequence[Way]], to_reach: Reach
) -> Account:
    """Sum up how a digest stands with those it was sent to."""
    have = [each for each in standing if each.state == "received"]
    instead = Counter(
        (each.meant, each.channel)
        for each in have
        if each.meant is not None and each.channel is not None and each.meant != each.channel
    )
    missing: dict[tuple[str, int], list[str]] = {}
    for each in standing:
        if each.state != "received":
            why = _why(each, ways.get(each.person, ()), to_reach)
            missing.setdefault(why, []).append(each.unit)
    return Account(len(standing), len(have), instead, missing)


def _why(one: Reached, ways: Sequence[Way], to_reach: Reach) -> tuple[str, int]:
    """Why somebody has not received it, and the days that belong in the sentence."""
    if one.state in ("lost", "doubt"):
        return one.state, 0
    here = next((way for way in ways if way.at.channel == one.channel), None)
    if here is None or to_reach.takes(here):
        return "waits", 0
    if here.shut:
        return "shut", 0
    window = to_reach.windows.get(here.at.channel, timedelta(0))
    if here.closed or window is None:
        return "closed", 0
    return ("silent", max(window.days, 1)) if window else ("away", 0)


def _account_for_digest(store: Store, sending: Sending, now: datetime, office: Office) -> bool:
    with store.write() as work:
        if not digests.account(work, _name(sending, office)):
            return False
        standing = digests.reached(work, office.kind, sending.period, sending.until)
        ways = reach.ways(work, {each.person for each in standing})
        found = account(standing, ways, office.reach(now))
        if not found.missing and not found.instead:
            return False
        period = Period(office.kind, sending.period, sending.first, sending.until)
        tree = digests.whole_tree(work)

        def sentence(words: Words) -> str:
            named = Wording(words, office.taxonomy).period(period)
            return "\n".join(_lines(found, named, tree, words))

        return _tell(work, people.with_role(work, "administrator"), sentence, now, office)


def _lines(found: Account, period: str, tree: Tree, words: Words) -> Iterator[str]:
    yield words("account.digest", period=period, received=found.received, of=found.of)
    for (meant, channel), count in sorted(found.instead.items()):
        names = {"channel": words.channel(channel), "meant": words.channel(meant)}
        yield words("account.instead", count=count, **names)
    for (why, days), units in sorted(found.missing.items()):
        reason = words(f"account.why_{why}", days=days)
        named = _named(units, tree, words)
        yield words("account.missing", count=len(units), why=reason, units=named)
    if found.missing:
        yield words("account.note")


def _named(units: Sequence[str], tree: Tree, words: Words) -> str:
    each = sorted(set(units))
    names = [tree.units[one].called(words.language) if one in tree.units else one for one in each]
    return ", ".join([*names[:MOST_UNITS], *(["…"] if len(names) > MOST_UNITS else [])])


# -- rounds ---------------------------------------------------------------------------------------


def calls(
    asked: Mapping[str, int], waiting: Mapping[str, int], tree: Tree, floor: int
) -> dict[str, tuple[int, int]]:
    """By bucket of units: how many were asked, and how many of them the call has not reached.

    Units are joined as for results (ADR 12), so that no bucket holds fewer than the floor.
    """
    of = panel.buckets(asked, tree, floor)
    found: dict[str, tuple[int, int]] = {}
    for unit, bucket in of.items():
        count, left = found.get(bucket, (0, 0))
        found[bucket] = count + asked[unit], left + waiting.get(unit, 0)
    return found


def _account_for_round(store: Store, round: Round, now: datetime, office: Office) -> bool:
    with store.write() as work:
        if not digests.account(work, f"round:{round.id}"):
            return False
        standing = rounds.find_campaign(work, round.campaign)
        asked, waiting = rounds.calls_waiting(work, round.id)
        tree = digests.whole_tree(work)
        found = calls(asked, waiting, tree, round.floor)
        if standing is None or not any(left for _, left in found.values()):
            return False

        def sentence(words: Words) -> str:
            return "\n".join(_call_lines(found, standing.campaign, tree, words))

        return _tell(work, _askers(work, standing.campaign, tree), sentence, now, office)


def _call_lines(
    found: Mapping[str, tuple[int, int]], campaign: Campaign, tree: Tree, words: Words
) -> Iterator[str]:
    yield words("account.round", title=campaign.say(campaign.title, words.language))
    for bucket, (count, left) in sorted(found.items()):
        if left:
            unit = tree.units[bucket].called(words.language) if bucket in tree.units else bucket
            yield words("account.unit", unit=unit, of=count, count=_band(left, count, words))
    yield words("account.round_note", cell=panel.CELL)


def _band(left: int, of: int, words: Words) -> str:
    """A count of people; fewer than five, or all but fewer than five, are not told exactly."""
    if left < panel.CELL:
        return words("account.few", cell=panel.CELL)
    return words("account.most") if of - left < panel.CELL else str(left)


def _askers(work: Work, campaign: Campaign, tree: Tree) -> list[Member]:
    """Administrators, and the analysts whose unit holds all that the campaign asks."""
    asked = set(campaign.who.units or (tree.root.id,))
    return [
        each
        for each in people.with_role(work, "administrator", "analyst")
        if each.role == "administrator"
        or (each.unit in tree.units and tree.below(each.unit) >= asked)
    ]


# -- telling --------------------------------------------------------------------------------------


def _tell(
    work: Work, to: Sequence[Member], sentence: Sentence, now: datetime, office: Office
) -> bool:
    ways = reach.ways(work, {member.id for member in to})
    post = Post()
    for member in to:
        if member.id in ways:
            best = office.reach(now).best(ways[member.id])
            message = Message(sentence(office.catalogues[member.language]), protect=True)
            letter = Letter(office.ids(20), best.key, best.at.channel, best.at.address, message)
            post.letters.append(replace(letter, bulk=True, roams=True))
    outbox.put(work, post, office.today(now) + timedelta(days=office.letter_days))
    return bool(post.letters)
