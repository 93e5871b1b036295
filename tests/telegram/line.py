"""The program on Telegram's line: a server, the double it speaks to, and what its store holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import select

from storage import outbox, reports, talks
from storage.sealing import Keys, Seal
from storage.store import Store, Work, table
from storage.tables import DeadLetter, Held, Outgoing, Seen
from tests.server import Server
from tests.telegram.double import BotApi
from tests.telegram.people import Person

SECRET = "mat-khau_123"
NEVER_QUIET = {"QUIET_FROM": "3", "QUIET_UNTIL": "3"}  # tests run at any hour
WAYS = ("polling", "webhook")
WELCOME = "Kính chào ông/bà"


@dataclass
class Line:
    """One program that serves one bot, by polling or by webhook."""

    server: Server
    api: BotApi
    way: str

    @property
    def hook(self) -> str:
        return f"{self.server.url}/telegram"

    @contextmanager
    def reading(self) -> Iterator[Work]:
        data = self.server.folder / "data"
        store = Store(f"sqlite:///{data}/langnghe.db", Seal(Keys.read(data / "keys.json")))
        with store.read() as work:
            yield work
        store.close()

    def told(self) -> int:
        with self.reading() as work:
            return reports.count(work)

    def dead(self) -> int:
        with self.reading() as work:
            return len(work.connection.execute(select(table(DeadLetter))).all())

    def waiting(self) -> int:
        with self.reading() as work:
            return len(work.connection.execute(select(table(Outgoing))).all())

    def seen(self) -> int:
        with self.reading() as work:
            return len(work.connection.execute(select(table(Seen))).all())

    def held(self) -> int:
        with self.reading() as work:
            return len(work.connection.execute(select(table(Held))).all())

    def doubts(self) -> list[str]:
        with self.reading() as work:
            return [one.id for one in outbox.doubts(work)]

    def report(self, receipt: str) -> dict[str, object]:
        with self.reading() as work:
            known = reports.by_receipt(work, receipt)
            assert known is not None, receipt
            return reports.body(work, known.report)

    def key(self, who: Person) -> bytes:
        with self.reading() as work:
            from storage.vocabulary import Person as Address

            return talks.key_of(work, Address("telegram", str(who.id)))

    def state(self) -> str:
        parts: dict[str, str] = httpx.get(f"{self.server.url}/healthz").json()["parts"]
        return parts["telegram"]

    def newcomer(self, name: str) -> Person:
        """Somebody who has consented and sees the menu."""
        person = self.api.person(name)
        person.start()
        person.wait(WELCOME)
        for label, words in (("Đồng ý", "để máy đọc"), ("Đồng ý", "Ông/bà cần gì?")):
            person.press(label)
            person.wait(words)
        return person

    def teller(self, name: str) -> Person:
        """Somebody who is asked for the story of a tip."""
        person = self.newcomer(name)
        for label, words in (("Báo tin, tố giác", "thuộc loại nào"), (CRIME, "Xin kể điều")):
            person.press(label)
            person.wait(words)
        return person


CRIME = "Tố giác, tin báo về tội phạm, vi phạm"


STEPS = (
    ("Không nhớ, không rõ", "khi nào"),
    ("Hôm qua", "ảnh, video"),
    ("Không có", "đơn vị Công an"),
    ("Không", "trả lời thế nào"),
    ("Tự xem lại bằng mã hồ sơ", "xem lại trước khi gửi"),
    ("Gửi nội dung này", "MÃ HỒ SƠ"),
)


def finish(person: Person, first: str = STEPS[0][0]) -> str:
    """From the question for the place (or a later one) to the receipt; returns its 16 digits."""
    begin = [label for label, _ in STEPS].index(first)
    for label, words in STEPS[begin:]:
        person.press(label)
        heard = person.wait(words)
    shown = next(each.text for each in heard if "MÃ HỒ SƠ" in each.text)
    return "".join(letter for letter in shown.split("\n")[1] if letter.isdigit())


@contextmanager
def on_line(
    folder: Path, models: Path, way: str, api: BotApi, more: dict[str, str] | None = None
) -> Iterator[Line]:
    """Start the program on a double, and stop it."""
    extra = {
        "TELEGRAM_TOKEN": api.token,
        "TELEGRAM_API_URL": api.url,
        **NEVER_QUIET,
        **(more or {}),
    }
    if way == "webhook":
        extra["TELEGRAM_WEBHOOK_SECRET"] = SECRET
    line = Line(Server(folder, models, extra).start(), api, way)
    if way == "webhook":
        api.set_webhook(line.hook, SECRET, connections=100)
    try:
        yield line
    finally:
        api.set_webhook("")
        line.server.stop()
