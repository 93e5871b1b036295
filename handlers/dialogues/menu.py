"""The menu: what this person can begin here."""

from __future__ import annotations

from handlers.dialogue import About, Begin, Dialogue, Nothing, Outcome, dialogues
from handlers.questions import Choice


async def menu(about: About) -> Outcome:
    """Every dialogue that has a place in the menu and is open to the role, in order."""
    listed = [(d.menu, d.name) for d in dialogues().values() if d.menu and d.open_to(about.role)]
    picked = await Choice("menu", ask="menu", options=[name for _, name in sorted(listed)])
    return Nothing(next=Begin(picked))


DIALOGUE = Dialogue("menu", menu, yields=True)
