"""Every transcript, played over a real store."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from storage.prompting import round_in
from storage.vocabulary import Message, Said
from tests.house import Talkers
from tests.panel import open_now
from tests.transcript import Player, every


@dataclass
class House(Talkers):
    """The house as a stage: what waits for a person counts as said, as a channel would show it."""

    campaigns: list[str] = field(default_factory=list)

    def say(self, said: Said | str, who: str = "an", event: str | None = None) -> list[Message]:
        before = self.waiting(who)
        replies = super().say(said, who, event)
        pushed = [m for m in before if m.question is None or round_in(m.question)]
        return [*pushed, *replies]

    def campaign(self, name: str) -> None:
        self.campaigns = [*self.campaigns, name]

    def clock(self, minutes: int) -> None:
        self.later(minutes=minutes)
        open_now(self.store, self.campaigns, self.now)


@pytest.mark.parametrize("name", every())
def test_a_conversation_goes_as_written(talkers: Talkers, name: str) -> None:
    house = House(talkers.store, talkers.reception)
    Player(house).play(name)
