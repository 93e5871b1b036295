"""Receiving from Telegram: an update is confirmed, by 200 or by offset, after its commit only."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from aiogram import Bot
from aiogram import exceptions as a
from aiogram.methods import TelegramMethod
from starlette.requests import Request
from starlette.responses import Response

from bot.channels.telegram.naming import ALLOWED
from bot.channels.telegram.speaking import REFUSED
from bot.clerk import Busy
from bot.reading import Unreadable, whole_object

HEADER = "x-telegram-bot-api-secret-token"
POLL = 25  # seconds one call waits for updates; Telegram caps it at 50
AGAIN = 3.0  # seconds after which Telegram, or we, come again while the store is down
CONFLICT = 10.0  # seconds to stand back while somebody else polls with our token
FAULTS = 30.0  # seconds between two tries at most while Telegram cannot be reached

Taking = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]
log = logging.getLogger("langnghe.telegram")


class RawUpdates(TelegramMethod[list[dict[str, Any]]]):
    """getUpdates as it comes: one update that nobody can read must not hide the others."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int | None = None
    limit: int = 100
    timeout: int = POLL
    allowed_updates: list[str] = ALLOWED


class Webhook:
    """The address Telegram calls; only with the secret, and only 200 once all is durable."""

    def __init__(self, secrets: Sequence[str], take: Taking) -> None:
        self._secrets, self._take = [secret.encode() for secret in secrets], take

    async def hear(self, request: Request) -> Response:
        """Take one update: 401, 413 or 400 for what is none, 503 while the store is down."""
        given = request.headers.get(HEADER, "").encode()
        same = [hmac.compare_digest(given, secret) for secret in self._secrets]
        if not any(same):
            return Response(status_code=401)
        try:
            raw, update = await whole_object(request)
        except Unreadable as odd:
            return Response(status_code=odd.status)
        if not raw.strip():
            return Response(status_code=400)
        try:
            await self._take(update)
        except Busy:
            return Response(status_code=503, headers={"Retry-After": str(int(AGAIN))})
        return Response(b"{}", media_type="application/json")


class Poller:
    """Asks Telegram for updates, and confirms them by the offset of the next call."""

    def __init__(self, bot: Bot, take: Taking, trouble: Callable[[str], None]) -> None:
        self._bot, self._take, self._trouble = bot, take, trouble
        self._offset: int | None = None
        self._faults = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            pause = await self._round()
            if pause:
                await asyncio.sleep(pause)

    async def _round(self) -> float:
        """One call, and all that came of it taken; how many seconds to wait before the next."""
        try:
            updates = await self._bot(RawUpdates(offset=self._offset), request_timeout=POLL + 15)
        except a.TelegramRetryAfter as wait:
            return float(wait.retry_after)
        except a.TelegramConflictError as conflict:
            self._trouble(_named(conflict.message))
            return CONFLICT
        except (a.TelegramUnauthorizedError, a.TelegramNotFound):
            self._trouble("TELEGRAM_TOKEN is refused")
            return REFUSED
        except (a.TelegramAPIError, a.ClientDecodeError):
            self._trouble("cannot be reached")
            self._faults += 1
            return min(2.0 ** min(self._faults, 10), FAULTS)
        self._faults = 0
        self._trouble("ok")
        return await self._all(updates)

    async def _all(self, updates: Sequence[dict[str, Any]]) -> float:
        """Take them at once; the offset moves up to the first that was not kept."""
        tasks = [asyncio.create_task(self._take(update)) for update in updates]
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for update, result in zip(updates, results, strict=True):
            if isinstance(result, Busy):
                return AGAIN
            if isinstance(result, BaseException):
                raise result
            self._offset = int(update["update_id"]) + 1
        return 0.0


def _named(said: str) -> str:
    if "webhook" in said.lower():
        return "a webhook is set, so polling is refused: run `langnghe telegram unset`"
    return "another program polls with this token: stop it"
