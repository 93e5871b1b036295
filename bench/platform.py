"""Telegram's side of a bench: calls a webhook for many chats, and takes what is sent to them."""

from __future__ import annotations

import asyncio
import itertools
import json
import multiprocessing
import random
import re
import time
from dataclasses import dataclass, field

from bench.crowd import TALK, WELCOME, Figures, figures_of

SECRET = "bench-secret"
CHAT = re.compile(rb'(?:(?:^|&)chat_id=|"chat_id":)(\d+)')
IN_REPLY = re.compile(rb'name="chat_id"[^\r]*\r\n(?:[^\r\n]+\r\n)*\r\n(\d+)')
LENGTH = re.compile(rb"content-length: (\d+)")


def drive(port: int, api: int, chats: int, seconds: float, rate: float = 0) -> Figures:
    """Talk through a webhook for so long, in a process of its own.

    Latency is from the webhook call to the arrival of the (last) answer at Telegram. `rate`:
    events a second, evenly spread over the chats; 0: each chat as quickly as it is answered.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_drive, (port, api, chats, seconds, rate))


def _drive(port: int, api: int, chats: int, seconds: float, rate: float) -> Figures:
    import uvloop

    return uvloop.run(Platform(port, api).talk(chats, seconds, rate))


@dataclass
class Platform:
    """A Bot API that says yes to everything, and the people behind it."""

    port: int
    api: int
    answered: dict[int, asyncio.Event] = field(default_factory=dict)
    numbers: itertools.count[int] = field(
        default_factory=lambda: itertools.count(random.randrange(2**30))  # no number comes twice
    )

    async def talk(self, chats: int, seconds: float, rate: float) -> Figures:
        """Every chat tells tip after tip; the first second does not count."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.api)
        spans: list[float] = []
        began = time.perf_counter() + 1
        people = (self._person(n, chats, began, seconds, rate, spans) for n in range(chats))
        await asyncio.gather(*people)
        server.close()
        return figures_of(spans, seconds)

    async def _person(
        self, one: int, chats: int, began: float, seconds: float, rate: float, spans: list[float]
    ) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        chat = 7_000_000_000 + one
        answered = self.answered[chat] = asyncio.Event()
        # No two people are at the same point of their talk: each begins a bit after the one before.
        due = time.perf_counter() + (one / rate * len(TALK) if rate else 0)
        for number in itertools.count():
            said = WELCOME[number] if number < 3 else TALK[(number - 3) % len(TALK)]
            if rate:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                due += chats / rate
            start = time.perf_counter()
            if start > began + seconds:
                break
            answered.clear()
            await self._post(reader, writer, self._update(chat, said["text"]))
            await asyncio.wait_for(answered.wait(), 30)
            if start > began:
                spans.append(time.perf_counter() - start)
        writer.close()

    def _update(self, chat: int, text: str) -> bytes:
        number = next(self.numbers)
        who = {"id": chat, "is_bot": False, "first_name": "An"}
        place = {"id": chat, "type": "private", "first_name": "An"}
        message = {"message_id": number, "date": 1_795_600_000, "chat": place, "from": who}
        return json.dumps({"update_id": number, "message": {**message, "text": text}}).encode()

    async def _post(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes
    ) -> None:
        writer.write(
            f"POST /telegram HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: {len(body)}\r\n\r\n"
            .encode() + body
        )  # fmt: skip
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.split(b"\r\n")[0].decode())
        answer = await _body(reader, head)
        call = IN_REPLY.search(answer)  # the answer may be a call itself, as Telegram allows
        if call:
            self._arrived(int(call[1]))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                body = await _body(reader, head)
                found = CHAT.search(body)
                chat = int(found[1]) if found else 0
                writer.write(_answer(head, chat, next(self.numbers)))
                if b"/sendMessage" in head:
                    self._arrived(chat)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    def _arrived(self, chat: int) -> None:
        if chat in self.answered:
            self.answered[chat].set()


def _answer(head: bytes, chat: int, number: int) -> bytes:
    place = {"id": chat, "type": "private", "first_name": "An"}
    message = {"message_id": number, "date": 1_795_600_000, "chat": place, "text": "x"}
    result = message if b"/sendMessage" in head else True
    body = json.dumps({"ok": True, "result": result}).encode()
    kind = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    return kind + str(len(body)).encode() + b"\r\n\r\n" + body


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    lower = head.lower()
    length = LENGTH.search(lower)
    if length:
        return await reader.readexactly(int(length[1]))
    if b"transfer-encoding: chunked" not in lower:
        return b""
    body = b""
    while size := int((await reader.readuntil(b"\r\n"))[:-2], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return body
