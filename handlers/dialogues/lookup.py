"""Coming back with a receipt, from any channel: to read, to add, to say whether it was answered."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.dialogue import About, Begin, Desk, Dialogue, Outcome, Settled
from handlers.guessing import WITHIN, missed, must_wait
from handlers.questions import Digits
from storage import reports


@dataclass(frozen=True)
class Lookup:
    """A receipt to be tried."""

    receipt: str

    def settle(self, desk: Desk) -> Settled:
        """Open the case, or count a wrong guess."""
        if must_wait(desk):
            minutes = int(WITHIN.total_seconds() // 60)
            return Settled((desk.tell("lookup.wait", minutes=minutes),))
        found = reports.by_receipt(desk.work, self.receipt)
        if found is None:
            missed(desk)
            return Settled((desk.tell("lookup.wrong"),), Begin("lookup"))
        return Settled(next=Begin("case", {"receipt": self.receipt}))


async def lookup(about: About) -> Outcome:
    """Ask for the receipt."""
    return Lookup(await Digits("receipt", ask="lookup"))


DIALOGUE = Dialogue("lookup", lookup, menu=3, before_consent=True)
