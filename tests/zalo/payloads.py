"""The recorded bodies of `payloads/`, and new ones in their shape."""

from __future__ import annotations

import copy
import functools
from pathlib import Path
from typing import Any

import orjson

Thing = dict[str, Any]
FOLDER = Path(__file__).parent / "payloads"


def every(surface: str) -> list[str]:
    """The names of what is recorded for a surface (`oa`, `bot`), without the surface's own."""
    return sorted(path.stem.partition(".")[2] for path in FOLDER.glob(f"{surface}.*.json"))


@functools.cache
def _read(name: str) -> Thing:
    body: Thing = orjson.loads((FOLDER / f"{name}.json").read_bytes())
    return body


def recorded(name: str) -> Thing:
    """One body as it was recorded, such as `oa.user_send_text`."""
    return copy.deepcopy(_read(name))


def filled(name: str, values: Thing) -> Thing:
    """A recorded body with other values at dotted paths; what is None there is left out.

    Raises LookupError for a path that the recorded body does not have.
    """
    body = recorded(name)
    for path, value in values.items():
        *way, last = path.split(".")
        place = functools.reduce(_step, way, body)
        if last not in place:
            raise LookupError(f"{name} has no {path}")
        if value is None:
            del place[last]
        else:
            place[last] = value
    return body


def _step(place: Any, name: str) -> Any:
    return place[int(name)] if isinstance(place, list) else place[name]


def has(name: str, path: str) -> bool:
    """Whether a recorded body has something at a dotted path."""
    try:
        functools.reduce(_step, path.split("."), _read(name))
    except (LookupError, TypeError):
        return False
    return True
