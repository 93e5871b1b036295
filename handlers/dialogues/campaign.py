"""Making a campaign in chat: whom, when, how long, which questions; tried first, then in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from handlers.asking import given_for
from handlers.dialogue import About, Begin, Desk, Dialogue, Nothing, Outcome, Settled
from handlers.questions import Choice, ChoiceOrWords, Labelled, Question, Unclear, Words
from handlers.scene import Scene
from storage import rounds
from storage.campaign import Campaign, campaign_from, is_rule
from storage.rounds import Fixed
from storage.vocabulary import Said

MOST_QUESTIONS, MOST_OPTIONS, LONGEST_OPTION = 10, 20, 60
DAYS = ("2", "5", "7", "10", "14")
ROLES = {
    "collaborators": ("collaborator",),
    "officers": ("officer",),
    "both": ("collaborator", "officer"),
}


class Rule(ChoiceOrWords):
    """When rounds are due: now, before each meeting, or a rule typed in."""

    def read(self, said: Said, scene: Scene) -> str | Unclear:
        picked = super().read(said, scene)
        if isinstance(picked, str) and picked.startswith("=") and not is_rule(picked[1:]):
            return Unclear("campaign.bad_rule")
        return picked


class Lines(Question[list[str]]):
    """Several short answers, one a line or with semicolons between."""

    longest: ClassVar[int] = LONGEST_OPTION

    def read(self, said: Said, scene: Scene) -> list[str] | Unclear:
        parts = (said.text or "").replace(";", "\n").split("\n")
        found = list(dict.fromkeys(" ".join(part.split()) for part in parts if part.strip()))
        if not 2 <= len(found) <= MOST_OPTIONS or any(len(one) > self.longest for one in found):
            return Unclear("campaign.bad_options", (("most", MOST_OPTIONS), ("long", self.longest)))
        return found


@dataclass(frozen=True)
class Lists:
    """What there is to choose from: templates, organisations, campaigns in force."""

    def settle(self, desk: Desk) -> Settled:
        """Begin with the lists."""
        if desk.member is None:
            return Settled((desk.tell("talk.not_open"),))
        language = desk.language
        any_one = [["-", desk.words("campaign.any_organisation")]]
        standing = [s.campaign for s in rounds.campaigns(desk.work) if not s.closed]
        given = {
            "unit": "" if desk.member.unit == desk.tree().root.id else desk.member.unit,
            "id": f"chat-{desk.chance.letters(8)}",
            "organisations": any_one
            + [[each.id, each.called(language)] for each in desk.house.organisations],
            "templates": [[c.id, c.say(c.title, language)] for c in desk.house.templates],
            "standing": [[c.id, c.say(c.title, language)] for c in standing],
        }
        return Settled(next=Begin("campaign", given))


@dataclass(frozen=True)
class FromTemplate:
    """A campaign that comes with the program, to be put in force as it is."""

    id: str

    def settle(self, desk: Desk) -> Settled:
        """Show what can be done with it."""
        found = next(each for each in desk.house.templates if each.id == self.id)
        return Settled(next=Begin("campaign", {"draft": found.kept()}))


@dataclass(frozen=True)
class Drafted:
    """A campaign made in chat."""

    campaign: Campaign

    def settle(self, desk: Desk) -> Settled:
        """Show what can be done with it."""
        return Settled(next=Begin("campaign", {"draft": self.campaign.kept()}))


@dataclass(frozen=True)
class Tried:
    """A wish to answer a draft oneself; nothing of that is kept."""

    draft: str

    def settle(self, desk: Desk) -> Settled:
        """Ask its questions as those who will be asked see them, then come back to the draft."""
        campaign = campaign_from(self.draft)
        given = given_for(desk, campaign, "", desk.house.smallest_panel, preview=True)
        return Settled(next=Begin("respond", given | {"draft": self.draft}))


@dataclass(frozen=True)
class Started:
    """A draft that was put in force."""

    draft: str

    def settle(self, desk: Desk) -> Settled:
        """From now on its rounds are due; one that was answered under this name stays."""
        try:
            rounds.set_campaign(desk.work, campaign_from(self.draft), desk.now)
        except Fixed:
            return Settled((desk.tell("campaign.fixed"),))
        return Settled((desk.tell("campaign.started"),), wishes=True)


@dataclass(frozen=True)
class Closed:
    """A campaign that is to end."""

    id: str

    def settle(self, desk: Desk) -> Settled:
        """No further rounds; an open one ends now, and is counted."""
        rounds.close_campaign(desk.work, self.id, desk.now)
        return Settled((desk.tell("campaign.closed"),), wishes=True)


async def campaign(about: About) -> Outcome:
    """Begin anew, from a template, or end one; a draft is tried, put in force or dropped."""
    given = about.given
    if "draft" in given:
        return await _finished(given["draft"])
    if "standing" not in given:
        return Lists()
    what = await Choice("what", ask="campaign.what", options=("new", "template", "end"))
    if what == "new":
        return Drafted(await _made(given))
    if what == "template":
        return FromTemplate(await Labelled("template", "campaign.template", given["templates"]))
    if not given["standing"]:
        return Nothing("campaign.nothing_stands")
    which = await Labelled("which", "campaign.which", given["standing"])
    sure = await Choice("sure", ask="campaign.sure", options=("yes", "no"))
    return Closed(which) if sure == "yes" else Nothing("campaign.dropped")


async def _finished(draft: str) -> Outcome:
    end = await Choice("end", ask="campaign.end", options=("try", "start", "drop"))
    if end == "drop":
        return Nothing("campaign.dropped")
    return Tried(draft) if end == "try" else Started(draft)


async def _made(given: Any) -> Campaign:
    title = await Words("title", "campaign.title", shortest=5, longest=100)
    who = await Choice("who", ask="campaign.who", options=tuple(ROLES))
    organisation = await Labelled("organisation", "campaign.organisation", given["organisations"])
    document = await ChoiceOrWords("document", ask="campaign.document", options=("none",))
    when = await Rule("when", ask="campaign.when", options=("now", "meeting"))
    days = await Labelled("days", "campaign.days", [(each, each) for each in DAYS])
    questions: list[dict[str, Any]] = []
    for number in range(1, MOST_QUESTIONS + 1):
        questions.append(await _question(number))
        more = ("done", "another") if number < MOST_QUESTIONS else ("done",)
        if await Choice(f"more.{number}", ask="campaign.more", options=more) == "done":
            break
    return Campaign.model_validate(
        {
            "id": given["id"],
            "title": {"vi": title},
            "about": {} if document == "none" else {"vi": document[1:]},
            "who": {
                "roles": ROLES[who],
                "units": (given["unit"],) if given["unit"] else (),
                "organisations": () if organisation == "-" else (organisation,),
            },
            "when": {"now": "once", "meeting": "meeting-7 08:00"}.get(when, when[1:]),
            "open_days": int(days),
            "question": questions,
        }
    )


async def _question(number: int) -> dict[str, Any]:
    kinds = ("scale", "one", "several", "text", "place")
    kind = await Choice(f"kind.{number}", ask="campaign.kind", options=kinds, number=number)
    text = await Words(f"text.{number}", "campaign.text", shortest=5, longest=300)
    found: dict[str, Any] = {"key": f"q{number}", "kind": kind, "text": {"vi": text}}
    if kind in ("one", "several"):
        found["options"] = _options(await Lines(f"options.{number}", "campaign.options"))
    return found


def _options(labels: Sequence[str]) -> list[dict[str, str]]:
    return [{"id": f"o{at}", "vi": label} for at, label in enumerate(labels, 1)]


DIALOGUE = Dialogue(
    "campaign",
    campaign,
    roles=frozenset({"analyst"}),
    menu=11,
    before_consent=True,
    resumable=True,
)
