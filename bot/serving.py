"""The server: channels, clerk, fetcher and clock of one installation, in one process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.channel import Channel, Rim, open_channels
from bot.clerk import Clerk
from bot.fetching import Fetcher
from bot.installation import Installation, now
from bot.office import office_of, tick_of
from bot.settings import WrongSetting
from handlers.reception import Taken
from scheduler.clock import Clock
from storage.store import StoreDown

TICK = 30.0  # seconds between two looks of the clock
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HEADERS = [
    (b"content-security-policy", b"default-src 'none'; script-src 'self'; style-src 'self'; "
     b"img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'self'; "
     b"frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(self)"),
]  # fmt: skip

log = logging.getLogger("langnghe")


class Guarded:
    """Puts the protecting headers on every answer."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await self._app(scope, receive, sending)


@dataclass
class Server:
    """What runs while the program runs."""

    installation: Installation
    clerk: Clerk
    clock: Clock
    channels: Sequence[Channel]
    tasks: Mapping[str, asyncio.Task[None]]

    def health(self) -> tuple[int, dict[str, Any]]:
        """The state of each part, and 200 if all of ours work.

        What is wrong at a platform is told, but is no reason to take the program out of use.
        """
        parts = {
            "database": self._database(),
            "clerk": "ok" if self.clerk.alive else "stopped",
            "clock": self._clock(),
        }
        parts |= {name: "stopped" for name, task in self.tasks.items() if task.done()}
        fine = all(state in ("ok", "starting") for state in parts.values())
        theirs = {channel.name: channel.state for channel in self.channels}
        parts = {"files": "ok"} | theirs | parts
        whole = fine and all(state in ("ok", "starting") for state in theirs.values())
        status = "ok" if whole else "limping" if fine else "down"
        return (200 if fine else 503), {"status": status, "parts": parts}

    def _clock(self) -> str:
        if not self.clock.alive:
            return "stopped"
        return "ok" if self.clock.last is not None else "starting"

    def _database(self) -> str:
        try:
            with self.installation.store.read() as work:
                work.connection.exec_driver_sql("SELECT 1")
        except StoreDown as down:
            return str(down)
        return "ok"

    async def stop(self) -> None:
        """Finish what was accepted, then close the store."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        await asyncio.to_thread(self.clock.stop)
        await asyncio.to_thread(self.clerk.stop)
        await asyncio.to_thread(self.installation.store.close)


def application(installation: Installation) -> Starlette:
    """The ASGI application; its parts start and stop with it."""
    return Starlette(
        lifespan=_lifespan(installation),
        middleware=[
            Middleware(Guarded),
            Middleware(TrustedHostMiddleware, allowed_hosts=_hosts(installation)),
        ],
        routes=[Route("/healthz", _healthz, methods=["GET"])],
    )


def _hosts(installation: Installation) -> list[str]:
    outside = urlsplit(installation.settings.address).hostname or "localhost"
    return [outside, installation.settings.host, "localhost", "127.0.0.1", "[::1]"]


async def _healthz(request: Request) -> Response:
    status, parts = await asyncio.to_thread(request.app.state.server.health)
    return Response(orjson.dumps(parts), status, media_type="application/json")


def _lifespan(
    installation: Installation,
) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        server = _start(installation)
        server.clock.start()
        app.state.server = server
        app.router.routes += [route for channel in server.channels for route in channel.routes()]
        gc.collect()
        gc.freeze()  # what was made at the start stays; the collector need not walk it again
        try:
            yield
        finally:
            await server.stop()

    return lifespan


def _start(installation: Installation) -> Server:
    clerk = Clerk(installation.store, installation.reception(), now)

    def changed(taken: Taken) -> None:
        if taken.files:
            fetcher.nudged.set()
        if taken.wishes:
            clock.nudge()

    channels = list(open_channels(Rim(installation, clerk, changed)))
    longest = {channel.name: channel.longest for channel in channels}
    windows = {channel.name: channel.window for channel in channels}
    clock = Clock(tick_of(installation, office_of(installation, longest, windows)), TICK)
    platforms = {channel.name: channel for channel in channels}
    fetcher = Fetcher(installation.store, installation.vault, platforms, now)
    tasks = {channel.name: asyncio.create_task(channel.run()) for channel in channels}
    tasks["files"] = asyncio.create_task(fetcher.run())
    for name, task in tasks.items():
        task.add_done_callback(partial(_note_the_end, name))
    return Server(installation, clerk, clock, channels, tasks)


def _note_the_end(part: str, task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.error("%s stopped: %s", part, _kind(error))


def _kind(error: BaseException) -> str:
    within = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return ", ".join(map(_kind, within)) or type(error).__name__


def _must_be_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise WrongSetting(
                f"HOST={host}, PORT={port}: cannot listen there ({error.strerror}); "
                "stop the other program, or choose another port"
            ) from None


def serve(installation: Installation) -> None:
    """Serve until told to stop; what was accepted is finished first. Raises WrongSetting."""
    settings = installation.settings
    _must_be_free(settings.host, settings.port)
    config = uvicorn.Config(
        application(installation),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=64 * 1024,
    )
    uvicorn.Server(config).run()
