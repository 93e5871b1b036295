"""The channels of somebody enrolled: which are linked, one more, or one of them no longer."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.dialogue import About, Begin, Desk, Dialogue, Nothing, Outcome, Settled
from handlers.linking import described, tell
from handlers.questions import Choice, Labelled
from storage import people, reach
from storage.vocabulary import ROLES

MORE, NOTHING = "more", "nothing"


@dataclass(frozen=True)
class Listed:
    """A wish to see them."""

    def settle(self, desk: Desk) -> Settled:
        """Begin with the list; with one channel only there is none to end."""
        if desk.member is None:
            return Settled((desk.tell("talk.not_open"),))
        ways = reach.ways(desk.work, [desk.member.id]).get(desk.member.id, [])
        names = {way.key: described(way, desk.words, desk.now) for way in ways}
        lines = [
            desk.words("channels.this", one=name) if key == desk.key else name
            for key, name in names.items()
        ]
        ends = [(key.hex(), desk.words("channels.end", one=name)) for key, name in names.items()]
        listed = [
            (MORE, desk.words("channels.more")),
            *(ends if len(ends) > 1 else []),
            (NOTHING, desk.words("channels.nothing")),
        ]
        mine = "\n".join(f"• {line}" for line in lines)
        return Settled(next=Begin("channels", {"listed": listed, "ask": mine}))


@dataclass(frozen=True)
class Ended:
    """A channel that is no longer to be linked, by its keyed hash in hexadecimal digits."""

    key: str

    def settle(self, desk: Desk) -> Settled:
        """End it, let what waits there wait elsewhere, and tell all of them."""
        if desk.member is None:
            return Settled((desk.tell("talk.not_open"),))
        ways = reach.ways(desk.work, [desk.member.id]).get(desk.member.id, [])
        gone = next((way for way in ways if way.key.hex() == self.key), None)
        if gone is None or len(ways) < 2:
            return Settled((desk.tell("channels.only"),))
        people.drop_address(desk.work, desk.member.id, gone.key)
        reach.let_go(desk.work, desk.member.id, gone.key, desk.chance.letters)
        told = [way for way in ways if way.key != desk.key]
        channel = desk.words.channel(gone.at.channel)
        tell(desk, desk.words, told, "channels.told", channel=channel)
        return Settled((desk.tell("channels.ended", channel=channel),), wishes=True)


async def channels(about: About) -> Outcome:
    """One more, one less, or as they are."""
    if "listed" not in about.given:
        return Listed()
    picked = await Labelled("which", "channels", about.given["listed"], mine=about.given["ask"])
    if picked == MORE:
        return Nothing(next=Begin("link"))
    if picked == NOTHING:
        return Nothing("channels.kept")
    sure = await Choice("sure", ask="channels.sure", options=("yes", "no"))
    return Ended(picked) if sure == "yes" else Nothing("channels.kept")


DIALOGUE = Dialogue("channels", channels, roles=frozenset(ROLES), menu=15, before_consent=True)
