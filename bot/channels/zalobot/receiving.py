"""Receiving from the Bot Platform: 200 after the commit only, or one update a poll."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bot.channels.zalobot.calling import Failed, NoAnswer, NotSent, Platform
from bot.channels.zalobot.hearing import Body, mark, updates
from bot.channels.zalobot.naming import CHANNEL
from bot.channels.zalobot.speaking import REFUSED
from bot.clerk import Busy
from bot.reading import Unreadable, whole_object
from storage import turns
from storage.store import Store, StoreDown

HEADER = "x-bot-api-secret-token"
POLL = 30  # seconds one call waits for an update
LONGER = 10.0  # seconds that we wait longer than the platform should
FLOOR = 1.0  # seconds between two polls that bring nothing new: some are answered at once
AGAIN = 3.0  # seconds after which Zalo, or we, come again while the store is down
TURN = timedelta(seconds=POLL + 30)  # for which this program alone polls, renewed with each
OTHERS = 10.0  # seconds to stand back while another program polls
FAULTS = 30.0  # seconds between two tries at most while Zalo cannot be reached
REMEMBERED = 10_000  # updates that a poll may give again

Taking = Callable[[Body], Coroutine[Any, Any, None]]
log = logging.getLogger("langnghe.zalobot")


class Webhook:
    """The address Zalo calls; only with the secret, and only 200 once all is durable.

    `fine` is told when a call with the right secret came.
    """

    def __init__(self, secrets: Sequence[str], take: Taking, fine: Callable[[], None]) -> None:
        self._secrets = [secret.encode() for secret in secrets]
        self._take, self._fine = take, fine

    async def hear(self, request: Request) -> Response:
        """Take one call: 401, 413 or 400 for what is none, 503 while the store is down.

        An empty one is Zalo's probe: 200, with the right secret or with none.
        """
        given = request.headers.get(HEADER)
        if given is None and not _has_body(request):
            return _taken()
        same = [hmac.compare_digest((given or "").encode(), secret) for secret in self._secrets]
        if given is None or not any(same):
            return Response(status_code=401)
        try:
            _, body = await whole_object(request)
        except Unreadable as odd:
            return Response(status_code=odd.status)
        self._fine()
        try:
            for update in updates(body):
                await self._take(update)
        except Busy:
            return Response(status_code=503, headers={"Retry-After": str(int(AGAIN))})
        return _taken()


def _has_body(request: Request) -> bool:
    length = request.headers.get("content-length", "0").strip()
    return length != "0" or "transfer-encoding" in request.headers


def _taken() -> Response:
    return Response(b"{}", media_type="application/json")


class Poller:
    """Asks for updates, one a call; for development, as nothing confirms what was taken.

    Two that poll with one token share the messages between them, so only one program does.
    """

    def __init__(
        self,
        platform: Platform,
        store: Store,
        take: Taking,
        trouble: Callable[[str], None],
        now: Callable[[], datetime],
        holder: str,
    ) -> None:
        self._platform, self._store, self._take = platform, store, take
        self._trouble, self._now, self._holder = trouble, now, holder
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._faults = 0
        self._alone = False  # whether no webhook stands in the way

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                pause = await self._round()
                if pause > 0:
                    await asyncio.sleep(pause)
        finally:
            await asyncio.to_thread(self._leave)

    async def _round(self) -> float:
        """One call, and what came of it taken; how many seconds to wait before the next."""
        began = time.monotonic()
        try:
            if not await asyncio.to_thread(self._take_turn):
                self._trouble("another program polls with this token: only one can")
                return OTHERS
            await self._make_way()
            body = await self._platform.call("getUpdates", {"timeout": POLL}, POLL + LONGER)
        except StoreDown:
            return AGAIN
        except (NotSent, NoAnswer):
            return self._fault("cannot be reached", FAULTS)
        except Failed as failed:
            if failed.code != 408:
                return self._failed(failed)
            body = None  # nothing came
        self._faults = 0
        self._trouble("ok")
        new = [await self._once(update) for update in updates(body)]
        return 0.0 if any(new) else began + FLOOR - time.monotonic()

    async def _make_way(self) -> None:
        """Take a webhook away: beside it polling gets nothing."""
        if self._alone:
            return
        if await webhook_of(self._platform):
            await self._platform.call("deleteWebhook")
            log.warning("a webhook was set: it is deleted, as polling gets nothing beside it")
        self._alone = True
        if not self._faults:
            self._trouble("ok")  # the first answer may be half a minute away

    def _failed(self, failed: Failed) -> float:
        self._alone = False  # somebody may have set a webhook
        if failed.code == 401:
            return self._fault("ZALO_BOT_TOKEN is refused", REFUSED, REFUSED)
        if failed.code in (400, 404):
            return self._fault(f"polling is refused ({failed.code})", REFUSED, REFUSED)
        return self._fault(f"Zalo has trouble of its own ({failed.code})", FAULTS)

    def _fault(self, said: str, most: float, least: float = 0.0) -> float:
        self._trouble(said)
        self._faults += 1
        return max(least, min(2.0 ** min(self._faults, 10), most))

    async def _once(self, update: Body) -> bool:
        """Take an update unless it was; True where it was new. It does not come again by itself."""
        name = mark(update)
        if name in self._seen:
            return False
        while True:
            try:
                await self._take(update)
                break
            except Busy:
                await asyncio.sleep(AGAIN)
        self._seen[name] = None
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def _take_turn(self) -> bool:
        now = self._now()
        with self._store.write() as work:
            return turns.take(work, CHANNEL, self._holder, now, now + TURN)

    def _leave(self) -> None:
        try:
            with self._store.write() as work:
                turns.leave(work, CHANNEL, self._holder)
        except StoreDown:
            log.debug("the turn was not given back: it ends by itself")


async def webhook_of(platform: Platform) -> str:
    """The address Zalo calls; empty where none is set. Raises Failed, NotSent, NoAnswer."""
    try:
        told = await platform.call("getWebhookInfo")
    except Failed as failed:
        if failed.code == 404:
            return ""
        raise
    return str(told.get("url") or "") if isinstance(told, dict) else ""
