"""Every conversation that is written down goes so on Telegram, by polling and by webhook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.telegram.double import BotApi
from tests.telegram.line import WAYS, Line, on_line
from tests.telegram.stage import telegram_stage
from tests.test_server import UNITS
from tests.transcript import Player, every


@pytest.fixture(scope="module", params=WAYS)
def line(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, models: Path
) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp(request.param)
    units = folder / "units.toml"
    units.write_text(UNITS, encoding="utf-8")
    more = {"UNITS_FILE": str(units)}
    with BotApi(retry_scale=0.02) as api, on_line(folder, models, request.param, api, more) as line:
        yield line
        assert api.violations == []


@pytest.mark.parametrize("name", every())
def test_a_conversation_goes_as_written_on_telegram(line: Line, name: str) -> None:
    line.api.people.clear()  # new people for every transcript
    Player(telegram_stage(line.server, line.api, seconds=90)).play(name)
