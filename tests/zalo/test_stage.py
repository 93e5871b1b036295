"""The stage of Zalo: what is offered is found in the words, and chosen as a person would."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.vocabulary import FileAt, Message, Option, Point, Pressed, Said
from tests.server import Server
from tests.transcript import Player
from tests.zalo.botplatform import BotPlatform
from tests.zalo.official import OfficialAccount
from tests.zalo.people import Heard, Line
from tests.zalo.stage import OFFERED, PROMPT, do, made, message_of, zalo_stage


def offered(text: str) -> list[tuple[str, str]]:
    return [(each.label, each.says) for each in Heard("m", text).choices]


def test_what_a_text_offers_is_found_in_it() -> None:
    assert offered("Chọn:\n\n1. Có\n2. Không (thôi)\nTrả lời bằng số 1 hoặc 2.") == [
        ("Có", "1"),
        ("Không (thôi)", "2"),
    ]
    assert offered("Mức nào?\n\n1 · 2 · 3\n4. Bỏ qua") == [
        ("Bỏ qua", "4"),
        ("1", "1"),
        ("2", "2"),
        ("3", "3"),
    ]
    assert offered("Mấy ngày?\n\n7 · 14\n– Khác") == [("7", "7"), ("14", "14"), ("Khác", "Khác")]
    assert offered("Ngày 1.5 có 2 người.") == []


def test_what_was_heard_is_the_program_s_own_word() -> None:
    told = message_of(Heard("m", "Chọn\n1. Có"))
    assert told.question == OFFERED and told.choices == (Option("1", "Có"),)
    assert message_of(Heard("m", "Đã hủy")) == Message("Đã hủy")
    prompt = message_of(Heard("m", "Đến đợt. Gõ /traloi để trả lời."))
    assert prompt.question == PROMPT and prompt.choices == (Option("/traloi", "Trả lời"),)
    saved = message_of(Heard("m", "MÃ HỒ SƠ CỦA ÔNG/BÀ:\n1234 5678 1234 5678\n1. Đã lưu"))
    assert saved.question == "saved" and saved.choices
    button = Heard("m", "Chọn", buttons=(Line("Có", "#co"),))
    assert message_of(button).choices == (Option("#co", "Có"),)


def test_each_thing_said_becomes_what_a_user_does(oa: OfficialAccount, bot: BotPlatform) -> None:
    contents = {"a": made("voice", 0), "b": made("photo", 0)}
    for double in (oa, bot):
        an = double.person("An")
        for said in (
            Said(text="chào"),
            Said(text="a" * 2001),
            Said(start="abcd-efgh"),
            Said(pressed=Pressed(OFFERED, "2")),
            Said(files=(FileAt("a", "voice"), FileAt("b", "photo"))),
            Said(place=Point(10.5, 106.5)),
        ):
            do(said, an, contents)
        with pytest.raises(AssertionError, match="no old buttons"):
            do(Said(pressed=Pressed("legal", "crime")), an, contents)
    told = b" ".join(event.body for event in oa.lost)
    for words in ('"chào"', '"/start abcd-efgh"', '"2"', "send_audio", "send_image", '"10.5"'):
        assert words.encode() in told
    assert len(oa.lost) == len(bot.waiting) == 8
    assert b"unsupported" in list(bot.waiting.values())[-1].body


def test_a_line_is_left_out_with_what_is_expected_of_it() -> None:
    class Echo:
        def __init__(self) -> None:
            self.heard: list[str] = []

        def say(self, said: Said | str, who: str) -> list[Message]:
            self.heard.append(str(said.text if isinstance(said, Said) else said))
            return [Message(self.heard[-1])]

    stage = Echo()
    instead = {"t.txt: > hai": None, "t.txt: > ba": "> bốn", "t.txt: < ba": "< bốn"}
    player = Player(stage, instead)  # type: ignore[arg-type]
    lines = "> một\n< một\n> hai\n< xyz\n< xyz\n> ba\n< ba"
    player.lines("t.txt", lines.splitlines())
    assert stage.heard == ["một", "bốn"]
    with pytest.raises(AssertionError, match=r"t\.txt:2: < xyz"):
        player.lines("t.txt", ["> một", "< xyz"])


def test_voices_are_as_zalo_has_them(tmp_path: Path, oa: OfficialAccount) -> None:
    stage = zalo_stage(Server(tmp_path, tmp_path), oa, "zalo")
    voice = stage.files("voice", 1, "an")[0]
    assert stage.contents[voice.locator].startswith(b"\xff\xf1")
