"""Calling the Bot Platform. The token stands in every address, so no address is ever told."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

import httpx

from bot.reading import loads

SECONDS = 15.0  # for one call
AT_ONCE = 48  # connections: live and bulk lane together, and the poll
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
WITH_DIGITS = re.compile(r"\S*\d\S*")  # a token, an id, an address: a description may hold one
MOST_TOLD = 80  # characters of a description


class Failed(Exception):
    """The platform said no: its code, and in a few words why.

    `plain`: the answer was none of the platform's, but of something in between.
    """

    def __init__(self, code: int, said: str = "", plain: bool = False) -> None:
        super().__init__(f"{code} {said}".strip())
        self.code, self.said, self.plain = code, said, plain


class NotSent(Exception):
    """The platform cannot be reached: nothing was handed over."""


class NoAnswer(Exception):
    """What was handed over got no answer that says what became of it."""


class Platform:
    """One bot at the platform."""

    def __init__(self, token: str, address: str) -> None:
        for name in ("httpx", "httpcore"):  # they would tell each call's address
            logging.getLogger(name).setLevel(logging.WARNING)
        self._base = f"{address}/bot{token}"
        limits = httpx.Limits(max_connections=AT_ONCE)
        self._http = httpx.AsyncClient(timeout=SECONDS, limits=limits, trust_env=False)

    async def call(
        self, method: str, what: Mapping[str, Any] | None = None, seconds: float = SECONDS
    ) -> Any:
        """The result of a call. Raises Failed, NotSent, NoAnswer."""
        timeout = httpx.Timeout(seconds, connect=5)
        try:
            answer = await self._http.post(
                f"{self._base}/{method}", json=dict(what or {}), timeout=timeout
            )
        except NOT_SENT:
            raise NotSent from None
        except httpx.HTTPError:
            raise NoAnswer from None
        return _result(answer)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()


def _result(answer: httpx.Response) -> Any:
    """What an answer brings. Errors come with HTTP's status, or inside a 200."""
    status = answer.status_code
    try:
        told = loads(answer.content)
    except ValueError:
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("ok"), bool):
        if status >= 400:
            raise Failed(status, plain=True)
        raise NoAnswer  # a proxy's page: nobody knows what became of it
    if told["ok"] is True:
        return told.get("result")
    raise Failed(_code(told, status), _bare(told.get("description")))


def _code(told: Mapping[str, Any], status: int) -> int:
    given = told.get("error_code", told.get("errorCode"))
    try:
        return int(given)
    except (TypeError, ValueError, OverflowError):
        return status


def _bare(said: object) -> str:
    """A description with nothing in it that could be a token, an id or an address."""
    return WITH_DIGITS.sub("…", said)[:MOST_TOLD] if isinstance(said, str) else ""
