"""A double for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doubles.inbox import Inbox
from tests.telegram.double import BotApi


@pytest.fixture(autouse=True)
def spans_as_timedelta(monkeypatch: pytest.MonkeyPatch) -> None:
    """python-telegram-bot's coming way of telling spans; the old one warns."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi(retry_scale=0.0005) as running:
        yield running


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as open_:
        yield open_
