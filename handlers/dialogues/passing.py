"""Free words of rounds that are over, one by one, for an analyst to pass or to hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from handlers.dialogue import About, Begin, Desk, Dialogue, Nothing, Outcome, Settled
from handlers.questions import Choice
from storage import rounds
from storage.campaign import Campaign
from storage.people import Member, Tree
from storage.rounds import Saying


@dataclass(frozen=True)
class Next:
    """The next words that nobody has judged."""

    def settle(self, desk: Desk) -> Settled:
        """Show them in the order of random ids: without unit, without time, without author."""
        if desk.member is None:
            return Settled((desk.tell("talk.not_open"),))
        campaigns = _theirs(desk, desk.member)
        of = {r.id: campaigns[r.campaign] for r in _closed(desk) if r.campaign in campaigns}
        waiting = rounds.sayings(desk.work, "new", list(of), 1)
        if not waiting:
            return Settled((desk.tell("passing.none"),))
        one = waiting[0]
        given = {"saying": one.id, "text": _read_out(desk, of[one.round], one)}
        return Settled(next=Begin("passing", given))


def _closed(desk: Desk) -> list[rounds.Round]:
    return rounds.closed_rounds(desk.work, 200)


def _theirs(desk: Desk, member: Member) -> dict[str, Campaign]:
    """The campaigns that ask nobody but people under the analyst's own unit."""
    tree = desk.tree()
    found = (each.campaign for each in rounds.campaigns(desk.work))
    return {each.id: each for each in found if _may_read(each, member, tree)}


def _may_read(campaign: Campaign, member: Member, tree: Tree) -> bool:
    if member.unit not in tree.units:
        return False
    mine = tree.below(member.unit)
    return mine >= set(campaign.who.units or (tree.root.id,))


def _read_out(desk: Desk, campaign: Campaign, saying: Saying) -> str:
    lines = [campaign.say(campaign.title, desk.language), ""]
    for question in campaign.question:
        said = saying.said.get(question.key)
        if said:
            labels = {each.id: each.label(desk.language) for each in question.options}
            lines.append(
                f"• {campaign.say(question.text, desk.language)}\n  {labels.get(said, said)}"
            )
    return "\n".join(lines)


@dataclass(frozen=True)
class Judged:
    """What the analyst decided."""

    saying: str
    verdict: Literal["passed", "held"]

    def settle(self, desk: Desk) -> Settled:
        """It holds for everybody; then the next words."""
        rounds.judge(desk.work, self.saying, self.verdict)
        return Settled((desk.tell(f"passing.{self.verdict}"),), Begin("passing"))


async def passing(about: About) -> Outcome:
    """Pass, hold, or stop here."""
    if "saying" not in about.given:
        return Next()
    verdict = await Choice(
        "verdict",
        ask="passing.verdict",
        options=("passed", "held", "stop"),
        text=about.given["text"],
    )
    if verdict == "stop":
        return Nothing("passing.stopped")
    return Judged(about.given["saying"], cast("Literal['passed', 'held']", verdict))


DIALOGUE = Dialogue("passing", passing, roles=frozenset({"analyst"}), menu=10, before_consent=True)
