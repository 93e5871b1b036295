"""The program is killed at random moments of 200 conversations: nothing acknowledged is lost."""

from __future__ import annotations

import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from storage import reports
from storage.sealing import Keys, Seal
from storage.store import Store
from tests.server import Server, Visitor

CONVERSATIONS = 200
AT_ONCE = 25
KILLS = 10
TALK = (
    "/start",
    "1",
    "1",
    "/tinbao",
    "1",
    "{story}",
    "không nhớ",
    "hôm qua",
    "không",
    "không",
    "1",
    "gửi",
)


def stubborn(visitor: Visitor, body: dict[str, object], event: str) -> list[dict[str, object]]:
    """Send one event until it is acknowledged, as a phone on a bad network would."""
    for _ in range(600):
        try:
            answer = visitor.send(body, event)
            if answer.status_code == 200:
                messages: list[dict[str, object]] = answer.json()["messages"]
                return messages
            assert answer.status_code == 503, answer.text
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("never acknowledged")


def one_conversation(url: str, session: str, number: int) -> str:
    visitor = Visitor(url, session=session)
    heard: list[dict[str, object]] = []
    for step, words in enumerate(TALK):
        text = words.replace("{story}", f"xe số {number} chở hàng cấm qua cầu lúc nửa đêm")
        heard = stubborn(visitor, {"text": text}, f"kill-{number:04d}-{step:02d}")
    asked = [m for m in heard if m["question"] == "saved"]
    assert asked, heard
    receipt = "".join(c for c in str(asked[0]["text"]).split("\n")[1] if c.isdigit())
    done = stubborn(visitor, {"text": receipt[-4:]}, f"kill-{number:04d}-99")
    assert "không còn gì nối" in str(done), done
    return receipt


def test_killed_at_random_moments_nothing_is_lost_or_doubled(tmp_path: Path, models: Path) -> None:
    server = Server(tmp_path, models).start()
    sessions = [Visitor(server.url).session for _ in range(CONVERSATIONS)]
    killed = threading.Event()

    def kill() -> None:
        dice = random.Random(2026)
        for _ in range(KILLS):
            time.sleep(dice.uniform(0.05, 0.4))
            server.stop(signal.SIGKILL)
            server.start()
        killed.set()

    def talk(number: int) -> str:
        return one_conversation(server.url, sessions[number], number)

    killer = threading.Thread(target=kill)
    killer.start()
    with ThreadPoolExecutor(AT_ONCE) as people:
        receipts = list(people.map(talk, range(CONVERSATIONS)))
    killer.join()
    server.stop()
    data = tmp_path / "data"
    store = Store(f"sqlite:///{data}/langnghe.db", Seal(Keys.read(data / "keys.json")))
    with store.read() as work:
        told = [reports.by_receipt(work, receipt) for receipt in receipts]
        stories = {reports.body(work, known.report)["what"] for known in told if known}
        assert reports.count(work) == CONVERSATIONS
    store.close()
    assert None not in told
    assert len(set(receipts)) == len(stories) == CONVERSATIONS
