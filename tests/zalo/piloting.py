"""The program behind a bot of the Bot Platform: a server, the double, what its store holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import func, select

from storage import outbox, reports
from storage.sealing import Keys, Seal
from storage.store import Store, Work, table
from storage.tables import Attachment, DeadLetter, Held, LastAsked, Outgoing, Seen, Talk
from tests.server import Server, free_port
from tests.telegram.line import NEVER_QUIET, WELCOME
from tests.zalo.botplatform import BotPlatform
from tests.zalo.people import Person

SECRET = "mat-khau_123"
WAYS = ("webhook", "polling")
CRIME = "Tố giác, tin báo về tội phạm, vi phạm"
STORED = (Seen, Talk, Outgoing, Held, DeadLetter, Attachment, LastAsked)
STEPS = (
    ("Không nhớ, không rõ", "khi nào"),
    ("Hôm qua", "ảnh, video"),
    ("Không có", "đơn vị Công an"),
    ("Không", "trả lời thế nào"),
    ("Tự xem lại bằng mã hồ sơ", "xem lại trước khi gửi"),
    ("Gửi nội dung này", "MÃ HỒ SƠ"),
)


def settings_of(bot: BotPlatform, way: str) -> dict[str, str]:
    """The environment of a program that is told of the double."""
    found = {"ZALO_BOT_TOKEN": bot.token, "ZALO_BOT_API_URL": bot.url, "ZALO_MEDIA_HOSTS": bot.url}
    if way == "webhook":
        found["ZALO_BOT_WEBHOOK_SECRET"] = SECRET
    return {**found, **NEVER_QUIET}


@dataclass
class Pilot:
    """One program that serves one bot."""

    server: Server
    bot: BotPlatform
    way: str

    @property
    def hook(self) -> str:
        return f"{self.server.url}/zalo/bot"

    @contextmanager
    def reading(self) -> Iterator[Work]:
        data = self.server.folder / "data"
        url = self.server.extra.get("DATABASE_URL", f"sqlite:///{data}/langnghe.db")
        store = Store(url, Seal(Keys.read(data / "keys.json")))
        with store.read() as work:
            yield work
        store.close()

    def rows(self) -> dict[str, int]:
        """How many rows stand in each table that an update may write to."""
        with self.reading() as work:
            count = (
                (model.__tablename__, select(func.count()).select_from(table(model)))
                for model in STORED
            )
            return {name: work.connection.execute(query).scalar_one() for name, query in count}

    def told(self) -> int:
        with self.reading() as work:
            return reports.count(work)

    def report(self, receipt: str) -> dict[str, object]:
        with self.reading() as work:
            known = reports.by_receipt(work, receipt)
            assert known is not None, receipt
            return reports.body(work, known.report)

    def waiting(self) -> int:
        return self.rows()["outgoing"]

    def doubts(self) -> list[str]:
        with self.reading() as work:
            return [one.id for one in outbox.doubts(work)]

    def state(self) -> str:
        parts: dict[str, str] = httpx.get(f"{self.server.url}/healthz").json()["parts"]
        return parts["zalobot"]

    def newcomer(self, name: str) -> Person:
        """Somebody who has consented and sees the menu."""
        person = self.bot.person(name)
        person.say("xin chào")
        person.wait(WELCOME)
        for typed, words in (("1", "để máy đọc"), ("(1)", "Ông/bà cần gì?")):
            person.say(typed)
            person.wait(words)
        return person

    def teller(self, name: str) -> Person:
        """Somebody who is asked for the story of a tip."""
        person = self.newcomer(name)
        for label, words in (("Báo tin, tố giác", "thuộc loại nào"), (CRIME, "Xin kể điều")):
            person.press(label)
            person.wait(words)
        return person


def finish(person: Person, first: str = STEPS[0][0]) -> str:
    """From the question for the place (or a later one) to the receipt; returns its 16 digits."""
    begin = [label for label, _ in STEPS].index(first)
    for label, words in STEPS[begin:]:
        person.press(label)
        heard = person.wait(words)
    shown = next(each.text for each in heard if "MÃ HỒ SƠ" in each.text)
    return "".join(letter for letter in shown.split("\n")[1] if letter.isdigit())


@contextmanager
def piloting(
    folder: Path,
    models: Path,
    way: str,
    bot: BotPlatform,
    more: dict[str, str] | None = None,
    port: int = 0,
) -> Iterator[Pilot]:
    """Start the program on a double, and stop it."""
    extra = {**settings_of(bot, way), **(more or {})}
    server = Server(folder, models, extra, port or free_port())
    line = Pilot(server.start(), bot, way)
    if way == "webhook":
        bot.set_webhook(line.hook, SECRET)
    try:
        yield line
    finally:
        bot.set_webhook("")
        line.server.stop()
