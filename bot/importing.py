"""Bringing in existing feedback from a file, through the same reception as everything else."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.installation import Installation, now
from storage.vocabulary import Event, Form, Person, Said

AT_ONCE = 500  # lines a commit: what an interruption loses, and the next run brings in
CHANNEL = "import"


class BadFile(Exception):
    """The file cannot be brought in: the message says where and why."""


@dataclass(frozen=True)
class Result:
    """How many lines came in, were there already, and were left out."""

    new: int = 0
    known: int = 0
    left_out: int = 0

    def plus(self, new: int, known: int, left_out: int) -> Result:
        """With some more."""
        return Result(self.new + new, self.known + known, self.left_out + left_out)


@dataclass(frozen=True)
class Line:
    """One line of the file as it stands there."""

    text: str
    time: str
    unit: str
    channel: str


def bring_in(
    opened: Installation, path: Path, unit: str | None, time: str | None, console: Console
) -> Result:
    """Bring a file in with a progress bar. Raises BadFile."""
    zone = opened.settings.zone
    if time is not None and _moment(time, zone) is None:
        raise BadFile(f"--time {time}: a date such as 2026-10-31 is expected")
    lines = _read(path)
    reception = opened.reception()
    result = Result()
    with _bar(console) as bar:
        task = bar.add_task(path.name, total=len(lines))
        for batch in _batches(_events(lines, unit, time, zone)):
            events = [event for event in batch if event is not None]
            with opened.store.write() as work:
                taken = reception.take(work, events, now())
            failed = sum(each.failed is not None for each in taken)
            known = sum(each.repeated for each in taken)
            lost = len(batch) - len(events) + failed
            result = result.plus(len(events) - known - failed, known, lost)
            bar.advance(task, len(batch))
    return result


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console)


def _batches(events: Iterable[Event | None]) -> Iterator[list[Event | None]]:
    several = iter(events)
    while batch := list(islice(several, AT_ONCE)):
        yield batch


def _events(
    lines: list[Line], unit: str | None, time: str | None, zone: ZoneInfo
) -> Iterator[Event | None]:
    seen: Counter[Line] = Counter()
    for line in lines:
        # The same words twice in one file are two people; the same file twice is one import.
        seen[line] += 1
        at = _moment(line.time or time or "", zone) if line.time or time else now()
        if not line.text.strip() or at is None:
            yield None
            continue
        form = Form(line.text, line.unit or unit, line.channel, at)
        name = hashlib.sha256(f"{line!r}#{seen[line]}".encode()).hexdigest()
        yield Event(name, Person(CHANNEL, name), Said(form=form), at)


def _moment(written: str, zone: ZoneInfo) -> datetime | None:
    for read in (datetime.fromisoformat, lambda w: datetime.strptime(w, "%d/%m/%Y")):
        try:
            at = read(written.strip())
        except ValueError:
            continue
        return at if at.tzinfo else at.replace(tzinfo=zone)
    return None


def _read(path: Path) -> list[Line]:
    try:
        raw = path.read_bytes()
        content = gzip.decompress(raw) if path.suffix == ".gz" else raw
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror or 'cannot be read'}") from None
    except (UnicodeDecodeError, EOFError):
        raise BadFile(f"{path}: text in UTF-8 is expected") from None
    name = path.name.removesuffix(".gz")
    return _from_csv(path, text) if name.endswith(".csv") else _from_json(path, text)


def _from_csv(path: Path, text: str) -> list[Line]:
    rows = csv.DictReader(io.StringIO(text))
    if "text" not in (rows.fieldnames or ()):
        raise BadFile(f"{path}: the first line must name the columns, `text` among them")
    return [_line(row) for row in rows]


def _from_json(path: Path, text: str) -> list[Line]:
    lines = []
    for number, written in enumerate(text.splitlines(), 1):
        if not written.strip():
            continue
        try:
            row = orjson.loads(written)
        except orjson.JSONDecodeError:
            raise BadFile(f"{path}, line {number}: not JSON") from None
        if not isinstance(row, dict) or "text" not in row:
            raise BadFile(f"{path}, line {number}: an object with `text` is expected")
        lines.append(_line(row))
    return lines


def _line(row: dict[str, object]) -> Line:
    return Line(*(str(row.get(name) or "") for name in ("text", "time", "unit", "channel")))
