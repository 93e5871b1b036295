"""Running talks and the events that drive them, found by the keyed hash of an address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import orjson
from pydantic import TypeAdapter
from sqlalchemy import bindparam, delete, select, update

from storage.sealing import PADDED_TO, CannotOpen, Seal
from storage.store import Work, table
from storage.tables import DeadLetter, Held, LastAsked, Seen, Talk
from storage.vocabulary import Event, Part, Person

TALK_DAYS = 7  # a talk that runs is kept so long after its last event
ASKED_ROOM = 256  # bytes; so that the length tells of no question
GIVES_WAY = "menu"  # the dialogue that waits for nothing in particular

_talk, _seen, _dead, _held = table(Talk), table(Seen), table(DeadLetter), table(Held)
_asked = table(LastAsked)
_events = TypeAdapter(Event)
_by_keys = select(_talk.c.key, _talk.c.state).where(
    _talk.c.key.in_(bindparam("keys", expanding=True))
)
_held_of = (
    select(_held)
    .where(_held.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(_held.c.key, _held.c.number)
)
_locked = _by_keys.order_by(_talk.c.key).with_for_update()


def key_of(work: Work, person: Person) -> bytes:
    """The keyed hash that stands for an address everywhere in the store."""
    return key_under(work.seal, person)


def key_under(seal: Seal, person: Person) -> bytes:
    """The same with the seal alone."""
    return seal.find("address", f"{person.channel}:{person.address}")


def event_key(work: Work, event: Event) -> bytes:
    """The keyed hash that stands for one event of one person."""
    person = event.person
    return work.seal.find("event", f"{person.channel}:{person.address}:{event.id}")


def fresh(work: Work, keys: Iterable[bytes], until: date) -> set[bytes]:
    """Mark these events as taken and return those that were not before."""
    rows = [{"key": key, "until": until} for key in sorted(set(keys))]
    return set(work.connection.execute(_mark(work.insert(Seen)), rows).scalars())


def load(work: Work, keys: Iterable[bytes], until: date) -> dict[bytes, Any]:
    """The states of the talks under these keys; where others write too, locked in key order."""
    wanted = sorted(set(keys))
    if not work.shared:
        rows = work.connection.execute(_by_keys, {"keys": wanted})
    else:
        # An empty row first, so that two processes meet at a lock even over a talk that is new.
        blank = [{"key": key, "state": b"", "until": until} for key in wanted]
        work.connection.execute(work.insert(Talk).on_conflict_do_nothing(), blank)
        rows = work.connection.execute(_locked, {"keys": wanted})
    return {key: _opened(work, key, state) for key, state in rows if state}


def _opened(work: Work, key: bytes, state: bytes) -> Any:
    try:
        return orjson.loads(work.seal.open(state, f"talk|state|{key.hex()}"))
    except CannotOpen:
        return None  # its key was taken out of use: the person is greeted anew


def keep(work: Work, states: Mapping[bytes, Any], until: date) -> None:
    """Write the talks as they stand now; one that came to nothing (None) leaves no row."""
    running = [
        {
            "key": key,
            "state": _closed(work, key, state),
            "until": until,
        }
        for key, state in states.items()
        if state is not None
    ]
    ended = [key for key, state in states.items() if state is None]
    if running:
        work.connection.execute(_put(work.insert(Talk)), running)
    if ended:
        work.connection.execute(delete(_talk).where(_talk.c.key.in_(ended)))


@cache
def _put(put: Any) -> Any:
    new = {"state": put.excluded.state, "until": put.excluded.until}
    return put.on_conflict_do_update(index_elements=["key"], set_=new)


@cache
def _mark(put: Any) -> Any:
    return put.on_conflict_do_nothing().returning(_seen.c.key)


def _closed(work: Work, key: bytes, state: Mapping[str, Any]) -> bytes:
    step = max(PADDED_TO, state.get("room", 0))
    return work.seal.close(orjson.dumps(state), f"talk|state|{key.hex()}", step)


def busy(work: Work, keys: Iterable[bytes], today: date) -> set[bytes]:
    """Those of these people who are in the middle of something they went on with today."""
    # What runs is kept for TALK_DAYS from its last event on, so only few have to be opened.
    touched = _talk.c.until == today + timedelta(days=TALK_DAYS)
    rows = work.connection.execute(_by_keys.where(touched), {"keys": sorted(set(keys))}).all()
    states = {key: _opened(work, key, state) for key, state in rows if state}
    return {
        key
        for key, state in states.items()
        if state and state["running"] and state["running"]["name"] != GIVES_WAY
    }


def remark(work: Work, key: bytes, sentence: str) -> None:
    """Leave a catalogue key for the next reply of a running talk; nothing where none runs."""
    query = select(_talk.c.state).where(_talk.c.key == key)
    state = work.connection.execute(query.with_for_update()).scalar()
    talk = _opened(work, key, state) if state else None
    if talk:
        talk["remarks"] = [*talk.get("remarks", ()), sentence]
        sealed = _closed(work, key, talk)
        work.connection.execute(update(_talk).where(_talk.c.key == key).values(state=sealed))


# -- what is not whole yet -----------------------------------------------------------------------


def hold(work: Work, key: bytes, parts: Sequence[Event], due: datetime, until: date) -> None:
    """Keep parts, sealed, until the whole is there; `due`: when nothing more is expected."""
    rows = [
        {
            "key": key,
            "number": number,
            "sealed": work.seal.close(
                _events.dump_json(event), f"held|sealed|{key.hex()}.{number}"
            ),
            "due": due,
            "until": until,
        }
        for number, event in enumerate(parts)
    ]
    work.connection.execute(work.insert(Held), rows)


def held(work: Work, keys: Iterable[bytes]) -> dict[bytes, list[Event]]:
    """The parts that are held for these people, in the order of their numbers."""
    rows = work.connection.execute(_held_of, {"keys": sorted(set(keys))}).all()
    found: dict[bytes, list[Event]] = {}
    for row in rows:
        event = _part(work, row)
        if event is not None:
            found.setdefault(row.key, []).append(event)
    return found


def let_go(work: Work, key: bytes) -> None:
    """Delete the parts of one person: the whole was taken."""
    work.connection.execute(delete(_held).where(_held.c.key == key))


def overdue(work: Work, now: datetime) -> list[tuple[Person, Part]]:
    """The last parts of what is past its time: nobody was there to say that it is whole."""
    rows = work.connection.execute(
        select(_held).where(_held.c.due <= now).order_by(_held.c.key, _held.c.number)
    ).all()
    last: dict[bytes, tuple[Person, Part]] = {}
    for row in rows:
        event = _part(work, row)
        if event is not None and event.part is not None:
            last[row.key] = (event.person, event.part)
    return list(last.values())


def any_held(work: Work) -> bool:
    """Whether any part is held at all: a look that disturbs no writer."""
    return work.connection.execute(select(_held.c.key).limit(1)).first() is not None


def _part(work: Work, row: Any) -> Event | None:
    try:
        sealed = work.seal.open(row.sealed, f"held|sealed|{row.key.hex()}.{row.number}")
    except CannotOpen:
        return None
    return _events.validate_json(sealed)


# -- what was asked last -------------------------------------------------------------------------


def shown(work: Work, key: bytes, question: str, at: int, until: date) -> None:
    """Note that somebody was shown a question, at a moment of the platform's clock (ms, or 0).

    Asked again it was shown when it first was: whatever was said since then is for it.
    """
    known = _last_asked(work, key, for_update=True)
    if known and known[-1][0] == question:
        return
    sealed = work.seal.close(
        orjson.dumps([*known, [question, at]][-2:]), f"lastasked|sealed|{key.hex()}", ASKED_ROOM
    )
    put = work.insert(LastAsked)
    changed = {"sealed": put.excluded.sealed, "until": put.excluded.until}
    put = put.on_conflict_do_update(index_elements=["key"], set_=changed)
    work.connection.execute(put, {"key": key, "sealed": sealed, "until": until})


def asked(work: Work, key: bytes, at: int | None) -> str | None:
    """The question that stood before somebody's eyes at a moment; None where that is not known.

    What was said before both of those that are known answers the last: then a clock is wrong.
    """
    known = _last_asked(work, key)
    if at is not None and len(known) > 1 and known[0][1] <= at < known[1][1]:
        return str(known[0][0])
    return str(known[-1][0]) if known else None


def _last_asked(work: Work, key: bytes, for_update: bool = False) -> list[Any]:
    query = select(_asked.c.sealed).where(_asked.c.key == key)
    sealed = work.connection.execute(query.with_for_update() if for_update else query).scalar()
    try:
        where = f"lastasked|sealed|{key.hex()}"
        return list(orjson.loads(work.seal.open(sealed, where))) if sealed else []
    except CannotOpen:
        return []


def unask(work: Work, key: bytes) -> None:
    """Delete what somebody was asked last."""
    work.connection.execute(delete(_asked).where(_asked.c.key == key))


# -- what raised ---------------------------------------------------------------------------------


def bury(work: Work, letter: str, event: bytes, reason: str, until: date) -> None:
    """Keep an event that raised, sealed, for whoever mends the fault."""
    sealed = work.seal.close(event, f"deadletter|sealed|{letter}")
    row = {"id": letter, "sealed": sealed, "reason": reason, "until": until}
    work.connection.execute(work.insert(DeadLetter), row)


def exhume(work: Work) -> list[tuple[str, str, bytes]]:
    """Every dead letter: its id, the name of what it raised, the event."""
    rows = work.connection.execute(select(_dead).order_by(_dead.c.until, _dead.c.id)).all()
    return [
        (row.id, row.reason, work.seal.open(row.sealed, f"deadletter|sealed|{row.id}"))
        for row in rows
    ]


def forget(work: Work, today: date) -> int:
    """Delete the talks, taken events, dead letters and parts past their day. Returns how many."""
    gone = 0
    for each in (_talk, _seen, _dead, _held, _asked):
        gone += work.connection.execute(delete(each).where(each.c.until < today)).rowcount
    return gone
