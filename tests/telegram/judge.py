"""Two judges who know nothing of each other: python-telegram-bot and aiogram read everything.

What the double sends out must be read by both without loss; what a program sends in is held
against python-telegram-bot's names (`rules.by_ptb`) and the contract (`rules.check`).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import aiogram.types
import telegram
from pydantic import BaseModel

from tests.telegram.rules import wrong_object

Thing = dict[str, Any]


def lost(kind: str, sent: Thing) -> list[str]:
    """What any judge cannot read of an object of this kind (`Update`, `Message` ...)."""
    judges = (ptb_loses, aiogram_loses)
    found = [each for judge in judges for each in judge(kind, sent)]
    return [*found, *wrong_object(sent, kind, kind)]


def ptb_loses(kind: str, sent: Thing) -> list[str]:
    """The paths python-telegram-bot drops, changes or does not know."""
    read = getattr(telegram, kind).de_json(sent, None)
    strange = [f"ptb knows no {name}" for name in _unknown_to_ptb(read)]
    return [f"ptb loses {path}" for path in _missing(sent, read.to_dict(), kind)] + strange


def aiogram_loses(kind: str, sent: Thing) -> list[str]:
    """The paths aiogram drops, changes or does not know."""
    read = getattr(aiogram.types, kind).model_validate(sent)
    strange = [f"aiogram knows no {name}" for name in _unknown_to_aiogram(read)]
    return [f"aiogram loses {path}" for path in _missing(sent, _dumped(read), kind)] + strange


def _missing(sent: Any, read: Any, at: str) -> Iterator[str]:
    if isinstance(sent, dict):
        known = read if isinstance(read, dict) else {}
        for name, value in sent.items():
            yield from _missing(value, known.get(name), f"{at}.{name}")
    elif isinstance(sent, list):
        others = read if isinstance(read, list) and len(read) == len(sent) else [None] * len(sent)
        for number, (one, other) in enumerate(zip(sent, others, strict=True)):
            yield from _missing(one, other, f"{at}[{number}]")
    elif sent != read:
        yield f"{at}: {sent!r} read as {read!r}"


def _dumped(read: Any) -> Any:
    if isinstance(read, BaseModel):
        fields = type(read).model_fields
        named = {info.alias or name: getattr(read, name) for name, info in fields.items()}
        return {name: _dumped(value) for name, value in named.items() if value is not None}
    if isinstance(read, list):
        return [_dumped(each) for each in read]
    return int(read.timestamp()) if isinstance(read, datetime.datetime) else read


def _unknown_to_aiogram(read: Any) -> Iterator[str]:
    if isinstance(read, BaseModel):
        yield from (f"{type(read).__name__}.{name}" for name in read.model_extra or ())
        for name in type(read).model_fields:
            yield from _unknown_to_aiogram(getattr(read, name))
    elif isinstance(read, list):
        for each in read:
            yield from _unknown_to_aiogram(each)


def _unknown_to_ptb(read: Any) -> Iterator[str]:
    if isinstance(read, telegram.TelegramObject):
        yield from (f"{type(read).__name__}.{name}" for name in read.api_kwargs)
        slots = (name for one in type(read).__mro__ for name in getattr(one, "__slots__", ()))
        for name in slots:
            if not name.startswith("_"):
                yield from _unknown_to_ptb(getattr(read, name, None))
    elif isinstance(read, tuple | list):
        for each in read:
            yield from _unknown_to_ptb(each)
