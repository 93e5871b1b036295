"""What tips and opinions ask in common, and how they become a protected report with a receipt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handlers.dialogue import Begin, Desk, Nothing, Outcome, Settled
from handlers.questions import (
    Choice,
    ChoiceOrWords,
    Files,
    Narrative,
    Place,
    Review,
    Telling,
    UnitName,
    Where,
    Words,
)
from storage import attachments, people, reports
from storage.people import Tree
from storage.reports import Opened, Told
from storage.vocabulary import Message

WHEN = ("now", "today", "yesterday", "week", "often", "unknown")
UNNAMED = "?"  # a unit is the matter, but the sender cannot name it
MOST_FILES = 10


@dataclass(frozen=True)
class Draft:
    """A report as its sender reviewed it; settling stores it and hands out the receipt."""

    kind: str
    legal: str
    what: Telling
    where: Where
    when: str
    evidence: Telling
    about: str | None
    reply: str
    contact: str | None
    forum: str | None = None

    def settle(self, desk: Desk) -> Settled:
        """Store report, files and case in the transaction of the word "send"."""
        report = desk.chance.letters(20)
        receipt = desk.chance.digits(16)
        reports.add(desk.work, self._told(desk, report))
        attachments.adopt(desk.work, (*self.what.files, *self.evidence.files), report)
        reports.open_case(desk.work, self._opened(desk, report, receipt))
        return Settled(
            say=(Message(desk.words(f"sent.{self.legal}")),),
            next=Begin("receipt", {"receipt": receipt, "told": self.reply == "notice"}),
        )

    def _told(self, desk: Desk, report: str) -> Told:
        unit = routed(desk.tree(), self.where.ward, self.about, self.forum)
        readable = any(
            given
            for purpose, given, _ in people.consents(desk.work, desk.key)
            if purpose == "machine"
        )
        return Told(
            id=report,
            kind=self.kind,
            legal=self.legal,
            stream="citizen",
            channel=desk.person.channel,
            language=desk.language,
            told=desk.today,
            unit=unit,
            about=self.about,
            ward=self.where.ward,
            body=self._body(),
            tags=desk.ears.tagger.tag(self._words) if readable else None,
        )

    @property
    def _words(self) -> str:
        """The story, or where somebody let pictures tell it, what is written under those."""
        return self.what.text or self.evidence.text

    def _body(self) -> dict[str, Any]:
        told: dict[str, Any] = {"what": self.what.text, "when": self.when}
        if self.evidence.text:
            told["evidence"] = self.evidence.text
        if self.where.words:
            told["where"] = self.where.words
        if self.where.pin:
            told["pin"] = list(self.where.pin)
        if self.contact:
            told["contact"] = self.contact
        return told

    def _opened(self, desk: Desk, report: str, receipt: str) -> Opened:
        notice = (desk.person, desk.language) if self.reply == "notice" else None
        alias = f"{desk.chance.letters(4)}-{desk.chance.digits(4)}"
        return Opened(report, alias, receipt, desk.today, notice)


def routed(tree: Tree, ward: str | None, about: str | None, forum: str | None = None) -> str:
    """The unit a report goes to: of its ward, else the one at whose forum it was told.

    But never the unit complained of or one below it.
    """
    if about == UNNAMED or (about is not None and about not in tree.units):
        return tree.inspection.id
    unit = tree.of_ward(ward).id
    if unit == tree.root.id and forum in tree.units:
        unit = str(forum)
    if about is None or unit not in tree.below(about):
        return unit
    superior = tree.units[about].parent
    return superior if superior is not None else tree.inspection.id


async def draft(kind: str, legal: str, forum: str | None = None) -> Outcome:
    """Ask everything a report holds, show it, and return it when its sender says "send"."""
    what = await Narrative("what", ask=f"{kind}.what")
    where = await Place("where", ask="tell.where")
    when = await ChoiceOrWords("when", ask="tell.when", options=WHEN)
    evidence = await Files("evidence", ask="tell.evidence", most=MOST_FILES)
    about = await _unit_complained_of(legal)
    reply = await Choice("reply", ask="tell.reply", options=("receipt", "notice", "contact"))
    contact = None
    if reply == "contact":
        contact = await Words("contact", ask="tell.contact", shortest=5, longest=200)
    if await Review("review", ask="tell.review") == "drop":
        return Nothing("talk.cancelled")
    return Draft(kind, legal, what, where, when, evidence, about, reply, contact, forum)


async def _unit_complained_of(legal: str) -> str | None:
    if legal != "denunciation":
        matter = await Choice("about", ask="tell.about", options=("no", "yes"))
        if matter == "no":
            return None
    return await UnitName("unit", ask="tell.unit")
