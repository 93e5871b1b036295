"""Messages that wait to be sent: sealed with their address, claimed by who sends, then deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import and_, bindparam, case, delete, exists, func, or_, select, update

from storage.sealing import PADDED_TO, CannotOpen
from storage.store import Work, table
from storage.tables import Address, Delivery, Outgoing, Silence
from storage.vocabulary import Message, Option, Waiting

ROOMY = 8192  # bytes; a protected message, the longest there is, tells not even its length
_out, _address, _silence = table(Outgoing), table(Address), table(Silence)
_delivery = table(Delivery)
# What may still go to another address of its person: nobody has begun to send it.
LOOSE = (_out.c.roams, _out.c.claimed.is_(None), _out.c.doubt.is_(False), _out.c.done == 0)
_of = (
    select(_out.c.id, _out.c.sealed, and_(*LOOSE).label("loose"))
    .where(_out.c.key == bindparam("key"))
    .where(
        or_(
            _out.c.bulk.is_(False),
            _out.c.not_before.is_(None),
            _out.c.not_before <= bindparam("now"),
        )
    )
    .order_by(_out.c.n)
    .limit(100)
)
_kept_back = select(_out.c.key, _out.c.doubt).where(
    _out.c.key.in_(bindparam("keys", expanding=True)), or_(_out.c.doubt, _out.c.parked)
)
_among = _out.c.id.in_(bindparam("ids", expanding=True))
_claim = (
    update(_out)
    .where(_among, _out.c.claimed.is_(None), _out.c.doubt.is_(False))
    .values(claimed=bindparam("lease"))
    .returning(_out.c.id)
)
_sent = delete(_out).where(_among)
_drop_seen = delete(_out).where(_out.c.key == bindparam("k"), _out.c.id == bindparam("i"))
_drop_question = delete(_out).where(_out.c.key == bindparam("k"), _out.c.question == bindparam("q"))


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way: to whom (keyed hash, and the address itself), and from when on.

    `bulk`: nobody waits for it. Whoever took an event sends the replies to it at once; their
    `not_before` says from when on anybody else may. `done`: pieces of it that have arrived.
    `tries`: in vain so far. `claimed`: whoever queued it sends it, and has until then. `roams`: any
    address of the enrolled person it is for will do. `heard`: of a citizen who left word that they
    want to be told, the day of the last word known of them; it stands under the seal.
    """

    id: str
    key: bytes
    channel: str
    address: str
    message: Message
    not_before: datetime | None = None
    bulk: bool = False
    done: int = 0
    tries: int = 0
    claimed: datetime | None = None
    roams: bool = False
    heard: datetime | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A letter that may have arrived: its id, channel, whether it answered, its last day."""

    id: str
    channel: str
    bulk: bool
    until: date


@dataclass
class Post:
    """What a batch of events wants sent and has seen, gathered so that it is written at once."""

    letters: list[Letter] = field(default_factory=list)
    seen: list[tuple[bytes, str]] = field(default_factory=list)
    answered: list[tuple[bytes, str]] = field(default_factory=list)

    def answer(self, key: bytes, question: str) -> None:
        """A question was answered, so it was read: what still waits of it goes."""
        self._drop(key, question)
        self.answered.append((key, question))

    def add(self, letter: Letter) -> None:
        """Queue a letter; one that waits for the same person and question is replaced by it."""
        if letter.message.question is not None:
            self._drop(letter.key, letter.message.question)
        self.letters.append(letter)

    def claim(self, id: str, until: datetime) -> bool:
        """Let a letter be sent by whoever queued it; False when another has replaced it."""
        for number, letter in enumerate(self.letters):
            if letter.id == id:
                self.letters[number] = replace(letter, claimed=until)
                return True
        return False

    def forget(self, key: bytes) -> None:
        """Drop all that was to be sent to somebody."""
        self.letters = [each for each in self.letters if each.key != key]

    def _drop(self, key: bytes, question: str) -> None:
        kept = [x for x in self.letters if x.key != key or x.message.question != question]
        self.letters = kept


def put(work: Work, post: Post, until: date) -> None:
    """Write what a batch gathered: first what was seen goes, then what waits comes."""
    connection = work.connection
    if post.seen:
        connection.execute(_drop_seen, [{"k": key, "i": one} for key, one in post.seen])
    asked = [
        {"k": letter.key, "q": letter.message.question}
        for letter in post.letters
        if letter.message.question is not None
    ]
    asked += [{"k": key, "q": question} for key, question in post.answered]
    if asked:
        connection.execute(_drop_question, asked)
    if post.letters:
        rows = [_row(work, letter, until) for letter in post.letters]
        connection.execute(work.insert(Outgoing), rows)


def _row(work: Work, letter: Letter, until: date) -> dict[str, Any]:
    return {
        "id": letter.id,
        "channel": letter.channel,
        "key": letter.key,
        "question": letter.message.question,
        "sealed": _sealed(work, letter),
        "not_before": letter.not_before,
        "until": until,
        "bulk": letter.bulk,
        "claimed": letter.claimed,
        "doubt": False,
        "done": 0,
        "tries": 0,
        "roams": letter.roams,
        "parked": False,
    }


def _sealed(work: Work, letter: Letter) -> bytes:
    plain = orjson.dumps({"to": letter.address, "message": letter.message, "heard": letter.heard})
    step = ROOMY if letter.message.protect else PADDED_TO
    return work.seal.close(plain, f"outgoing|sealed|{letter.id}", step)


def waiting(work: Work, key: bytes, now: datetime) -> list[Waiting]:
    """What waits for one person who comes for it, oldest first, 100 at most.

    Only what is sent to many keeps their quiet hours also from those who come by themselves.
    """
    found = []
    for one, sealed, loose in work.connection.execute(_of, {"key": key, "now": now}):
        try:
            plain = orjson.loads(work.seal.open(sealed, f"outgoing|sealed|{one}"))
        except CannotOpen:
            continue  # sealed under a key that was taken out of use: nobody can read it any more
        found.append(Waiting(one, message_from(plain["message"]), loose))
    return found


def message_from(stored: dict[str, Any]) -> Message:
    """A Message out of its stored form."""
    choices = tuple(Option(**each) for each in stored.pop("choices"))
    return Message(choices=choices, **stored)


# -- sending --------------------------------------------------------------------------------------


def claim(work: Work, ids: Sequence[str], until: datetime) -> set[str]:
    """Own the sending of these letters until a moment; returns those that were still to be had."""
    if not ids:
        return set()
    owned = work.connection.execute(_claim, {"ids": list(ids), "lease": until})
    return set(owned.scalars())


def renew(work: Work, ids: Sequence[str], until: datetime) -> set[str]:
    """Own letters longer that were claimed already; returns those that still are to be sent."""
    mine = _out.c.id.in_(list(ids)), _out.c.claimed.is_not(None)
    longer = update(_out).where(*mine).values(claimed=until).returning(_out.c.id)
    return set(work.connection.execute(longer).scalars())


def release(work: Work, ids: Sequence[str]) -> None:
    """Let go of claimed letters: somebody else may send them."""
    work.connection.execute(update(_out).where(_out.c.id.in_(list(ids))).values(claimed=None))


def claim_due(
    work: Work,
    channel: str,
    now: datetime,
    until: datetime,
    busy: Iterable[bytes],
    talking: Iterable[bytes],
    most: int = 1,
    window: timedelta | None = None,
) -> list[Letter]:
    """Own the oldest letters that are due in a channel, one a person, and open them.

    Left alone are the people `busy`, in what nobody waits for also those `talking` and those
    enrolled who have not spoken within the `window`, and whoever shut the bot out. A letter to a
    citizen whose last known word is longer ago waits for their next one. A letter under a key that
    was taken out of use can never be read again: it goes.
    """
    due = _due(channel, now, busy, talking, window).limit(most)
    rows = work.connection.execute(due).all()
    owned = claim(work, [row.id for row in rows], until)
    letters = [(row.id, opened(work, row)) for row in rows if row.id in owned]
    lose(work, [one for one, letter in letters if letter is None])
    found = [letter for _, letter in letters if letter is not None]
    late = [letter for letter in found if _is_late(letter, now, window)]
    for letter in late:
        later(work, letter, now, parked=True)
    if late and len(late) == len(found):
        return claim_due(work, channel, now, until, busy, talking, most, window)
    return [letter for letter in found if letter not in late]


def _is_late(letter: Letter, now: datetime, window: timedelta | None) -> bool:
    return window is not None and letter.heard is not None and letter.heard <= now - window


def _due(
    channel: str,
    now: datetime,
    busy: Iterable[bytes] = (),
    talking: Iterable[bytes] = (),
    window: timedelta | None = None,
) -> Any:
    against = [_address.c.shut, _address.c.closed]
    if window is not None:
        silent = or_(_address.c.heard.is_(None), _address.c.heard <= now - window)
        against.append(and_(_out.c.bulk, silent))
    shut = exists().where(_address.c.key == _out.c.key, or_(*against))
    earlier = _out.alias()
    behind = exists().where(
        earlier.c.key == _out.c.key,
        earlier.c.n < _out.c.n,
        earlier.c.bulk == _out.c.bulk,
        earlier.c.doubt.is_(False),
    )
    return (
        select(_out)
        .where(_out.c.channel == channel, _out.c.claimed.is_(None), _out.c.doubt.is_(False))
        .where(or_(_out.c.not_before.is_(None), _out.c.not_before <= now))
        .where(_out.c.key.not_in(list(busy)), _out.c.parked.is_(False), ~shut, ~behind)
        .where(or_(_out.c.bulk.is_(False), _out.c.key.not_in(list(talking))))
        .order_by(_out.c.bulk, _out.c.n)
    )


def opened(work: Work, row: Any) -> Letter | None:
    """A letter out of its row; None when it is sealed under a key that was taken out of use."""
    try:
        plain = orjson.loads(work.seal.open(row.sealed, f"outgoing|sealed|{row.id}"))
    except CannotOpen:
        return None
    return Letter(
        row.id,
        row.key,
        row.channel,
        plain["to"],
        message_from(plain["message"]),
        row.not_before,
        row.bulk,
        row.done,
        row.tries,
        roams=row.roams,
        heard=_moment(plain.get("heard")),
    )


def _moment(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None


def readdress(work: Work, letter: Letter, moved: Letter) -> bool:
    """Let a letter wait under another name and address. False when somebody has begun to send it.

    Whoever knows it by its old name cannot claim it any more.
    """
    values = {
        "id": moved.id,
        "key": moved.key,
        "channel": moved.channel,
        "sealed": _sealed(work, moved),
    }
    mine = update(_out).where(_out.c.id == letter.id, *LOOSE)
    if not work.connection.execute(mine.values(values)).rowcount:
        return False
    known = update(_delivery).where(_delivery.c.letter == letter.id)
    work.connection.execute(known.values(letter=moved.id, channel=moved.channel))
    return True


def sent(work: Work, ids: Sequence[str]) -> None:
    """Delete letters that arrived."""
    if ids:
        work.connection.execute(_sent, {"ids": list(ids)})


def withdraw(work: Work, letter: str) -> bool:
    """Take back a letter that may still go anywhere. False when it went, or somebody sends it."""
    mine = delete(_out).where(_out.c.id == letter, *LOOSE)
    return bool(work.connection.execute(mine).rowcount)


def lose(work: Work, ids: Sequence[str]) -> None:
    """Delete letters that never can arrive; a digest among them was not received."""
    if ids:
        known = _delivery.c.letter.in_(list(ids))
        work.connection.execute(update(_delivery).where(known).values(lost=True))
        sent(work, ids)


def later(work: Work, letter: Letter, not_before: datetime, parked: bool = False) -> None:
    """Let go of a letter until a moment; the pieces that have arrived are not sent again.

    `parked`: and until its person, no one enrolled, has spoken again.
    """
    values = {
        "claimed": None,
        "not_before": not_before,
        "done": letter.done,
        "tries": letter.tries,
        "parked": parked,
    }
    work.connection.execute(update(_out).where(_out.c.id == letter.id).values(values))


def doubt(work: Work, ids: Sequence[str]) -> None:
    """Note of letters that nobody can know whether they arrived: none is sent again by itself."""
    values = {"claimed": None, "doubt": True}
    if ids:
        work.connection.execute(update(_out).where(_out.c.id.in_(list(ids))).values(values))


def lapsed(work: Work, channel: str, before: datetime) -> int:
    """Put into doubt what somebody began to send, and had to end before a moment. Returns how many.

    So what was in flight when a program died is found by the next one.
    """
    over = _out.c.channel == channel, _out.c.claimed < before
    done = update(_out).where(*over).values(claimed=None, doubt=True)
    return int(work.connection.execute(done).rowcount)


def unsent(work: Work, channel: str) -> set[bytes]:
    """The people whose replies in a channel nobody has begun to send."""
    free = _out.c.bulk.is_(False), _out.c.claimed.is_(None), _out.c.doubt.is_(False)
    query = select(_out.c.key).where(_out.c.channel == channel, *free)
    return set(work.connection.execute(query).scalars())


def any_claimed(work: Work, channel: str) -> bool:
    """Whether anything of a channel is on its way: a look that disturbs no writer."""
    query = select(_out.c.id).where(_out.c.channel == channel, _out.c.claimed.is_not(None))
    return work.connection.execute(query.limit(1)).first() is not None


def any_due(work: Work, channel: str, now: datetime, window: timedelta | None = None) -> bool:
    """Whether anything of a channel waits and is due: a look that disturbs no writer."""
    due = _due(channel, now, window=window)
    return work.connection.execute(due.limit(1)).first() is not None


def doubts(work: Work) -> list[Doubt]:
    """Every letter in doubt, for the operator."""
    rows = work.connection.execute(select(_out).where(_out.c.doubt).order_by(_out.c.n))
    return [Doubt(row.id, row.channel, row.bulk, row.until) for row in rows]


def settle(work: Work, letter: str, again: bool) -> bool:
    """Settle a doubt as the operator decides: send it again, or let it go. False if not there."""
    mine = _out.c.id == letter, _out.c.doubt
    once_more = update(_out).where(*mine).values(doubt=False, not_before=None)
    done = work.connection.execute(once_more if again else delete(_out).where(*mine))
    return bool(done.rowcount)


def kept_back(work: Work, keys: Iterable[bytes]) -> tuple[set[bytes], set[bytes]]:
    """Which of these people have something in doubt, and which something that waits for a word."""
    rows = work.connection.execute(_kept_back, {"keys": list(keys)}).all()
    return {key for key, doubt in rows if doubt}, {key for key, doubt in rows if not doubt}


def unpark(work: Work, key: bytes, now: datetime) -> None:
    """Somebody spoke, so the platform takes again what waits for them."""
    parked = select(_out).where(_out.c.key == key, _out.c.parked)
    for row in work.connection.execute(parked).all():
        letter = opened(work, row)
        values: dict[str, Any] = {"parked": False}
        if letter is not None and letter.heard is not None:
            values["sealed"] = _sealed(work, replace(letter, heard=now))
        work.connection.execute(update(_out).where(_out.c.id == row.id).values(values))


def returned(work: Work, key: bytes) -> list[Message]:
    """Take out what is in doubt for somebody who is there again, oldest first."""
    mine = select(_out).where(_out.c.key == key, _out.c.doubt).order_by(_out.c.n)
    rows = work.connection.execute(mine).all()
    sent(work, [row.id for row in rows])
    return [letter.message for row in rows if (letter := opened(work, row)) is not None]


def pause(work: Work, channel: str, until: datetime) -> None:
    """Note that a platform wants to be left alone until a moment, by every program."""
    put = work.insert(Silence)
    asked = put.excluded.until
    longer = case((asked > _silence.c.until, asked), else_=_silence.c.until)
    put = put.on_conflict_do_update(index_elements=["channel"], set_={"until": longer})
    work.connection.execute(put, {"channel": channel, "until": until})


def paused(work: Work, channel: str) -> datetime | None:
    """Until when a platform wants to be left alone, if it ever said so."""
    found: datetime | None = work.connection.execute(
        select(_silence.c.until).where(_silence.c.channel == channel)
    ).scalar()
    return found


# -- people ---------------------------------------------------------------------------------------


def seen(work: Work, key: bytes, ids: Sequence[str]) -> None:
    """Delete messages their person has seen."""
    if ids:
        work.connection.execute(_drop_seen, [{"k": key, "i": one} for one in ids])


def forget_all(work: Work, key: bytes) -> int:
    """Delete everything that waits for one person. Returns how many messages."""
    done: int = work.connection.execute(delete(_out).where(_out.c.key == key)).rowcount
    return done


def answered(work: Work, keys: Iterable[bytes], question: str) -> None:
    """A question was answered somewhere, so it waits at none of these addresses any more."""
    rows = [{"k": key, "q": question} for key in keys]
    if rows:
        work.connection.execute(_drop_question, rows)


def count(work: Work, keys: Iterable[bytes] | None = None) -> int:
    """How many messages wait, in all or for these people."""
    query = select(func.count()).select_from(_out)
    if keys is not None:
        query = query.where(_out.c.key.in_(list(keys)))
    return int(work.connection.execute(query).scalar_one())


def expire(work: Work, today: date) -> int:
    """Delete what nobody came for; a digest among it was not received. Returns how many."""
    over = select(_out.c.id).where(_out.c.until < today)
    known = update(_delivery).where(_delivery.c.letter.in_(over))
    work.connection.execute(known.values(lost=True))
    done: int = work.connection.execute(delete(_out).where(_out.c.until < today)).rowcount
    return done
