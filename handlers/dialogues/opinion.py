"""An opinion: criticism, praise, a proposal or a difficulty; each counts alike."""

from __future__ import annotations

from handlers.dialogue import About, Dialogue, Outcome
from handlers.questions import Choice
from handlers.telling import draft

KINDS = ("criticism", "praise", "proposal", "difficulty")


async def opinion(about: About) -> Outcome:
    """Which kind, then what a report holds."""
    legal = await Choice("kind", ask="opinion.kind", options=KINDS)
    return await draft("opinion", legal, about.given.get("forum"))


DIALOGUE = Dialogue("opinion", opinion, menu=2, resumable=True)
