"""Linking a channel: a code where somebody is enrolled, said and confirmed where they are not."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.dialogue import About, Begin, Desk, Dialogue, Nothing, Outcome, Settled
from handlers.guessing import WITHIN, missed, must_wait
from handlers.linking import GOOD_FOR, code_in, shown, tell
from handlers.questions import Choice, Words
from storage import people, reach
from storage.vocabulary import Message


@dataclass(frozen=True)
class Offer:
    """Somebody enrolled wants to link another channel."""

    def settle(self, desk: Desk) -> Settled:
        """Make a code, in place of one made before."""
        if desk.member is None:
            return Settled((desk.tell("talk.not_open"),))
        code = desk.chance.digits(8)
        people.offer_link(desk.work, desk.member.id, code, desk.now + GOOD_FOR)
        minutes = int(GOOD_FOR.total_seconds() // 60)
        return Settled((desk.tell("link.offer", code=shown(code), minutes=minutes),))


@dataclass(frozen=True)
class Try:
    """A code that was said."""

    code: str

    def settle(self, desk: Desk) -> Settled:
        """Say whose channel this would become, or count a wrong guess."""
        if must_wait(desk):
            minutes = int(WITHIN.total_seconds() // 60)
            return Settled((desk.tell("enrol.wait", minutes=minutes),))
        code = code_in(self.code)
        found = people.link_of(desk.work, code, desk.now) if code else None
        unit = desk.tree().units.get(found.unit) if found else None
        if found is None or unit is None:
            missed(desk)
            return Settled((desk.tell("link.wrong"),), Begin("menu"))
        if desk.member is not None:
            mine = desk.member.id == found.id
            return Settled((desk.tell("link.here" if mine else "link.taken"),))
        role = desk.words(f"role.{found.role}")
        given = {"code": code, "role": role, "unit": unit.called(desk.language)}
        channel = desk.words.channel(desk.person.channel)
        return Settled(next=Begin("link", given | {"channel": channel}))


@dataclass(frozen=True)
class Linked:
    """A code that was confirmed."""

    code: str

    def settle(self, desk: Desk) -> Settled:
        """Use the code up, add the address, tell the person's other channels."""
        found = people.link_of(desk.work, self.code, desk.now)
        if found is None or desk.member is not None:
            return Settled((desk.tell("link.wrong"),))
        if not people.spend_link(desk.work, self.code, desk.now):
            return Settled((desk.tell("link.wrong"),))
        others = reach.ways(desk.work, [found.id]).get(found.id, [])
        people.add_address(desk.work, found.id, desk.key, desk.person, desk.now)
        words = desk.catalogues[found.language]
        channel = words.channel(desk.person.channel)
        tell(desk, words, others, "link.told", channel=channel)
        said = Message(words("link.done"))
        return Settled((said,), language=found.language, welcomed=True, wishes=True)


async def link(about: About) -> Outcome:
    """A code where somebody has a role; its confirmation where nobody has one yet."""
    code = about.given.get("code") or about.given.get("typed")
    if code is None and about.role != "citizen":
        return Offer()
    if "role" not in about.given:
        return Try(code or await Words("code", ask="link.code", shortest=8, longest=40))
    accept = await Choice(
        "accept",
        ask="link.accept",
        options=("yes", "no"),
        role=about.given["role"],
        unit=about.given["unit"],
        channel=about.given["channel"],
    )
    return Linked(about.given["code"]) if accept == "yes" else Nothing("link.declined")


DIALOGUE = Dialogue("link", link, before_consent=True)
