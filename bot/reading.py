"""Reading what a platform calls with: its body up to a size, its JSON however it is written."""

from __future__ import annotations

import json
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

MOST_BODY = 1 << 20  # bytes; what platforms call with is far smaller


class Unreadable(Exception):
    """A call whose body is not taken: `status` is the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def whole_body(request: Request) -> bytes:
    """The body of a call. Raises Unreadable: 413 where it is too large, 400 where it breaks off."""
    claimed = request.headers.get("content-length", "0")
    if not claimed.isdigit() or int(claimed) > MOST_BODY:
        raise Unreadable(413)
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BODY:
                raise Unreadable(413)
    except ClientDisconnect:
        raise Unreadable(400) from None
    return bytes(body)


async def whole_object(request: Request) -> tuple[bytes, dict[str, Any]]:
    """The body of a call and the JSON object in it, an empty one where there is no body.

    Raises Unreadable: 413 where it is too large, 400 where it is no object.
    """
    raw = await whole_body(request)
    try:
        found = loads(raw) if raw.strip() else {}
    except ValueError:  # UnicodeDecodeError and JSONDecodeError are
        raise Unreadable(400) from None
    if not isinstance(found, dict):
        raise Unreadable(400)
    return raw, found


def loads(body: bytes | str) -> Any:
    """The value, half a letter and a huge id kept. Raises ValueError for what is no JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("too deep") from None
