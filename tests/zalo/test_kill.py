"""The program is stopped, kindly and not, in the middle of conversations on both Zalo surfaces."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import select

from bot.sending import BULK_AT_ONCE, LIVE_AT_ONCE
from storage import reports, talks
from storage.store import Work, table
from storage.tables import Seen
from storage.vocabulary import Event, Said
from storage.vocabulary import Person as Address
from tests.killing import conversations, shown, stopped_and_started, story
from tests.server import Server
from tests.waiting import until
from tests.zalo.botplatform import BotPlatform
from tests.zalo.double import Double
from tests.zalo.official import OfficialAccount
from tests.zalo.people import Person
from tests.zalo.piloting import piloting
from tests.zalo.standing import standing

CONVERSATIONS = 60
STOPS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL, signal.SIGKILL)
NOW = datetime(2026, 11, 10, tzinfo=UTC)
RETRIES = 0.01  # of Zalo's pauses: tries after 0.3, 3, 9, 18 and 36 s, so a stop costs no event


class Line(Protocol):
    """A program on one surface."""

    @property
    def server(self) -> Server: ...
    def reading(self) -> AbstractContextManager[Work]: ...
    def waiting(self) -> int: ...
    def doubts(self) -> list[str]: ...


@pytest.fixture(params=("zalo", "zalobot"))
def surface(
    request: pytest.FixtureRequest, tmp_path: Path, models: Path
) -> Iterator[tuple[Double, Line]]:
    if request.param == "zalo":
        with OfficialAccount(retry_scale=RETRIES) as oa, standing(tmp_path, models, oa) as line:
            yield oa, line
        return
    with (
        BotPlatform(retry_scale=RETRIES) as bot,
        piloting(tmp_path, models, "webhook", bot) as line,
    ):
        yield bot, line


def test_stopped_at_random_moments_nothing_confirmed_is_lost_or_done_twice(
    surface: tuple[Double, Line],
) -> None:
    double, line = surface
    people = [double.person(f"p{n}") for n in range(CONVERSATIONS)]
    with stopped_and_started(line.server, STOPS), repeating(double):
        asked = conversations(people, sure=True)
    until(double.idle)
    until(lambda: line.waiting() == len(line.doubts()))
    assert not double.lost, "the double gave up an event"
    assert any(each.retry and each.status == 200 for each in double.deliveries)
    assert len(line.doubts()) <= len(STOPS) * (LIVE_AT_ONCE + BULK_AT_ONCE)
    assert double.violations == []
    receipts = {shown(person) for person in people}
    with line.reading() as work:
        told = [reports.by_receipt(work, receipt) for receipt in receipts]
        stories = [reports.body(work, known.report)["what"] for known in told if known]
        assert reports.count(work) == CONVERSATIONS
        assert not forgotten(work, double, people), "confirmed, and of no effect"
    assert sorted(stories) == sorted(story(n) for n in range(CONVERSATIONS))
    for person, times in zip(people, asked, strict=True):
        # Where a stop came before it was noted that a question had arrived, it is asked again.
        again = times + told_of(person, "thuộc câu hỏi cũ")
        assert told_of(person, "MÃ HỒ SƠ") <= 1 + again


def told_of(person: Person, words: str) -> int:
    return sum(words in heard.text for heard in person.chat())


def forgotten(work: Work, double: Double, people: Sequence[Person]) -> list[str]:
    """What was confirmed with a 200 and is not known to have been taken."""
    channel = "zalo" if isinstance(double, OfficialAccount) else "zalobot"
    taken = set(work.connection.execute(select(table(Seen).c.key)).scalars())
    said = [(who, double.sent[event].message) for who in people for event in who.events]
    keys = {
        message: talks.event_key(work, Event(f"m{message}", Address(channel, who.id), Said(), NOW))
        for who, message in said
    }
    return [message for message, key in keys.items() if key not in taken]


@contextmanager
def repeating(double: Double) -> Iterator[None]:
    """Meanwhile deliver events once more that were taken already, as Zalo may."""
    over, dice = threading.Event(), random.Random(7)

    def repeat() -> None:
        while not over.wait(0.05):
            with double.changed:
                taken = [event for event in double.sent if event not in double.waiting]
            if taken:
                double.repeat(dice.choice(taken))

    repeater = threading.Thread(target=repeat)
    repeater.start()
    yield
    over.set()
    repeater.join()
