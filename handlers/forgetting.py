"""Forgetting a person at their wish: everything that is tied to their addresses goes at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from storage import attachments, outbox, people, reach, talks
from storage.store import Work


def forget_person(work: Work, key: bytes, today: date) -> None:
    """Destroy talk, unsent files, consents, waiting messages, role and address.

    Of somebody enrolled also at every other channel they linked: who wants to be forgotten is
    forgotten everywhere.
    """
    member = people.members(work, [key]).get(key)
    keys = people.keys_of(work, member.id) if member else [key]
    people.leave(work, key, today)
    for each in keys:
        _forget(work, each, today)


def forget_address(work: Work, key: bytes, today: date, ids: Callable[[int], str]) -> None:
    """The same at one address; who has others linked keeps them, their role, and what waits."""
    member = people.members(work, [key]).get(key)
    if member is None or len(people.keys_of(work, member.id)) < 2:
        forget_person(work, key, today)
        return
    people.drop_address(work, member.id, key)
    reach.let_go(work, member.id, key, ids)
    _forget(work, key, today)


def _forget(work: Work, key: bytes, today: date) -> None:
    talks.keep(work, {key: None}, today)
    talks.let_go(work, key)
    talks.unask(work, key)
    attachments.disown(work, key)
    people.withdraw(work, key)
    outbox.forget_all(work, key)
