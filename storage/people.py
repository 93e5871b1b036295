"""Units, enrolled people, their addresses and invitations, consents, and the slowing of guesses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import bindparam, case, delete, func, or_, select, update

from storage.store import Work, table
from storage.tables import (
    Address,
    Affiliation,
    Attempt,
    Consent,
    Enrolled,
    Invitation,
    Pause,
    Unit,
    Wish,
)
from storage.vocabulary import Language, Person, Role

_unit, _person, _address = table(Unit), table(Enrolled), table(Address)
_invitation, _consent, _attempt, _wish = (
    table(Invitation),
    table(Consent),
    table(Attempt),
    table(Wish),
)
_pause, _affiliation = table(Pause), table(Affiliation)
_by_address = (
    select(_address.c.key, _person.c.id, _person.c.role, _person.c.unit, _person.c.language)
    .join(_person, _person.c.id == _address.c.person)
    .where(_address.c.key.in_(bindparam("keys", expanding=True)), _person.c.until.is_(None))
)
_agreed = (
    select(_consent.c.purpose, _consent.c.given, _consent.c.on)
    .where(_consent.c.key == bindparam("key"))
    .order_by(_consent.c.purpose)
)


@dataclass(frozen=True, slots=True)
class Member:
    """An enrolled person: who, with which role, in which unit, in which language."""

    id: str
    role: Role
    unit: str
    language: Language


@dataclass(frozen=True, slots=True)
class Office:
    """One unit of the tree."""

    id: str
    name: str
    name_en: str
    parent: str | None
    ward: str | None
    inspects: bool

    def called(self, language: Language) -> str:
        """Its name in a language."""
        return self.name_en if language == "en" else self.name


@dataclass(frozen=True)
class Tree:
    """The units that stand today, with the questions one asks of a tree."""

    units: dict[str, Office]

    @property
    def root(self) -> Office:
        """The unit above all others."""
        return next(u for u in self.units.values() if u.parent is None and not u.inspects)

    @property
    def inspection(self) -> Office:
        """The desk for what concerns the root itself, or a unit nobody could name."""
        return next((u for u in self.units.values() if u.inspects), self.root)

    def below(self, unit: str) -> frozenset[str]:
        """A unit and everything under it."""
        found = {unit}
        while True:
            more = {u.id for u in self.units.values() if u.parent in found} - found
            if not more:
                return frozenset(found)
            found |= more

    def above(self, unit: str) -> tuple[str, ...]:
        """A unit and its superiors, nearest first."""
        line = [unit]
        while (parent := self.units[line[-1]].parent) is not None:
            line.append(parent)
        return tuple(line)

    def of_ward(self, ward: str | None) -> Office:
        """The unit that serves a ward; the root where none does."""
        return next((u for u in self.units.values() if ward and u.ward == ward), self.root)


def tree(work: Work, today: date) -> Tree:
    """The tree of units as it stands on a day."""
    valid = or_(_unit.c.until.is_(None), _unit.c.until > today)
    rows = work.connection.execute(
        select(_unit).where(_unit.c.since <= today, valid).order_by(_unit.c.id)
    )
    return Tree({r.id: Office(r.id, r.name, r.name_en, r.parent, r.ward, r.inspects) for r in rows})


def set_units(work: Work, units: Iterable[Office], today: date) -> None:
    """Make the tree what an office wrote down: new ones begin, others end, the rest is renamed."""
    listed = list(units)
    for unit in listed:
        add_unit(work, unit, today)
        values = {
            "name": unit.name,
            "name_en": unit.name_en,
            "parent": unit.parent,
            "ward": unit.ward,
            "inspects": unit.inspects,
            "until": None,
        }
        work.connection.execute(update(_unit).where(_unit.c.id == unit.id).values(values))
    gone = _unit.c.id.not_in([unit.id for unit in listed]), _unit.c.until.is_(None)
    work.connection.execute(update(_unit).where(*gone).values(until=today))


def add_unit(work: Work, unit: Office, since: date) -> None:
    """Add a unit to the tree, or nothing when its id stands already."""
    row = {
        "id": unit.id,
        "name": unit.name,
        "name_en": unit.name_en,
        "parent": unit.parent,
        "ward": unit.ward,
        "inspects": unit.inspects,
        "since": since,
        "until": None,
    }
    work.connection.execute(work.insert(Unit).on_conflict_do_nothing(), row)


def members(work: Work, keys: Iterable[bytes]) -> dict[bytes, Member]:
    """The enrolled people behind these addresses; citizens are not among them."""
    rows = work.connection.execute(_by_address, {"keys": list(keys)})
    return {key: Member(one, role, unit, language) for key, one, role, unit, language in rows}


def addresses(work: Work, person: str) -> list[tuple[bytes, Person]]:
    """Where an enrolled person is reached: keyed hash and address, one a channel."""
    rows = work.connection.execute(
        select(_address.c.key, _address.c.sealed).where(_address.c.person == person)
    ).all()
    return [(key, _reached(work, key, sealed)) for key, sealed in rows]


def _reached(work: Work, key: bytes, sealed: bytes) -> Person:
    plain = work.seal.open(sealed, f"address|sealed|{key.hex()}").decode()
    channel, _, address = plain.partition(":")
    return Person(channel, address)


def enrol(work: Work, one: Member, key: bytes, at: Person, today: date) -> None:
    """Give an address a role; a role it had before ends."""
    leave(work, key, today)
    person = {
        "id": one.id,
        "role": one.role,
        "unit": one.unit,
        "language": one.language,
        "since": today,
        "until": None,
    }
    sealed = work.seal.close(f"{at.channel}:{at.address}".encode(), f"address|sealed|{key.hex()}")
    work.connection.execute(work.insert(Enrolled), person)
    work.connection.execute(work.insert(Address), {"key": key, "person": one.id, "sealed": sealed})


def leave(work: Work, key: bytes, today: date) -> None:
    """End the role of an address; the address goes, and what the person said about themselves."""
    person = select(_address.c.person).where(_address.c.key == key).scalar_subquery()
    for each in (_pause, _affiliation):
        work.connection.execute(delete(each).where(each.c.person == person))
    work.connection.execute(update(_person).where(_person.c.id == person).values(until=today))
    work.connection.execute(delete(_address).where(_address.c.key == key))


def shut(work: Work, key: bytes, blocked: bool) -> None:
    """Note that somebody enrolled blocked the bot at this address, or took it up again."""
    work.connection.execute(update(_address).where(_address.c.key == key).values(shut=blocked))


def shut_out(work: Work) -> int:
    """How many addresses of enrolled people cannot be reached."""
    query = select(func.count()).select_from(_address).where(_address.c.shut)
    return int(work.connection.execute(query).scalar_one())


def speak(work: Work, person: str, language: Language) -> None:
    """Remember the language of an enrolled person."""
    work.connection.execute(update(_person).where(_person.c.id == person).values(language=language))


def invite(work: Work, code: str, role: Role, unit: str, until: datetime) -> None:
    """Keep an invitation; of the code only its keyed hash."""
    row = {
        "key": work.seal.find("invitation", code),
        "role": role,
        "unit": unit,
        "until": until,
        "used": False,
    }
    work.connection.execute(work.insert(Invitation), row)


def invitation(work: Work, code: str, now: datetime) -> tuple[Role, str] | None:
    """What a code invites to, or nothing: never made, used, or too late."""
    row = work.connection.execute(
        select(_invitation.c.role, _invitation.c.unit).where(*_good(work, code, now))
    ).first()
    return cast("tuple[Role, str]", tuple(row)) if row else None


def spend(work: Work, code: str, now: datetime) -> bool:
    """Use an invitation up. False when someone was quicker."""
    done = work.connection.execute(
        update(_invitation).where(*_good(work, code, now)).values(used=True)
    )
    return bool(done.rowcount)


def _good(work: Work, code: str, now: datetime) -> tuple[Any, ...]:
    key = work.seal.find("invitation", code)
    good = _invitation.c
    return good.key == key, good.used.is_(False), good.until > now


def enrolled(work: Work, role: Role) -> int:
    """How many people have this role today."""
    there = _person.c.role == role, _person.c.until.is_(None)
    query = select(func.count()).select_from(_person).where(*there)
    return int(work.connection.execute(query).scalar_one())


def revoke(work: Work, role: Role) -> None:
    """Make every open invitation to a role worthless."""
    mine = _invitation.c.role == role, _invitation.c.used.is_(False)
    work.connection.execute(delete(_invitation).where(*mine))


def consent(work: Work, key: bytes, purpose: str, given: bool, wording: str, on: date) -> None:
    """Record what somebody agreed to or refused, under which wording."""
    put = work.insert(Consent)
    values = {"given": put.excluded.given, "wording": put.excluded.wording, "on": put.excluded.on}
    work.connection.execute(
        put.on_conflict_do_update(index_elements=["key", "purpose"], set_=values),
        {"key": key, "purpose": purpose, "given": given, "wording": wording, "on": on},
    )


def consents(work: Work, key: bytes) -> list[tuple[str, bool, date]]:
    """What somebody agreed to: purpose, yes or no, since when."""
    rows = work.connection.execute(_agreed, {"key": key})
    return [tuple(row) for row in rows]


def expire(work: Work, before: date) -> int:
    """Delete consents that were given, or refused, before a day. Returns how many."""
    done: int = work.connection.execute(delete(_consent).where(_consent.c.on < before)).rowcount
    return done


def withdraw(work: Work, key: bytes) -> None:
    """Delete the consents of an address."""
    work.connection.execute(delete(_consent).where(_consent.c.key == key))


def wrong(work: Work, who: str, now: datetime, within: timedelta) -> int:
    """Count one wrong guess of `who` and return how many there were within the span."""
    key = work.seal.find("attempt", who)
    put = work.insert(Attempt)
    late = _attempt.c.since <= now - within
    one = put.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "count": case((late, 1), else_=_attempt.c.count + 1),
            "since": case((late, now), else_=_attempt.c.since),
        },
    ).returning(_attempt.c.count)
    row = {"key": key, "since": now, "count": 1}
    return int(work.connection.execute(one, row).scalar_one())


def guesses(work: Work, who: str, now: datetime, within: timedelta) -> int:
    """How many wrong guesses of `who` fall within the span before now."""
    key = work.seal.find("attempt", who)
    found = work.connection.execute(
        select(_attempt.c.count).where(_attempt.c.key == key, _attempt.c.since > now - within)
    ).scalar()
    return found or 0


def forgive(work: Work, before: datetime) -> int:
    """Delete counts of wrong guesses that are over. Returns how many rows."""
    done: int = work.connection.execute(delete(_attempt).where(_attempt.c.since < before)).rowcount
    return done


def wish(work: Work, one: str, kind: str, unit: str, period: str, person: str) -> None:
    """Ask the clock for something, as a row it takes at its next tick."""
    row = {"id": one, "kind": kind, "unit": unit, "period": period, "person": person}
    work.connection.execute(work.insert(Wish), row)
