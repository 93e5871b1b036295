"""Taking part over 3, 6 or 12 months: one's own statement, or the counts of one's units."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.attendance import MONTHS, by_unit, statement
from handlers.dialogue import About, Desk, Dialogue, Outcome, Settled
from handlers.questions import Choice
from storage.vocabulary import Message


@dataclass(frozen=True)
class Wanted:
    """The span somebody wants to see."""

    months: str

    def settle(self, desk: Desk) -> Settled:
        """Those who are asked see their own rounds; those who lead see counts by unit."""
        if desk.member is None:
            return Settled((desk.tell("talk.not_open"),))
        months, tree = int(self.months), desk.tree()
        if desk.member.role in ("collaborator", "officer"):
            text = statement(desk.work, desk.member, months, desk.now, desk.words)
        elif desk.member.unit not in tree.units:
            return Settled((desk.tell("talk.not_open"),))
        else:
            text = by_unit(desk.work, desk.member.unit, months, desk.now, tree, desk.words)
        return Settled((Message(text),))


async def attendance(about: About) -> Outcome:
    """How far back."""
    return Wanted(await Choice("months", ask="attendance", options=MONTHS))


DIALOGUE = Dialogue(
    "attendance",
    attendance,
    roles=frozenset({"collaborator", "officer", "analyst", "supervisor"}),
    menu=12,
    before_consent=True,
)
