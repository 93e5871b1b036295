"""The labelled messages: those to learn from, by hand, and the held-out ones, by another hand."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent


class BadMessage(ValueError):
    """A line of a message file lacks a field or is no JSON; the file and line are named."""


@dataclass(frozen=True)
class Message:
    """One labelled message; `style` says how it is typed: plain, bare, teencode, hue ...

    A label may be empty where nobody gave one: nothing is learned of that axis then.
    """

    text: str
    topic: str
    also: tuple[str, ...]
    sentiment: str
    urgency: str
    style: str = "plain"

    def label(self, axis: str) -> str:
        """Its label on `topic`, `sentiment` or `urgency`."""
        return {"topic": self.topic, "sentiment": self.sentiment, "urgency": self.urgency}[axis]


def training_messages() -> list[Message]:
    """All messages of messages/, file after file."""
    return [one for path in sorted((_HERE / "messages").glob("*.jsonl")) for one in messages(path)]


def heldout_messages() -> list[Message]:
    """All messages of heldout/: for measuring, never for learning or tuning."""
    return [one for path in sorted((_HERE / "heldout").glob("*.jsonl")) for one in messages(path)]


def messages(path: Path) -> Iterator[Message]:
    """The messages of one file of JSON lines; raises `BadMessage`."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                fields = json.loads(line)
                yield Message(**{**fields, "also": tuple(fields.get("also", ()))})
            except (ValueError, TypeError, AttributeError) as error:
                raise BadMessage(f"{path.name}:{number}: {error}") from error
