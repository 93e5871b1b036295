"""Updates that were not confirmed yet, with the real server's offsets, queues and lives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.wire import dumps
from tests.telegram.schema import schema

# Not delivered unless asked for by name.
ONLY_WHEN_ASKED = {"chat_member", "message_reaction", "message_reaction_count"}
CALLBACKS, MEMBERS, OTHERS = 3 << 33, 5 << 33, 6 << 33  # queues apart from the chat's messages
LIVES = {"callback_query": 150, "inline_query": 30, "chosen_inline_result": 600}
LIFE = 86_400  # seconds
FUTURE = 10  # an offset further beyond the newest update than this counts as none
MESSAGES = {
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_message",
    "edited_business_message",
    "guest_message",
}


@dataclass(frozen=True)
class Update:
    """One update as it goes over the wire; `queue` keeps the order of a chat or a presser."""

    id: int
    kind: str
    body: bytes
    queue: int
    sender: int
    until: float


@dataclass
class Pending:
    """What waits to be confirmed, oldest first. Its owner locks."""

    now: Callable[[], float]
    allowed: frozenset[str] = frozenset()
    waiting: dict[int, Update] = field(default_factory=dict)
    repeats: list[Update] = field(default_factory=list)
    newest: int = 700_000_000

    def allow(self, kinds: list[str] | None) -> None:
        """Remember which kinds are wanted; none named, or none known, is the default again."""
        if kinds is not None:
            self.allowed = frozenset(kinds) & frozenset(schema().update_kinds())

    def wanted(self) -> list[str] | None:
        """The kinds as getWebhookInfo tells them; nothing where it is the default."""
        return sorted(self.allowed) or None

    def takes(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in ONLY_WHEN_ASKED

    def add(self, update: dict[str, Any], anyway: bool = False) -> Update | None:
        """Queue an update, numbered unless it brings a number. None where nobody wants its kind."""
        kind = next((name for name in update if name != "update_id"), "")
        if not anyway and not self.takes(kind):
            return None
        self.newest = update.get("update_id", self.newest + 1)
        body = dumps({"update_id": self.newest, **update})
        content = update.get(kind)
        queue = queue_of(kind, content, self.newest)
        until = self.now() + LIVES.get(kind, LIFE)
        added = Update(self.newest, kind, body, queue, _sender(content), until)
        self.waiting[added.id] = added
        return added

    def take(self, offset: int, limit: int) -> list[Update]:
        """What getUpdates gives at this offset; everything below it is confirmed by that."""
        self._expire()
        if offset < 0:
            self.drop(keep=-offset)
        elif offset <= self.newest + FUTURE:
            for id in [id for id in self.waiting if id < offset]:
                del self.waiting[id]
        again, self.repeats = self.repeats, []
        return [*again, *self.waiting.values()][:limit]

    def drop(self, keep: int = 0) -> None:
        """Forget all but the newest."""
        for id in list(self.waiting)[: max(len(self.waiting) - keep, 0)]:
            del self.waiting[id]

    def done(self, update: Update) -> None:
        self.waiting.pop(update.id, None)

    def _expire(self) -> None:
        now = self.now()
        for update in [each for each in self.waiting.values() if each.until < now]:
            del self.waiting[update.id]


def _sender(content: Any) -> int:
    person = content.get("from") if isinstance(content, dict) else None
    id = person.get("id") if isinstance(person, dict) else None
    return id if isinstance(id, int) else 0


def queue_of(kind: str, content: Any, own: int) -> int:
    """The queue of an update: its chat's, for callbacks its presser's, else one of its own."""
    chat = content.get("chat") if isinstance(content, dict) else None
    place = chat.get("id") if isinstance(chat, dict) else None
    if isinstance(place, int) and (kind in MESSAGES or kind == "my_chat_member"):
        return place + (MEMBERS if kind == "my_chat_member" else 0)
    sender = _sender(content)
    return (sender or own) + (CALLBACKS if kind == "callback_query" else OTHERS)
