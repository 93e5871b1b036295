"""Reading a transcript and playing it against whoever can speak and listen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from storage.vocabulary import FileAt, Message, Point, Pressed, Said

FOLDER = Path(__file__).parent / "transcripts"
LINK = re.compile(r"(?:LIENKET|LINK) (\d{4} \d{4})")
RECEIPT = re.compile(r"\b\d{4} \d{4} \d{4} \d{4}\b")


class Stage(Protocol):
    """Where a transcript is played: a house, or a server with its wire."""

    def say(self, said: Said | str, who: str) -> list[Message]: ...
    def restart(self) -> None: ...
    def invite(self, role: str, unit: str) -> str: ...
    def answer(self, receipt: str, text: str) -> None: ...
    def campaign(self, name: str) -> None: ...
    def clock(self, minutes: int) -> None: ...
    def files(self, kind: str, count: int, who: str) -> tuple[FileAt, ...]: ...


def every() -> list[str]:
    return sorted(str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*.txt"))


@dataclass
class Player:
    """Plays one transcript; keeps what the bot handed out for the lines that need it.

    `instead`: what is played on this stage in place of a line that it cannot have, by the
    transcript's name and the line; None leaves the line out, and what is expected of it.
    """

    stage: Stage
    instead: Mapping[str, str | None] = field(default_factory=dict)
    skipping: bool = False
    who: str = "an"
    receipt: str = ""
    code: str = ""
    link: str = ""
    replies: tuple[Message, ...] = ()
    heard_to: int = 0

    def play(self, name: str) -> None:
        self.lines(name, (FOLDER / name).read_text(encoding="utf-8").splitlines())

    def lines(self, name: str, lines: Sequence[str]) -> None:
        """Play the lines of a transcript of this name."""
        for number, line in enumerate(lines, 1):
            played = self.instead.get(f"{name}: {line}", line)
            if played is None or (self.skipping and line.startswith("<")):
                self.skipping = True
                continue
            self.skipping = False
            mark, _, rest = played.partition(" ")
            try:
                self._line(mark, rest)
            except AssertionError as wrong:
                raise AssertionError(f"{name}:{number}: {line}\n{wrong}") from None

    def _line(self, mark: str, rest: str) -> None:
        if mark == ">":
            self._say(self._filled(rest))
        elif mark == "<":
            self._expect(rest)
        elif mark == "=":
            self._direct(rest)
        else:
            assert mark in ("#", ""), "a line begins with > < = or #"

    def _filled(self, rest: str) -> str:
        known = {"receipt": self.receipt, "group": self.receipt[-4:], "code": self.code}
        known |= {"link": self.link, "digits": self.link.replace(" ", "")}
        return re.sub(r"\{(receipt|group|code|link|digits)\}", lambda m: known[m[1]], rest)

    def _say(self, rest: str) -> None:
        self.replies = tuple(self.stage.say(self._said(rest), self.who))
        self.heard_to = 0
        assert self.replies, "the bot says nothing"
        handed_out = [m.text for m in self.replies if m.question == "saved"]
        for text in handed_out:
            self.receipt = RECEIPT.findall(text)[0]
        for found in LINK.findall(self._spoken()):
            self.link = found

    def _said(self, rest: str) -> Said:
        if rest.startswith("["):
            return Said(pressed=self._button(rest[1:-1]))
        if not (rest.startswith("(") and rest.endswith(")")) or rest[1:-1].isdigit():
            return Said(text=rest)
        what, *more = rest[1:-1].split()
        if what == "pin":
            return Said(place=Point(float(more[0]), float(more[1])))
        if what == "stale":
            return Said(pressed=Pressed(more[0], more[1]))
        if what == "start":
            return Said(start=more[0])
        count = int(more[0]) if more else 1
        return Said(files=self.stage.files(what.removesuffix("s"), count, self.who))

    def _button(self, label: str) -> Pressed:
        for message in reversed(self.replies):
            for choice in message.choices:
                if choice.label == label:
                    assert message.question is not None
                    return Pressed(message.question, choice.id)
        raise AssertionError(f"no button {label} in:\n{self._spoken()}")

    def _spoken(self) -> str:
        return "\n".join(
            "\n".join((m.text, *(f"[{choice.label}]" for choice in m.choices)))
            for m in self.replies
        )

    def _expect(self, words: str) -> None:
        spoken = self._spoken()
        if words.startswith("(nothing of: "):
            unwanted = words.removeprefix("(nothing of: ").removesuffix(")")
            assert unwanted not in spoken, f"is there:\n{spoken}"
            return
        at = spoken.find(words, self.heard_to)
        assert at >= 0, f"is not there, or not in this order:\n{spoken}"
        self.heard_to = at + len(words)

    def _direct(self, rest: str) -> None:
        verb, _, more = rest.partition(" ")
        if verb == "restart":
            self.stage.restart()
        elif verb == "as":
            self.who = more
        elif verb == "invite":
            role, unit = more.split()
            self.code = self.stage.invite(role, unit)
        elif verb == "answer":
            self.stage.answer(self.receipt, more)
        elif verb == "campaign":
            self.stage.campaign(more)
        elif verb == "clock":
            self.stage.clock(int(more.split()[0]))
        else:
            raise AssertionError(f"no such direction: {verb}")
