"""What goes wrong by script, and what the platform's own limits refuse."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from telegram.constants import FloodLimit

from tests.doubles.faults import (
    RESET_EXECUTED,
    RESET_UNREAD,
    Fault,
    Script,
    broken,
    hang,
    slow,
)
from tests.telegram.methods import NOT_MODIFIED, TOO_OLD
from tests.telegram.world import Refused


def flood(retry_after: int) -> Fault:
    """429: come back after so many seconds."""
    told = f"Too Many Requests: retry after {retry_after}"
    return Fault(status=429, told=told, parameters={"retry_after": retry_after})


def migrated(to: int) -> Fault:
    """The group became a supergroup with another id."""
    told = "Bad Request: group chat was upgraded to a supergroup chat"
    return Fault(status=400, told=told, parameters={"migrate_to_chat_id": to})


BLOCKED = Fault(status=403, told="Forbidden: bot was blocked by the user")
DEACTIVATED = Fault(status=403, told="Forbidden: user is deactivated")
CHAT_NOT_FOUND = Fault(status=400, told="Bad Request: chat not found")
QUERY_TOO_OLD = Fault(status=400, told=TOO_OLD)
UNMODIFIED = Fault(status=400, told=NOT_MODIFIED)
UNAUTHORIZED = Fault(status=401, told="Unauthorized")
RESTART = Fault(status=500, told="Internal Server Error: restart")
CONFLICT = Fault(
    status=409,
    told="Conflict: terminated by other getUpdates request; make sure that only one bot instance "
    "is running",
)


__all__ = [
    "BLOCKED",
    "CHAT_NOT_FOUND",
    "CONFLICT",
    "DEACTIVATED",
    "QUERY_TOO_OLD",
    "RESET_EXECUTED",
    "RESET_UNREAD",
    "RESTART",
    "UNAUTHORIZED",
    "UNMODIFIED",
    "Fault",
    "Pace",
    "Script",
    "broken",
    "flood",
    "hang",
    "migrated",
    "slow",
]


@dataclass
class Pace:
    """Telegram's rates: a second's window overall, a bucket a chat, a minute's window a group."""

    clock: Callable[[], float]
    overall: int = FloodLimit.MESSAGES_PER_SECOND
    per_chat: float = FloodLimit.MESSAGES_PER_SECOND_PER_CHAT
    burst: int = 3
    per_group: int = FloodLimit.MESSAGES_PER_MINUTE_PER_GROUP
    penalty: int = 1
    _sent: deque[float] = field(default_factory=deque)
    _left: dict[int, tuple[float, float]] = field(default_factory=dict)
    _groups: dict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _closed_until: float = 0

    def spend(self, chat: int, count: int) -> None:
        """Take the room of some messages. Raises Refused: 429, for the whole token if overall."""
        now = self.clock()
        if now < self._closed_until:
            self._refuse(self._closed_until - now)
        self._windows(now)
        if len(self._sent) + count > self.overall:
            self._closed_until = now + self.penalty
            self._refuse(self.penalty)
        self._spend_of_chat(chat, count, now)
        self._sent.extend([now] * count)

    def _windows(self, now: float) -> None:
        while self._sent and self._sent[0] <= now - 1:
            self._sent.popleft()

    def _spend_of_chat(self, chat: int, count: int, now: float) -> None:
        if chat < 0:
            self._spend_of_group(self._groups[chat], count, now)
            return
        left, at = self._left.get(chat, (float(self.burst), now))
        left = min(float(self.burst), left + (now - at) * self.per_chat)
        # An album counts as all its messages, but is let through where one message would be.
        if left < 1:
            self._left[chat] = (left, now)
            self._refuse((1 - left) / self.per_chat)
        self._left[chat] = (left - count, now)

    def _spend_of_group(self, sent: deque[float], count: int, now: float) -> None:
        while sent and sent[0] <= now - 60:
            sent.popleft()
        if len(sent) + count > self.per_group:
            self._refuse(sent[0] + 60 - now)
        sent.extend([now] * count)

    @staticmethod
    def _refuse(seconds: float) -> None:
        wait = max(1, math.ceil(seconds))
        told = f"Too Many Requests: retry after {wait}"
        raise Refused(429, told, {"retry_after": wait})
