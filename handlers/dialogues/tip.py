"""A tip: what somebody saw or knows, by its legal kind, each told honestly apart."""

from __future__ import annotations

from handlers.dialogue import About, Begin, Dialogue, Nothing, Outcome
from handlers.questions import Choice
from handlers.telling import draft

LEGAL = ("crime", "denunciation", "reflection", "emergency")


async def tip(about: About) -> Outcome:
    """A crime, a denunciation of an official (which cannot be anonymous by law), or a remark."""
    legal = await Choice("legal", ask="tip.legal", options=LEGAL)
    if legal == "emergency":
        called = await Choice("called", ask="tip.called", options=("go_on", "stop"))
        if called == "stop":
            return Nothing("talk.cancelled")
        legal = "crime"
    if legal == "denunciation":
        path = await Choice("path", ask="tip.path", options=("check", "remark", "stop"))
        if path == "stop":
            return Nothing("tip.in_person")
        legal = legal if path == "check" else "reflection"
    if legal == "reflection":
        return Nothing(next=Begin("opinion", carries=True))
    return await draft("tip", legal)


DIALOGUE = Dialogue("tip", tip, menu=1, resumable=True)
