"""Waiting for the rest of what comes in parts: when nothing more came, what was held is whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.clerk import Busy
from handlers.house import House
from handlers.reception import settling
from storage import talks
from storage.store import Store, StoreDown
from storage.vocabulary import Event, Part, Person, Said

GLANCE = 3.0  # seconds between two looks for parts whose program died


class Gathering:
    """Says when a group of parts is whole: a moment after the last part, also after a restart."""

    def __init__(
        self,
        store: Store,
        channel: str,
        take: Callable[[Event], Awaitable[None]],
        now: Callable[[], datetime],
    ) -> None:
        self._store, self._channel, self._take, self._now = store, channel, take, now
        self._timers: dict[Person, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def expect(self, event: Event) -> None:
        """A part came and was held; others may follow."""
        part = event.part
        if part is None:
            return
        before = self._timers.pop(event.person, None)
        if before is not None:
            before.cancel()
        loop = asyncio.get_running_loop()
        wait = House.held_for.total_seconds()
        self._timers[event.person] = loop.call_later(wait, self._over, event.person, part)

    def _over(self, person: Person, part: Part) -> None:
        self._timers.pop(person, None)
        task = asyncio.create_task(self._settle(person, part))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, person: Person, part: Part) -> None:
        said = Said(settled=part.group)
        try:
            await self._take(Event(settling(part), person, said, self._now()))
        except Busy:
            return  # it is held still; the next look finds it

    async def run(self) -> None:
        """Look for groups that nobody waits for any more, until cancelled."""
        while True:
            for person, part in await asyncio.to_thread(self._left):
                if person not in self._timers:
                    await self._settle(person, part)
            await asyncio.sleep(GLANCE)

    def _left(self) -> list[tuple[Person, Part]]:
        try:
            with self._store.read() as work:
                if not talks.any_held(work):
                    return []
                left = talks.overdue(work, self._now())
        except StoreDown:
            return []
        return [(person, part) for person, part in left if person.channel == self._channel]
