"""A Telegram Bot API server that stands in for Telegram's: the true wire, people, faults, limits.

    with BotApi() as api:                      # in the test process, a thread of its own
        an = api.person("An")
        an.start("moi-abc")                    # the bot under test runs against api.url
        assert "Kính chào" in an.wait("Kính chào")[0].text
        assert api.violations == []

Alone, for a bench: `python -m tests.telegram.double --port 8081`; see `standalone.py`.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.telegram.faults import Fault, Pace, Script
from tests.telegram.hooks import Hook
from tests.telegram.pending import Pending, Update, queue_of
from tests.telegram.people import Person
from tests.telegram.serving import Call, More, Serving
from tests.telegram.world import Chat, Thing, World

TOKEN = "7000000001:AAE-langnghe-thu-nghiem-0123456789"
BOT: Thing = {
    "id": 7_000_000_001,
    "is_bot": True,
    "first_name": "Lắng Nghe (thử)",
    "username": "langnghe_thu_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
    "can_connect_to_business": False,
    "has_main_web_app": False,
    "has_topics_enabled": False,
    "allows_users_to_create_topics": False,
}


@dataclass
class BotApi:
    """The double. Every public method may be called from any thread; nothing here blocks long.

    `clock` (seconds, monotonic) dates calls and rates; `now` (seconds, epoch) dates messages.
    `retry_scale` shortens the pauses between tries of a webhook; `https_only` refuses plain http;
    `polling_brake` slows who asks again at the same offset, as the real server does.
    """

    port: int = 0
    token: str = TOKEN
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    retry_scale: float = 1.0
    https_only: bool = False
    polling_brake: bool = False
    pace: Pace | None = None
    bot: Thing = field(default_factory=lambda: dict(BOT))
    journal: list[Call] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    more: dict[str, More] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.bot["id"] = int(self.token.partition(":")[0])
        self.world = World(self.bot, self.wall)
        self.pending = Pending(self.wall)
        self.script = Script()
        self.people: dict[str, Person] = {}
        self.later = 0.0
        self.revoked = self.logged_out = False
        self.hook: Hook | None = None
        self.last_error: tuple[int, str] | None = None
        self.pauses: list[tuple[int, float]] = []
        self._sent: dict[int, Update] = {}
        self._fresh: list[Update] = []
        self._held: list[Thing] | None = None
        self._ids = iter(range(5_000_000_001, 6_000_000_000, 37))

    def wall(self) -> float:
        """The time of day here; `later` (seconds) moves it on."""
        return self.now() + self.later

    # -- running --------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """What TELEGRAM_API_URL is set to; aiogram: TelegramAPIServer.from_base(url)."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> BotApi:
        self._serving = Serving(self)
        self._serving.running.start()
        self.port = self._serving.running.port
        return self

    def stop(self) -> None:
        self._serving.running.stop()

    def __enter__(self) -> BotApi:
        return self.start()

    def __exit__(self, *raised: object) -> None:
        self.stop()

    # -- people and what they do ----------------------------------------------------------------

    def person(self, name: str, id: int | None = None, language: str = "vi") -> Person:
        """Somebody of this name: the one who is there already, or somebody new."""
        with self.changed:
            if name not in self.people:
                self.people[name] = self._born(name, id or next(self._ids), language)
            return self.people[name]

    def _born(self, name: str, id: int, language: str) -> Person:
        card: Thing = {"id": id, "is_bot": False, "first_name": name, "language_code": language}
        place = Chat({"id": id, "first_name": name, "type": "private"})
        chat = self.world.chats.setdefault(id, place)
        return Person(self, card, chat, str(-8_000_000_000_000_000_000 + id))

    def update(self, update: Thing, anyway: bool = False) -> int:
        """Any update at all, numbered unless it brings a number; its number, 0 where not wanted.

        `anyway`: deliver it even if the bot did not ask for its kind.
        """
        with self.changed:
            self._get_to_know(update)
            if self._held is not None:
                self._held.append(update)
                return 0
            added = self.pending.add(update, anyway)
            if added is None:
                return 0
            self._sent[added.id] = added
            self._let_go(added)
            return added.id

    def _get_to_know(self, update: Thing) -> None:
        for content in update.values():
            chat = content.get("chat") if isinstance(content, dict) else None
            if isinstance(chat, dict) and isinstance(chat.get("id"), int):
                known = self.world.chats.setdefault(chat["id"], Chat(chat))
                known.started = True

    def _let_go(self, update: Update) -> None:
        self._fresh.append(update)
        if len(self._fresh) == 1:
            self._serving.running.soon(self._serving.wake)
        self.changed.notify_all()

    def take_fresh(self) -> list[Update]:
        """What was added since this was last asked."""
        with self.changed:
            fresh, self._fresh = self._fresh, []
            return fresh

    def repeat(self, update_id: int) -> None:
        """Deliver an update once more under its own number, as after a lost confirmation.

        By webhook it is posted again, behind what waits in its queue; to a poller it is given
        once more before what is new, whatever the offset says.
        """
        with self.changed:
            update = self._sent[update_id]
            if self.hook is None:
                self.pending.repeats.append(update)
            else:
                self.pending.waiting[update.id] = update
            self._let_go(update)

    @contextlib.contextmanager
    def reordered(self, seed: int = 0) -> Iterator[None]:
        """Hold the updates made meanwhile; then shuffle them across chats, each chat in order."""
        with self.changed:
            self._held = []
        try:
            yield
        finally:
            with self.changed:
                held, self._held = self._held or [], None
                for update in _shuffled(held, random.Random(seed)):
                    self.update(update)

    def set_webhook(self, url: str, secret: str = "", connections: int = 40) -> None:
        """As setWebhook would, without the bot; an empty address deletes it."""
        hooked = self.hook_on(url, secret, connections)
        self._serving.running.finish(hooked)

    async def hook_on(self, url: str, secret: str = "", connections: int = 40) -> None:
        """The same, for who runs in the double's own loop."""
        await self._serving.hook_on(Hook(url, secret, connections) if url else None)

    # -- what goes wrong ------------------------------------------------------------------------

    def fail(
        self, fault: Fault, times: int = 1, method: str | None = None, chat: int | None = None
    ) -> None:
        """Let the next calls (of a method, to a chat) go wrong; `download` is a method here."""
        with self.changed:
            self.script.add(fault, times, method, chat)

    def next_fault(self, method: str, chat: int | None, unread: bool = False) -> Fault | None:
        with self.changed:
            return self.script.next(method, chat, unread)

    def mend(self) -> None:
        """Forget the faults that have not struck yet."""
        with self.changed:
            self.script.lines.clear()

    def limits(self, on: bool = True, **rates: Any) -> None:
        """Switch Telegram's rates on or off: overall, per_chat, burst, per_group, penalty."""
        with self.changed:
            self.pace = Pace(self.clock, **rates) if on else None

    def revoke(self) -> None:
        """The token is no longer good: 401 from now on."""
        with self.changed:
            self.revoked = True

    # -- looking --------------------------------------------------------------------------------

    def enter(self, call: Call) -> None:
        with self.changed:
            self.journal.append(call)
            self.changed.notify_all()

    def violate(self, method: str, problem: str) -> None:
        with self.changed:
            self.violations.append(f"{method}: {problem}")

    def calls(self, method: str | None = None, chat: int | None = None) -> list[Call]:
        """The journal so far, of one method or to one chat."""
        with self.changed:
            return [
                call
                for call in self.journal
                if method in (None, call.method) and chat in (None, call.chat)
            ]

    def wait(self, until: Callable[[], Any], seconds: float = 60) -> None:
        """Wait until something holds. Raises AssertionError when it does not in time."""
        with self.changed:
            assert self.changed.wait_for(until, seconds), "it did not come to that in time"

    def confirmed(self, update_id: int) -> bool:
        with self.changed:
            return update_id not in self.pending.waiting

    def idle(self) -> bool:
        """Whether nothing waits to be confirmed."""
        with self.changed:
            return not self.pending.waiting


def _shuffled(updates: list[Thing], dice: random.Random) -> Iterator[Thing]:
    queues: dict[int, list[Thing]] = {}
    for number, update in enumerate(updates):
        kind = next(name for name in update if name != "update_id")
        queues.setdefault(queue_of(kind, update[kind], -number), []).append(update)
    while queues:
        chosen = dice.choice(list(queues))
        yield queues[chosen].pop(0)
        if not queues[chosen]:
            del queues[chosen]


if __name__ == "__main__":
    from tests.telegram.standalone import main

    main()
