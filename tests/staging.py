"""The running program as a stage for transcripts: people of a double talk to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import select

from storage import talks
from storage.prompting import round_in
from storage.sealing import Keys, Seal
from storage.store import Store, table
from storage.tables import Outgoing
from storage.vocabulary import FileAt, Message, Person, Said
from tests.server import Server, Wire, a_file

_out = table(Outgoing)
GLANCE = 0.02  # seconds between two looks at the outbox while nothing happens at the double
Contents = Mapping[str, bytes]


class Somebody(Protocol):
    """A person of a double, as far as a stage needs to know them."""

    @property
    def id(self) -> int | str: ...
    @property
    def unheard(self) -> list[Any]: ...
    def heard(self) -> list[Any]: ...
    def confirmed(self) -> bool: ...


class Played(Protocol):
    """A double, as far as a stage needs to know it."""

    violations: list[str]
    changed: Any

    def person(self, name: str) -> Any: ...


@dataclass
class LiveStage:
    """A started program and the people who talk to it through the double of a channel.

    `do` does in the app what says something; `message_of` turns what was heard into the program's
    own word for it. What is sent to many is not waited for: it keeps away from whoever is being
    spoken to.

    `say` is over when the program has confirmed what was done, has sent something, and its outbox
    holds nothing more for that person. Raises AssertionError, with the log, when that never comes.
    """

    server: Server
    double: Played
    channel: str
    do: Callable[[Said, Any, Contents], None]
    message_of: Callable[[Any], Message]
    seconds: float = 20
    made: Callable[[str, int], bytes] = a_file
    contents: dict[str, bytes] = field(default_factory=dict)
    wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        self.wire = Wire(self.server)

    # -- what a transcript asks for -------------------------------------------------------------

    def say(self, said: Said | str, who: str) -> list[Message]:
        person: Somebody = self.double.person(who)
        heard = map(self.message_of, person.heard())
        before = [m for m in heard if m.question is None or round_in(m.question)]
        self.do(Said(text=said) if isinstance(said, str) else said, person, self.contents)
        self.wait_until_answered(person)
        return [*before, *map(self.message_of, person.heard())]

    def restart(self) -> None:
        self.wire.restart()

    def invite(self, role: str, unit: str) -> str:
        return self.wire.invite(role, unit)

    def answer(self, receipt: str, text: str) -> None:
        self.wire.answer(receipt, text)

    def campaign(self, name: str) -> None:
        self.wire.campaign(name)

    def clock(self, minutes: int) -> None:
        """What comes due is sent to those who are in the middle of nothing; wait for that."""
        self.wire.clock(minutes)
        store, ends = self.store(), time.monotonic() + self.seconds
        while self._calls_wait(store) and time.monotonic() < ends:
            time.sleep(GLANCE)
        store.close()

    def files(self, kind: str, count: int, who: str) -> tuple[FileAt, ...]:
        made = tuple(FileAt(f"{kind}-{len(self.contents) + n}", kind) for n in range(count))
        self.contents |= {file.locator: self.made(kind, n) for n, file in enumerate(made)}
        return made

    # -- knowing that the program is done -------------------------------------------------------

    def wait_until_answered(self, person: Somebody) -> None:
        """Wait until all this person did is confirmed and answered, and nothing more is to come."""
        ends = time.monotonic() + self.seconds
        store = self.store()
        try:
            with self.double.changed:
                while not (
                    person.confirmed() and person.unheard and not self._waits(store, person)
                ):
                    assert time.monotonic() < ends, self._silence(person)
                    self.double.changed.wait(GLANCE)
        finally:
            store.close()

    def store(self) -> Store:
        """The program's store, opened beside it."""
        data = self.server.folder / "data"
        url = self.server.extra.get("DATABASE_URL", f"sqlite:///{data}/langnghe.db")
        return Store(url, Seal(Keys.read(data / "keys.json")))

    def _calls_wait(self, store: Store) -> bool:
        with store.read() as work:
            calls = select(_out.c.id).where(_out.c.channel == self.channel, _out.c.bulk)
            return work.connection.execute(calls.limit(1)).first() is not None

    def _waits(self, store: Store, person: Somebody) -> bool:
        with store.read() as work:
            key = talks.key_of(work, Person(self.channel, str(person.id)))
            mine = select(_out.c.id).where(_out.c.key == key, _out.c.bulk.is_(False))
            return work.connection.execute(mine.limit(1)).first() is not None

    def _silence(self, person: Somebody) -> str:
        log = self.server.log.read_text()[-2000:] if self.server.log.exists() else "no log"
        confirmed = "confirmed" if person.confirmed() else "not confirmed"
        heard = [each.text for each in person.heard()]
        return f"{confirmed}, heard {heard}, violations {self.double.violations}; log:\n{log}"
