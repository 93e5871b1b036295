"""What an operator is told: a finding about a part, or that a platform refuses."""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):
    """A platform does not do what it was asked: the message says what it said."""


@dataclass(frozen=True)
class Finding:
    """One part of the installation: whether it is fine, and a sentence."""

    part: str
    fine: bool
    sentence: str
