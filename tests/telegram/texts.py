"""Text as Telegram counts it: UTF-16 units, HTML read into entities, entities found by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

Entities = list[dict[str, Any]]


class BadMarkup(Exception):
    """A text whose markup cannot be read; the sentence is the server's."""


def units(text: str) -> int:
    """The length of a text in UTF-16 units."""
    return len(text) + sum(ord(letter) > 0xFFFF for letter in text)


def pieces(text: str, most: int) -> list[str]:
    """A text cut as the apps cut it: after so many UTF-16 units, no letter torn apart."""
    cut: list[str] = []
    held: list[str] = []
    length = 0
    for letter in text:
        size = 2 if ord(letter) > 0xFFFF else 1
        if length + size > most:
            cut.append("".join(held))
            held, length = [], 0
        held.append(letter)
        length += size
    return [*cut, "".join(held)]


_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"]+)|(?<![\w/])(?P<bot_command>/[A-Za-z0-9_]{1,32}(?:@\w+)?)(?![\w/])"
)


def found(text: str) -> Entities:
    """The commands and links the server finds in a plain text."""
    return [
        {
            "type": match.lastgroup,
            "offset": units(text[: match.start()]),
            "length": units(match[0]),
        }
        for match in _FOUND.finditer(text)
    ]


_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
    "a": "text_link",
}


@dataclass
class _Reader(HTMLParser):
    text: str = ""
    entities: Entities = field(default_factory=list)
    opened: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = _TAGS.get(tag)
        if kind is None:
            raise BadMarkup(f'Unsupported start tag "{tag}" at byte offset {self._bytes()}')
        entity: dict[str, Any] = {"type": kind, "offset": units(self.text)}
        if kind == "text_link":
            entity["url"] = dict(attrs).get("href") or ""
        self.opened.append((tag, entity))

    def handle_endtag(self, tag: str) -> None:
        if not self.opened or self.opened[-1][0] != tag:
            raise BadMarkup(f"Unmatched end tag at byte offset {self._bytes()}")
        _, entity = self.opened.pop()
        entity["length"] = units(self.text) - entity["offset"]
        if entity["length"]:
            self.entities.append(entity)

    def handle_data(self, data: str) -> None:
        self.text += data

    def _bytes(self) -> int:
        return len(self.text.encode())


def parsed(text: str, mode: str | None, given: Entities | None) -> tuple[str, Entities]:
    """A text without its markup, and its entities. Raises BadMarkup."""
    if not mode:
        return text, given or found(text)
    if mode.lower() != "html":
        raise BadMarkup(f"the double reads no parse_mode {mode}")
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if reader.opened:
        raise BadMarkup(f"Can't find end tag corresponding to start tag {reader.opened[-1][0]}")
    return reader.text, sorted(reader.entities, key=lambda each: each["offset"])
