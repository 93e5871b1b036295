"""Sending what waits: live replies at once, the rest at the platform's pace, each letter once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from rich.table import Table

from bot.clerk import Busy, Clerk
from handlers.reception import Taken
from storage import outbox, people
from storage.outbox import Letter
from storage.store import Store, StoreDown, Work
from storage.vocabulary import Person, Waiting

LIVE_AT_ONCE = 32  # replies in flight; more wait in line
BULK_AT_ONCE = 8  # letters in flight that nobody waits for
LEASE = timedelta(minutes=3)  # what was not told to have arrived by then is in doubt
GLANCE = 2.0  # seconds between two looks at the outbox when nobody nudges
ONE_CHAT = 1.05  # seconds between two bulk messages to one person (Telegram: 1/s)
IN_DIALOGUE = 60.0  # seconds after somebody answered a dialogue: nothing comes between
MOST_A_SECOND = 28  # of both lanes, of the 30 that Telegram takes; the bulk lane gives way
PATIENCE = 2.0  # seconds of the first wait after a fault; doubled with each
MOST_PATIENCE = 3600.0
T = TypeVar("T")

log = logging.getLogger("langnghe.sending")


class Later(Exception):
    """Nothing arrived; try again after so many seconds, `everybody` if it holds for all."""

    def __init__(self, after: float = 0, everybody: bool = False) -> None:
        super().__init__(f"after {after:.0f} s")
        self.after, self.everybody = after, everybody


class Unreachable(Exception):
    """The person blocked the bot or is gone: nothing arrives until they come back."""

    done = 0  # pieces of the letter that had arrived


class Closed(Exception):
    """The platform takes nothing for this person before they speak again; they are not gone."""

    done = 0  # pieces of the letter that had arrived


class Rejected(Exception):
    """The platform will never take this message: a fault of ours, named by what it said."""


class Doubtful(Exception):
    """The message may have arrived and may not: no answer came after it was handed over."""


class Voice(Protocol):
    """How a platform is spoken to. A message goes out in pieces, the last one has the buttons.

    `window`: for how long after a person's last word it takes what nobody waits for; None: always.
    """

    @property
    def name(self) -> str: ...
    @property
    def window(self) -> timedelta | None: ...
    async def pieces(self, letter: Letter) -> Sequence[Any]: ...
    async def say(self, address: str, piece: Any, bulk: bool) -> None:
        """Raises Later, Unreachable, Closed, Rejected, Doubtful."""
        ...


@dataclass
class Traffic:
    """What was sent in the last second, so that the bulk lane leaves room for the live one."""

    most: int = MOST_A_SECOND
    _at: deque[float] = field(default_factory=deque)

    def sent(self) -> None:
        """Note one message."""
        self._at.append(time.monotonic())

    def wait(self) -> float:
        """Seconds until there is room for one more."""
        now = time.monotonic()
        while self._at and self._at[0] <= now - 1:
            self._at.popleft()
        return self._at[0] + 1 - now if len(self._at) >= self.most else 0.0


class Sender:
    """Sends the letters of one channel. Made and used within one event loop.

    What a program that died had in flight is in doubt; what it had not begun to send goes before
    whatever is said to the same person next. Raises StoreDown.
    """

    def __init__(
        self, store: Store, clerk: Clerk, voice: Voice, now: Callable[[], datetime]
    ) -> None:
        self.clerk = clerk
        self._store, self._voice, self._now = store, voice, now
        self._lines: dict[bytes, deque[Letter]] = {}
        self._live = asyncio.Semaphore(LIVE_AT_ONCE)
        self._bulk = asyncio.Semaphore(BULK_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[bytes] = set()
        self._spoke: dict[bytes, float] = {}
        self._told: dict[bytes, float] = {}
        self._until = 0.0  # monotonic; before it the platform wants to hear nothing
        self._traffic = Traffic()
        self.nudged = asyncio.Event()
        # With one program to a database, nobody else is sending: all that is claimed is ours.
        self._lapse(now() + (timedelta(0) if self._shared else LEASE))
        with store.read() as work:
            self._left = outbox.unsent(work, voice.name)

    # -- live -----------------------------------------------------------------------------------

    def soon(self, person: Person, taken: Taken) -> None:
        """Send the replies to what was just taken, behind what the person already waits for."""
        self._spoke.pop(taken.key, None)
        if taken.busy:
            self._spoke[taken.key] = time.monotonic()
        if taken.repeated or taken.key in self._left:
            self._left.discard(taken.key)
            self._start(self._once_more(person, taken.key))
            return
        self._line_up(taken.key, self._letters(person, taken.key, taken.replies))

    async def _once_more(self, person: Person, key: bytes) -> None:
        """All that waits for somebody, in order: it may be that nobody sent it before."""
        waiting = await self._patiently(asyncio.to_thread, self._waiting, key)
        self._line_up(
            key, self._letters(person, key, waiting)
        )  # what has gone is not claimed twice

    def _waiting(self, key: bytes) -> list[Waiting]:
        with self._store.read() as work:
            return outbox.waiting(work, key, self._now())

    @staticmethod
    def _letters(person: Person, key: bytes, replies: Sequence[Waiting]) -> list[Letter]:
        return [
            Letter(reply.id, key, person.channel, person.address, reply.message)
            for reply in replies
        ]

    def _line_up(self, key: bytes, letters: Sequence[Letter]) -> None:
        if not letters:
            return
        line = self._lines.get(key)
        if line is not None:
            line.extend(letters)
            return
        self._lines[key] = deque(letters)
        self._start(self._serve(key))

    async def _serve(self, key: bytes) -> None:
        """Send what is in one person's line, one after the other."""
        line = self._lines[key]
        try:
            while line:
                await self._calm()
                async with self._live:
                    await self._one_live(line)
        finally:
            del self._lines[key]
            self.nudged.set()  # what could not go now is due later

    async def _one_live(self, line: deque[Letter]) -> None:
        if not line:
            return  # the program stops: what is not begun waits for the next start
        letter = line.popleft()
        if await self._patiently(self._claimed, letter) and not await self._deliver(letter):
            line.clear()  # what stands behind it must not overtake it; the bulk lane takes all

    async def _claimed(self, letter: Letter) -> bool:
        """Whether the letter is still to be sent: it may have been answered or replaced."""
        owned = await self.clerk.write(self._claim, letter.id)
        return letter.id in owned

    def _claim(self, work: Work, ids: Sequence[str]) -> set[str]:
        return outbox.claim(work, ids, self._now() + LEASE)

    # -- bulk -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send what nobody waits for, and what was left over, until cancelled."""
        try:
            while True:
                self.nudged.clear()
                if not await self._one_bulk():
                    await self._rest()
        finally:
            await self._finish()

    @property
    def _shared(self) -> bool:
        return self._store.engine.dialect.name != "sqlite"

    async def _take_stock(self) -> None:
        """What somebody began to send, and had to end by now, is in doubt."""
        await asyncio.to_thread(self._lapse, self._now())

    def _lapse(self, before: datetime) -> None:
        with self._store.read() as work:
            if not outbox.any_claimed(work, self._voice.name):
                return
        with self._store.write() as work:
            gone = outbox.lapsed(work, self._voice.name, before)
        if gone:
            log.warning("%d messages are in doubt: `langnghe doubts` lists them", gone)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(GLANCE):  # wait_for loses a cancellation now and then
                await self.nudged.wait()
        except TimeoutError:
            await self._patiently(self._take_stock)

    async def _one_bulk(self) -> bool:
        """Begin to send one letter that is due; False when there is none."""
        await self._calm()
        await self._bulk.acquire()
        await asyncio.sleep(self._traffic.wait())
        self._forget()
        busy, talking = {*self._busy, *self._lines, *self._told}, set(self._spoke)
        letters = await self._patiently(asyncio.to_thread, self._due, busy, talking)
        if not letters:
            self._bulk.release()
            return False
        self._busy.add(letters[0].key)
        self._start(self._one_of_bulk(letters[0]))
        return True

    def _due(self, busy: set[bytes], talking: set[bytes]) -> list[Letter]:
        now = self._now()
        with self._store.read() as work:
            if not outbox.any_due(work, self._voice.name, now, self._voice.window):
                return []
            paused = outbox.paused(work, self._voice.name)
        if paused is not None and paused > now:
            self._until = max(self._until, time.monotonic() + (paused - now).total_seconds())
            return []
        with self._store.write() as work:
            return outbox.claim_due(
                work,
                self._voice.name,
                now,
                now + LEASE,
                busy,
                talking,
                window=self._voice.window,
            )

    def _forget(self) -> None:
        """Who was spoken to more than a moment ago, or has not spoken for long, is free again."""
        now = time.monotonic()
        self._told = {key: at for key, at in self._told.items() if at > now - ONE_CHAT}
        self._spoke = {key: at for key, at in self._spoke.items() if at > now - IN_DIALOGUE}

    async def _one_of_bulk(self, letter: Letter) -> None:
        try:
            await self._deliver(letter)
        finally:
            self._told[letter.key] = time.monotonic()
            self._busy.discard(letter.key)
            self._bulk.release()
            self.nudged.set()

    # -- one letter -----------------------------------------------------------------------------

    async def _deliver(self, letter: Letter) -> bool:
        """Send a letter that is ours and settle it; False when it has to wait."""
        try:
            await self._pieces(letter)
        except Later as wait:
            await self._put_off(letter, wait)
            return False
        except Unreachable as gone:
            kept = replace(letter, done=max(letter.done, gone.done))
            await self._patiently(self.clerk.write, self._lost, kept)
        except Closed as shut:
            if not letter.bulk:
                self._left.add(letter.key)
            kept = replace(letter, done=max(letter.done, shut.done))
            await self._patiently(self.clerk.write, self._closed, kept)
            return False
        except Rejected as refused:
            log.error("%s refuses a message for good: %s", self._voice.name, refused)
            await self._patiently(self.clerk.write, self._refused, letter.id)
        except Doubtful:
            log.warning("a message is in doubt: `langnghe doubts` lists it")
            await self._patiently(self.clerk.write, self._doubt, letter.id)
        else:
            await self._patiently(self.clerk.write, self._gone, letter.id)
        return True

    async def _pieces(self, letter: Letter) -> None:
        pieces = await self._voice.pieces(letter)
        for number in range(letter.done, len(pieces)):
            if letter.bulk and number > letter.done:
                await asyncio.sleep(ONE_CHAT)
            try:
                self._traffic.sent()
                await self._voice.say(letter.address, pieces[number], letter.bulk)
            except Later as wait:
                raise _Interrupted(wait, number) from wait
            except (Unreachable, Closed) as over:
                over.done = number
                raise

    async def _put_off(self, letter: Letter, wait: Later) -> None:
        if not letter.bulk:
            self._left.add(letter.key)
        done = wait.done if isinstance(wait, _Interrupted) else letter.done
        after = wait.after or min(PATIENCE * 2**letter.tries, MOST_PATIENCE)
        tries = letter.tries + (not wait.after)
        if wait.everybody:
            self._until = max(self._until, time.monotonic() + after)
        kept = replace(letter, done=done, tries=tries)
        until = self._now() + timedelta(seconds=after)
        await self._patiently(self.clerk.write, self._later, (kept, until, wait.everybody))

    def _later(self, work: Work, put_off: Sequence[tuple[Letter, datetime, bool]]) -> None:
        for letter, until, everybody in put_off:
            outbox.later(work, letter, until)
            if everybody:
                outbox.pause(work, self._voice.name, until)

    @staticmethod
    def _gone(work: Work, ids: Sequence[str]) -> None:
        outbox.sent(work, ids)

    @staticmethod
    def _refused(work: Work, ids: Sequence[str]) -> None:
        outbox.lose(work, ids)

    @staticmethod
    def _doubt(work: Work, ids: Sequence[str]) -> None:
        outbox.doubt(work, ids)

    def _lost(self, work: Work, letters: Sequence[Letter]) -> None:
        unreachable(work, letters, self._now())

    def _closed(self, work: Work, letters: Sequence[Letter]) -> None:
        closed(work, letters, self._now())

    # -- waiting --------------------------------------------------------------------------------

    async def _calm(self) -> None:
        """Wait until the platform wants to hear from us again."""
        while (left := self._until - time.monotonic()) > 0:
            await asyncio.sleep(left)

    async def _patiently(self, doing: Callable[..., Awaitable[T]], *what: Any) -> T:
        """Do something with the store, again and again while it is down."""
        while True:
            try:
                return await doing(*what)
            except (Busy, StoreDown):
                await asyncio.sleep(GLANCE)

    def _start(self, doing: Any) -> None:
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self) -> None:
        """Let what is in flight arrive, for a little while: it is in doubt otherwise."""
        for line in self._lines.values():
            line.clear()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)


def unreachable(work: Work, letters: Sequence[Letter], now: datetime) -> None:
    """Whoever is enrolled finds what waits when they come back; of a citizen nothing stays."""
    known = people.members(work, [letter.key for letter in letters])
    for letter in letters:
        people.shut(work, letter.key, True)
        if letter.key in known:
            outbox.later(work, letter, now)
        else:
            outbox.forget_all(work, letter.key)


def closed(work: Work, letters: Sequence[Letter], now: datetime) -> None:
    """A letter waits for a word of its person, or, of somebody enrolled, for a better address."""
    known = people.members(work, [letter.key for letter in letters])
    for letter in letters:
        people.close(work, letter.key)
        outbox.later(work, letter, now, parked=letter.key not in known)


def doubted(store: Store) -> Table:
    """The messages in doubt, for the operator: id, channel, what they are, until when they stay."""
    listed = Table("id", "channel", "what", "until")
    with store.read() as work:
        for one in outbox.doubts(work):
            what = "to many" if one.bulk else "to one"
            listed.add_row(one.id, one.channel, what, f"{one.until:%d/%m/%Y}")
    return listed


def settle(store: Store, letter: str, again: bool) -> bool:
    """Settle a doubt: send it again, or let it go. False when there is none."""
    with store.write() as work:
        return outbox.settle(work, letter, again)


class _Interrupted(Later):
    """A letter of several pieces that was stopped at one of them."""

    def __init__(self, wait: Later, done: int) -> None:
        super().__init__(wait.after, wait.everybody)
        self.done = done
