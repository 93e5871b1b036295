"""Files people sent: a row that says where one lies, then the cleaned bytes, sealed, on disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, or_, select, update

from storage.sealing import CannotOpen, Seal
from storage.store import Work, table
from storage.tables import Attachment

LARGEST = 20 * 1024 * 1024  # bytes of one file; Telegram's getFile has the same limit

_row = table(Attachment)


@dataclass(frozen=True, slots=True)
class Lying:
    """A file that waits to be fetched: at which platform, under which locator."""

    id: str
    channel: str
    kind: str
    locator: str
    owner: bytes | None
    tries: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a report's file: its state, what it is, how large, where it is sealed."""

    id: str
    state: str
    kind: str
    media: str | None
    size: int
    stored: str | None


class Vault:
    """The folder of sealed files, named by the keyed hash of what is in them."""

    def __init__(self, folder: Path, seal: Seal) -> None:
        self._folder, self._seal = folder, seal
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, content: bytes, name: str | None = None) -> str:
        """Seal bytes, durably, and return their name; unnamed ones lie once, however often sent."""
        name = name or self._seal.find("file", hashlib.sha256(content).hexdigest()).hex()
        path = self._folder / name
        if not path.exists():
            beside = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.new")
            with beside.open("wb") as out:
                out.write(self._seal.close(content, f"file|{name}"))
                out.flush()
                os.fsync(out.fileno())
            beside.replace(path)
        return name

    def get(self, name: str) -> bytes:
        """The bytes under a name. Raises LookupError when there are none."""
        if not name.isalnum() or not (path := self._folder / name).is_file():
            raise LookupError(name)
        return self._seal.open(path.read_bytes(), f"file|{name}")

    def drop(self, name: str) -> None:
        """Delete the bytes under a name."""
        with contextlib.suppress(FileNotFoundError):
            (self._folder / name).unlink()

    def older(self, than: datetime) -> set[str]:
        """The names that lay here before a moment; a younger one may still await its row."""
        return {
            path.name
            for path in self._folder.iterdir()
            if path.is_file() and path.stat().st_mtime < than.timestamp()
        }


def note(work: Work, lying: Lying, until: date) -> None:
    """Write down a file that still lies at its platform."""
    locator = work.seal.close(lying.locator.encode(), f"attachment|locator|{lying.id}")
    row: dict[str, Any] = {
        "id": lying.id,
        "state": "waiting",
        "channel": lying.channel,
        "kind": lying.kind,
        "locator": locator,
        "owner": lying.owner,
        "until": until,
        "size": 0,
        "tries": 0,
    }
    work.connection.execute(work.insert(Attachment), row)


def adopt(work: Work, files: Sequence[str], report: str) -> None:
    """Give files to their report; from now on nothing says who sent them."""
    if files:
        work.connection.execute(
            update(_row)
            .where(_row.c.id.in_(list(files)))
            .values(report=report, owner=None, until=None)
        )


def drop(work: Work, files: Sequence[str]) -> None:
    """Let go of files whose report was never sent; the clean-up takes them at its next round."""
    if files:
        work.connection.execute(
            update(_row)
            .where(_row.c.id.in_(list(files)), _row.c.report.is_(None))
            .values(until=date.min, owner=None)
        )


def disown(work: Work, owner: bytes) -> None:
    """Let go of every file somebody has not sent; the clean-up takes them at its next round."""
    values = {"until": date.min, "owner": None}
    work.connection.execute(update(_row).where(_row.c.owner == owner).values(values))


def any_waiting(work: Work) -> bool:
    """Whether any file waits at all: a look that disturbs no writer."""
    query = select(_row.c.id).where(_row.c.state == "waiting").limit(1)
    return work.connection.execute(query).first() is not None


def claim(work: Work, now: datetime, until: datetime, most: int = 20) -> list[Lying]:
    """Files to fetch now, those tried least first; nobody else takes them before `until`."""
    due = or_(_row.c.not_before.is_(None), _row.c.not_before <= now)
    query = select(_row).where(_row.c.state == "waiting", due).order_by(_row.c.tries).limit(most)
    rows = work.connection.execute(query.with_for_update(skip_locked=True)).all()
    taken = _row.c.id.in_([row.id for row in rows])
    if rows:
        work.connection.execute(update(_row).where(taken).values(not_before=until))
    return [lying for row in rows if (lying := _lying(work, row)) is not None]


def _lying(work: Work, row: Any) -> Lying | None:
    try:
        locator = work.seal.open(row.locator, f"attachment|locator|{row.id}").decode()
    except CannotOpen:
        refuse(work, row.id)  # sealed under a key that was taken out of use
        return None
    return Lying(row.id, row.channel, row.kind, locator, row.owner, row.tries)


def keep(work: Work, file: str, stored: str, media: str, size: int) -> None:
    """Note that a file was cleaned and sealed; where it lay at the platform is forgotten."""
    values = {"state": "kept", "stored": stored, "media": media, "size": size, "locator": None}
    work.connection.execute(update(_row).where(_row.c.id == file).values(values))


def refuse(work: Work, file: str) -> None:
    """Note that a file cannot be had or opened, for good."""
    values = {"state": "refused", "locator": None}
    work.connection.execute(update(_row).where(_row.c.id == file).values(values))


def later(work: Work, file: str, not_before: datetime) -> None:
    """Note that a file could not be fetched this time."""
    values = {"tries": _row.c.tries + 1, "not_before": not_before}
    work.connection.execute(update(_row).where(_row.c.id == file).values(values))


def of_report(work: Work, report: str) -> list[Kept]:
    """The files of a report."""
    rows = work.connection.execute(select(_row).where(_row.c.report == report).order_by(_row.c.id))
    return [Kept(r.id, r.state, r.kind, r.media, r.size, r.stored) for r in rows]


def expire(work: Work, today: date) -> None:
    """Delete the rows of files whose report was never sent."""
    work.connection.execute(delete(_row).where(_row.c.until < today))


def stored(work: Work) -> set[str]:
    """Every name in the vault that some row still wants."""
    return set(
        work.connection.execute(select(_row.c.stored).where(_row.c.stored.is_not(None))).scalars()
    )
