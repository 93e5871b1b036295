"""Slowing those who guess receipts and invitations: by sender, and for all senders together."""

from __future__ import annotations

from datetime import timedelta

from handlers.dialogue import Desk
from storage import people

WITHIN = timedelta(minutes=15)
OF_ONE = 5  # wrong guesses a sender may make within the span
OF_ALL = 200  # and all together: 10^16 receipts, so guessing one of a million takes millennia
EVERYBODY = "everybody"


def must_wait(desk: Desk) -> bool:
    """Whether the sender has to wait before the next guess."""
    one = people.guesses(desk.work, desk.key.hex(), desk.now, WITHIN)
    return one >= OF_ONE or people.guesses(desk.work, EVERYBODY, desk.now, WITHIN) >= OF_ALL


def missed(desk: Desk) -> None:
    """Count a wrong guess."""
    people.wrong(desk.work, desk.key.hex(), desk.now, WITHIN)
    people.wrong(desk.work, EVERYBODY, desk.now, WITHIN)
