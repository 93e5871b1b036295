"""The list of commands a platform may show beside the chat, made from the dialogues themselves."""

from __future__ import annotations

from handlers.dialogue import dialogues
from storage.words import Words

STEERING = ("menu", "resume", "back", "cancel")


def offered(words: Words) -> tuple[tuple[str, str], ...]:
    """Commands without their slash, each with what it does: what citizens can begin, and steer."""
    begun = [(d.menu, d.name) for d in dialogues().values() if d.menu and d.open_to("citizen")]
    found = [(_typed(name, words), words(f"menu.{name}")) for _, name in sorted(begun)]
    found += [(_typed(name, words), words(f"telegram.command_{name}")) for name in STEERING]
    return tuple(found)


def _typed(name: str, words: Words) -> str:
    return next(way[1:] for way in words.all(f"commands.{name}") if way.startswith("/"))
