"""The chart of a digest for Zalo to fetch: it takes pictures by a public address only."""

from __future__ import annotations

import asyncio
import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from storage import digests, people
from storage.outbox import Letter
from storage.sealing import CannotOpen
from storage.store import Store, StoreDown

PATH = "/zalo/bot/charts"
WHERE = "zalobot|chart"  # what an address is sealed for: it is worth nothing anywhere else
GOOD_FOR = timedelta(hours=2)  # Zalo fetches a picture several times, within moments
LONGEST = 1000  # characters of an address


class Charts:
    """Makes addresses that nobody can guess, each for one recipient's digest, and answers them."""

    def __init__(self, store: Store, address: str, now: Callable[[], datetime]) -> None:
        self._store, self._address, self._now = store, address, now

    @property
    def are_shown(self) -> bool:
        """Whether Zalo can fetch anything here: only by https."""
        return self._address.startswith("https://")

    def link(self, letter: Letter) -> str | None:
        """The address of a letter's picture, if it has one and it is theirs."""
        digest = letter.message.picture
        if digest is None or not self.are_shown:
            return None
        with self._store.read() as work:
            member = people.members(work, [letter.key]).get(letter.key)
            if member is None or digests.chart_for(work, digest, member.id) is None:
                return None
            until = int((self._now() + GOOD_FOR).timestamp())
            sealed = work.seal.close(orjson.dumps([digest, member.id, until]), WHERE)
        name = urlsafe_b64encode(sealed).decode().rstrip("=")
        return f"{self._address}{PATH}/{name}.png"

    def route(self) -> Route:
        """Where these addresses lead."""
        return Route(f"{PATH}/{{name}}.png", self._show, methods=["GET"])

    async def _show(self, request: Request) -> Response:
        try:
            chart = await asyncio.to_thread(self.find, request.path_params["name"])
        except StoreDown:
            return Response(status_code=503, headers={"Retry-After": "3"})
        if chart is None:
            return Response(status_code=404)
        return Response(chart, media_type="image/png")

    def find(self, name: str) -> bytes | None:
        """The picture behind an address; None for one that is not ours, or too old."""
        if len(name) > LONGEST:
            return None
        try:
            sealed = urlsafe_b64decode(name.encode() + b"=" * (-len(name) % 4))
        except (binascii.Error, ValueError):
            return None
        with self._store.read() as work:
            try:
                digest, member, until = orjson.loads(work.seal.open(sealed, WHERE))
            except CannotOpen:
                return None
            if self._now().timestamp() > until:
                return None
            return digests.chart_for(work, digest, member)
