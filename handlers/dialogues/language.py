"""The language of the talk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from handlers.dialogue import About, Begin, Desk, Dialogue, Outcome, Settled
from handlers.questions import Choice
from storage import people
from storage.vocabulary import Language, Message
from storage.words import LANGUAGES


@dataclass(frozen=True)
class Speak:
    """The language somebody chose."""

    language: Language

    def settle(self, desk: Desk) -> Settled:
        """Remember it; for somebody enrolled, for what comes unasked too."""
        if desk.member is not None:
            people.speak(desk.work, desk.member.id, self.language)
        said = desk.catalogues[self.language]("language.changed")
        return Settled((Message(said),), Begin("menu"), language=self.language)


async def language(about: About) -> Outcome:
    """`/ngonngu`, or `/ngonngu en` at once."""
    typed = about.given.get("typed", "").lower()
    if typed in LANGUAGES:
        return Speak(cast("Language", typed))
    return Speak(cast("Language", await Choice("language", ask="language", options=LANGUAGES)))


DIALOGUE = Dialogue("language", language, menu=8, before_consent=True)
