"""The welcome: who listens, what is kept and how long, and consent for each purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.dialogue import About, Begin, Desk, Dialogue, Outcome, Settled
from handlers.questions import Choice
from storage import people


@dataclass(frozen=True)
class Welcomed:
    """What somebody consented to, and what they had come for."""

    given: Mapping[str, bool]
    then: Mapping[str, Any] | None

    def settle(self, desk: Desk) -> Settled:
        """Record each consent under the wording it was given to."""
        wording = f"{desk.words('welcome.wording')}/{desk.language}"
        for purpose, given in self.given.items():
            people.consent(desk.work, desk.key, purpose, given, wording, desk.today)
        if not self.given["handle"]:
            return Settled((desk.tell("welcome.refused"),), welcomed=False)
        then = Begin(**self.then) if self.then else Begin("menu")
        return Settled((desk.tell("welcome.thanks"),), then, welcomed=True)


@dataclass(frozen=True)
class OtherLanguage:
    """The welcome again, in the other language."""

    then: Mapping[str, Any] | None

    def settle(self, desk: Desk) -> Settled:
        """Nothing is written but the language."""
        other = next(language for language in desk.catalogues if language != desk.language)
        given = {"then": self.then} if self.then else {}
        return Settled(next=Begin("welcome", given), language=other)


async def welcome(about: About) -> Outcome:
    """Three taps at most; nothing is taken for granted."""
    then = about.given.get("then")
    handle = await Choice("handle", ask="welcome.handle", options=("yes", "no", "other_language"))
    if handle == "other_language":
        return OtherLanguage(then)
    if handle == "no":
        return Welcomed({"handle": False}, then)
    machine = await Choice("machine", ask="welcome.machine", options=("yes", "no"))
    return Welcomed({"handle": True, "machine": machine == "yes"}, then)


DIALOGUE = Dialogue("welcome", welcome, before_consent=True)
