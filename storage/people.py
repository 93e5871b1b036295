"""Units, enrolled people, their addresses and invitations, consents, and the slowing of guesses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
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
    Link,
    Outgoing,
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
_link, _out = table(Link), table(Outgoing)
_by_address = (
    select(
        _address.c.key,
        _person.c.id,
        _person.c.role,
        _person.c.unit,
        _person.c.language,
        _address.c.heard,
        or_(_address.c.shut, _address.c.closed),
    )
    .join(_person, _person.c.id == _address.c.person)
    .where(_address.c.key.in_(bindparam("keys", expanding=True)), _person.c.until.is_(None))
)


@dataclass(frozen=True, slots=True)
class Member:
    """An enrolled person: who, with which role, in which unit, in which language."""

    id: str
    role: Role
    unit: str
    language: Language


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody enrolled at one address: the hour of their last word there.

    `away`: nothing could be sent there since.
    """

    member: Member
    heard: datetime | None
    away: bool


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
    return {key: each.member for key, each in present(work, keys).items()}


def present(work: Work, keys: Iterable[bytes]) -> dict[bytes, Present]:
    """The same, with when each address was last heard from."""
    rows = work.connection.execute(_by_address, {"keys": list(keys)})
    return {
        key: Present(Member(one, role, unit, language), heard, away)
        for key, one, role, unit, language, heard, away in rows
    }


def hour(at: datetime) -> datetime:
    """The hour of a moment, which is all that is kept of when somebody spoke."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hear(work: Work, hours: Mapping[bytes, datetime]) -> None:
    """Note of enrolled people's addresses that somebody spoke there: they can be reached again."""
    rows = [{"k": key, "h": at} for key, at in sorted(hours.items())]
    spoke = update(_address).where(_address.c.key == bindparam("k"))
    work.connection.execute(spoke.values(heard=bindparam("h"), shut=False, closed=False), rows)


def keys_of(work: Work, person: str) -> list[bytes]:
    """The keyed hashes of all addresses of an enrolled person."""
    mine = select(_address.c.key).where(_address.c.person == person).order_by(_address.c.key)
    return list(work.connection.execute(mine).scalars())


def enrol(
    work: Work,
    one: Member,
    key: bytes,
    at: Person,
    today: date,
    heard: datetime | None = None,
) -> None:
    """Give an address a role; a role it had before ends. `heard`: when they spoke there."""
    leave(work, key, today)
    person = {
        "id": one.id,
        "role": one.role,
        "unit": one.unit,
        "language": one.language,
        "since": today,
        "until": None,
    }
    work.connection.execute(work.insert(Enrolled), person)
    add_address(work, one.id, key, at, heard)


def add_address(
    work: Work, person: str, key: bytes, at: Person, heard: datetime | None = None
) -> None:
    """Let an enrolled person be reached at one address more."""
    row = {
        "key": key,
        "person": person,
        "sealed": work.seal.close(
            f"{at.channel}:{at.address}".encode(), f"address|sealed|{key.hex()}"
        ),
        "heard": hour(heard) if heard is not None else None,
    }
    work.connection.execute(work.insert(Address), row)


def drop_address(work: Work, person: str, key: bytes) -> bool:
    """End one address of a person who keeps the others. False when it is not theirs."""
    mine = _address.c.person == person, _address.c.key == key
    return bool(work.connection.execute(delete(_address).where(*mine)).rowcount)


def leave(work: Work, key: bytes, today: date) -> None:
    """End the role of an address: all the person's addresses go, and what they said of themselves.

    So does what waits for the role, whichever of the addresses it waits at.
    """
    whose = select(_address.c.person).where(_address.c.key == key)
    person = work.connection.execute(whose).scalar()
    if person is None:
        return
    addresses = keys_of(work, person)
    for each in (_pause, _affiliation, _link):
        work.connection.execute(delete(each).where(each.c.person == person))
    of_the_role = _out.c.key.in_(addresses), _out.c.roams, _out.c.claimed.is_(None)
    work.connection.execute(delete(_out).where(*of_the_role))
    work.connection.execute(update(_person).where(_person.c.id == person).values(until=today))
    work.connection.execute(delete(_address).where(_address.c.person == person))


def shut(work: Work, key: bytes, blocked: bool) -> None:
    """Note that somebody enrolled blocked the bot at this address, or took it up again."""
    work.connection.execute(update(_address).where(_address.c.key == key).values(shut=blocked))


def close(work: Work, key: bytes) -> None:
    """Note that the platform takes nothing for somebody enrolled before they speak again."""
    work.connection.execute(update(_address).where(_address.c.key == key).values(closed=True))


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


def offer_link(work: Work, person: str, code: str, until: datetime) -> None:
    """Keep a code by which an enrolled person links a channel, in place of one made before."""
    put = work.insert(Link)
    values = {"key": put.excluded.key, "until": put.excluded.until}
    row = {"person": person, "key": work.seal.find("link", code), "until": until}
    put = put.on_conflict_do_update(index_elements=["person"], set_=values)
    work.connection.execute(put, row)


def link_of(work: Work, code: str, now: datetime) -> Member | None:
    """The person whose link a code makes, or nothing: never made, used, or too late."""
    columns = [_person.c[name] for name in ("id", "role", "unit", "language")]
    row = work.connection.execute(
        select(*columns)
        .join(_link, _link.c.person == _person.c.id)
        .where(_link.c.key == work.seal.find("link", code), _link.c.until > now)
        .where(_person.c.until.is_(None))
    ).first()
    return Member(*row) if row else None


def spend_link(work: Work, code: str, now: datetime) -> bool:
    """Use a code for a link up. False when someone was quicker."""
    good = _link.c.key == work.seal.find("link", code), _link.c.until > now
    return bool(work.connection.execute(delete(_link).where(*good)).rowcount)


def enrolled(work: Work, role: Role) -> int:
    """How many people have this role today."""
    there = _person.c.role == role, _person.c.until.is_(None)
    query = select(func.count()).select_from(_person).where(*there)
    return int(work.connection.execute(query).scalar_one())


def with_role(work: Work, *roles: Role) -> list[Member]:
    """The people who have one of these roles today."""
    columns = [_person.c[name] for name in ("id", "role", "unit", "language")]
    there = _person.c.role.in_(roles), _person.c.until.is_(None)
    rows = work.connection.execute(select(*columns).where(*there).order_by(_person.c.id))
    return [Member(*row) for row in rows]


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
    rows = work.connection.execute(
        select(_consent.c.purpose, _consent.c.given, _consent.c.on)
        .where(_consent.c.key == key)
        .order_by(_consent.c.purpose)
    )
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
    """Delete counts of wrong guesses that are over, and links nobody made. Returns how many."""
    done: int = work.connection.execute(delete(_attempt).where(_attempt.c.since < before)).rowcount
    done += work.connection.execute(delete(_link).where(_link.c.until < before)).rowcount
    return done


def wish(
    work: Work, one: str, kind: str, unit: str, period: str, person: str, key: bytes | None = None
) -> None:
    """Ask the clock for something, as a row it takes at its next tick; `key`: answered where."""
    row = {"id": one, "kind": kind, "unit": unit, "period": period, "person": person, "key": key}
    work.connection.execute(work.insert(Wish), row)
