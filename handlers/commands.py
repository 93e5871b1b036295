"""What people type to steer the talk: slash commands, and the plain words for them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from handlers.reading import plain
from storage.vocabulary import Said
from storage.words import Words

SLASH = re.compile(r"/([a-z_]+)(?:@\w+)?(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)
CODED = re.compile(r"(\D+?)\s*(\d[\d\s.–-]+\d)")  # plain words, then a code of digits
TAKES_CODE = "link"
SECTION = "commands."
LONGEST_WAY = 40  # characters


@dataclass(frozen=True, slots=True)
class Command:
    """A command by its own name, with what was typed after it."""

    name: str
    rest: str = ""


class Commands:
    """Knows every way to type a command, in all languages at once."""

    def __init__(self, catalogues: Iterable[Words]) -> None:
        self._slashed: dict[str, str] = {}
        self._plain: dict[str, str] = {}
        self._marked: dict[str, str] = {}
        for words in catalogues:
            for key in words.section(SECTION):
                self._learn(key.removeprefix(SECTION), words.all(key))

    def _learn(self, name: str, ways: Iterable[str]) -> None:
        for way in ways:
            if way.startswith("/"):
                self._slashed[way[1:].lower()] = name
            else:
                self._plain[plain(way)] = name
                self._marked[_lowered(way)] = name

    @property
    def known(self) -> Mapping[str, str]:
        """Every slash command and the name it stands for."""
        return self._slashed

    def read(self, text: str) -> Command | None:
        """The command a whole message is, if it is one."""
        slashed = SLASH.fullmatch(text.strip())
        if slashed:
            name = self._slashed.get(slashed[1].lower())
            return Command(name or "unknown", (slashed[2] or "").strip())
        # A story may well contain the word "stop"; only a message that is nothing else commands.
        if len(text) > LONGEST_WAY:
            return None
        coded = CODED.fullmatch(text.strip())
        if coded and self._named(coded[1]) == TAKES_CODE:
            return Command(TAKES_CODE, coded[2])
        name = self._named(text)
        return Command(name) if name else None

    def _named(self, text: str) -> str | None:
        # Whoever types the marks means them: "đúng" is not "dừng".
        said = _lowered(text)
        return self._plain.get(plain(text)) if said.isascii() else self._marked.get(said)

    def knows(self, said: Said) -> bool:
        """Whether something said is a command that there is: what a bot that is quiet answers."""
        command = self.read(said.text) if said.text and not said.files else None
        return bool(said.start) or (command is not None and command.name != "unknown")


def _lowered(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split()).strip(" .!")
