"""The receipt: the report is stored already; the talk stays until the receipt is kept."""

from __future__ import annotations

from handlers.dialogue import About, Dialogue, Nothing, Outcome
from handlers.questions import Saved


async def receipt(about: About) -> Outcome:
    """People who lose the receipt never come back: it is shown until they have it."""
    await Saved("saved", ask="receipt", receipt=about.given["receipt"])
    return Nothing("receipt.kept_told" if about.given.get("told") else "receipt.kept")


DIALOGUE = Dialogue("receipt", receipt, resumable=True, stored=True)
