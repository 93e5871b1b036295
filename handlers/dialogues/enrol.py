"""Enrolment: an invitation turns into a role in a unit, after one look at what it is."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.dialogue import About, Begin, Desk, Dialogue, Nothing, Outcome, Settled
from handlers.guessing import WITHIN, missed, must_wait
from handlers.questions import Choice, Words
from storage import people
from storage.people import Member


@dataclass(frozen=True)
class Knock:
    """An invitation code to be tried."""

    code: str

    def settle(self, desk: Desk) -> Settled:
        """Say what it invites to, or count a wrong guess."""
        if must_wait(desk):
            minutes = int(WITHIN.total_seconds() // 60)
            return Settled((desk.tell("enrol.wait", minutes=minutes),))
        found = people.invitation(desk.work, self.code, desk.now)
        if found is None or (unit := desk.tree().units.get(found[1])) is None:
            missed(desk)
            return Settled((desk.tell("enrol.wrong"),), Begin("menu"))
        role = desk.words(f"role.{found[0]}")
        given = {"code": self.code, "role": role, "unit": unit.called(desk.language)}
        return Settled(next=Begin("enrol", given))


@dataclass(frozen=True)
class Join:
    """An invitation that was accepted."""

    code: str

    def settle(self, desk: Desk) -> Settled:
        """Use the invitation up and enrol; whoever was quicker has it."""
        found = people.invitation(desk.work, self.code, desk.now)
        if found is None or not people.spend(desk.work, self.code, desk.now):
            return Settled((desk.tell("enrol.wrong"),))
        role, unit = found
        member = Member(desk.chance.letters(20), role, unit, desk.language)
        linked = desk.member and len(people.keys_of(desk.work, desk.member.id)) > 1
        people.enrol(desk.work, member, desk.key, desk.person, desk.today, desk.now)
        say = [desk.tell(f"enrol.joined_{role}")]
        if linked:
            say.append(desk.tell("enrol.others_ended"))
        return Settled(tuple(say), welcomed=True)


async def enrol(about: About) -> Outcome:
    """The code, then a look at what it is, then yes or no."""
    if "role" not in about.given:
        code = about.given.get("code") or about.given.get("typed")
        return Knock(
            (code or await Words("code", ask="enrol.code", shortest=8, longest=40)).lower()
        )
    accept = await Choice(
        "accept",
        ask="enrol.accept",
        options=("yes", "no"),
        role=about.given["role"],
        unit=about.given["unit"],
    )
    return Join(about.given["code"]) if accept == "yes" else Nothing("enrol.declined")


DIALOGUE = Dialogue("enrol", enrol, before_consent=True)
