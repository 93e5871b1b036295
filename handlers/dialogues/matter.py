"""A matter that cannot wait for the next round: told now, counted with the next one."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.asking import asked, given_for
from handlers.dialogue import About, Begin, Desk, Dialogue, Outcome, Settled
from storage import rounds


@dataclass(frozen=True)
class Between:
    """A wish to tell something now."""

    def settle(self, desk: Desk) -> Settled:
        """In an open round that waits for this person's answer, it is that answer."""
        if desk.member is None:
            return Settled((desk.tell("round.left"),))
        for each, campaign, _ in rounds.call(desk.work, desk.member):
            if campaign.anytime and desk.now <= each.until:
                return Settled(next=Begin("respond", {"round": each.id}))
        for standing in rounds.campaigns(desk.work):
            campaign = standing.campaign
            if campaign.anytime and not standing.closed and desk.member.role in campaign.who.roles:
                once = campaign.model_copy(update={"confirm": False})
                return Settled(
                    next=Begin("matter", given_for(desk, once, "", desk.house.smallest_panel))
                )
        return Settled((desk.tell("round.no_campaign"),))


async def matter(about: About) -> Outcome:
    """Find the campaign first, then ask its questions."""
    return await asked(about) if "campaign" in about.given else Between()


DIALOGUE = Dialogue(
    "matter",
    matter,
    roles=frozenset({"collaborator"}),
    menu=6,
    before_consent=True,
    resumable=True,
)
