"""A digest now, for a supervisor: a wish that the clock fulfils."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.dialogue import About, Desk, Dialogue, Outcome, Settled
from handlers.questions import Choice
from storage import people


@dataclass(frozen=True)
class Wanted:
    """Which period a supervisor wants to see: the last that is closed, or the running one."""

    period: str

    def settle(self, desk: Desk) -> Settled:
        """Leave the wish for the clock. The dialogue is open to supervisors only."""
        if desk.member is None:
            return Settled((desk.tell("talk.not_open"),))
        people.wish(
            desk.work,
            desk.chance.letters(20),
            "digest",
            desk.member.unit,
            self.period,
            desk.member.id,
            desk.key,
        )
        return Settled((desk.tell("digest.coming"),), wishes=True)


async def digest(about: About) -> Outcome:
    """The closed period is the figure of record; the running one is marked as not closed."""
    return Wanted(await Choice("period", ask="digest", options=("last", "now")))


DIALOGUE = Dialogue("digest", digest, roles=frozenset({"supervisor"}), menu=4)
