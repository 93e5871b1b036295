"""The yardstick: a server that does nothing but commit the bytes it is sent, durably, in groups."""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
from pathlib import Path

import pysqlite3.dbapi2 as sqlite3
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ANSWER = b'{"session":"x","messages":[]}'


def main(folder: Path, port: int) -> None:
    """Serve on a port, with a database in a folder."""
    waiting: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()

    def write() -> None:
        base = sqlite3.connect(folder / "bare.db", isolation_level=None)
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=FULL")
        base.execute("CREATE TABLE said (body BLOB)")
        while True:
            batch = [waiting.get()]
            while not waiting.empty() and len(batch) < 128:
                batch.append(waiting.get())
            base.execute("BEGIN IMMEDIATE")
            base.executemany("INSERT INTO said VALUES (?)", [(body,) for body, _ in batch])
            base.execute("COMMIT")
            batch[0][1].get_loop().call_soon_threadsafe(
                lambda done=batch: [future.set_result(None) for _, future in done]
            )

    async def take(request: Request) -> Response:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.put((await request.body(), future))
        await future
        return Response(ANSWER, media_type="application/json")

    threading.Thread(target=write, daemon=True).start()
    app = Starlette(routes=[Route("/{path:path}", take, methods=["GET", "POST"])])
    uvicorn.run(app, port=port, log_config=None, access_log=False)


main(Path(sys.argv[1]), int(sys.argv[2]))
