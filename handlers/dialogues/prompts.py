"""Resting from prompts, taking them up again, or leaving for good: always the person's to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from handlers.dialogue import About, Desk, Dialogue, Nothing, Outcome, Settled
from handlers.questions import Choice
from storage import people, rounds

DAYS = {"month": 31, "quarter": 92}


@dataclass(frozen=True)
class Rest:
    """No prompts for a while."""

    span: str

    def settle(self, desk: Desk) -> Settled:
        """From now on; a round that is open may still be answered, but reminds no more."""
        if desk.member is None:
            return Settled((desk.tell("talk.not_open"),))
        until = desk.today + timedelta(days=DAYS[self.span])
        rounds.pause(desk.work, desk.member.id, until)
        return Settled((desk.tell("prompts.rests", until=until.strftime("%d/%m/%Y")),))


@dataclass(frozen=True)
class GoOn:
    """Prompts again."""

    def settle(self, desk: Desk) -> Settled:
        """From the next round on."""
        if desk.member is not None:
            rounds.go_on(desk.work, desk.member.id)
        return Settled((desk.tell("prompts.goes_on"),))


@dataclass(frozen=True)
class Leave:
    """The end of a role, by the person's own wish."""

    def settle(self, desk: Desk) -> Settled:
        """The address is destroyed; what was answered is tied to nobody and stays."""
        people.leave(desk.work, desk.key, desk.today)
        return Settled((desk.tell("prompts.left"),))


async def prompts(about: About) -> Outcome:
    """Rest, go on or leave."""
    wish = await Choice(
        "wish", ask="prompts", options=("month", "quarter", "go_on", "leave", "nothing")
    )
    if wish in DAYS:
        return Rest(wish)
    if wish == "go_on":
        return GoOn()
    if wish == "leave" and await Choice("sure", ask="prompts.sure", options=("yes", "no")) == "yes":
        return Leave()
    return Nothing("prompts.unchanged")


DIALOGUE = Dialogue(
    "prompts",
    prompts,
    roles=frozenset({"collaborator", "officer"}),
    menu=13,
    before_consent=True,
)
