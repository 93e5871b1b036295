"""The program is stopped, kindly and not, in the middle of 200 conversations on Telegram."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sending import BULK_AT_ONCE, LIVE_AT_ONCE
from storage import reports
from tests.killing import STOPS, conversations, shown, stopped_and_started, story
from tests.telegram.double import BotApi
from tests.telegram.line import WAYS, on_line
from tests.telegram.people import Person
from tests.waiting import until

CONVERSATIONS = 200


def test_stopped_at_random_moments_nothing_confirmed_is_lost_or_done_twice(
    way: str, tmp_path: Path, models: Path
) -> None:
    with BotApi(retry_scale=0.05) as api, on_line(tmp_path, models, way, api) as line:
        people = [api.person(f"p{n}") for n in range(CONVERSATIONS)]
        with stopped_and_started(line.server):
            asked = conversations(people)
        until(api.idle)
        until(lambda: line.waiting() == len(line.doubts()))
        assert len(line.doubts()) <= len(STOPS) * (LIVE_AT_ONCE + BULK_AT_ONCE)
        listed = line.server.run("doubts")
        assert all(doubt in listed for doubt in line.doubts())
        assert api.violations == []
        receipts = {shown(person) for person in people}
        with line.reading() as work:
            told = [reports.by_receipt(work, receipt) for receipt in receipts]
            stories = [reports.body(work, known.report)["what"] for known in told if known]
            assert reports.count(work) == CONVERSATIONS
        assert sorted(stories) == sorted(story(n) for n in range(CONVERSATIONS))
        for person, times in zip(people, asked, strict=True):
            assert said_of_receipt(api, person) <= 1 + times


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param


def said_of_receipt(api: BotApi, person: Person) -> int:
    calls = api.calls("sendMessage", person.id)
    return sum("MÃ HỒ SƠ" in str(call.params.get("text")) and call.executed for call in calls)
