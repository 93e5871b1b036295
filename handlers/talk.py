"""A running talk as it is kept between two events: sealed, and nothing but answers by key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from storage.vocabulary import Language


@dataclass
class Running:
    """A dialogue that waits for an answer: its name and its answers, in the order given.

    `refs`: which message of a channel that has edits gave which answer, by question key.
    """

    name: str
    given: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    so_far: dict[str, Any] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def files(self) -> list[str]:
        """The files its answers hold, whatever question they answered."""
        return _files_in([self.given, self.answers, self.so_far])


def _files_in(kept: Any) -> list[str]:
    if isinstance(kept, str):
        return [kept] if kept.startswith(FILE) else []
    parts = kept.values() if isinstance(kept, dict) else kept if isinstance(kept, list) else ()
    return [name for each in parts for name in _files_in(each)]


FILE = "file-"  # what the id of a file starts with, so that it is known among answers


@dataclass
class Talk:
    """What is remembered of one person: language, what runs, what was set aside.

    `staff`: until when one of ours speaks with them at the platform and the bot is quiet (ISO).
    """

    language: Language = "vi"
    welcomed: bool = False
    running: Running | None = None
    aside: Running | None = None
    remarks: list[str] = field(default_factory=list)
    staff: str | None = None

    def as_kept(self) -> dict[str, Any]:
        """Its stored form: plain JSON."""
        return {
            "language": self.language,
            "welcomed": self.welcomed,
            "running": vars(self.running) if self.running else None,
            "aside": vars(self.aside) if self.aside else None,
            "remarks": self.remarks,
            "staff": self.staff,
            "room": self.room,
        }

    def is_with_staff(self, now: datetime) -> bool:
        """Whether one of ours speaks with the person at a moment."""
        return self.staff is not None and now < datetime.fromisoformat(self.staff)

    @property
    def room(self) -> int:
        """Bytes to whose multiple it is padded where a dialogue in it wants its size kept."""
        talks = (self.running, self.aside)
        return max((int(each.given.get("room", 0)) for each in talks if each), default=0)


def from_kept(kept: Any) -> Talk:
    """A talk out of its stored form; a new one where nothing was kept, or another version's."""
    try:
        return _read(kept) if kept else Talk()
    except (KeyError, TypeError):
        return Talk()


def _read(kept: Any) -> Talk:
    return Talk(
        cast("Language", kept["language"]),
        kept["welcomed"],
        Running(**kept["running"]) if kept["running"] else None,
        Running(**kept["aside"]) if kept["aside"] else None,
        kept.get("remarks", []),
        kept.get("staff"),
    )
