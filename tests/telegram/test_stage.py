"""The stage knows when the program has finished answering, however slowly it sends."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from storage import outbox, talks
from storage.migrating import migrate
from storage.outbox import Letter, Post
from storage.sealing import Keys, Seal
from storage.store import Store
from storage.vocabulary import FileAt, Message, Option, Person, Point, Pressed, Said
from tests.server import Server
from tests.staging import LiveStage
from tests.telegram.double import BotApi
from tests.telegram.stage import CHANNEL, callback_data, telegram_stage


@dataclass
class Parrot:
    """The least program there is: polls, commits what it will say, confirms, and then sends it."""

    api: BotApi
    store: Store
    sends: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    stopped: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def call(self, method: str, **params: Any) -> Any:
        url = f"{self.api.url}/bot{self.api.token}/{method}"
        return httpx.post(url, json=params, timeout=60).json()["result"]

    def run(self) -> None:
        offset = 0
        while not self.stopped.is_set():
            for update in self.call("getUpdates", offset=offset, timeout=50):
                if self.stopped.is_set():
                    return
                offset = update["update_id"] + 1
                self._commit(update)
            self.call("getUpdates", offset=offset)
            self._send_all()

    def _commit(self, update: dict[str, Any]) -> None:
        if query := update.get("callback_query"):
            chat, words = query["from"]["id"], [f"pressed {query['data']}"]
        else:
            message = update["message"]
            kind = next(k for k in ("text", "location", "voice", "photo") if k in message)
            chat, words = (
                message["chat"]["id"],
                [f"{kind} {message.get('text', '')}".strip(), "and this?"],
            )
        with self.store.write() as work:
            post = Post()
            key = talks.key_of(work, Person(CHANNEL, str(chat)))
            for word in words:
                said = Message(word, None, (Option("yes", "Có"), Option("x" * 70, "Dài")))
                post.add(Letter(f"l{next(self.numbers)}", key, CHANNEL, str(chat), said))
            outbox.put(work, post, date(2030, 1, 1))

    def _send_all(self) -> None:
        for person in list(self.api.people.values()):
            with self.store.read() as work:
                key = talks.key_of(work, Person(CHANNEL, str(person.id)))
                waiting = outbox.waiting(work, key, datetime.now(UTC))
            for each in waiting:
                assert self.sends.acquire(timeout=20)
                rows = [
                    [{"text": o.label, "callback_data": callback_data(Pressed("ask", o.id))}]
                    for o in each.message.choices
                ]
                self.call(
                    "sendMessage",
                    chat_id=person.id,
                    text=each.message.text,
                    reply_markup={"inline_keyboard": rows},
                )
                with self.store.write() as work:
                    outbox.seen(work, key, [each.id])


@pytest.fixture
def parrot(api: BotApi, tmp_path: Path) -> Iterator[Parrot]:
    (tmp_path / "data").mkdir()
    keys = Keys.new()
    keys.write(tmp_path / "data" / "keys.json")
    store = Store(f"sqlite:///{tmp_path}/data/langnghe.db", Seal(keys))
    migrate(store.engine)
    running = Parrot(api, store)
    thread = threading.Thread(target=running.run)
    thread.start()
    yield running
    running.stopped.set()
    running.sends.release(1000)
    api.update({"poll": {"id": "the last"}})
    thread.join()
    store.close()


@pytest.fixture
def stage(api: BotApi, tmp_path: Path) -> LiveStage:
    return telegram_stage(Server(tmp_path, tmp_path), api)


def test_saying_is_over_when_the_last_reply_has_come(
    api: BotApi, parrot: Parrot, stage: LiveStage
) -> None:
    an = api.person("an")
    heard: list[Message] = []
    talking = threading.Thread(target=lambda: heard.extend(stage.say("chào", "an")))
    talking.start()
    parrot.sends.release()
    api.wait(lambda: an.place.unheard and an.confirmed())
    talking.join(0.1)  # long enough for a stage that took the first reply for the last
    assert talking.is_alive() and not heard
    parrot.sends.release()
    talking.join(20)
    assert [message.text for message in heard] == ["text chào", "and this?"]
    assert heard[0].question == "ask" and heard[0].choices[0] == Option("yes", "Có")


def test_each_thing_said_becomes_what_a_user_of_telegram_does(
    parrot: Parrot, stage: LiveStage
) -> None:
    parrot.sends.release(100)

    def told(said: Said) -> str:
        return stage.say(said, "an")[0].text

    assert told(Said(start="abcd-efgh-2222")) == "text /start abcd-efgh-2222"
    assert told(Said(place=Point(10.5, 106.5))) == "location"
    assert told(Said(files=stage.files("voice", 1, "an"))) == "voice"
    assert len(stage.say(Said(files=stage.files("photo", 2, "an")), "an")) == 4
    assert told(Said(pressed=Pressed("ask", "yes"))) == "pressed ask|yes"
    assert told(Said(pressed=Pressed("kind", "praise"))) == "pressed kind|praise"
    short = callback_data(Pressed("ask", "x" * 70))
    assert len(short) == 21 and told(Said(pressed=Pressed("ask", "x" * 70))) == f"pressed {short}"
    long_option = stage.say("lại", "an")[0].choices[1]
    assert told(Said(pressed=Pressed("ask", long_option.id))) == f"pressed {short}"


def test_a_program_that_says_nothing_is_told_of(api: BotApi, stage: LiveStage) -> None:
    folder = stage.server.folder / "data"
    folder.mkdir()
    Keys.new().write(folder / "keys.json")
    migrate((store := stage.store()).engine)
    store.close()
    stage.seconds = 0.05
    with pytest.raises(AssertionError, match="not confirmed, heard"):
        stage.say("có ai không", "an")


def test_files_of_a_stage_are_real(stage: LiveStage) -> None:
    (one, other) = stage.files("photo", 2, "an")
    assert isinstance(one, FileAt) and stage.contents[one.locator] != stage.contents[other.locator]
