"""Programs on Telegram that are started for one test: a digest, a lost token, two pollers."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server import LANGNGHE, ROOT, Server, Visitor, a_file
from tests.telegram import faults
from tests.telegram.double import BotApi
from tests.telegram.line import WAYS, WELCOME, Line, finish, on_line
from tests.telegram.people import Heard
from tests.waiting import until


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


def test_nothing_that_was_said_lies_about_after_the_talk(tmp_path: Path, models: Path) -> None:
    with BotApi() as api, on_line(tmp_path, models, "polling", api) as line:
        an = line.teller("Planted Name")
        an.photo(a_file("photo", 3), caption="planted caption bán ma túy ở đầu hẻm")
        an.wait("ở đâu")
        an.say("planted place 12")
        an.wait("khi nào")
        receipt = finish(an, "Hôm qua")
        an.press("Đã lưu")
        an.wait("không còn gì nối")
        line.server.wait_for_files()
        until(lambda: line.waiting() == 0)
        line.server.stop(signal.SIGKILL)  # the WAL stays as it was
        planted = ["planted", "Planted", str(an.id), receipt, api.token]
        data = tmp_path / "data"
        looked = [path for path in data.rglob("*") if path.is_file() and "models" not in path.parts]
        assert {path.suffix for path in looked} >= {".db", ".json"}
        for path in [*looked, line.server.log]:
            content = path.read_bytes()
            assert [word for word in planted if word.encode() in content] == [], path


# -- the operator --------------------------------------------------------------------------------


def order(line: Line, *words: str) -> tuple[int, str]:
    """A command of the program: its exit code, and what it printed."""
    done = subprocess.run(
        [*LANGNGHE, *words], cwd=ROOT, env=line.server.environment, capture_output=True, check=False
    )
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def test_an_operator_sets_checks_and_takes_back_what_telegram_knows(
    tmp_path: Path, models: Path
) -> None:
    with BotApi() as api, on_line(tmp_path, models, "webhook", api) as line:
        api.set_webhook("")
        code, said = order(line, "telegram", "check")
        assert code == 1 and "run `langnghe telegram set`" in said
        code, said = order(line, "telegram", "set")
        assert code == 0, said
        assert f"Telegram calls {line.hook}" in said and "BAD" not in said
        commands = [c for c in api.calls("setMyCommands") if not c.params.get("language_code")]
        names = [each["command"] for each in commands[0].params["commands"]]
        assert names[:2] == ["tinbao", "gopy"] and "huy" in names and "baocao" not in names
        api.person("An").start()
        api.person("An").wait(WELCOME)
        code, said = order(line, "telegram", "unset")
        assert code == 0 and order(line, "telegram", "check")[0] == 1
        assert api.violations == []


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Line]:
    """An installation on whose command line somebody works while its program does not run."""
    with BotApi() as api:
        extra = {"TELEGRAM_TOKEN": api.token, "TELEGRAM_API_URL": api.url}
        yield Line(Server(tmp_path, tmp_path, extra), api, "polling")
        assert api.violations == []


def test_what_telegram_refuses_is_said_with_the_remedy(counter: Line) -> None:
    assert "the program polls" in order(counter, "telegram", "check")[1]
    counter.api.set_webhook("http://127.0.0.1:9/elsewhere")
    code, said = order(counter, "telegram", "check")
    assert code == 1 and "polling gets nothing" in said
    counter.api.revoke()
    code, said = order(counter, "telegram", "check")
    assert code == 1 and "TELEGRAM_TOKEN is refused: ask @BotFather" in said
    assert order(counter, "telegram", "set")[0] == 2
    counter.server.extra["TELEGRAM_API_URL"] = "http://127.0.0.1:9"
    assert "cannot be reached from here" in order(counter, "doctor")[1]
    counter.server.extra["TELEGRAM_TOKEN"] = ""
    code, said = order(counter, "telegram", "check")
    assert code == 2 and "TELEGRAM_TOKEN is not set" in said


def test_a_forum_gets_links_and_codes_for_both_doors(counter: Line, tmp_path: Path) -> None:
    code, said = order(counter, "forum", "--unit", "tinh", "--qr", str(tmp_path / "dd.png"))
    assert code == 0 and "?start=gopy-tinh" in said and "/?moi=gopy-tinh" in said
    for channel in ("web", "telegram"):
        assert (tmp_path / f"dd-{channel}.png").read_bytes().startswith(b"\x89PNG")
    code, said = order(counter, "forum", "--unit", "khong-co")
    assert code == 2 and "There is no unit khong-co" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_TOKEN", "no-token"),
        ("TELEGRAM_TOKEN", "123:đ"),
        ("TELEGRAM_API_URL", "api.telegram.org"),
        ("TELEGRAM_WEBHOOK_SECRET", "có dấu"),
        ("TELEGRAM_WEBHOOK_SECRET", "x" * 257),
    ],
)
def test_a_wrong_setting_is_named_and_its_secret_is_not(
    tmp_path: Path, name: str, value: str
) -> None:
    line = Line(Server(tmp_path, tmp_path, {name: value}), BotApi(), "polling")
    code, said = order(line, "run")
    assert code == 2 and f"Wrong setting: {name}" in said
    assert value not in said or name == "TELEGRAM_API_URL"
