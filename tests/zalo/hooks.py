"""The webhook side: events carried to the program's address, tried again at Zalo's own steps."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

STEPS = (30.0, 300.0, 900.0, 1800.0, 3600.0)  # seconds before each new try
AGENT = "Java/17.0.11"


@dataclass(frozen=True)
class Event:
    """One event as it goes over the wire; `queue` is the person's, whose first tries keep order."""

    id: int
    body: bytes = field(repr=False)
    queue: str
    message: str = ""


@dataclass(frozen=True)
class Delivery:
    """One try: what came of it (0: no answer), after how many seconds, which try it was."""

    event: int
    status: int
    seconds: float
    retry: int
    at: float


@dataclass
class Carrier:
    """Delivers to one address. Runs in the double's loop; stopped when the address changes.

    Events of one person are first tried one after the other; what fails is tried again by itself,
    `steps` later, while later events pass it by. `over` is told of what was
    tried for the last time.
    """

    url: str
    headers: Callable[[Event], dict[str, str]]
    steps: Sequence[float]
    scale: float
    patience: float
    tried: Callable[[Event, Delivery], None]
    over: Callable[[Event], None]
    queues: dict[str, deque[Event]] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=self.patience),
            headers={"User-Agent": AGENT},
        )

    def carry(self, events: Iterable[Event]) -> None:
        """Take over events; each queue that was empty gets somebody who walks it."""
        for event in events:
            queue = self.queues.get(event.queue)
            if queue is None:
                self.queues[event.queue] = deque([event])
                self._begin(self._walk(event.queue))
            else:
                queue.append(event)

    async def stop(self) -> None:
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.session.close()

    def _begin(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(doing)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _walk(self, name: str) -> None:
        queue = self.queues[name]
        while queue:
            if not await self._try(queue[0], 0):
                self._begin(self._again(queue[0]))
            queue.popleft()
        del self.queues[name]

    async def _again(self, event: Event) -> None:
        for number, step in enumerate(self.steps, 1):
            await asyncio.sleep(step * self.scale)
            if await self._try(event, number):
                return
        self.over(event)

    async def _try(self, event: Event, retry: int) -> bool:
        headers = {"Content-Type": "application/json", **self.headers(event)}
        if retry:
            headers["num_retry"] = str(retry)
        began, status = time.monotonic(), 0
        try:
            async with self.session.post(
                self.url, data=event.body, headers=headers, allow_redirects=False
            ) as answer:
                await answer.read()
                status = answer.status
        except (TimeoutError, aiohttp.ClientError):
            pass
        self.tried(event, Delivery(event.id, status, time.monotonic() - began, retry, began))
        return status == 200
