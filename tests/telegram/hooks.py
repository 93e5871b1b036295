"""The webhook side: updates carried to the bot's own address, chat by chat, until it takes them."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import aiohttp

from tests.telegram.pending import Update

LONGEST_DELAY = 60  # seconds between two tries, and up to twice that
LONGEST_RETRY_AFTER = 3600
PATIENCE = 60.0  # seconds the bot has to answer
HEADER = "X-Telegram-Bot-Api-Secret-Token"


@dataclass(frozen=True)
class Hook:
    """A webhook as it was set."""

    url: str
    secret: str = ""
    connections: int = 40


@dataclass
class Answer:
    """What a delivery came to: done, or why not and when the bot wants it again."""

    told: str = ""
    after: float = 0
    content_type: str = ""
    body: bytes = b""


@dataclass
class Carrier:
    """Delivers to one webhook. Runs in the server's loop; stopped when the webhook changes.

    `pauses` tells which update waited how long for its next try, in seconds before `scale`.
    """

    hook: Hook
    scale: float
    done: Callable[[Update, Answer], Awaitable[None]]
    failed: Callable[[Update, str], None]
    expired: Callable[[Update], bool]
    queues: dict[int, deque[Update]] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    pauses: list[tuple[int, float]] = field(default_factory=list)
    dice: random.Random = field(default_factory=lambda: random.Random(0))

    def __post_init__(self) -> None:
        self.room = asyncio.Semaphore(self.hook.connections)
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=PATIENCE),
            skip_auto_headers=["User-Agent"],
        )

    def carry(self, updates: Iterable[Update]) -> None:
        """Take over updates; each queue that was empty gets somebody who walks it."""
        for update in updates:
            queue = self.queues.get(update.queue)
            if queue is None:
                self.queues[update.queue] = deque([update])
                task = asyncio.ensure_future(self._walk(update.queue))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
            else:
                queue.append(update)

    async def stop(self) -> None:
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.session.close()

    async def _walk(self, number: int) -> None:
        queue = self.queues[number]
        while queue:
            await self._deliver(queue[0])
            queue.popleft()
        del self.queues[number]

    async def _deliver(self, update: Update) -> None:
        delay, fails = 1.0, 0
        while not self.expired(update):
            async with self.room:
                answer = await self._post(update)
                if not answer.told:
                    await self.done(update, answer)
                    return
            self.failed(update, answer.told)
            pause = answer.after
            if not pause and fails:
                delay = min(delay * 2, LONGEST_DELAY * self.dice.uniform(1, 2))
                pause = delay
            fails += 1
            self.pauses.append((update.id, pause))
            await asyncio.sleep(pause * self.scale)

    async def _post(self, update: Update) -> Answer:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip, deflate"}
        if self.hook.secret:
            headers[HEADER] = self.hook.secret
        try:
            async with self.session.post(
                self.hook.url, data=update.body, headers=headers, allow_redirects=False
            ) as answer:
                return await self._read(answer)
        except TimeoutError:
            return Answer("Read timeout expired")
        except aiohttp.ClientConnectorError:
            return Answer("Connection refused")
        except aiohttp.ClientError:
            return Answer("Connection closed by the webhook")

    @staticmethod
    async def _read(answer: aiohttp.ClientResponse) -> Answer:
        body = await answer.read()
        if 200 <= answer.status <= 299:
            return Answer(content_type=answer.headers.get("Content-Type", ""), body=body)
        after = answer.headers.get("Retry-After", "0")
        told = f"Wrong response from the webhook: {answer.status} {answer.reason}"
        return Answer(told, min(int(after) if after.isdigit() else 0, LONGEST_RETRY_AFTER))
