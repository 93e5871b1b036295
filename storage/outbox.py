"""Messages that wait to be sent: sealed with their address, and deleted once they were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, delete, func, or_, select

from storage.sealing import PADDED_TO, CannotOpen
from storage.store import Work, table
from storage.tables import Outgoing
from storage.vocabulary import Message, Option, Waiting

ROOMY = 8192  # bytes; a protected message, the longest there is, tells not even its length
_out = table(Outgoing)
_of = (
    select(_out.c.id, _out.c.sealed)
    .where(_out.c.key == bindparam("key"))
    .where(or_(_out.c.not_before.is_(None), _out.c.not_before <= bindparam("now")))
    .order_by(_out.c.n)
    .limit(100)
)
_drop_seen = delete(_out).where(_out.c.key == bindparam("k"), _out.c.id == bindparam("i"))
_drop_question = delete(_out).where(_out.c.key == bindparam("k"), _out.c.question == bindparam("q"))


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way: to whom (keyed hash, and the address itself), and from when on.

    `bulk`: not an answer to somebody who waits; it goes out at the platform's bulk rate.
    """

    id: str
    key: bytes
    channel: str
    address: str
    message: Message
    not_before: datetime | None = None
    bulk: bool = False


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
    }


def waiting(work: Work, key: bytes, now: datetime) -> list[Waiting]:
    """What waits for one person, oldest first, 100 at most."""
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
