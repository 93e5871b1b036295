"""Messages that wait to be sent: sealed with their address, claimed by who sends, then deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, case, delete, exists, func, or_, select, update

from storage.sealing import PADDED_TO, CannotOpen
from storage.store import Work, table
from storage.tables import Address, Outgoing, Silence
from storage.vocabulary import Message, Option, Waiting

ROOMY = 8192  # bytes; a protected message, the longest there is, tells not even its length
_out, _address, _silence = table(Outgoing), table(Address), table(Silence)
_of = (
    select(_out.c.id, _out.c.sealed)
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
_doubted = select(_out.c.key).where(_out.c.key.in_(bindparam("keys", expanding=True)), _out.c.doubt)
_drop_seen = delete(_out).where(_out.c.key == bindparam("k"), _out.c.id == bindparam("i"))
_drop_question = delete(_out).where(_out.c.key == bindparam("k"), _out.c.question == bindparam("q"))


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way: to whom (keyed hash, and the address itself), and from when on.

    `bulk`: nobody waits for it. Whoever took an event sends the replies to it at once; their
    `not_before` says from when on anybody else may. `done`: pieces of it that have arrived.
    `tries`: in vain so far.
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
    plain = orjson.dumps({"to": letter.address, "message": letter.message})
    step = ROOMY if letter.message.protect else PADDED_TO
    return {
        "id": letter.id,
        "channel": letter.channel,
        "key": letter.key,
        "question": letter.message.question,
        "sealed": work.seal.close(plain, f"outgoing|sealed|{letter.id}", step),
        "not_before": letter.not_before,
        "until": until,
        "bulk": letter.bulk,
        "claimed": None,
        "doubt": False,
        "done": 0,
        "tries": 0,
    }


def waiting(work: Work, key: bytes, now: datetime) -> list[Waiting]:
    """What waits for one person who comes for it, oldest first, 100 at most.

    Only what is sent to many keeps their quiet hours also from those who come by themselves.
    """
    found = []
    for one, sealed in work.connection.execute(_of, {"key": key, "now": now}):
        try:
            plain = orjson.loads(work.seal.open(sealed, f"outgoing|sealed|{one}"))
        except CannotOpen:
            continue  # sealed under a key that was taken out of use: nobody can read it any more
        found.append(Waiting(one, message_from(plain["message"])))
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
    free = _out.c.id.in_(list(ids)), _out.c.claimed.is_(None), _out.c.doubt.is_(False)
    owned = update(_out).where(*free).values(claimed=until).returning(_out.c.id)
    return set(work.connection.execute(owned).scalars())


def claim_due(
    work: Work,
    channel: str,
    now: datetime,
    until: datetime,
    busy: Iterable[bytes],
    talking: Iterable[bytes],
    most: int = 1,
) -> list[Letter]:
    """Own the oldest letters that are due in a channel, one a person, and open them.

    Left alone are the people `busy`, in what nobody waits for also those `talking`, and whoever
    shut the bot out. A letter under a key that was taken out of use can never be read again: it
    goes.
    """
    rows = work.connection.execute(_due(channel, now, busy, talking).limit(most)).all()
    owned = claim(work, [row.id for row in rows], until)
    letters = [(row.id, _letter(work, row)) for row in rows if row.id in owned]
    sent(work, [one for one, letter in letters if letter is None])
    return [letter for _, letter in letters if letter is not None]


def _due(
    channel: str, now: datetime, busy: Iterable[bytes] = (), talking: Iterable[bytes] = ()
) -> Any:
    shut = exists().where(_address.c.key == _out.c.key, _address.c.shut)
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
        .where(_out.c.key.not_in(list(busy)), ~shut, ~behind)
        .where(or_(_out.c.bulk.is_(False), _out.c.key.not_in(list(talking))))
        .order_by(_out.c.bulk, _out.c.n)
    )


def _letter(work: Work, row: Any) -> Letter | None:
    try:
        plain = orjson.loads(work.seal.open(row.sealed, f"outgoing|sealed|{row.id}"))
    except CannotOpen:
        return None
    message, address = message_from(plain["message"]), plain["to"]
    return Letter(
        row.id,
        row.key,
        row.channel,
        address,
        message,
        row.not_before,
        row.bulk,
        row.done,
        row.tries,
    )


def sent(work: Work, ids: Sequence[str]) -> None:
    """Delete letters that arrived, or never can."""
    if ids:
        work.connection.execute(delete(_out).where(_out.c.id.in_(list(ids))))


def later(work: Work, letter: Letter, not_before: datetime) -> None:
    """Let go of a letter until a moment; the pieces that have arrived are not sent again."""
    values = {
        "claimed": None,
        "not_before": not_before,
        "done": letter.done,
        "tries": letter.tries,
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


def any_due(work: Work, channel: str, now: datetime) -> bool:
    """Whether anything of a channel waits and is due: a look that disturbs no writer."""
    return work.connection.execute(_due(channel, now).limit(1)).first() is not None


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


def doubted(work: Work, keys: Iterable[bytes]) -> set[bytes]:
    """Which of these people have something in doubt."""
    return set(work.connection.execute(_doubted, {"keys": list(keys)}).scalars())


def returned(work: Work, key: bytes) -> list[Message]:
    """Take out what is in doubt for somebody who is there again, oldest first."""
    mine = select(_out).where(_out.c.key == key, _out.c.doubt).order_by(_out.c.n)
    rows = work.connection.execute(mine).all()
    sent(work, [row.id for row in rows])
    return [letter.message for row in rows if (letter := _letter(work, row)) is not None]


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


def count(work: Work, keys: Iterable[bytes] | None = None) -> int:
    """How many messages wait, in all or for these people."""
    query = select(func.count()).select_from(_out)
    if keys is not None:
        query = query.where(_out.c.key.in_(list(keys)))
    return int(work.connection.execute(query).scalar_one())


def expire(work: Work, today: date) -> int:
    """Delete what nobody came for. Returns how many."""
    done: int = work.connection.execute(delete(_out).where(_out.c.until < today)).rowcount
    return done
