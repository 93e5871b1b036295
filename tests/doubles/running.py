"""The HTTP server of a double: a thread with an event loop of its own, until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvloop
from aiohttp import web

T = TypeVar("T")
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def nothing() -> None:
    """What is done at the end where nothing is."""


@dataclass
class Running:
    """Serves on a port, 0 for any, until stopped; `last` is done before that, in its loop.

    `largest`: bytes of a request's body.
    """

    handle: Handler
    port: int = 0
    largest: int = 100 << 20
    last: Callable[[], Awaitable[None]] = nothing
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(20), "the double does not start"

    def stop(self) -> None:
        self.soon(self.closing.set)
        self._thread.join(20)

    def soon(self, doing: Callable[[], object]) -> None:
        """Do something in the loop; from any thread."""
        self._loop.call_soon_threadsafe(doing)

    def finish(self, doing: Coroutine[Any, Any, T]) -> T:
        """Do something in the loop and wait for it; from any thread but the loop's own."""
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(20)

    async def wait(self, seconds: float | None) -> None:
        """Wait in the loop, for ever if for None, but never beyond the double's own end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), seconds)

    def _run(self, ready: threading.Event) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        server = web.Server(
            self.handle, request_factory=self._request, handler_cancellation=True, access_log=None
        )
        runner = web.ServerRunner(server, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port, backlog=1024).start()
        self.port = runner.addresses[0][1]
        ready.set()
        await self.closing.wait()
        await self.last()
        await runner.cleanup()

    def _request(
        self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any
    ) -> web.BaseRequest:
        """A request whose body may be large."""
        loop, most = self._loop, self.largest
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=most)


def reset(request: web.BaseRequest) -> web.StreamResponse:
    """Let the connection be reset, so that nobody knows how far the call came."""
    assert request.transport is not None
    sock = request.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
    return web.Response(status=500)
