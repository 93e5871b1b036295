"""A case in its sender's hands: read its state and answers, add to it, be content or not."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.dialogue import About, Begin, Desk, Dialogue, Nothing, Outcome, Settled
from handlers.questions import Choice, Narrative, Telling
from storage import attachments, reports
from storage.reports import Known
from storage.vocabulary import Message


@dataclass(frozen=True)
class Shown:
    """The case as it stands, said once; then what the sender can do with it."""

    receipt: str

    def settle(self, desk: Desk) -> Settled:
        """Read the case under its receipt."""
        known = reports.by_receipt(desk.work, self.receipt)
        if known is None:
            return Settled((desk.tell("case.gone"),))
        return Settled(
            (Message(as_read(desk, known)),),
            Begin("case", {"receipt": self.receipt, "shown": True}),
        )


def as_read(desk: Desk, known: Known) -> str:
    """State and messages of a case in the words of its sender's language."""
    words = desk.words
    state = words(f"case.state_{known.state}")
    opened = known.opened.strftime("%d/%m/%Y")
    lines = [words("case.head", state=state, opened=opened)]
    for inward, text, on in known.messages:
        who = "case.from_you" if inward else "case.from_office"
        lines.append(words(who, on=on.strftime("%d/%m/%Y")) + f"\n{text}")
    if not any(not inward for inward, _, _ in known.messages):
        lines.append(words("case.no_answer_yet"))
    return "\n\n".join(lines)


@dataclass(frozen=True)
class Added:
    """More words and files of the sender for a case."""

    receipt: str
    more: Telling

    def settle(self, desk: Desk) -> Settled:
        """Add them."""
        known = reports.by_receipt(desk.work, self.receipt)
        if known is None:
            return Settled((desk.tell("case.gone"),))
        text = self.more.text or desk.words("files.shown", count=len(self.more.files))
        reports.say(desk.work, known.report, True, text, desk.today)
        attachments.adopt(desk.work, self.more.files, known.report)
        given = {"receipt": self.receipt, "shown": True}
        return Settled((desk.tell("case.added"),), Begin("case", given))


@dataclass(frozen=True)
class Rated:
    """Whether the sender is content with what was done."""

    receipt: str
    content: bool

    def settle(self, desk: Desk) -> Settled:
        """Note it; a case whose sender is not content is open again."""
        known = reports.by_receipt(desk.work, self.receipt)
        if known is None:
            return Settled((desk.tell("case.gone"),))
        reports.rate(desk.work, known.report, self.content)
        if self.content:
            return Settled((desk.tell("case.content_noted"),))
        given = {"receipt": self.receipt, "shown": True}
        return Settled((desk.tell("case.reopened"),), Begin("case", given))


async def case(about: About) -> Outcome:
    """First the case is read out, then one thing at a time."""
    receipt = about.given["receipt"]
    if not about.given.get("shown"):
        return Shown(receipt)
    do = await Choice("do", ask="case.do", options=("add", "content", "discontent", "read", "done"))
    if do == "add":
        return Added(receipt, await Narrative("more", ask="case.more"))
    if do == "read":
        return Shown(receipt)
    if do == "done":
        return Nothing("case.bye")
    return Rated(receipt, do == "content")


DIALOGUE = Dialogue("case", case, roles=None, before_consent=True)
