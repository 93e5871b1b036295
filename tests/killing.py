"""Many conversations at once while the program is stopped at random moments, kindly and not."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread
from typing import Any, Protocol

from tests.server import Server

STOPS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL)
AT_ONCE = 40
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


class Teller(Protocol):
    """A person of a double, as far as a conversation needs to know them."""

    def start(self) -> object: ...
    def say(self, text: str) -> object: ...
    def wait(self, seconds: float) -> Sequence[Any]: ...
    def chat(self) -> Sequence[Any]: ...
    def confirmed(self) -> bool: ...


@contextmanager
def stopped_and_started(server: Server, stops: Sequence[signal.Signals] = STOPS) -> Iterator[None]:
    """Stop the program at random moments of what is done meanwhile, and start it again."""
    stopper = Thread(target=_stop_and_go, args=(server, stops))
    stopper.start()
    yield
    stopper.join()


def _stop_and_go(server: Server, stops: Sequence[signal.Signals]) -> None:
    dice = random.Random(2026)
    for how in stops:
        time.sleep(dice.uniform(0.3, 1.5))
        server.stop(how)
        server.start()


def conversations(people: Sequence[Teller], sure: bool = False) -> list[int]:
    """One conversation with each, many at once; how often each had to ask where they were."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda each: _one(each[0], each[1], sure), enumerate(people)))


def story(number: int) -> str:
    return f"xe số {number} chở hàng cấm qua cầu lúc nửa đêm"


def _one(number: int, person: Teller, sure: bool) -> int:
    """Talk to the end; how often the person had to ask where they were.

    `sure`: they say nothing more while something they said is under way.
    """
    asked, stored = 0, False
    person.start()
    while True:
        try:
            heard = person.wait(seconds=PATIENCE)
        except AssertionError:
            if sure and not person.confirmed():
                continue
            asked += 1
            assert asked < 200, "nobody answers"
            person.say("/tieptuc")
            continue
        if any("không còn gì nối" in each.text for each in heard):
            return asked
        stored = stored or any("MÃ HỒ SƠ" in each.text for each in heard)
        if stored and "Ông/bà cần gì" in heard[-1].text:
            return asked  # the last word to them is in doubt; they have their receipt
        answer = next((a for each in reversed(heard) if (a := _answer(each.text, number))), None)
        if answer is not None:
            person.say(answer)


def _answer(text: str, number: int) -> str | None:
    for words, answer in ANSWERS:
        if words in text:
            return answer.replace("{story}", story(number))
    return None


def shown(person: Teller) -> str:
    """The receipt somebody was shown: its 16 digits."""
    text = next(each.text for each in person.chat() if "MÃ HỒ SƠ" in each.text)
    return "".join(letter for letter in text.split("\n")[1] if letter.isdigit())
