"""Forgetting a person at their wish: everything that is tied to one address goes at once."""

from __future__ import annotations

from datetime import date

from storage import attachments, outbox, people, talks
from storage.store import Work


def forget_person(work: Work, key: bytes, today: date) -> None:
    """Destroy talk, unsent files, consents, waiting messages, role and address."""
    talks.keep(work, {key: None}, today)
    talks.let_go(work, key)
    talks.unask(work, key)
    attachments.disown(work, key)
    people.withdraw(work, key)
    outbox.forget_all(work, key)
    people.leave(work, key, today)
