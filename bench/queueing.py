"""How long it takes to queue one round's prompts for many people, and what memory it takes."""

from __future__ import annotations

import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from scheduler import rounds as clock
from storage import outbox, people, rounds, talks
from storage.migrating import migrate
from storage.sealing import Keys, Seal
from storage.store import Store, Work, table
from storage.tables import Address, Enrolled
from storage.vocabulary import Person
from tests.house import UNITS
from tests.panel import BOTH, shipped
from tests.scheduler.station import office

MORNING = datetime(2026, 11, 10, 2, tzinfo=UTC)


def main(folder: Path, many: int) -> None:
    """Print the seconds and the memory of opening a round and queueing all its prompts."""
    store = Store(f"sqlite:///{folder}/queueing-{many}.db", Seal(Keys.new()))
    migrate(store.engine)
    with store.write() as work:
        for unit in UNITS:
            people.add_unit(work, unit, date(2025, 7, 1))
        _enrol(work, many)
        rounds.set_campaign(work, shipped("monthly-pulse", when="once"), MORNING)
    rules = office(catalogues=BOTH)
    before, began = _memory(), time.perf_counter()
    clock.due(store, MORNING, rules)
    took = time.perf_counter() - began
    peak = _peak()
    with store.read() as work:
        queued = outbox.count(work)
    began = time.perf_counter()
    clock.due(store, MORNING + timedelta(days=3), rules)
    again = time.perf_counter() - began
    print(
        f"{queued} prompts queued in {took:.2f} s, their reminders in {again:.2f} s; "
        f"memory {before:.0f} MB before, {peak:.0f} MB at most"
    )
    store.close()


def _enrol(work: Work, many: int) -> None:
    persons, addresses = [], []
    for number in range(many):
        at = Person("telegram", f"{100_000_000 + number}")
        key = talks.key_of(work, at)
        sealed = work.seal.close(
            f"{at.channel}:{at.address}".encode(), f"address|sealed|{key.hex()}"
        )
        one = {"id": f"person-{number:06}", "role": "officer", "unit": "ben-thanh"}
        persons.append(one | {"language": "vi", "since": date(2026, 1, 1), "until": None})
        addresses.append({"key": key, "person": one["id"], "sealed": sealed})
    work.connection.execute(insert(table(Enrolled)), persons)
    work.connection.execute(insert(table(Address)), addresses)


def _memory() -> float:
    return _status("VmRSS")


def _peak() -> float:
    return _status("VmHWM")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1e3


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
