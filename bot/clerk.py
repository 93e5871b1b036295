"""The clerk: one thread that takes every event that waits into one durable commit."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from handlers.reception import Reception, Taken
from storage.store import Store, StoreDown
from storage.vocabulary import Event

MOST_AT_ONCE = 128  # events a commit; more only makes the first of them wait
MOST_WAITING = 2000  # events; past that the platform is asked to come again

log = logging.getLogger("langnghe.clerk")


class Busy(Exception):
    """More waits than can be taken soon, or the store is down: nothing was kept, come again."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    event: Event
    taken: asyncio.Future[Taken]


class Clerk:
    """Takes events of all channels. Made and used within one event loop; its thread is its own."""

    def __init__(self, store: Store, reception: Reception, now: Callable[[], datetime]) -> None:
        self._store, self._reception, self._now = store, reception, now
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="clerk", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    async def take(self, event: Event) -> Taken:
        """What became of an event, once it is durable. Raises Busy when it was not kept."""
        if self._queue.qsize() >= MOST_WAITING:
            raise Busy
        waiting = _Waiting(event, self._loop.create_future())
        self._queue.put(waiting)
        return await waiting.taken

    def stop(self) -> None:
        """Take what waits, then end."""
        self._queue.put(None)
        self._thread.join(timeout=30)

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            while len(batch) < MOST_AT_ONCE:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    self._queue.put(None)  # ends after this batch
                    break
                batch.append(more)
            self._commit(batch)

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        try:
            with self._store.write() as work:
                events = [waiting.event for waiting in batch]
                taken = self._reception.take(work, events, self._now())
        except StoreDown as down:
            log.warning("the store does not take events: %s", down)
            self._loop.call_soon_threadsafe(_refuse, batch)
        except Exception as error:  # noqa: BLE001  # the thread must outlive any one batch
            log.error("a batch of %d failed: %s", len(batch), type(error).__name__)
            self._one_by_one(batch)
        else:
            self._loop.call_soon_threadsafe(_answer, batch, taken)
            for each in taken:
                if each.failed:
                    log.error("an event became a dead letter: %s", each.failed)

    def _one_by_one(self, batch: Sequence[_Waiting]) -> None:
        if len(batch) == 1:
            self._loop.call_soon_threadsafe(_refuse, batch)
            return
        for waiting in batch:
            self._commit([waiting])


def _answer(batch: Sequence[_Waiting], taken: Sequence[Taken]) -> None:
    for waiting, result in zip(batch, taken, strict=True):
        if not waiting.taken.done():
            waiting.taken.set_result(result)


def _refuse(batch: Sequence[_Waiting]) -> None:
    for waiting in batch:
        if not waiting.taken.done():
            waiting.taken.set_exception(Busy())
