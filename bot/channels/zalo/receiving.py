"""Receiving from Zalo: signed by Zalo, of our app, not from days ago; 200 after the commit only."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bot.channels.zalo.hearing import Body, heard, told_at
from bot.clerk import Busy
from bot.reading import Unreadable, whole_object
from storage.vocabulary import Event

HEADER = "x-zevent-signature"
AGAIN = 3  # seconds after which Zalo may come again while the store is down
# What was taken is known for three days; a call from longer ago could have its effect twice. Zalo
# itself tries again for an hour.
STALE = timedelta(days=2)
MOST_KINDS = 50  # unknown kinds of events whose names are remembered

Taking = Callable[[Sequence[Event]], Coroutine[Any, Any, None]]
log = logging.getLogger("langnghe.zalo")


@dataclass(frozen=True)
class Signature:
    """Knows what Zalo signs with: SHA-256 over app id, body, its timestamp and the OA's secret."""

    app: str
    secret: str

    def fits(self, raw: bytes, body: Body, header: str) -> bool:
        """Whether a call carries the right one."""
        given = header.strip().removeprefix("mac=").strip().lower()
        told = str(body.get("timestamp", ""))
        signed = self.app.encode() + raw + told.encode(errors="replace") + self.secret.encode()
        wanted = hashlib.sha256(signed).hexdigest()
        return hmac.compare_digest(wanted.encode(), given.encode(errors="replace"))


class Webhook:
    """The address Zalo calls. `unknown` counts the kinds of events that nobody here reads.

    `trouble` hears whether what comes in is as it should be.
    """

    def __init__(
        self,
        signature: Signature,
        enforce: bool,
        take: Taking,
        now: Callable[[], datetime],
        trouble: Callable[[str], None],
    ) -> None:
        self._signature, self._enforce, self._take = signature, enforce, take
        self._now, self._trouble = now, trouble
        self.unknown: dict[str, int] = {}

    async def hear(self, request: Request) -> Response:
        """Take one event: 413, 400 or 401 for what is none of Zalo's, 503 while the store is down.

        An empty call without a signature is the console's test: 200, and nothing is done.
        """
        header = request.headers.get(HEADER, "")
        try:
            raw, body = await whole_object(request)
        except Unreadable as odd:
            return Response(status_code=odd.status)
        if not header and not body:
            return _taken()
        if not self._is_zalos(raw, body, header):
            return Response(status_code=401)
        try:
            await self._hear(raw, body)
        except Busy:
            return Response(status_code=503, headers={"Retry-After": str(AGAIN)})
        return _taken()

    def _is_zalos(self, raw: bytes, body: Body, header: str) -> bool:
        if str(body.get("app_id", self._signature.app)) != self._signature.app:
            return False
        if self._signature.fits(raw, body, header):
            return True
        if not self._enforce:
            log.warning("a call without the right signature was let in: ZALO_OA_SIGNATURE=log")
        return not self._enforce

    async def _hear(self, raw: bytes, body: Body) -> None:
        now, at = self._now(), told_at(body)
        if at is not None and now.timestamp() - at > STALE.total_seconds():
            self._trouble("calls come with dates of days ago: is this machine's clock right?")
            return
        self._trouble("ok")
        events = heard(body, raw, now)
        if events is None:
            self._count(body.get("event_name"))
        await self._take(events or ())

    def _count(self, kind: object) -> None:
        """An event of a kind that nobody here reads: it is counted, nothing of it is kept."""
        name = kind if isinstance(kind, str) and kind.isidentifier() and len(kind) < 60 else "?"
        if name not in self.unknown and len(self.unknown) >= MOST_KINDS:
            name = "?"
        self.unknown[name] = self.unknown.get(name, 0) + 1
        if self.unknown[name] == 1:
            log.info("an event of a kind that is not read here: %s", name)


def _taken() -> Response:
    return Response(b"{}", media_type="application/json")
