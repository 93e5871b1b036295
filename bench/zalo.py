"""Zalo's side of a bench: an Official Account calls the webhook, signed, and takes the answers.

Run as `python -m bench.zalo` it prints how long the webhook takes at 100 events a second.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import multiprocessing
import os
import platform
import random
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.crowd import TALK, WELCOME, Figures, figures_of
from storage import grants
from storage.grants import Pair
from storage.sealing import Keys, Seal
from storage.store import Store
from tests.server import Server, free_port

APP, SECRET = "102719276611582260", "bench-secret"
PEOPLE = 64
RATE = 100.0  # events a second
SECONDS = 20.0
RUNS = 3
WHO = re.compile(rb'"user_id": ?"(\d+)"')
LENGTH = re.compile(rb"content-length: (\d+)")


def main() -> None:
    """Print what the README quotes."""
    from tagging.training import train

    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        models.mkdir()
        train(models)
        for number in range(RUNS):
            print(f"zalo run {number + 1}: {report(Path(folder) / f'zalo{number}', models)}")


def report(folder: Path, models: Path) -> str:
    """One run of a program of its own: the webhook alone, and until the answer has arrived."""
    folder.mkdir()
    api = free_port()
    server = Server(folder, models, _settings(api))
    server.start()
    _connect(folder)
    hook, whole = drive(server.port, api, RATE)
    server.stop()
    return f"at {RATE:.0f}/s {_said('webhook', hook)}; {_said('to the answer', whole)}"


def _settings(api: int) -> dict[str, str]:
    url = f"http://127.0.0.1:{api}"
    own = {"ZALO_OA_APP_ID": APP, "ZALO_OA_APP_SECRET": "x", "ZALO_OA_SECRET_KEY": SECRET}
    return {**own, "ZALO_OA_API_URL": url, "ZALO_OAUTH_URL": url}


def _connect(folder: Path) -> None:
    data, now = folder / "data", datetime.now(UTC)
    store = Store(f"sqlite:///{data}/langnghe.db", Seal(Keys.read(data / "keys.json")))
    with store.write() as work:
        grants.renew(work, APP, Pair("access", "refresh", now + timedelta(hours=25)), now)
    store.close()


def _said(what: str, figures: Figures) -> str:
    return f"{what}: {figures.events} events, p50 {figures.p50:.1f} ms, p99 {figures.p99:.1f} ms"


def drive(port: int, api: int, rate: float) -> tuple[Figures, Figures]:
    """Talk at a pace, in a process of its own: the webhook's times, and those to the answers."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_drive, (port, api, rate))


def _drive(port: int, api: int, rate: float) -> tuple[Figures, Figures]:
    import uvloop

    return uvloop.run(Account(port, api, rate).talk())


@dataclass
class Account:
    """An OpenAPI that says yes to everything, and the people who write to the account."""

    port: int
    api: int
    rate: float
    answered: dict[str, asyncio.Event] = field(default_factory=dict)
    hook: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    numbers: itertools.count[int] = field(
        default_factory=lambda: itertools.count(random.randrange(2**30))
    )

    async def talk(self) -> tuple[Figures, Figures]:
        """Everybody tells tip after tip; the first second does not count."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.api)
        began = time.perf_counter() + 1
        await asyncio.gather(*(self._person(n, began) for n in range(PEOPLE)))
        server.close()
        return figures_of(self.hook, SECONDS), figures_of(self.whole, SECONDS)

    async def _person(self, one: int, began: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        person = str(2_512_523_625_000_000_000 + one)
        answered = self.answered[person] = asyncio.Event()
        due = time.perf_counter() + one / self.rate
        for number in itertools.count():
            said = WELCOME[number] if number < 3 else TALK[(number - 3) % len(TALK)]
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            due += PEOPLE / self.rate
            start = time.perf_counter()
            if start > began + SECONDS:
                break
            answered.clear()
            await self._post(reader, writer, person, said["text"])
            taken = time.perf_counter()
            await asyncio.wait_for(answered.wait(), 30)
            if start > began:
                self.hook.append(taken - start)
                self.whole.append(time.perf_counter() - start)
        writer.close()

    async def _post(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, person: str, text: str
    ) -> None:
        body, mac = _signed(person, text, next(self.numbers))
        writer.write(
            f"POST /zalo/oa HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"X-ZEvent-Signature: mac={mac}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.split(b"\r\n")[0].decode())
        found = LENGTH.search(head.lower())
        await reader.readexactly(int(found[1]) if found else 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = LENGTH.search(head.lower())
                body = await reader.readexactly(int(length[1]) if length else 0)
                writer.write(_answer(next(self.numbers)))
                found = WHO.search(body)
                if found and found[1].decode() in self.answered:
                    self.answered[found[1].decode()].set()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()


def _signed(person: str, text: str, number: int) -> tuple[bytes, str]:
    stamp = str(int(time.time() * 1000))
    event: Mapping[str, object] = {
        "event_name": "user_send_text",
        "app_id": APP,
        "sender": {"id": person},
        "recipient": {"id": "1423847451268726170"},
        "message": {"text": text, "msg_id": f"m{number:x}"},
        "timestamp": stamp,
    }
    body = json.dumps(event).encode()
    signed = APP.encode() + body + stamp.encode() + SECRET.encode()
    return body, hashlib.sha256(signed).hexdigest()


def _answer(number: int) -> bytes:
    sent = {"message_id": f"s{number:x}", "sent_time": str(int(time.time() * 1000))}
    quota = {"quota_type": "reply", "remain": "8", "total": "8"}
    told = {"data": {**sent, "quota": quota}, "error": 0, "message": "Success"}
    body = json.dumps(told).encode()
    kind = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    return kind + str(len(body)).encode() + b"\r\n\r\n" + body


if __name__ == "__main__":
    main()
