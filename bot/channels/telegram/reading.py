"""Reading JSON as Telegram may write it: half a letter and a huge id are no reason to refuse."""

from __future__ import annotations

import json
from typing import Any

import orjson


def loads(body: bytes | str) -> Any:
    """The value. Raises ValueError for what is no JSON, or too deep to be meant."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("too deep") from None
