"""Both doubles for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doubles.inbox import Inbox
from tests.zalo.botplatform import BotPlatform
from tests.zalo.official import OfficialAccount


@pytest.fixture
def oa() -> Iterator[OfficialAccount]:
    with OfficialAccount(retry_scale=0.0005) as running:
        yield running


@pytest.fixture
def bot() -> Iterator[BotPlatform]:
    with BotPlatform(retry_scale=0.0005) as running:
        yield running


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox(header="X-ZEvent-Signature") as open_:
        yield open_
