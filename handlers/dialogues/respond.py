"""Answering a round: collaborators say what people talk about, officers answer a pulse."""

from __future__ import annotations

from handlers.asking import Open, asked
from handlers.dialogue import About, Dialogue, Outcome


async def respond(about: About) -> Outcome:
    """Find the round first: the one whose prompt was tapped, else the one that ends soonest."""
    if "campaign" not in about.given:
        return Open(about.given.get("round"))
    return await asked(about)


DIALOGUE = Dialogue(
    "respond",
    respond,
    roles=frozenset({"collaborator", "officer", "analyst"}),
    menu=5,
    before_consent=True,
    resumable=True,
)
