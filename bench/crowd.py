"""Sixty-four people who tell a tip each, over and over, on raw connections of their own process."""

from __future__ import annotations

import asyncio
import itertools
import json
import multiprocessing
import re
import time
from dataclasses import dataclass

TALK = (
    {"text": "/tinbao"},
    {"text": "1"},
    {"text": "Đêm nào cũng có xe lạ ra vào nhà số 12, người gầy gò đứng chờ, tôi nghi bán ma túy"},
    {"text": "đầu hẻm cạnh trường học, gần cây xăng"},
    {"text": "hôm qua"},
    {"text": "không có"},
    {"text": "không"},
    {"text": "1"},
    {"text": "gửi"},
    {"text": "đã lưu"},
)  # fmt: skip
WELCOME = ({"text": "/start"}, {"text": "1"}, {"text": "1"})


@dataclass(frozen=True)
class Figures:
    """Events answered, a second; latency in milliseconds."""

    events: int
    rate: float
    p50: float
    p99: float


def talk_all(port: int, people: int, seconds: float) -> Figures:
    """Let them talk for so long, in a process of their own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_crowd, (port, people, seconds))


def _crowd(port: int, people: int, seconds: float) -> Figures:
    import uvloop

    return uvloop.run(_talk(port, people, seconds))


async def _talk(port: int, people: int, seconds: float) -> Figures:
    spans: list[float] = []
    ends = time.perf_counter() + seconds + 1
    began = time.perf_counter() + 1  # the first second warms up and does not count
    await asyncio.gather(*(_person(port, one, began, ends, spans) for one in range(people)))
    return figures_of(spans, seconds)


def figures_of(spans: list[float], seconds: float) -> Figures:
    """The figures of latencies in seconds that were measured for so long."""
    spans.sort()
    return Figures(
        len(spans),
        len(spans) / seconds,
        spans[len(spans) // 2] * 1e3,
        spans[int(len(spans) * 0.99)] * 1e3,
    )


async def _person(port: int, one: int, began: float, ends: float, spans: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = await _call(reader, writer, "/chat/api/session", b"{}", "")
    session = json.loads(answer)["session"]
    seen: list[str] = []
    for number in itertools.count():
        said = WELCOME[number] if number < 3 else TALK[(number - 3) % len(TALK)]
        body = json.dumps({"id": f"e-{one:04d}-{number:08d}", "seen": seen, **said}).encode()
        start = time.perf_counter()
        if start > ends:
            break
        answer = await _call(reader, writer, "/chat/api/events", body, session)
        if start > began:
            spans.append(time.perf_counter() - start)
        seen = re.findall(r'"id":"([a-z2-7]{20})"', answer.decode())
    writer.close()


async def _call(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: bytes, who: str
) -> bytes:
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {who}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.split(b"\r\n")[0].decode())
    length = re.search(rb"content-length: (\d+)", head.lower())
    return await reader.readexactly(int(length[1]) if length else 0)
