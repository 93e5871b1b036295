"""The program is stopped, kindly and not, in the middle of 200 conversations on Telegram."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.sending import BULK_AT_ONCE, LIVE_AT_ONCE
from storage import reports
from tests.telegram.double import BotApi
from tests.telegram.line import WAYS, Line, on_line, until
from tests.telegram.people import Person

CONVERSATIONS = 200
AT_ONCE = 40
STOPS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL)
PATIENCE = 4.0  # seconds without a word, after which a person asks where they were
# What the bot says last, and what a person does then. A person may answer twice when a question
# was repeated; so what is said fits no later question ("1" would: it sends, and it is "saved").
ANSWERS = (
    ("MÃ HỒ SƠ", "đã lưu"),
    ("xem lại trước khi gửi", "gửi"),
    ("nhận trả lời thế nào", "tự xem lại bằng mã hồ sơ"),
    ("đơn vị Công an", "không"),
    ("ảnh, video", "không có"),
    ("khi nào", "hôm qua"),
    ("ở đâu", "không nhớ"),
    ("Xin kể điều", "{story}"),
    ("thuộc loại nào", "1"),
    ("Ông/bà cần gì", "/tinbao"),
    ("để máy đọc", "1"),
    ("Kính chào", "1"),
)


def test_stopped_at_random_moments_nothing_confirmed_is_lost_or_done_twice(
    way: str, tmp_path: Path, models: Path
) -> None:
    with BotApi(retry_scale=0.05) as api, on_line(tmp_path, models, way, api) as line:
        stopper = threading.Thread(target=stop_and_go, args=(line,))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            stopper.start()
            asked = list(pool.map(lambda n: one_conversation(api, n), range(CONVERSATIONS)))
        stopper.join()
        until(api.idle)
        until(lambda: line.waiting() == len(line.doubts()))
        assert len(line.doubts()) <= len(STOPS) * (LIVE_AT_ONCE + BULK_AT_ONCE)
        listed = line.server.run("doubts")
        assert all(doubt in listed for doubt in line.doubts())
        assert api.violations == []
        receipts = {shown(api.person(f"p{n}")) for n in range(CONVERSATIONS)}
        with line.reading() as work:
            told = [reports.by_receipt(work, receipt) for receipt in receipts]
            stories = [reports.body(work, known.report)["what"] for known in told if known]
            assert reports.count(work) == CONVERSATIONS
        assert sorted(stories) == sorted(story(n) for n in range(CONVERSATIONS))
        for number, times in enumerate(asked):
            assert said_of_receipt(api, api.person(f"p{number}")) <= 1 + times


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param


def stop_and_go(line: Line) -> None:
    dice = random.Random(2026)
    for how in STOPS:
        time.sleep(dice.uniform(0.3, 1.5))
        line.server.stop(how)
        line.server.start()


def story(number: int) -> str:
    return f"xe số {number} chở hàng cấm qua cầu lúc nửa đêm"


def one_conversation(api: BotApi, number: int) -> int:
    """Talk to the end; how often the person had to ask where they were."""
    person, asked, stored = api.person(f"p{number}"), 0, False
    person.start()
    while True:
        try:
            heard = person.wait(seconds=PATIENCE)
        except AssertionError:
            asked += 1
            assert asked < 200, "nobody answers"
            person.say("/tieptuc")
            continue
        if any("không còn gì nối" in each.text for each in heard):
            return asked
        stored = stored or any("MÃ HỒ SƠ" in each.text for each in heard)
        if stored and "Ông/bà cần gì" in heard[-1].text:
            return asked  # the last word to them is in doubt; they have their receipt
        answer = next((a for each in reversed(heard) if (a := answer_to(each.text, number))), None)
        if answer is not None:
            person.say(answer)


def answer_to(text: str, number: int) -> str | None:
    for words, answer in ANSWERS:
        if words in text:
            return answer.replace("{story}", story(number))
    return None


def shown(person: Person) -> str:
    text = next(each.text for each in person.chat() if "MÃ HỒ SƠ" in each.text)
    return "".join(letter for letter in text.split("\n")[1] if letter.isdigit())


def said_of_receipt(api: BotApi, person: Person) -> int:
    calls = api.calls("sendMessage", person.id)
    return sum("MÃ HỒ SƠ" in str(call.params.get("text")) and call.executed for call in calls)
