"""Programs on Telegram that are started for one test: a digest, a lost token, two pollers."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.server import Visitor
from tests.telegram import faults
from tests.telegram.double import BotApi
from tests.telegram.line import WAYS, WELCOME, Line, on_line, until
from tests.telegram.people import Heard


@pytest.mark.parametrize("way", WAYS)
def test_a_supervisor_is_invited_by_a_deep_link_and_gets_the_digest(
    way: str, tmp_path: Path, models: Path
) -> None:
    with BotApi() as api, on_line(tmp_path, models, way, api) as line:
        printed = line.server.run("invite", "supervisor", "--unit", "tinh")
        found = re.search(r"Telegram: https://t\.me/(\w+)\?start=(\S+)", printed)
        assert found and found[1] == api.bot["username"]
        chief = api.person("Thủ Trưởng")
        chief.start(found[2])
        chief.wait("lãnh đạo, chỉ huy")
        chief.press("Nhận lời")
        chief.wait("Đã ghi danh")
        six_tips(line)
        chief.say("/baocao")
        chief.wait("Ông/bà muốn xem kỳ nào?")
        chief.press("Kỳ này đến nay (chưa chốt)")
        heard = chief.wait(_both, seconds=60)
        assert api.violations == []
    picture = next(each for each in heard if each.photo)
    text = next(each for each in heard if "BẢN TIN DƯ LUẬN" in each.text)
    assert picture.content.startswith(b"\x89PNG") and picture.text.startswith("Biểu đồ")
    assert picture.message_id < text.message_id
    assert picture.protect_content and text.protect_content
    assert len(text.text.encode("utf-16-le")) // 2 <= 4096


def six_tips(line: Line) -> None:
    for number in range(6):
        citizen = Visitor(line.server.url)
        for words in ("/start", "1", "1", "/tinbao", "1"):
            citizen.say(words)
        citizen.say(f"thanh niên số nhà {number} bán ma túy đá cho học sinh mỗi tối")
        for words in ("không nhớ", "thường xuyên", "không có", "không", "1", "gửi", "đã lưu"):
            citizen.say(words)


def _both(new: list[Heard]) -> bool:
    return any(each.photo for each in new) and any("BẢN TIN DƯ LUẬN" in e.text for e in new)


def test_a_token_that_is_revoked_is_named_and_nothing_is_lost(tmp_path: Path, models: Path) -> None:
    with BotApi(retry_scale=0.02) as api, on_line(tmp_path, models, "polling", api) as line:
        an = line.newcomer("Mất Khóa")
        api.revoke()
        an.say("/tinbao")
        until(lambda: line.state() == "TELEGRAM_TOKEN is refused")
        assert httpx.get(f"{line.server.url}/healthz").status_code == 200
        assert "TELEGRAM_TOKEN is refused" in line.server.log.read_text()


def test_two_pollers_at_once_are_named(tmp_path: Path, models: Path) -> None:
    with BotApi() as api, on_line(tmp_path, models, "polling", api) as line:
        api.fail(faults.CONFLICT, 1, "getUpdates")
        an = api.person("Ai Đó")
        an.start()
        until(lambda: "another program polls" in line.state())
        an.wait(WELCOME, seconds=40)
