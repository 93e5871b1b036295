"""Words that came before any question: as what are they meant?"""

from __future__ import annotations

from handlers.dialogue import About, Begin, Dialogue, Nothing, Outcome
from handlers.questions import Choice


async def sorting(about: About) -> Outcome:
    """Nothing somebody wrote is lost or typed twice: it becomes the first answer."""
    what = [about.given.get("text", ""), about.given.get("files", [])]
    kind = await Choice("kind", ask="sorting", options=("tip", "opinion", "neither"))
    if kind == "neither":
        return Nothing("sorting.dropped", Begin("menu"))
    return Nothing(next=Begin(kind, answers={"what": what}))


DIALOGUE = Dialogue("sorting", sorting)
