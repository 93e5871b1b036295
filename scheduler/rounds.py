"""Rounds on the clock: opened when due, told, reminded, closed, counted, and their results sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from scheduler import panel, results
from scheduler.office import Office
from storage import digests, outbox, people, rounds, talks
from storage.campaign import CONFIRMED, SKIPPED, Asked, Campaign, last_due
from storage.outbox import Letter, Post
from storage.people import Tree
from storage.prompting import prompt
from storage.rounds import Called, Outturn, Round, Standing
from storage.store import Store, Work
from storage.vocabulary import Language, Message, Person

CHUNK = 500  # people told in one transaction; people who answer wait no longer than that takes
REMIND_EVERY = timedelta(days=4)
RESULTS_FOR = timedelta(days=35)  # after its end a round's results are no longer pushed
FOLD_FOR = timedelta(days=1)


def due(store: Store, now: datetime, office: Office) -> bool:
    """Do what rounds want now, and return whether letters were put into the outbox.

    Everything is decided from rows: any number of processes, after any downtime. Nobody is
    called upon in quiet time: what falls into it happens when it is over. Raises StoreDown.
    """
    sent = _answer_wishes(store, now, office)
    _close_those_over(store, now, office)
    if office.workdays.calls(now):
        _open_those_due(store, now, office)
        with store.read() as work:
            running = rounds.open_rounds(work)
            campaigns = {each.campaign.id: each.campaign for each in rounds.campaigns(work)}
        for each in running:
            sent |= _tell(store, each, campaigns[each.campaign], now, office)
            sent |= _remind(store, each, campaigns[each.campaign], now, office)
        sent |= _send_results(store, now, office)
    return sent


# -- opening --------------------------------------------------------------------------------------


def _open_those_due(store: Store, now: datetime, office: Office) -> None:
    with store.read() as work:
        standing = [each for each in rounds.campaigns(work) if not each.closed]
        owed = [(each, due) for each in standing if (due := _owed(work, each, now, office))]
    for each, at in owed:
        # One round of a campaign at a time: the next one ends the grace of the last.
        with store.read() as work:
            running = rounds.open_rounds(work, each.campaign.id)
            earlier = [one for one in running if one.due < at]  # not the one another clock opened
        for one in earlier:
            _close(store, one, each.campaign, office)
        with store.write() as work:
            today = office.today(now)
            tree = people.tree(work, today)
            asked = rounds.audience(work, each.campaign, _units(each.campaign, tree), today)
            rounds.open_round(work, _opened(each.campaign, at, now, office), asked)


def _owed(work: Work, standing: Standing, now: datetime, office: Office) -> datetime | None:
    """When a round was last due, if none was opened since; the newest missed stands for all."""
    at = last_due(standing.campaign, standing.since, now, office.zone, office.meeting_day)
    if at is None or rounds.started(work, standing.campaign.id, at):
        return None
    return at


def _units(campaign: Campaign, tree: Tree) -> frozenset[str] | None:
    if not campaign.who.units:
        return None
    return frozenset[str]().union(*(tree.below(unit) for unit in campaign.who.units))


def _opened(campaign: Campaign, at: datetime, now: datetime, office: Office) -> Round:
    closes = now + timedelta(days=campaign.open_days)
    while not office.workdays.works(office.today(closes)):
        closes += timedelta(days=1)
    until = closes + timedelta(days=campaign.grace_days)
    return Round(office.ids(20), campaign.id, at, now, closes, until, office.smallest_panel)


# -- calling --------------------------------------------------------------------------------------


def _tell(store: Store, round: Round, campaign: Campaign, now: datetime, office: Office) -> bool:
    """Tell everybody who was not told; whoever is in the middle of something is told later."""
    if now >= round.closes:
        return False

    def waiting(work: Work, after: str) -> list[Called]:
        return rounds.untold(work, round.id, CHUNK, office.reach(now), after)

    def own(work: Work, people: list[str]) -> set[str]:
        return rounds.tell(work, round.id, people)

    message = _messages(round, campaign, 0, office)
    return _call(store, waiting, own, message, office.today(round.until), now, office)


def _remind(store: Store, round: Round, campaign: Campaign, now: datetime, office: Office) -> bool:
    """Remind those who have not answered: half-way, then every fourth day, and so often at most."""
    today = office.today(now)
    on = today - REMIND_EVERY
    sent = False
    for number in range(1, campaign.reminders + 1):
        first = round.opened + (round.closes - round.opened) / 2
        if not first + (number - 1) * REMIND_EVERY <= now < round.closes:
            break

        def waiting(work: Work, after: str, number: int = number) -> list[Called]:
            reach = office.reach(now)
            return rounds.unreminded(work, round.id, number, on, today, CHUNK, reach, after)

        def own(work: Work, people: list[str], number: int = number) -> set[str]:
            return rounds.remind(work, round.id, number, on, today, people)

        message = _messages(round, campaign, number, office)
        sent |= _call(store, waiting, own, message, office.today(round.until), now, office)
    return sent


def _call(
    store: Store,
    waiting: Callable[[Work, str], list[Called]],
    own: Callable[[Work, list[str]], set[str]],
    messages: Mapping[Language, Message],
    until: date,
    now: datetime,
    office: Office,
) -> bool:
    """Post to all who wait, in steps; whoever is in the middle of something waits on."""
    sent, after = False, ""
    while True:
        with store.read() as work:
            called = waiting(work, after)
            busy = talks.busy(
                work, [w.key for each in called for w in each.ways], office.today(now)
            )
        free = [each for each in called if busy.isdisjoint(way.key for way in each.ways)]
        if free:
            with store.write() as work:
                mine = own(work, [each.person for each in free])
                _post(work, [each for each in free if each.person in mine], messages, until, office)
            sent |= bool(mine)
        if len(called) < CHUNK:
            return sent
        after = called[-1].person


def _messages(
    round: Round, campaign: Campaign, number: int, office: Office
) -> Mapping[Language, Message]:
    return {
        language: prompt(words, campaign, round.id, round.closes, office.zone, number)
        for language, words in office.catalogues.items()
    }


def _post(
    work: Work,
    called: Iterable[Called],
    messages: Mapping[Language, Message],
    until: date,
    office: Office,
) -> None:
    """One letter a person; what of the same round still waits at another address of theirs goes."""
    post = Post()
    for each in called:
        message = messages[each.language]
        letter = _letter(each.key, each.at, message, office, roams=True)
        post.letters.append(letter)  # one a person: there is nothing here that it could replace
        others = (way.key for way in each.ways if way.key != each.key)
        post.answered += [(key, message.question) for key in others if message.question]
    outbox.put(work, post, until)


def _letter(key: bytes, at: Person, message: Message, office: Office, roams: bool) -> Letter:
    """A letter at an address; nobody waits for one that may go to any address of its person."""
    return Letter(office.ids(20), key, at.channel, at.address, message, bulk=roams, roams=roams)


# -- closing --------------------------------------------------------------------------------------


def _close_those_over(store: Store, now: datetime, office: Office) -> None:
    with store.read() as work:
        over = [each for each in rounds.open_rounds(work) if each.until < now]
        campaigns = {each.campaign.id: each.campaign for each in rounds.campaigns(work)}
        lately = rounds.closed_rounds(work, 1)
    for each in over:
        _close(store, each, campaigns[each.campaign], office)
    if over or (lately and now - lately[0].until < FOLD_FOR):
        store.fold_journal()


def _close(store: Store, round: Round, campaign: Campaign, office: Office) -> None:
    """Count what was said and let the ballots go, all in one transaction."""
    with store.write() as work:
        if not rounds.lock(work, round.id):
            return
        ballots = rounds.ballots(work, round)
        tree = digests.whole_tree(work)
        units = Counter(said["unit"] for inside, said in ballots if inside)
        of = panel.buckets(units, tree, round.floor)
        inside = [said for mine, said in ballots if mine]
        everything = [said for _, said in ballots]
        outturn = Outturn(
            len(inside),
            of,
            counted(campaign, inside, of) if of else {},
            dict(_sayings(campaign, everything, office)) if of else {},
        )
        rounds.settle_round(work, round, outturn)


def counted(
    campaign: Campaign, ballots: Sequence[Mapping[str, Any]], of: Mapping[str, str]
) -> Counter[tuple[str, str, str]]:
    """People by bucket, question and option; how many there are in all stands under "=" and "="."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for said in ballots:
        bucket = of[said["unit"]]
        counts[bucket, "=", "="] += 1
        for question in campaign.question:
            for option in _chosen(question, said["matters"]):
                counts[bucket, question.key, option] += 1
        for confirmed in set(said.get(CONFIRMED, ())):
            counts[bucket, CONFIRMED, confirmed] += 1
    return counts


def _chosen(question: Asked, matters: Sequence[Mapping[str, Any]]) -> set[str]:
    """The options one person chose, in whatever matter; `-` where nothing was chosen at all."""
    if question.kind == "text":
        return set()
    chosen: set[str] = set()
    for matter in matters:
        answer = matter.get(question.key)
        chosen |= set(answer) if isinstance(answer, list) else {answer} if answer else set()
    return chosen or {SKIPPED}


def _sayings(
    campaign: Campaign, ballots: Sequence[Mapping[str, Any]], office: Office
) -> Iterator[tuple[str, dict[str, str]]]:
    """Every text under a new random id: a matter with its labels, else each text by itself.

    A place is no label: a ward with a sentence beside it may be one person.
    """
    texts = [each.key for each in campaign.question if each.kind == "text"]
    labelled = [*texts, *(q.key for q in campaign.question if q.kind in ("one", "scale"))]
    for said in ballots:
        for matter in said["matters"]:
            told = {key: matter[key] for key in texts if matter.get(key)}
            if told and campaign.repeat > 1:
                yield office.ids(20), {key: matter[key] for key in labelled if matter.get(key)}
            else:
                for key, text in told.items():
                    yield office.ids(20), {key: text}


# -- results --------------------------------------------------------------------------------------


def _send_results(store: Store, now: datetime, office: Office) -> bool:
    """Send each reader each round's result once: of their unit, or the nearest above it."""
    with store.read() as work:
        over = [each for each in rounds.closed_rounds(work, 50) if now - each.until < RESULTS_FOR]
        have = rounds.sent(work, [each.id for each in over])
        readers = rounds.readers(work)
        tree = digests.whole_tree(work)
        campaigns = {each.campaign.id: each.campaign for each in rounds.campaigns(work)}
    sent = False
    for each in reversed(over):
        owed = [
            member
            for member, since in readers
            if since <= _day(each, office)
            and (each.id, member.id) not in have
            and rounds.concerns(campaigns[each.campaign], member.unit, tree)
        ]
        for unit in sorted({member.unit for member in owed}):
            with store.write() as work:
                mine = rounds.unsent(work, each.id, [m.id for m in owed if m.unit == unit])
                shown = results.shown_to(work, each, unit, now, office)
                _post_result(work, each, shown, mine, now, office)
                sent |= bool(mine)
    return sent


def _day(round: Round, office: Office) -> date:
    return office.today(round.until)


def _answer_wishes(store: Store, now: datetime, office: Office) -> bool:
    with store.read() as work:
        wanted = rounds.wanted(work)
    sent = False
    for wish, unit, round, person, key in wanted:
        with store.write() as work:
            found = rounds.find_round(work, round)
            if not digests.fulfil(work, wish) or found is None or found.state == "open":
                continue
            shown = results.shown_to(work, found, unit, now, office)
            _post_result(work, found, shown, {person}, now, office, key, waits=True)
            sent = True
    return sent


def _post_result(
    work: Work,
    round: Round,
    shown: results.Shown,
    to: Iterable[str],
    now: datetime,
    office: Office,
    asked_at: bytes | None = None,
    waits: bool = False,
) -> None:
    """One letter a person; whoever `waits` for it gets it at the address where they asked."""
    post = Post()
    standing = rounds.find_campaign(work, round.campaign)
    if standing is None:
        return
    sayings = results.sayings_of(work, round, shown)
    for each in rounds.reached(work, list(to), office.reach(now)):
        words = office.catalogues[each.language]
        longest = office.fits(way.at.channel for way in each.ways)
        message = results.text(standing.campaign, round, shown, sayings, words, office, longest)
        there = next((way for way in each.ways if way.key == asked_at), None)
        key, at = (there.key, there.at) if there else (each.key, each.at)
        post.letters.append(_letter(key, at, message, office, roams=not waits))
    outbox.put(work, post, office.today(now) + timedelta(days=office.letter_days))
