"""The clerk: one thread that takes all events and notes that wait into one durable commit."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from handlers.reception import Reception, Taken
from storage.store import Store, StoreDown, Work
from storage.vocabulary import Event

MOST_AT_ONCE = 128  # events a commit; more only makes the first of them wait
MANY = 4  # in a commit: then others are on their way, and the next one waits a moment for them
GATHERING = 0.002  # seconds
MOST_WAITING = 2000  # events; past that the platform is asked to come again

log = logging.getLogger("langnghe.clerk")


class Busy(Exception):
    """More waits than can be taken soon, or the store is down: nothing was kept, come again."""


I = TypeVar("I")  # noqa: E741  # an item; the letter stands alone only here
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Waiting:
    event: Event
    lease: datetime | None
    done: asyncio.Future[Taken]


@dataclass(frozen=True, slots=True)
class _Note:
    writing: Callable[[Work, Sequence[Any]], Any]
    item: Any
    done: asyncio.Future[Any]


class Clerk:
    """Takes events of all channels. Made and used within one event loop; its thread is its own."""

    def __init__(self, store: Store, reception: Reception, now: Callable[[], datetime]) -> None:
        self._store, self._reception, self._now = store, reception, now
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Waiting | _Note | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="clerk", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    async def take(self, event: Event, lease: datetime | None = None) -> Taken:
        """What became of an event, once it is durable. Raises Busy when it was not kept.

        With a `lease` the first reply is its caller's to send, until then (`Taken.claimed`).
        """
        if self._queue.qsize() >= MOST_WAITING:
            raise Busy
        waiting = _Waiting(event, lease, self._loop.create_future())
        self._queue.put(waiting)
        return await waiting.done

    async def write(self, writing: Callable[[Work, Sequence[I]], R], item: I) -> R:
        """Let `writing` write one item, durably, in one go with all those that wait for it.

        Returns what it returned for all of them. Raises Busy when nothing was kept.
        """
        note = _Note(writing, item, self._loop.create_future())
        self._queue.put(note)
        result: R = await note.done
        return result

    def stop(self) -> None:
        """Take what waits, then end."""
        self._queue.put(None)
        self._thread.join(timeout=30)

    def _work(self) -> None:
        batch: list[_Waiting | _Note] = []
        while (first := self._queue.get()) is not None:
            if len(batch) >= MANY:
                time.sleep(GATHERING)  # a commit costs the same for few and for many
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

    def _commit(self, batch: Sequence[_Waiting | _Note]) -> None:
        waiting = [each for each in batch if isinstance(each, _Waiting)]
        notes = [each for each in batch if isinstance(each, _Note)]
        try:
            with self._store.write() as work:
                events = [each.event for each in waiting]
                leases = [each.lease for each in waiting]
                taken = self._reception.take(work, events, self._now(), leases) if events else []
                written = _written(work, notes)
        except StoreDown as down:
            log.warning("the store does not take events: %s", down)
            self._loop.call_soon_threadsafe(_refuse, batch)
        except Exception as error:  # noqa: BLE001  # the thread must outlive any one batch
            log.error("a batch of %d failed: %s", len(batch), type(error).__name__)
            self._one_by_one(batch)
        else:
            asked: list[_Waiting | _Note] = [*waiting, *notes]
            self._loop.call_soon_threadsafe(_answer, asked, [*taken, *written])
            for each in taken:
                if each.failed:
                    log.error("an event became a dead letter: %s", each.failed)

    def _one_by_one(self, batch: Sequence[_Waiting | _Note]) -> None:
        if len(batch) == 1:
            self._loop.call_soon_threadsafe(_refuse, batch)
            return
        for each in batch:
            self._commit([each])


def _written(work: Work, notes: Sequence[_Note]) -> list[Any]:
    """Write the notes, those of a kind in one go; each gets what its kind came to."""
    kinds: dict[Callable[..., Any], list[Any]] = {}
    for note in notes:
        kinds.setdefault(note.writing, []).append(note.item)
    results = {writing: writing(work, items) for writing, items in kinds.items()}
    return [results[note.writing] for note in notes]


def _answer(batch: Sequence[_Waiting | _Note], results: Sequence[Any]) -> None:
    for each, result in zip(batch, results, strict=True):
        if not each.done.done():
            each.done.set_result(result)


def _refuse(batch: Sequence[_Waiting | _Note]) -> None:
    for each in batch:
        if not each.done.done():
            each.done.set_exception(Busy())
