"""Campaigns and their rounds: who was asked and answered, what was said, and what was counted.

Who answered (`participation`) and what was said (`ballot`, then `tally` and `saying`) share no key
and no order; docs/adr/0012 says how an answer gets from one person's last tap into a count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple, cast

import orjson
from sqlalchemy import and_, delete, exists, func, insert, or_, select, update

from storage import tables
from storage.campaign import STEP, Campaign, campaign_from
from storage.people import Member, Tree
from storage.prompting import ROUND
from storage.reach import Reach, Way, ways
from storage.sealing import CannotOpen
from storage.store import Work, table
from storage.vocabulary import Language, Person, Role

_campaign, _round = table(tables.Campaign), table(tables.Round)
_part, _pause = table(tables.Participation), table(tables.Pause)
_affiliation, _ballot = table(tables.Affiliation), table(tables.Ballot)
_tally, _saying = table(tables.Tally), table(tables.Saying)
_result, _sent = table(tables.Result), table(tables.ResultSent)
_person, _address = table(tables.Enrolled), table(tables.Address)
_wish, _out = table(tables.Wish), table(tables.Outgoing)

Answered = Literal["kept", "twice", "closed", "not_asked"]
SAYING_STEP = 2 * STEP  # bytes; two texts of one matter with its labels fit


class Fixed(Exception):
    """A campaign that has been answered stays as it is; close it and make another."""


@dataclass(frozen=True)
class Standing:
    """A campaign as it stands: since when its rounds are due, and whether it was closed."""

    campaign: Campaign
    since: datetime
    closed: bool


@dataclass(frozen=True)
class Round:
    """One sending of a campaign. Between `closes` and `until` late answers still count."""

    id: str
    campaign: str
    due: datetime
    opened: datetime
    closes: datetime
    until: datetime
    floor: int
    state: str = "open"
    contributors: int = 0
    buckets: str = "{}"


@dataclass(frozen=True)
class Called:
    """Somebody a round calls upon: who, in which language, where best of all their addresses."""

    person: str
    language: Language
    key: bytes
    at: Person
    ways: tuple[Way, ...]


class Attendance(NamedTuple):
    """How many people of a unit were asked in a round, and how many answered."""

    round: str
    unit: str
    asked: int
    done: int


class Attended(NamedTuple):
    """Whether somebody answered a round that is over."""

    campaign: str
    due: datetime
    done: bool


@dataclass(frozen=True)
class Saying:
    """Free words of a round: its labels and texts by question; whose is known to nobody."""

    id: str
    round: str
    said: Mapping[str, str]


# -- campaigns ------------------------------------------------------------------------------------


def set_campaign(work: Work, campaign: Campaign, since: datetime) -> None:
    """Put a campaign in force, or change one nobody has answered yet. Raises Fixed."""
    body = campaign.kept()
    row = {"id": campaign.id, "body": body, "since": since, "closed": False}
    put = work.insert(tables.Campaign).on_conflict_do_nothing().returning(_campaign.c.id)
    if work.connection.execute(put, row).first() is not None:
        return
    stands = find_campaign(work, campaign.id)
    if stands is not None and stands.campaign.kept() == body and not stands.closed:
        return
    if answered(work, campaign.id) or (stands and stands.closed):
        raise Fixed(campaign.id)
    change = update(_campaign).where(_campaign.c.id == campaign.id).values(body=body)
    work.connection.execute(change)


def close_campaign(work: Work, campaign: str, now: datetime) -> bool:
    """No further rounds; an open one is over now. False when there is no such campaign."""
    done = work.connection.execute(
        update(_campaign).where(_campaign.c.id == campaign).values(closed=True)
    ).rowcount
    running = _round.c.campaign == campaign, _round.c.state == "open", _round.c.until > now
    work.connection.execute(update(_round).where(*running).values(closes=now, until=now))
    return bool(done)


def answered(work: Work, campaign: str) -> bool:
    """Whether anybody has answered it yet."""
    said = exists().where(_ballot.c.campaign == campaign)
    done = exists().where(_round.c.campaign == campaign, _part.c.round == _round.c.id, _part.c.done)
    return bool(work.connection.execute(select(or_(said, done))).scalar())


def concerns(campaign: Campaign, unit: str, tree: Tree) -> bool:
    """Whether its results are for those of a unit: above, within or below the units it asks."""
    asked = [each for each in campaign.who.units if each in tree.units]
    if not asked:
        return True
    return any(unit in tree.below(each) or unit in tree.above(each) for each in asked)


def campaigns(work: Work) -> list[Standing]:
    """Every campaign there is."""
    rows = work.connection.execute(select(_campaign).order_by(_campaign.c.id))
    return [Standing(campaign_from(row.body), row.since, row.closed) for row in rows]


def find_campaign(work: Work, campaign: str) -> Standing | None:
    """A campaign by its id."""
    row = work.connection.execute(select(_campaign).where(_campaign.c.id == campaign)).first()
    return Standing(campaign_from(row.body), row.since, row.closed) if row else None


# -- rounds and those they ask --------------------------------------------------------------------


def audience(
    work: Work, campaign: Campaign, units: Collection[str] | None, today: date
) -> list[tuple[str, str]]:
    """The people a campaign asks today, with their unit; nobody twice, nobody who paused."""
    rests = exists().where(
        _pause.c.person == _person.c.id, or_(_pause.c.until.is_(None), _pause.c.until > today)
    )
    reached = exists().where(_address.c.person == _person.c.id)
    query = select(_person.c.id, _person.c.unit).where(
        _person.c.role.in_(campaign.who.roles), _person.c.until.is_(None), reached, ~rests
    )
    if units is not None:
        query = query.where(_person.c.unit.in_(sorted(units)))
    if campaign.who.organisations:
        belongs = _affiliation.c.organisation.in_(campaign.who.organisations)
        query = query.where(exists().where(_affiliation.c.person == _person.c.id, belongs))
    return [(row.id, row.unit) for row in work.connection.execute(query)]


def open_round(work: Work, opened: Round, asked: Iterable[tuple[str, str]]) -> bool:
    """Open a round for these people. False, and nothing done, when somebody was quicker."""
    put = work.insert(tables.Round).on_conflict_do_nothing().returning(_round.c.id)
    if work.connection.execute(put, vars(opened)).first() is None:
        return False
    rows = [
        {"round": opened.id, "person": person, "unit": unit, "told": False, "done": False}
        | {"reminded": 0, "reminded_on": None}
        for person, unit in asked
    ]
    if rows:
        work.connection.execute(insert(_part), rows)
    return True


def started(work: Work, campaign: str, due: datetime) -> bool:
    """Whether the round due at a moment, or a later one, was opened already."""
    mine = _round.c.campaign == campaign, _round.c.due >= due
    return bool(work.connection.execute(select(exists().where(*mine))).scalar())


def open_rounds(work: Work, campaign: str | None = None) -> list[Round]:
    """The rounds that are not closed, the oldest first."""
    query = select(_round).where(_round.c.state == "open").order_by(_round.c.opened, _round.c.id)
    if campaign is not None:
        query = query.where(_round.c.campaign == campaign)
    return [Round(**row) for row in work.connection.execute(query).mappings()]


def closed_rounds(work: Work, most: int, campaign: str | None = None) -> list[Round]:
    """The rounds that were closed, the newest first."""
    query = select(_round).where(_round.c.state != "open")
    if campaign is not None:
        query = query.where(_round.c.campaign == campaign)
    query = query.order_by(_round.c.due.desc(), _round.c.id).limit(most)
    return [Round(**row) for row in work.connection.execute(query).mappings()]


def find_round(work: Work, round: str) -> Round | None:
    """A round by its id."""
    row = work.connection.execute(select(_round).where(_round.c.id == round)).mappings().first()
    return Round(**row) if row else None


def untold(work: Work, round: str, most: int, reach: Reach, after: str = "") -> list[Called]:
    """Those of a round who were not told yet, in the order of their ids, from one on."""
    waits = _part.c.round == round, ~_part.c.told, ~_part.c.done, _part.c.person > after
    return _called(work, select(_part.c.person).where(*waits), reach, most)


def _called(work: Work, who: Any, reach: Reach, most: int | None = None) -> list[Called]:
    rows = work.connection.execute(
        select(_person.c.id, _person.c.language)
        .where(_person.c.id.in_(who), _person.c.until.is_(None))
        .where(exists().where(_address.c.person == _person.c.id))
        .order_by(_person.c.id)
        .limit(most)
    ).all()
    found = ways(work, [row.id for row in rows])
    return [
        Called(one, language, best.key, best.at, tuple(found[one]))
        for one, language in rows
        if one in found and (best := reach.best(found[one]))
    ]


def tell(work: Work, round: str, people: Collection[str]) -> set[str]:
    """Own the telling of these people; those whom somebody else tells are not returned."""
    mine = _part.c.round == round, _part.c.person.in_(sorted(people)), ~_part.c.told
    change = update(_part).where(*mine).values(told=True).returning(_part.c.person)
    return set(work.connection.execute(change).scalars())


def unreminded(
    work: Work,
    round: str,
    number: int,
    on: date,
    today: date,
    most: int,
    reach: Reach,
    after: str = "",
) -> list[Called]:
    """Those to whom the reminder of this number is owed, in the order of their ids, from one on.

    Nobody who rests, and nobody whose last reminder came after the day `on`.
    """
    rests = exists().where(
        _pause.c.person == _part.c.person, or_(_pause.c.until.is_(None), _pause.c.until > today)
    )
    waits = *_owed(round, number, on), ~rests, _part.c.person > after
    return _called(work, select(_part.c.person).where(*waits), reach, most)


def remind(
    work: Work, round: str, number: int, on: date, today: date, people: Collection[str]
) -> set[str]:
    """Own the reminder of these people; those whom somebody else reminds are not returned."""
    mine = *_owed(round, number, on), _part.c.person.in_(sorted(people))
    change = update(_part).where(*mine).values(reminded=number, reminded_on=today)
    return set(work.connection.execute(change.returning(_part.c.person)).scalars())


def _owed(round: str, number: int, on: date) -> tuple[Any, ...]:
    early = or_(_part.c.reminded_on.is_(None), _part.c.reminded_on <= on)
    return (
        _part.c.round == round,
        _part.c.told,
        ~_part.c.done,
        _part.c.reminded == number - 1,
        early,
    )


def call(work: Work, member: Member) -> list[tuple[Round, Campaign, bool]]:
    """The rounds somebody may answer now: the round, its campaign, and whether it was told."""
    columns = [_round.c[name] for name in Round.__dataclass_fields__]
    rows = work.connection.execute(
        select(*columns, _campaign.c.body, _part.c.told)
        .join(_part, _part.c.round == _round.c.id)
        .join(_campaign, _campaign.c.id == _round.c.campaign)
        .where(_part.c.person == member.id, ~_part.c.done, _round.c.state == "open")
        .order_by(_round.c.until, _round.c.id)
    ).mappings()
    return [
        (
            Round(**{name: row[name] for name in Round.__dataclass_fields__}),
            campaign_from(row["body"]),
            row["told"],
        )
        for row in rows
    ]


def calls_waiting(work: Work, round: str) -> tuple[Counter[str], Counter[str]]:
    """By unit: how many a round asks, and for how many of them its call has not gone anywhere."""
    asked = select(_part.c.unit, func.count()).where(_part.c.round == round)
    waits = (
        select(_part.c.unit, func.count(func.distinct(_part.c.person)))
        .join(_address, _address.c.person == _part.c.person)
        .join(_out, _out.c.key == _address.c.key)
        .where(_part.c.round == round, ~_part.c.done)
        .where(_out.c.question == ROUND + round, _out.c.doubt.is_(False))
    )
    counted = (work.connection.execute(each.group_by(_part.c.unit)) for each in (asked, waits))
    of, waiting = (Counter({unit: int(count) for unit, count in rows}) for rows in counted)
    return of, waiting


def was_asked(work: Work, round: str, person: str) -> bool:
    """Whether a round calls upon somebody, answered or not."""
    mine = _part.c.round == round, _part.c.person == person
    return bool(work.connection.execute(select(exists().where(*mine))).scalar())


# -- answering ------------------------------------------------------------------------------------


def answer(
    work: Work, round: str, person: str, ballot: str, said: Mapping[str, Any], now: datetime
) -> Answered:
    """Keep what somebody said in a round, once: a tick for the person, a ballot for nobody."""
    query = select(_round).where(_round.c.id == round)
    # While an answer is being written the round cannot be closed over it, nor the other way round.
    row = work.connection.execute(query.with_for_update(read=True)).mappings().first()
    if row is None or row["state"] != "open" or now > row["until"]:
        return "closed"
    mine = _part.c.round == round, _part.c.person == person
    done = update(_part).where(*mine, ~_part.c.done).values(done=True, told=True)
    if not work.connection.execute(done).rowcount:
        return "twice" if was_asked(work, round, person) else "not_asked"
    _cast(work, row["campaign"], round, ballot, said)
    return "kept"


def say_between(work: Work, campaign: str, ballot: str, said: Mapping[str, Any]) -> None:
    """Keep what somebody said outside of a round; the campaign's next one to close takes it."""
    _cast(work, campaign, None, ballot, said)


def _cast(
    work: Work, campaign: str, round: str | None, ballot: str, said: Mapping[str, Any]
) -> None:
    standing = find_campaign(work, campaign)
    if standing is None:
        raise LookupError(campaign)
    plain = orjson.dumps(said)
    room = standing.campaign.room()
    if len(plain) >= room:
        raise ValueError("an answer is longer than its campaign has room for")
    sealed = work.seal.close(plain, f"ballot|sealed|{ballot}", room)
    row = {"id": ballot, "campaign": campaign, "round": round, "sealed": sealed}
    work.connection.execute(work.insert(tables.Ballot), row)


# -- closing --------------------------------------------------------------------------------------


def lock(work: Work, round: str) -> bool:
    """From here to the end of the transaction nobody else answers or closes an open round."""
    query = select(_round.c.state).where(_round.c.id == round).with_for_update()
    return work.connection.execute(query).scalar() == "open"


def ballots(work: Work, round: Round) -> list[tuple[bool, dict[str, Any]]]:
    """What was said: in the round (True), and between the last one and its end (False)."""
    mine = or_(
        _ballot.c.round == round.id,
        and_(_ballot.c.round.is_(None), _ballot.c.campaign == round.campaign),
    )
    rows = work.connection.execute(select(_ballot).where(mine)).all()
    found = []
    for row in rows:
        try:
            plain = work.seal.open(row.sealed, f"ballot|sealed|{row.id}")
        except CannotOpen:
            continue  # its key was taken out of use: nobody can read it any more
        found.append((row.round is not None, orjson.loads(plain)))
    return found


@dataclass(frozen=True)
class Outturn:
    """What a round came to. `buckets`: by unit; none where too few answered.

    `counts`: people by bucket, question and option. `sayings`: by new random ids.
    """

    contributors: int
    buckets: Mapping[str, str]
    counts: Mapping[tuple[str, str, str], int]
    sayings: Mapping[str, Mapping[str, str]]


def settle_round(work: Work, round: Round, outturn: Outturn) -> None:
    """Write what was counted and said in the order of its keys, and destroy the ballots.

    Where too few answered, what was said between rounds stays for the next one.
    """
    counts, sayings = outturn.counts, outturn.sayings
    rows = [
        {"round": round.id, "bucket": bucket, "question": question, "option": option, "count": n}
        for (bucket, question, option), n in sorted(counts.items())
    ]
    if rows:
        work.connection.execute(work.insert(tables.Tally), rows)
    said = [
        {
            "id": one,
            "round": round.id,
            "state": "new",
            "sealed": work.seal.close(
                orjson.dumps(sayings[one]), f"saying|sealed|{one}", SAYING_STEP
            ),
        }
        for one in sorted(sayings)
    ]
    if said:
        work.connection.execute(work.insert(tables.Saying), said)
    work.connection.execute(delete(_ballot).where(_ballot.c.round == round.id))
    if outturn.buckets:
        between = _ballot.c.round.is_(None), _ballot.c.campaign == round.campaign
        work.connection.execute(delete(_ballot).where(*between))
    values = {
        "state": "closed" if outturn.buckets else "few",
        "contributors": outturn.contributors,
        "buckets": orjson.dumps(outturn.buckets, option=orjson.OPT_SORT_KEYS).decode(),
    }
    work.connection.execute(update(_round).where(_round.c.id == round.id).values(**values))
    # How often somebody was reminded tells when they answered; nobody needs it any more.
    quiet = update(_part).where(_part.c.round == round.id)
    work.connection.execute(quiet.values(reminded=0, reminded_on=None, told=True))


# -- results --------------------------------------------------------------------------------------


def tallies(work: Work, round: str) -> dict[str, dict[str, Counter[str]]]:
    """What was counted: by question, bucket and option."""
    columns = _tally.c.question, _tally.c.bucket, _tally.c.option, _tally.c["count"]
    found: dict[str, dict[str, Counter[str]]] = {}
    for question, bucket, option, people in work.connection.execute(
        select(*columns).where(_tally.c.round == round)
    ):
        found.setdefault(question, {}).setdefault(bucket, Counter())[option] = people
    return found


def results(work: Work, round: str) -> dict[str, bytes]:
    """Every table of a round that was shown, by unit."""
    rows = work.connection.execute(
        select(_result.c.unit, _result.c.snapshot).where(_result.c.round == round)
    )
    return {row.unit: row.snapshot for row in rows}


def add_result(work: Work, round: str, unit: str, made: datetime, snapshot: bytes) -> None:
    """Freeze a table; the caller holds `digests.alone`."""
    row = {"round": round, "unit": unit, "made": made, "snapshot": snapshot}
    work.connection.execute(work.insert(tables.Result), row)


def readers(work: Work) -> list[tuple[Member, date]]:
    """Who is sent results, since which day: supervisors and analysts."""
    rows = work.connection.execute(
        select(_person)
        .where(_person.c.role.in_(("supervisor", "analyst")), _person.c.until.is_(None))
        .order_by(_person.c.id)
    )
    return [(Member(r.id, cast("Role", r.role), r.unit, r.language), r.since) for r in rows]


def unsent(work: Work, round: str, people: Collection[str]) -> set[str]:
    """Own the sending of a round's result to these people; others may be quicker."""
    rows = [{"round": round, "person": one} for one in sorted(people)]
    if not rows:
        return set()
    put = work.insert(tables.ResultSent).on_conflict_do_nothing().returning(_sent.c.person)
    return set(work.connection.execute(put, rows).scalars())


def sent(work: Work, rounds: Collection[str]) -> set[tuple[str, str]]:
    """Who was sent which of these rounds' results."""
    rows = work.connection.execute(select(_sent).where(_sent.c.round.in_(sorted(rounds))))
    return {(row.round, row.person) for row in rows}


def reached(work: Work, people: Collection[str], reach: Reach) -> list[Called]:
    """Where these people are reached."""
    return _called(work, sorted(people), reach)


def wanted(work: Work) -> list[tuple[str, str, str, str, bytes | None]]:
    """Results somebody asked for: wish, unit, round, person, and at which address."""
    rows = work.connection.execute(
        select(_wish.c.id, _wish.c.unit, _wish.c.period, _wish.c.person, _wish.c.key)
        .where(_wish.c.kind == "result")
        .order_by(_wish.c.id)
    )
    return [tuple(row) for row in rows]


# -- sayings --------------------------------------------------------------------------------------


def sayings(work: Work, state: str, rounds: Collection[str] | None, most: int) -> list[Saying]:
    """Sayings in a state, in the order of their random ids; unreadable ones are left out."""
    query = select(_saying).where(_saying.c.state == state).order_by(_saying.c.id).limit(most)
    if rounds is not None:
        query = query.where(_saying.c.round.in_(sorted(rounds)))
    return _read_sayings(work, query)


def passed_by_id(work: Work, ids: Collection[str]) -> list[Saying]:
    """Those of these sayings that were passed, of whatever round."""
    query = select(_saying).where(_saying.c.id.in_(sorted(ids)), _saying.c.state == "passed")
    return _read_sayings(work, query.order_by(_saying.c.id))


def _read_sayings(work: Work, query: Any) -> list[Saying]:
    found = []
    for row in work.connection.execute(query):
        try:
            said = orjson.loads(work.seal.open(row.sealed, f"saying|sealed|{row.id}"))
        except CannotOpen:
            continue
        found.append(Saying(row.id, row.round, said))
    return found


def judge(work: Work, saying: str, state: Literal["passed", "held"]) -> bool:
    """Pass or hold a saying. False when another analyst was quicker."""
    mine = _saying.c.id == saying, _saying.c.state == "new"
    return bool(work.connection.execute(update(_saying).where(*mine).values(state=state)).rowcount)


def forget(work: Work, before: datetime) -> None:
    """Destroy words and participation of rounds that closed before a moment; counts stay."""
    old = select(_round.c.id).where(_round.c.until < before, _round.c.state != "open")
    for each in (_saying, _part):
        gone = select(exists().where(each.c.round.in_(old)))
        if work.connection.execute(gone).scalar():
            work.connection.execute(delete(each).where(each.c.round.in_(old)))


# -- attendance, pauses, organisations ------------------------------------------------------------


def attendance(work: Work, units: Collection[str], since: datetime) -> list[Attendance]:
    """By closed round and unit: how many were asked, how many answered."""
    done = func.sum(func.cast(_part.c.done, _round.c.floor.type))
    rows = work.connection.execute(
        select(_part.c.round, _part.c.unit, func.count(), done)
        .join(_round, _round.c.id == _part.c.round)
        .where(_round.c.state != "open", _round.c.due >= since, _part.c.unit.in_(sorted(units)))
        .group_by(_part.c.round, _part.c.unit)
        .order_by(_part.c.round, _part.c.unit)
    )
    return [Attendance(row[0], row[1], int(row[2]), int(row[3])) for row in rows]


def attended(work: Work, person: str, since: datetime) -> list[Attended]:
    """One person's closed rounds, the newest first: answered or not, and nothing else."""
    rows = work.connection.execute(
        select(_round.c.campaign, _round.c.due, _part.c.done)
        .join(_part, _part.c.round == _round.c.id)
        .where(_part.c.person == person, _round.c.state != "open", _round.c.due >= since)
        .order_by(_round.c.due.desc(), _round.c.campaign)
    )
    return [Attended(*row) for row in rows]


def pause(work: Work, person: str, until: date | None) -> None:
    """No prompts for somebody until a day; without a day, for good."""
    put = work.insert(tables.Pause)
    change = put.on_conflict_do_update(
        index_elements=["person"], set_={"until": put.excluded.until}
    )
    work.connection.execute(change, {"person": person, "until": until})


def go_on(work: Work, person: str) -> None:
    """Prompts again, from the next round on."""
    work.connection.execute(delete(_pause).where(_pause.c.person == person))


def affiliate(work: Work, person: str, organisations: Sequence[str]) -> None:
    """Remember which organisations somebody belongs to, in place of those said before."""
    work.connection.execute(delete(_affiliation).where(_affiliation.c.person == person))
    rows = [{"person": person, "organisation": one} for one in sorted(set(organisations))]
    if rows:
        work.connection.execute(work.insert(tables.Affiliation), rows)


def affiliations(work: Work, person: str) -> list[str]:
    """The organisations somebody belongs to."""
    mine = select(_affiliation.c.organisation).where(_affiliation.c.person == person)
    return sorted(work.connection.execute(mine).scalars())
