"""Results of rounds that are over, for those who lead: a wish that the clock fulfils."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.dialogue import About, Begin, Desk, Dialogue, Outcome, Settled
from handlers.questions import Choice, Labelled, UnitName
from storage import people, rounds

MOST = 10  # rounds to choose from


@dataclass(frozen=True)
class Listed:
    """The newest rounds that are over."""

    def settle(self, desk: Desk) -> Settled:
        """Begin with the list, or say that there is none."""
        if desk.member is None:
            return Settled((desk.tell("talk.not_open"),))
        unit, tree = desk.member.unit, desk.tree()
        titles = {
            each.campaign.id: each.campaign
            for each in rounds.campaigns(desk.work)
            if rounds.concerns(each.campaign, unit, tree)
        }
        listed = [
            [
                each.id,
                desk.words(
                    "results.round",
                    title=titles[each.campaign].say(titles[each.campaign].title, desk.language),
                    due=f"{each.due.astimezone(desk.house.zone):%d/%m/%Y}",
                ),
            ]
            for each in rounds.closed_rounds(desk.work, 100)
            if each.campaign in titles
        ][:MOST]
        if not listed:
            return Settled((desk.tell("results.none"),))
        return Settled(next=Begin("results", {"listed": listed}))


@dataclass(frozen=True)
class Wanted:
    """A round, and the unit whose table is wanted; none: one's own."""

    round: str
    unit: str | None

    def settle(self, desk: Desk) -> Settled:
        """Leave the wish for the clock. Nobody asks for units that are not theirs to see."""
        if desk.member is None or desk.member.unit not in desk.tree().units:
            return Settled((desk.tell("talk.not_open"),))
        unit = self.unit or desk.member.unit
        if unit not in desk.tree().below(desk.member.unit):
            return Settled((desk.tell("results.not_yours"),))
        one = desk.chance.letters(20)
        people.wish(desk.work, one, "result", unit, self.round, desk.member.id, desk.key)
        return Settled((desk.tell("results.coming"),), wishes=True)


async def results(about: About) -> Outcome:
    """Which round, then whose table."""
    if "listed" not in about.given:
        return Listed()
    round = await Labelled("round", "results", about.given["listed"])
    if await Choice("whose", ask="results.whose", options=("own", "other")) == "own":
        return Wanted(round, None)
    return Wanted(round, await UnitName("unit", ask="results.unit"))


DIALOGUE = Dialogue(
    "results",
    results,
    roles=frozenset({"analyst", "supervisor"}),
    menu=7,
    before_consent=True,
)
