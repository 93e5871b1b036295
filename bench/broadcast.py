"""A broadcast at Telegram's own limits: how long it takes, and what talkers feel of it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.crowd import figures_of
from storage import outbox, people
from storage.outbox import Letter, Post
from storage.people import Member
from storage.sealing import Keys, Seal
from storage.store import Store
from storage.vocabulary import Message, Person
from tests.server import Server
from tests.telegram.double import BotApi
from tests.telegram.people import Person as Somebody

LETTERS = 2000
A_SECOND = 25  # what the bulk sender keeps to
BEFORE = 20.0  # seconds in which only the talkers are there
TALKERS = 4
TEXT = "Bản tin thử"
PAUSE = 2.0  # seconds between two things one of them says


def broadcast(folder: Path, models: Path) -> str:
    """Send to 2,000 people while a few others talk; the figures in a sentence."""
    with BotApi(token="1:bench") as api:
        api.limits()
        own = {"TELEGRAM_TOKEN": api.token, "TELEGRAM_API_URL": api.url}
        server = Server(folder, models, {**own, "QUIET_FROM": "3", "QUIET_UNTIL": "3"}).start()
        try:
            return _said(api, _measured(api, server))
        finally:
            server.stop()


@dataclass
class Measured:
    """Seconds of the broadcast, and of replies before and during it."""

    took: float = 0
    before: list[float] = field(default_factory=list)
    during: list[float] = field(default_factory=list)


def _measured(api: BotApi, server: Server) -> Measured:
    measured, stop = Measured(), threading.Event()
    spans = measured.before

    def talk(person: Somebody) -> None:
        person.start()
        person.wait()
        while not stop.is_set():
            time.sleep(PAUSE)
            began = time.perf_counter()
            person.say("/menu")
            person.wait(seconds=60)
            spans.append(time.perf_counter() - began)

    talkers = [threading.Thread(target=talk, args=(api.person(f"t{n}"),)) for n in range(TALKERS)]
    for each in talkers:
        each.start()
    _post(api, server)
    time.sleep(BEFORE)
    spans = measured.during
    began = time.perf_counter()
    api.wait(lambda: _arrived(api) >= LETTERS, seconds=600)
    measured.took = time.perf_counter() - began
    stop.set()
    for each in talkers:
        each.join()
    return measured


def _arrived(api: BotApi) -> int:
    return sum(call.executed and call.params.get("text") == TEXT for call in api.journal)


def _post(api: BotApi, server: Server) -> None:
    """Enrol everybody and put a letter for each into the outbox, due when `BEFORE` is over."""
    data, now = server.folder / "data", datetime.now(UTC)
    due = now + timedelta(seconds=BEFORE)
    store = Store(f"sqlite:///{data}/langnghe.db", Seal(Keys.read(data / "keys.json")))
    post = Post()
    with store.write() as work:
        for number in range(LETTERS):
            chat = 8_000_000_000 + number
            api.person(f"b{number}", chat).place.started = True
            at = Person("telegram", str(chat))
            key = work.seal.find("address", f"telegram:{chat}")
            people.enrol(work, Member(f"b{number}", "officer", "tinh", "vi"), key, at, now.date())
            post.letters.append(
                Letter(f"b{number}", key, at.channel, at.address, Message(TEXT), due, bulk=True)
            )
        outbox.put(work, post, now.date() + timedelta(days=9))
    store.close()


def _said(api: BotApi, measured: Measured) -> str:
    refused = sum(call.status == 429 for call in api.calls("sendMessage"))
    least = LETTERS / A_SECOND
    before, during = (figures_of(s, 1) for s in (measured.before, measured.during))
    return (
        f"broadcast of {LETTERS} at Telegram's limits: {measured.took:.1f} s, least possible at "
        f"{A_SECOND}/s {least:.0f} s ({measured.took / least - 1:+.1%}), {refused} refusals (429); "
        f"live replies p50/p99 before {before.p50:.0f}/{before.p99:.0f} ms ({before.events}), "
        f"during {during.p50:.0f}/{during.p99:.0f} ms ({during.events})"
    )
