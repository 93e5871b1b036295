"""Which question somebody saw when they wrote, on a platform without buttons that would say so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta

from bot.clerk import Busy, Clerk
from storage import talks
from storage.store import Store, StoreDown, Work
from storage.vocabulary import Event, Person

SHORT = 80  # characters; a text that chooses is no longer
PATIENCE = 5.0  # seconds that something said waits for what is just being said to its person


class Asked:
    """Ties numbers to questions by the platform's own clock, for one channel.

    A number that was typed before the next question was seen must not answer that one. So what
    was shown is noted with its time, and each short text is told which question it was for.
    """

    def __init__(
        self,
        store: Store,
        clerk: Clerk,
        channel: str,
        today: Callable[[], date],
        patience: float = PATIENCE,
    ) -> None:
        self._store, self._clerk = store, clerk
        self._channel, self._today, self._patience = channel, today, patience
        self._flights: dict[str, asyncio.Event] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._in_turn: dict[str, int] = {}

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """What one person said is taken one after the other, also where one of it has to wait."""
        lock = self._turns.setdefault(address, asyncio.Lock())
        self._in_turn[address] = self._in_turn.get(address, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._in_turn[address] -= 1
            if not self._in_turn[address]:
                del self._in_turn[address], self._turns[address]

    @asynccontextmanager
    async def telling(self, address: str) -> AsyncIterator[None]:
        """Something is being said to somebody: whether they have seen it is not known yet."""
        landed = self._flights[address] = asyncio.Event()
        try:
            yield
        finally:
            landed.set()
            if self._flights.get(address) is landed:
                del self._flights[address]

    async def shown(self, address: str, question: str, at: int | None) -> None:
        """Note that somebody was shown a question, at a moment of the platform's clock (ms)."""
        try:
            await self._clerk.write(self._note, (address, question, at or 0))
        except (Busy, StoreDown):
            return  # then a number is for whatever is asked when it comes, as without this

    def _note(self, work: Work, notes: Sequence[tuple[str, str, int]]) -> None:
        until = self._today() + timedelta(days=talks.TALK_DAYS)
        for address, question, at in notes:
            talks.shown(work, self._key(work, address), question, at, until)

    async def placed(self, event: Event, at: int | None) -> Event:
        """The event with the question that its person saw when they wrote it, `at` (ms)."""
        text = event.said.text
        if text is None or event.said.files or len(text) > SHORT:
            return event
        flight = self._flights.get(event.person.address)
        if flight is not None:
            try:
                async with asyncio.timeout(self._patience):
                    await flight.wait()
            except TimeoutError:
                pass
        to = await asyncio.to_thread(self._asked, event.person.address, at)
        return replace(event, said=replace(event.said, to=to))

    def _asked(self, address: str, at: int | None) -> str | None:
        try:
            with self._store.read() as work:
                return talks.asked(work, self._key(work, address), at)
        except StoreDown:
            return None

    def _key(self, work: Work, address: str) -> bytes:
        return talks.key_of(work, Person(self._channel, address))
