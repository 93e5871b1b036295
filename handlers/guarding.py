"""A free text that is looked at before it is kept: persons come out of it, secrets stay out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.questions import Partly, Question, Unclear
from handlers.reading import is_way, plain
from handlers.scene import Scene
from storage.campaign import LONGEST_TEXT
from storage.vocabulary import Language, Option, Said
from tagging.guard import Look, look

LED_OUT = "tip:"  # what an answer begins with that its person wants to tell on the protected path
SHOWN = 5  # persons pointed out at once
MOST_SHOWN = 150  # characters of an answer in a summary, so that all summaries fit one size


class Guarded(Question[str]):
    """Free words in a round; empty when skipped.

    Whatever comes up (a name, an accusation) is settled under the same key, so that the plain
    column of waiting messages is the same for everybody. A secret is not kept for a moment.
    `leads_out`: an accusation of one official belongs with the tips and is not taken here.
    """

    def __init__(
        self, key: str, wording: Mapping[Language, str], required: bool, leads_out: bool
    ) -> None:
        super().__init__(key, "round.text")
        self.wording, self.required, self.leads_out = wording, required, leads_out

    def text(self, scene: Scene) -> str:
        found = scene.so_far
        if found is None:
            return _in(self.wording, scene)
        if found["why"] == "accuses":
            return scene.words("guard.accuses")
        return scene.words(
            "guard.persons", found=", ".join(found["persons"]), masked=found["masked"]
        )

    def options(self, scene: Scene) -> tuple[Option, ...]:
        ids: tuple[str, ...]
        if scene.so_far is None:
            ids = () if self.required else ("skip",)
        elif scene.so_far["why"] == "accuses":
            ids = ("tip", "general", "skip")
        else:
            ids = ("masked",) if self.required else ("masked", "skip")
        return tuple(Option(one, scene.words(f"guard.{one}")) for one in ids)

    def read(self, said: Said, scene: Scene) -> str | Unclear | Partly:
        option = self.pressed(said, scene)
        if option is not None:
            return self._picked(option, scene.so_far)
        text = (said.text or "").strip()
        if not self.required and is_way(plain(text), "none", scene.words):
            return ""
        if sum(letter.isalnum() for letter in text) < 3:
            return Unclear("unclear.story")
        if len(text) > LONGEST_TEXT:
            return Unclear("round.long", (("most", LONGEST_TEXT),))
        return self._weighed(look(text), text)

    def _weighed(self, seen: Look, text: str) -> str | Unclear | Partly:
        if seen.secrets:
            return Unclear("guard.secret", (("found", ", ".join(seen.secrets[:SHOWN])),))
        if seen.accuses and self.leads_out:
            return Partly({"why": "accuses", "text": text})
        if seen.persons:
            persons = list(seen.persons[:SHOWN])
            return Partly({"why": "persons", "persons": persons, "masked": seen.masked})
        return seen.masked[:LONGEST_TEXT]

    @staticmethod
    def _picked(option: str, so_far: Any) -> str:
        if option == "masked":
            return str(so_far["masked"])[:LONGEST_TEXT]
        if option == "general":
            return look(so_far["text"]).masked[:LONGEST_TEXT]
        return LED_OUT + so_far["text"] if option == "tip" else ""

    def name(self, scene: Scene) -> str:
        return _in(self.wording, scene)

    def edit(self, scene: Scene) -> str:
        return scene.words("round.edit", question=shortened(_in(self.wording, scene)))

    def show(self, answer: str, scene: Scene) -> str:
        if answer.startswith(LED_OUT):
            return scene.words("guard.tip")
        return shortened(answer, MOST_SHOWN) if answer else scene.words("guard.skip")


def _in(wording: Mapping[Language, str], scene: Scene) -> str:
    return wording.get(scene.words.language) or next(iter(wording.values()))


def shortened(text: str, most: int = 40) -> str:
    """The beginning of a question, for a button."""
    first = text.split("\n")[0]
    return first if len(first) <= most else f"{first[: most - 1].rstrip()}…"
