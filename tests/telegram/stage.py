"""The running program on Telegram as a stage for transcripts: people of the double speak to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from storage import talks
from storage.prompting import round_in
from storage.sealing import Keys, Seal
from storage.store import Store, table
from storage.tables import Outgoing
from storage.vocabulary import FileAt, Message, Option, Person, Pressed, Said
from tests.server import Server, Wire, a_file
from tests.telegram import people
from tests.telegram.double import BotApi
from tests.telegram.people import Heard
from tests.telegram.texts import units

_out = table(Outgoing)
CHANNEL = "telegram"
SECRET = "bi-mat-cua-webhook_01"
LONGEST_DATA = 64  # bytes
LONGEST_TEXT = 4096  # UTF-16 units
GLANCE = 0.02  # seconds between two looks at the outbox while nothing happens at the double


def telegram_server(
    folder: Path, models: Path, api: BotApi, webhook: bool, extra: dict[str, str] | None = None
) -> Server:
    """A program that is told of the double, by long polling or by webhook; not started yet."""
    server = Server(folder, models, {"TELEGRAM_TOKEN": api.token, "TELEGRAM_API_URL": api.url})
    if webhook:
        server.extra |= {"TELEGRAM_WEBHOOK_SECRET": SECRET, "PUBLIC_URL": server.url}
    server.extra |= extra or {}
    return server


def callback_data(pressed: Pressed) -> str:
    """What the button of an option carries: question and option, shortened where too long."""
    data = f"{pressed.question}|{Option(pressed.option, '').code}"
    assert len(data.encode()) <= LONGEST_DATA, data
    return data


def message_of(heard: Heard) -> Message:
    """What was heard as the program's own word for it; without buttons its question is unknown."""
    parts = [(b.label, *(b.data or "").partition("|")) for b in heard.buttons if b.data]
    choices = tuple(Option(option, label) for label, _, _, option in parts)
    question = parts[0][1] if parts else None
    return Message(heard.text, question, choices, picture="sent" if heard.photo else None)


@dataclass
class TelegramStage:
    """A started program and the people who talk to it through the double.

    What is sent to many is not waited for: it keeps away from whoever is being spoken to.

    `say` is over when the program has confirmed what was done, has sent something, and its outbox
    holds nothing more for that person. Raises AssertionError, with the log, when that never comes.
    """

    server: Server
    api: BotApi
    seconds: float = 20
    contents: dict[str, bytes] = field(default_factory=dict)
    wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        self.wire = Wire(self.server)

    # -- what a transcript asks for -------------------------------------------------------------

    def say(self, said: Said | str, who: str) -> list[Message]:
        person = self.api.person(who)
        heard = map(message_of, person.heard())
        before = [m for m in heard if m.question is None or round_in(m.question)]
        self.do(Said(text=said) if isinstance(said, str) else said, person)
        self.wait_until_answered(person)
        return [*before, *map(message_of, person.heard())]

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
        store, ends = self._store(), time.monotonic() + self.seconds
        while self._calls_wait(store) and time.monotonic() < ends:
            time.sleep(GLANCE)
        store.close()

    def files(self, kind: str, count: int, who: str) -> tuple[FileAt, ...]:
        made = tuple(FileAt(f"{kind}-{len(self.contents) + n}", kind) for n in range(count))
        self.contents |= {file.locator: a_file(kind, n) for n, file in enumerate(made)}
        return made

    # -- doing it as a user of Telegram would ---------------------------------------------------

    def do(self, said: Said, person: people.Person) -> None:
        """Do in the app what says this."""
        if said.pressed is not None:
            self._press(said.pressed, person)
        elif said.place is not None:
            person.location(said.place.lat, said.place.lon)
        elif said.files:
            self._send(said.files, person)
        elif said.start is not None:
            person.start(said.start)
        elif units(said.text or "") > LONGEST_TEXT:
            person.long(said.text or "")
        else:
            person.say(said.text or "")

    def _press(self, pressed: Pressed, person: people.Person) -> None:
        """Press the newest button of this option; one that is gone on some message of before."""
        datas = {f"{pressed.question}|{pressed.option}", callback_data(pressed)}
        chat = person.chat()
        for heard in reversed(chat):
            for button in heard.buttons:
                if button.data in datas:
                    person.press_data(heard.message_id, button.data)
                    return
        person.press_data(chat[-1].message_id if chat else 1, callback_data(pressed))

    def _send(self, files: Sequence[FileAt], person: people.Person) -> None:
        ways: dict[str, Callable[[bytes], object]] = {
            "photo": person.photo,
            "voice": person.voice,
            "video": person.video,
            "audio": person.audio,
        }
        contents = [self.contents[file.locator] for file in files]
        if len(files) > 1 and {file.kind for file in files} == {"photo"}:
            person.album(contents)
            return
        for file, content in zip(files, contents, strict=True):
            ways.get(file.kind, person.document)(content)

    # -- knowing that the program is done -------------------------------------------------------

    def wait_until_answered(self, person: people.Person) -> None:
        """Wait until all this person did is confirmed and answered, and nothing more is to come."""
        ends = time.monotonic() + self.seconds
        store = self._store()
        try:
            with self.api.changed:
                while not (
                    person.confirmed() and person.place.unheard and not self._waits(store, person)
                ):
                    assert time.monotonic() < ends, self._silence(person)
                    self.api.changed.wait(GLANCE)
        finally:
            store.close()

    def _store(self) -> Store:
        data = self.server.folder / "data"
        url = self.server.extra.get("DATABASE_URL", f"sqlite:///{data}/langnghe.db")
        return Store(url, Seal(Keys.read(data / "keys.json")))

    def _calls_wait(self, store: Store) -> bool:
        with store.read() as work:
            calls = select(_out.c.id).where(_out.c.channel == CHANNEL, _out.c.bulk)
            return work.connection.execute(calls.limit(1)).first() is not None

    def _waits(self, store: Store, person: people.Person) -> bool:
        with store.read() as work:
            key = talks.key_of(work, Person(CHANNEL, str(person.id)))
            mine = select(_out.c.id).where(_out.c.key == key, _out.c.bulk.is_(False))
            return work.connection.execute(mine.limit(1)).first() is not None

    def _silence(self, person: people.Person) -> str:
        log = self.server.log.read_text()[-2000:] if self.server.log.exists() else "no log"
        confirmed = "confirmed" if person.confirmed() else "not confirmed"
        heard = [each.text for each in person.heard()]
        return f"{confirmed}, heard {heard}, violations {self.api.violations}; log:\n{log}"
