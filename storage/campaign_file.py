"""A campaign as an office writes it down in a TOML file: whole and right, or refused with the line.

The reader of the standard library knows no lines once it has read, so they are found beside it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from storage.campaign import Campaign

_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]\]?")
_PAIR = re.compile(r"\s*([A-Za-z0-9_-]+)\s*(?:\.[A-Za-z0-9_.-]+\s*)?=")
_OPTION = re.compile(r"\{\s*id\s*=")
WHOLE = 1_000_000  # the line of what is wrong with a file as a whole; it is said to be the first
_MARKS = ('"""', "'''")
Path_ = tuple[str | int, ...]


class BadCampaign(Exception):
    """A campaign file that is refused: the message names the line and says why."""


def read_campaign(path: Path) -> Campaign:
    """The campaign of a file. Raises BadCampaign; nothing of a file with a mistake is used."""
    try:
        text = path.read_text(encoding="utf-8")
        written = tomllib.loads(text)
    except OSError as error:
        raise BadCampaign(f"{path.name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadCampaign(f"{path.name}: line {line}: not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise BadCampaign(f"{path.name}: {_with_line(str(error), text)}") from None
    try:
        return Campaign.model_validate_json(_json(written))
    except (ValidationError, TypeError) as error:
        raise BadCampaign(f"{path.name}: {_first(error, text)}") from None


def _json(written: object) -> bytes:
    import orjson

    return orjson.dumps(written)  # so that a list becomes a tuple, and a date in it is refused


def _with_line(error: str, text: str) -> str:
    found = re.search(r"\(at line (\d+), column \d+\)", error)
    line = int(found[1]) if found else text.count("\n") + 1
    return f"line {line}: {re.sub(r' *[(]at .*[)]', '', error)}"


def _first(error: ValidationError | TypeError, text: str) -> str:
    if isinstance(error, TypeError):
        return f"line 1: {error}"
    lines = dict(_lines(text))
    found = []
    for each in error.errors():
        at: Path_ = tuple(each["loc"])
        line = next((lines[at[:n]] for n in range(len(at), 0, -1) if at[:n] in lines), WHOLE)
        named = ".".join(str(part + 1 if isinstance(part, int) else part) for part in at)
        why = each["msg"].removeprefix("Value error, ")
        found.append((line, f"{named or 'campaign'}: {why}"))
    line, reason = min(found)  # what stands somewhere before what is nowhere
    return f"line {1 if line == WHOLE else line}: {reason}"


def _lines(text: str) -> Iterator[tuple[Path_, int]]:
    """Where each table and each key of it stands: by the path that the checker names it with."""
    counts: dict[str, int] = {}
    table: Path_ = ()
    open_mark, key, options = "", "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if open_mark:
            open_mark = "" if open_mark in line else open_mark
            continue
        header, pair = _HEADER.match(line), _PAIR.match(line)
        if header:
            table = _entered(header, counts)
            yield table, number
        elif pair:
            key, options = pair[1], 0
            yield (*table, key), number
        for _ in _OPTION.findall(line):
            yield (*table, key, options), number
            options += 1
        open_mark = next((mark for mark in _MARKS if line.count(mark) % 2), "")


def _entered(header: re.Match[str], counts: dict[str, int]) -> Path_:
    name = header[2]
    if header[1] == "[":
        return tuple(name.split("."))
    counts[name] = counts.get(name, -1) + 1
    return (name, counts[name])
