"""Every conversation that is written down goes so on both of Zalo's surfaces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.server import Server
from tests.test_server import UNITS
from tests.transcript import FOLDER, Player, every
from tests.zalo.botplatform import BotPlatform
from tests.zalo.double import Double
from tests.zalo.official import OfficialAccount
from tests.zalo.piloting import piloting
from tests.zalo.stage import zalo_stage
from tests.zalo.standing import standing

WAYS = ("zalo", "zalobot by webhook", "zalobot by polling")
RETRIES = 0.02  # of Zalo's pauses: the first new try after 0.6 s
# There are no buttons, so there are no old ones: a number says which option of the question that
# stands. What becomes of an old button is told by the transcripts on the web and on Telegram.
NO_OLD_BUTTONS: dict[str, str | None] = {
    "en/staff_rights_steering.txt: > (stale kind praise)": None,
    "vi/collaborator.txt: > (stale round answer)": None,
    "vi/steering.txt: > (stale legal crime)": None,
    "vi/welcome.txt: > (stale handle yes)": None,
}
# The Bot Platform carries no location, and says so: somebody types where it was.
NO_LOCATION: dict[str, str | None] = {
    "vi/denunciation.txt: > (pin 10.77653 106.70098)": "> gần chợ cũ, đầu hẻm",
    "vi/denunciation.txt: < Ở đâu: vị trí 10.77653, 106.70098": "< Ở đâu: gần chợ cũ, đầu hẻm",
    "vi/nonsense.txt: < Xin gửi vị trí, gõ tên xã": "< Xin gõ tên xã",
    "vi/steering.txt: > (pin 10.1 106.1)": None,
}
INSTEAD = {
    "zalo": NO_OLD_BUTTONS,
    "zalobot by webhook": {**NO_OLD_BUTTONS, **NO_LOCATION},
    "zalobot by polling": {**NO_OLD_BUTTONS, **NO_LOCATION},
}


@dataclass
class Ways:
    """A program for each way, started when it is first asked for."""

    folders: pytest.TempPathFactory
    models: Path
    open_: ExitStack
    started: dict[str, tuple[Server, Double]] = field(default_factory=dict)

    def on(self, way: str) -> tuple[Server, Double]:
        """The program and the double of a way."""
        if way not in self.started:
            folder = self.folders.mktemp("zalo")
            units = folder / "units.toml"
            units.write_text(UNITS, encoding="utf-8")
            self.started[way] = self._start(way, folder, {"UNITS_FILE": str(units)})
        return self.started[way]

    def _start(self, way: str, folder: Path, more: dict[str, str]) -> tuple[Server, Double]:
        if way == "zalo":
            oa = self.open_.enter_context(OfficialAccount(retry_scale=RETRIES))
            line = self.open_.enter_context(standing(folder, self.models, oa, more))
            return line.server, oa
        manner = way.rpartition(" ")[2]
        bot = self.open_.enter_context(BotPlatform(retry_scale=RETRIES))
        pilot = self.open_.enter_context(piloting(folder, self.models, manner, bot, more))
        return pilot.server, bot


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Ways]:
    with ExitStack() as open_:
        found = Ways(tmp_path_factory, models, open_)
        yield found


# Polling differs in how updates come, not in what is said of them: a few transcripts show it.
BY_POLLING = ("vi/collaborator.txt", "vi/steering.txt", "vi/tip.txt")
PLAYED = [(way, name) for way in WAYS for name in (BY_POLLING if "polling" in way else every())]


@pytest.mark.parametrize(("way", "name"), PLAYED)
def test_a_conversation_goes_as_written_on_zalo(ways: Ways, way: str, name: str) -> None:
    server, double = ways.on(way)
    double.people.clear()  # new people for every transcript
    channel = way.partition(" ")[0]
    Player(zalo_stage(server, double, channel, 90), INSTEAD[way]).play(name)
    assert double.violations == []


def test_what_is_played_otherwise_is_there() -> None:
    for place in NO_OLD_BUTTONS | NO_LOCATION:
        name, _, line = place.partition(": ")
        assert line in (FOLDER / name).read_text(encoding="utf-8").splitlines()
