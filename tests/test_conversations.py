"""Every transcript, played over a real store."""

from __future__ import annotations

import pytest

from storage.vocabulary import Message, Said
from tests.house import Talkers
from tests.transcript import Player, every


class House(Talkers):
    """The house as a stage: what waits for a person counts as said, as a channel would show it."""

    def say(self, said: Said | str, who: str = "an", event: str | None = None) -> list[Message]:
        before = self.waiting(who)
        replies = super().say(said, who, event)
        pushed = [message for message in before if message.question is None]
        return [*pushed, *replies]


@pytest.mark.parametrize("name", every())
def test_a_conversation_goes_as_written(talkers: Talkers, name: str) -> None:
    house = House(talkers.store, talkers.reception)
    Player(house).play(name)
