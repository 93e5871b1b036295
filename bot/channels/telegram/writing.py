"""Our messages as Telegram takes them: pieces of 4,096 units, buttons with 64 bytes behind them."""

from __future__ import annotations

from dataclasses import dataclass

from bot.splitting import split
from storage.vocabulary import Message

LONGEST = 4096  # UTF-16 units of a text, after entities are read (we send none)
LONGEST_CAPTION = 1024


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
