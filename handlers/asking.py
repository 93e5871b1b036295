"""A campaign's questions as a talk: the promise first, then each question, matter by matter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

import orjson

from handlers.dialogue import About, Begin, Desk, Nothing, Outcome, Settled
from handlers.guarding import LED_OUT, Guarded, shortened
from handlers.questions import Choice, Gone, Partly, Place, Question, Review, Unclear, Where
from handlers.reading import is_way, number_in, plain
from handlers.scene import Scene
from storage import outbox, people, rounds
from storage.campaign import (
    CONFIRMED,
    ELSEWHERE,
    MOST_LISTED,
    SCALE,
    SKIPPED,
    STEP,
    Asked,
    Campaign,
    campaign_from,
)
from storage.people import Member
from storage.prompting import ROUND
from storage.rounds import Round
from storage.vocabulary import Asks, Language, Option, Said
from storage.words import Words

SEPARATORS = re.compile(r"[\s,;&+]+")  # between the numbers of several options
CONFIRMED_FROM = 2  # closed rounds whose passed sayings may be confirmed


class Picked(Question[str]):
    """One of a list, or a point of the scale; `-` for no answer."""

    asks: ClassVar[Asks | None] = None

    def __init__(self, key: str, asked: Asked, edits: bool) -> None:
        super().__init__(key, "round.one")
        self.asked, self.edits = asked, edits

    def text(self, scene: Scene) -> str:
        wording = _said(self.asked.text, scene.words.language)
        if self.asked.kind == "scale":
            return f"{wording}\n{scene.words('round.scale')}"
        return wording

    def options(self, scene: Scene) -> tuple[Option, ...]:
        skip = () if self.asked.required else (Option(SKIPPED, scene.words("round.skip")),)
        if self.asked.kind == "scale":
            return (*(Option(one, one) for one in SCALE), *skip)
        language = scene.words.language
        return (*(Option(each.id, each.label(language)) for each in self.asked.options), *skip)

    def read(self, said: Said, scene: Scene) -> str | Unclear:
        picked = self.pressed(said, scene)
        if picked is not None:
            return picked
        if not self.asked.required and is_way(plain(said.text or ""), "none", scene.words):
            return SKIPPED
        return Unclear("unclear.choice")

    def recall(self, kept: Any) -> str:
        if kept not in (*self.asked.ids(), SKIPPED):
            raise Gone(self.key)
        return str(kept)

    def name(self, scene: Scene) -> str:
        return _said(self.asked.text, scene.words.language)

    def edit(self, scene: Scene) -> str | None:
        wording = shortened(self.name(scene))
        return scene.words("round.edit", question=wording) if self.edits else None

    def show(self, answer: str, scene: Scene) -> str:
        return next((o.label for o in self.options(scene) if o.id == answer), answer)


class Several(Question[list[str]]):
    """Any number of a list: each tap puts one in or takes it out, until they are all."""

    asks: ClassVar[Asks | None] = None

    def __init__(self, key: str, listed: Sequence[tuple[str, str]], wording: str) -> None:
        super().__init__(key, "round.several")
        self.listed, self.wording = tuple(listed), wording

    def text(self, scene: Scene) -> str:
        return f"{self.wording}\n{scene.words('round.several')}"

    def options(self, scene: Scene) -> tuple[Option, ...]:
        taken = scene.so_far or ()
        marked = (
            Option(one, scene.words("round.taken", label=label) if one in taken else label)
            for one, label in self.listed
        )
        return (*marked, Option("done", scene.words("round.done" if taken else "round.skip")))

    def read(self, said: Said, scene: Scene) -> list[str] | Unclear | Partly:
        taken = list(scene.so_far or ())
        option = self.pressed(said, scene)
        ends = is_way(plain(said.text or ""), "done" if taken else "none", scene.words)
        if option == "done" or (option is None and ends):
            return taken
        picked = [option] if option else self._numbers(said.text or "", scene.words)
        if not picked:
            return Unclear("unclear.choice")
        for one in picked:
            taken = [each for each in taken if each != one] if one in taken else [*taken, one]
        return Partly(taken)

    def by_number(self, options: Sequence[Option], scene: Scene) -> str:
        return ""  # the text says so

    @staticmethod
    def _places(text: str, words: Words) -> list[int]:
        """The numbers of a text that is nothing else: `1, 3`, `1 và 3`."""
        between = ("and", "number")
        parts = [
            part
            for part in SEPARATORS.split(text)
            if not any(is_way(plain(part), way, words) for way in between)
        ]
        found = [number_in(part, words) for part in parts if part]
        return [] if None in found else [number for number in found if number is not None]

    def _numbers(self, text: str, words: Words) -> list[str]:
        places = self._places(text, words)
        if not all(1 <= place <= len(self.listed) for place in places):
            return []
        return list(dict.fromkeys(self.listed[place - 1][0] for place in places))

    def recall(self, kept: Any) -> list[str]:
        known = {one for one, _ in self.listed}
        if not set(kept) <= known:
            raise Gone(self.key)
        return list(kept)

    def name(self, scene: Scene) -> str:
        return self.wording

    def show(self, answer: list[str], scene: Scene) -> str:
        labels = [label for one, label in self.listed if one in answer]
        return ", ".join(labels) or scene.words("round.skip")


class Placed(Place):
    """A place, of which only the ward is kept."""

    def __init__(self, key: str, wording: Mapping[Language, str]) -> None:
        super().__init__(key, "round.place")
        self.wording = wording

    def text(self, scene: Scene) -> str:
        return super().text(scene) if scene.so_far else _said(self.wording, scene.words.language)

    def name(self, scene: Scene) -> str:
        return _said(self.wording, scene.words.language)


def _said(wording: Mapping[Language, str], language: Language) -> str:
    return wording.get(language) or next(iter(wording.values()))


# -- the talk -------------------------------------------------------------------------------------


def given_for(
    desk: Desk, campaign: Campaign, round: str, floor: int, preview: bool = False
) -> dict[str, Any]:
    """What a talk about a campaign is begun with; its size on disk is the same for everybody."""
    given: dict[str, Any] = {
        "round": round,
        "campaign": campaign.kept(),
        "floor": floor,
        "heard": _heard(desk, campaign),
        "preview": preview,
    }
    # The answers, the part of one that was heard, and what it was begun with, at their longest.
    widest = len(orjson.dumps(given)) + 2 * campaign.room()
    return given | {"room": -(-widest // STEP) * STEP}


def _heard(desk: Desk, campaign: Campaign) -> list[list[str]]:
    if not campaign.confirm:
        return []
    closed = rounds.closed_rounds(desk.work, CONFIRMED_FROM, campaign.id)
    passed = rounds.sayings(desk.work, "passed", [each.id for each in closed], MOST_LISTED)
    texts = {each.key for each in campaign.question if each.kind == "text"}
    return [[p.id, " / ".join(t for k, t in p.said.items() if k in texts)[:200]] for p in passed]


async def asked(about: About) -> Outcome:
    """The whole talk: promise, what others raised, the questions of each matter, a last look."""
    campaign = campaign_from(about.given["campaign"])
    named = [campaign.say(each, about.language) for each in (campaign.title, campaign.about)]
    begun = await Choice(
        "promise",
        ask="round.promise",
        options=("begin", "later"),
        title="\n".join(filter(None, named)),
        floor=about.given["floor"],
    )
    if begun == "later":
        return Nothing("round.later")
    confirmed = await _confirmed(about.given["heard"], about.language)
    matters: list[dict[str, Any]] = []
    for number in range(1, campaign.repeat + 1):
        matters.append(await _matter(campaign, number, about.language))
        if campaign.repeat == 1:
            break
        options = ("send", "another") if number < campaign.repeat else ("send",)
        if await Choice(f"again.{number}", ask="round.again", options=options) == "send":
            break
    written = any(each.kind == "text" for each in campaign.question)
    looks = campaign.repeat == 1 and written
    if looks and await Review("review", ask="round.review") == "drop":
        return Nothing("round.later")
    return Answer(about.given, matters, confirmed)


async def _confirmed(heard: Sequence[Sequence[str]], language: Language) -> list[str]:
    if not heard:
        return []
    return await Confirming(CONFIRMED, heard)


class Confirming(Several):
    """What others raised in earlier rounds, passed by an analyst: heard as well?"""

    def __init__(self, key: str, heard: Sequence[Sequence[str]]) -> None:
        numbered = [(one, str(at)) for at, (one, _) in enumerate(heard, 1)]
        lines = "\n".join(f"{at}. {text}" for at, (_, text) in enumerate(heard, 1))
        super().__init__(key, numbered, lines)

    def text(self, scene: Scene) -> str:
        return f"{scene.words('round.confirm')}\n{super().text(scene)}"


async def _matter(campaign: Campaign, number: int, language: Language) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for asked in campaign.question:
        key = asked.key if campaign.repeat == 1 else f"{asked.key}.{number}"
        found[asked.key] = await _one(asked, key, campaign.repeat == 1, language)
    return found


async def _one(asked: Asked, key: str, edits: bool, language: Language) -> Any:
    if asked.kind == "text":
        return await Guarded(key, asked.text, asked.required, leads_out=True)
    if asked.kind == "place":
        return _ward(await Placed(key, asked.text))
    if asked.kind == "several":
        listed = [(each.id, each.label(language)) for each in asked.options]
        return await Several(key, listed, _said(asked.text, language))
    picked = await Picked(key, asked, edits)
    return "" if picked == SKIPPED else picked


def _ward(where: Where) -> str:
    return where.ward or (ELSEWHERE if where.words or where.pin else "")


# -- what it comes to -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What somebody said in a round, or between rounds, or to try a campaign."""

    given: Mapping[str, Any]
    matters: Sequence[Mapping[str, Any]]
    confirmed: Sequence[str] = field(default=())

    def settle(self, desk: Desk) -> Settled:
        """A tick for the person and a ballot for nobody; an accusation goes on as a tip."""
        if self.given["preview"]:
            draft = {"draft": self.given["draft"]}
            return Settled((desk.tell("round.previewed"),), Begin("campaign", draft))
        if desk.member is None:
            return Settled((desk.tell("round.left"),))
        kept = self._kept(desk, desk.member)
        say = desk.tell(f"round.{kept}")
        led = next((a for m in self.matters for a in m.values() if _is_led(a)), None)
        if led is None:
            return Settled((say,))
        what = [led.removeprefix(LED_OUT), []]
        return Settled((say, desk.tell("round.to_tip")), Begin("tip", answers={"what": what}))

    def _kept(self, desk: Desk, member: Member) -> str:
        said = {
            "unit": member.unit,
            "matters": [
                {key: "" if _is_led(answer) else answer for key, answer in matter.items()}
                for matter in self.matters
            ],
            CONFIRMED: list(self.confirmed),
        }
        asked = campaign_from(self.given["campaign"])
        standing = rounds.find_campaign(desk.work, asked.id)
        if standing is None or standing.campaign.question != asked.question:
            return "changed"  # while nobody had answered yet an analyst mended it
        ballot = desk.chance.letters(20)
        if not self.given["round"]:
            rounds.say_between(desk.work, asked.id, ballot, said)
            return "kept_between"
        round = self.given["round"]
        kept = rounds.answer(desk.work, round, member.id, ballot, said, desk.now)
        if kept in ("kept", "twice"):  # on whatever channel: no other calls for it any more
            outbox.answered(desk.work, people.keys_of(desk.work, member.id), ROUND + round)
        return kept


def _is_led(answer: Any) -> bool:
    return isinstance(answer, str) and answer.startswith(LED_OUT)


@dataclass(frozen=True)
class Open:
    """A round whose prompt was tapped, or the first that waits for an answer."""

    round: str | None

    def settle(self, desk: Desk) -> Settled:
        """Begin its talk, or say why there is none."""
        if desk.member is None:
            return Settled((desk.tell("round.left"),))
        open_to = rounds.call(desk.work, desk.member)
        for each, campaign, _ in open_to:
            if self.round in (None, each.id) and desk.now <= each.until:
                return Settled(
                    next=Begin("respond", given_for(desk, campaign, each.id, each.floor))
                )
        if self.round is None:
            return Settled((desk.tell("round.none"),))
        return Settled((desk.tell(f"round.{_why_not(desk, self.round, desk.member)}"),))


def _why_not(desk: Desk, round: str, member: Member) -> str:
    found = rounds.find_round(desk.work, round)
    if found is None or _is_over(found, desk.now):
        return "closed"
    return "twice" if rounds.was_asked(desk.work, round, member.id) else "not_asked"


def _is_over(round: Round, now: datetime) -> bool:
    return round.state != "open" or now > round.until


def due_prompts(desk: Desk) -> list[tuple[Round, Campaign]]:
    """The rounds that somebody who was in the middle of something has yet to be told of."""
    if desk.member is None:
        return []
    waiting = [each for each in rounds.call(desk.work, desk.member) if not each[2]]
    return [
        (round, campaign)
        for round, campaign, _ in waiting
        if desk.now < round.closes and rounds.tell(desk.work, round.id, [desk.member.id])
    ]
