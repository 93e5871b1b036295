"""Our messages as Telegram takes them: pieces of 4,096 units, buttons with 64 bytes behind them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from storage.vocabulary import Message

LONGEST = 4096  # UTF-16 units of a text, after entities are read (we send none)
LONGEST_CAPTION = 1024
BREAKS = (r"\n\s*\n", r"\n", r"(?<=[.!?…:;])\s", r"\s")  # where a text may be cut, best first


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: what it says, what it sends back (64 bytes at most)."""

    label: str
    data: str


@dataclass(frozen=True, slots=True)
class Piece:
    """What goes out in one call: a text with its buttons, or a PNG picture with a caption."""

    text: str
    buttons: tuple[Button, ...] = ()
    picture: bytes | None = None
    protect: bool = False


def pieces(message: Message, picture: bytes | None) -> list[Piece]:
    """A message in as few pieces as Telegram takes; the picture first, the buttons last."""
    texts = split(message.text, LONGEST)
    buttons = tuple(
        Button(option.label, f"{message.question}|{option.code}") for option in message.choices
    )
    found = [Piece(text, protect=message.protect) for text in texts[:-1]]
    found.append(Piece(texts[-1], buttons, protect=message.protect))
    if picture is None:
        return found
    caption = split(message.about, LONGEST_CAPTION)[0] if message.about else ""
    return [Piece(caption, picture=picture, protect=message.protect), *found]


def split(text: str, longest: int) -> list[str]:
    """A text in parts of at most so many UTF-16 units, cut where it hurts least; never empty."""
    parts = []
    rest = text
    while units(rest) > longest:
        part, rest = _cut(rest, longest)
        parts.append(part)
    return [*parts, rest]


def _cut(text: str, longest: int) -> tuple[str, str]:
    head = text.encode("utf-16-le")[: 2 * longest].decode("utf-16-le", "ignore")
    for pattern in BREAKS:
        ends: Sequence[re.Match[str]] = list(re.finditer(pattern, head))
        if ends and ends[-1].start() > len(head) // 3:
            at = ends[-1]
            return head[: at.start()].rstrip(), text[at.end() :].lstrip()
    return head, text[len(head) :]


def units(text: str) -> int:
    """How long a text is as Telegram counts: in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
