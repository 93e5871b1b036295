"""What comes over a wire: bodies as JSON, urlencoded or multipart, and files."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message as Headers
from typing import Any
from urllib.parse import parse_qsl

import orjson


class Malformed(Exception):
    """A body that is not what its content type says."""


@dataclass(frozen=True)
class Upload:
    """A file part of a multipart body."""

    name: str
    content: bytes = field(repr=False)
    media: str = "application/octet-stream"

    @property
    def size(self) -> int:
        return len(self.content)


Given = dict[str, "str | Upload | Any"]


def read(content_type: str, body: bytes, query: str = "") -> tuple[Given, bool]:
    """The parameters of a call, and whether they are still text. Raises Malformed."""
    given: Given = dict(parse_qsl(query, keep_blank_values=True))
    kind, options = _content_type(content_type)
    if not body:
        return given, True
    if kind == "application/json":
        return _json(body), False
    if kind == "application/x-www-form-urlencoded":
        return {**given, **_form(body)}, True
    if kind == "multipart/form-data" and options.get("boundary"):
        return {**given, **_multipart(body, options["boundary"])}, True
    raise Malformed(f"content type {content_type!r}")


def _content_type(value: str) -> tuple[str, dict[str, str]]:
    headers = Headers()
    headers["content-type"] = value or "application/octet-stream"
    return headers.get_content_type(), dict(headers.get_params(header="content-type") or [])


def _json(body: bytes) -> Given:
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError as wrong:
        raise Malformed(str(wrong)) from None
    if not isinstance(read, dict):
        raise Malformed("not an object")
    return read


def _form(body: bytes) -> Given:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
    except ValueError as wrong:
        raise Malformed(str(wrong)) from None


_PART = re.compile(rb'\bname="((?:[^"\\]|\\.)*)"')
_FILE = re.compile(rb'\bfilename="((?:[^"\\]|\\.)*)"')
_MEDIA = re.compile(rb"^content-type: *([^\r\n]+)", re.IGNORECASE | re.MULTILINE)


def _multipart(body: bytes, boundary: str) -> Given:
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise Malformed("the last boundary is missing")
    return dict(_part(part) for part in parts[1:-1])


def _part(part: bytes) -> tuple[str, str | Upload]:
    head, gap, content = part.partition(b"\r\n\r\n")
    named = _PART.search(head)
    if not gap or named is None:
        raise Malformed("a part without a name")
    file = _FILE.search(head)
    try:
        name = named[1].decode()
        if file is None:
            return name, content.decode()
        media = _MEDIA.search(head)
        kind = media[1].decode() if media else "application/octet-stream"
        return name, Upload(file[1].decode(), content, kind)
    except UnicodeDecodeError as wrong:
        raise Malformed(str(wrong)) from None


def dumps(value: Any) -> bytes:
    """JSON; what UTF-8 cannot hold (a lone surrogate) as an escape, as a platform might send it."""
    try:
        return orjson.dumps(value)
    except TypeError:
        import json

        return json.dumps(value).encode()
