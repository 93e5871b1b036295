"""Which mass organisations somebody belongs to, by their own word, for campaigns of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.asking import Several
from handlers.dialogue import About, Begin, Desk, Dialogue, Outcome, Settled
from storage import rounds


@dataclass(frozen=True)
class Listed:
    """The organisations of this office, with those said before."""

    def settle(self, desk: Desk) -> Settled:
        """Begin with the list."""
        if desk.member is None:
            return Settled((desk.tell("talk.not_open"),))
        listed = [[each.id, each.called(desk.language)] for each in desk.house.organisations]
        mine = rounds.affiliations(desk.work, desk.member.id)
        names = ", ".join(name for one, name in listed if one in mine)
        ask = desk.words("organisations.ask", mine=names or desk.words("organisations.none"))
        return Settled(next=Begin("organisations", {"listed": listed, "ask": ask}))


@dataclass(frozen=True)
class Belongs:
    """What somebody said; it replaces what they said before."""

    organisations: Sequence[str]

    def settle(self, desk: Desk) -> Settled:
        """Remember it."""
        if desk.member is None:
            return Settled((desk.tell("talk.not_open"),))
        rounds.affiliate(desk.work, desk.member.id, self.organisations)
        return Settled((desk.tell("organisations.noted"),))


async def organisations(about: About) -> Outcome:
    """Any number of them, or none."""
    if "listed" not in about.given:
        return Listed()
    listed = [(one, label) for one, label in about.given["listed"]]
    return Belongs(await Several("organisations", listed, about.given["ask"]))


DIALOGUE = Dialogue(
    "organisations",
    organisations,
    roles=frozenset({"collaborator", "officer"}),
    menu=14,
    before_consent=True,
)
