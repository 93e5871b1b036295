"""The program behind an Official Account: a server, the double it speaks to, its store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import func, select

from storage import grants, outbox, reports, talks
from storage.grants import Grant, Pair
from storage.sealing import Keys, Seal
from storage.store import Store, Work, table
from storage.tables import Attachment, DeadLetter, Held, Outgoing, Seen, Talk
from storage.vocabulary import Person as Address
from tests.server import Server
from tests.telegram.line import NEVER_QUIET, WELCOME
from tests.waiting import until
from tests.zalo import grants as given
from tests.zalo.official import OfficialAccount
from tests.zalo.people import Person

LABELS = (
    ("1", "để máy đọc"),
    ("1", "Ông/bà cần gì?"),
)
TAKEN = (Seen, Talk, Held, DeadLetter)  # no event leaves anything without one of these


def settings_of(oa: OfficialAccount) -> dict[str, str]:
    """The environment of a program that is told of the double."""
    return {
        "ZALO_OA_APP_ID": oa.app_id,
        "ZALO_OA_APP_SECRET": oa.app_secret,
        "ZALO_OA_SECRET_KEY": oa.oa_secret,
        "ZALO_OA_ID": oa.oa_id,
        "ZALO_OA_API_URL": oa.url,
        "ZALO_OAUTH_URL": oa.url,
        "ZALO_MEDIA_HOSTS": oa.url,
        **NEVER_QUIET,
    }


@dataclass
class Standing:
    """One program that serves one Official Account."""

    server: Server
    oa: OfficialAccount

    @property
    def store(self) -> Store:
        data = self.server.folder / "data"
        url = self.server.extra.get("DATABASE_URL", f"sqlite:///{data}/langnghe.db")
        return Store(url, Seal(Keys.read(data / "keys.json")))

    @contextmanager
    def reading(self) -> Iterator[Work]:
        store = self.store
        with store.read() as work:
            yield work
        store.close()

    def grant(self, pair: given.Pair, renewed: datetime | None = None) -> None:
        """Write a pair as if the account had been connected."""
        store = self.store
        now = renewed or datetime.now(UTC)
        kept = Pair(pair.access, pair.refresh, datetime.fromtimestamp(pair.until[0], UTC))
        with store.write() as work:
            grants.renew(work, self.oa.app_id, kept, now)
        store.close()

    def granted(self) -> Grant:
        with self.reading() as work:
            found = grants.granted(work, self.oa.app_id)
        assert found is not None
        return found

    def files(self) -> int:
        with self.reading() as work:
            query = select(func.count()).select_from(table(Attachment))
            return int(work.connection.execute(query).scalar_one())

    def told(self) -> int:
        with self.reading() as work:
            return reports.count(work)

    def rows(self) -> dict[str, int]:
        """How many rows stand in each table that an event writes to at once."""
        with self.reading() as work:
            count = (
                (model.__tablename__, select(func.count()).select_from(table(model)))
                for model in TAKEN
            )
            return {name: work.connection.execute(query).scalar_one() for name, query in count}

    def waiting(self) -> int:
        with self.reading() as work:
            return outbox.count(work)

    def waits(self, who: Person) -> bool:
        """Whether anything of ours is still on its way to somebody."""
        mine = table(Outgoing).c.key == self.key(who)
        with self.reading() as work:
            return bool(work.connection.execute(select(table(Outgoing)).where(mine)).all())

    def settle(self, who: Person) -> None:
        """Wait until all that somebody did is taken, and nothing is on its way to them."""
        self.oa.wait(self.oa.idle)
        until(lambda: not self.waits(who))

    def doubts(self) -> list[str]:
        with self.reading() as work:
            return [one.id for one in outbox.doubts(work)]

    def key(self, who: Person) -> bytes:
        with self.reading() as work:
            return talks.key_of(work, Address("zalo", who.id))

    def state(self) -> str:
        parts: dict[str, str] = httpx.get(f"{self.server.url}/healthz").json()["parts"]
        return parts["zalo"]

    def newcomer(self, name: str) -> Person:
        """Somebody who has consented and sees the menu."""
        person = self.oa.person(name)
        person.say("xin chào")
        person.wait(WELCOME)
        for number, words in LABELS:
            person.say(number)
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


@contextmanager
def standing(
    folder: Path, models: Path, oa: OfficialAccount, more: dict[str, str] | None = None
) -> Iterator[Standing]:
    """Start the program on a double with a connected account, and stop it."""
    line = Standing(Server(folder, models, {**settings_of(oa), **(more or {})}), oa)
    line.server.start()
    line.grant(oa.pair())
    oa.hook_on(f"{line.server.url}/zalo/oa")
    try:
        yield line
    finally:
        oa.hook_on("")
        line.server.stop()


def soon(hours: float = 1) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)
