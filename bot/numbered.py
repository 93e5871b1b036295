"""Our messages for platforms without buttons: plain text, the options as numbered lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from bot.splitting import split, units
from handlers.numbering import numbers, own_number
from storage.prompting import round_in
from storage.vocabulary import Message, Option


def written(message: Message, longest: int) -> list[str]:
    """A message as texts of at most so many UTF-16 units, NFC; its options stay in one piece.

    What a prompt offers is not numbered: it may come between a question and its answer, and a
    number must answer the question. Its words name the command instead.
    """
    text = unicodedata.normalize("NFC", message.text)
    listed = unicodedata.normalize("NFC", menu(message))
    if not listed:
        return split(text, longest)
    *before, last = split(text, longest)
    whole = f"{last}\n\n{listed}"
    return [*before, whole] if units(whole) <= longest else [*before, last, *split(listed, longest)]


def menu(message: Message) -> str:
    """The options of a message a line each, and how to answer; nothing where it has none."""
    if not message.choices or is_prompt(message):
        return ""
    return "\n".join(filter(None, (*_lines(message.choices), message.by_number)))


def is_prompt(message: Message) -> bool:
    """Whether a message's button begins a round instead of answering the running question."""
    return message.question is not None and round_in(message.question) is not None


def _lines(options: Sequence[Option]) -> list[str]:
    """`1. Có` a line; labels that are numbers themselves stand side by side."""
    lines: list[str] = []
    bare: list[str] = []
    for option, number in zip(options, numbers(options), strict=True):
        if own_number(option) is not None:
            bare.append(option.label)
            continue
        lines += [" · ".join(bare)] if bare else []
        bare = []
        lines.append(f"{number}. {option.label}" if number is not None else f"– {option.label}")
    return [*lines, " · ".join(bare)] if bare else lines
