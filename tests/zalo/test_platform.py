"""The whole program on the Bot Platform, by webhook and by polling, against a true wire."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from storage import attachments, reports
from tests.server import a_file
from tests.waiting import until
from tests.zalo import faults
from tests.zalo.botplatform import HEADER, BotPlatform
from tests.zalo.payloads import every, recorded
from tests.zalo.people import Person
from tests.zalo.piloting import SECRET, WAYS, Pilot, finish, piloting
from tests.zalo.stage import FRAME

VOICE = FRAME * 20


@pytest.fixture(scope="module", params=WAYS)
def line(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, models: Path
) -> Iterator[Pilot]:
    folder = tmp_path_factory.mktemp(request.param)
    with BotPlatform(retry_scale=0.005) as bot, piloting(folder, models, request.param, bot) as run:
        yield run
        assert bot.violations == []
        assert_secret(run)


def assert_secret(line: Pilot) -> None:
    """The token is in every address that is called: nothing that is told may hold it."""
    told = line.server.log.read_text()
    assert line.bot.token not in told and line.bot.token.partition(":")[2] not in told
    assert SECRET not in told and "Traceback" not in told, told


@pytest.fixture(autouse=True)
def mended(line: Pilot) -> Iterator[None]:
    yield
    line.bot.mend()


def wait_until_sent(line: Pilot) -> None:
    """Until nothing waits in the outbox any more."""
    until(lambda: line.waiting() == len(line.doubts()))


def settled(line: Pilot) -> dict[str, int]:
    """How many rows there are once nothing waits to be sent."""
    wait_until_sent(line)
    return line.rows()


# -- conversations --------------------------------------------------------------------------------


def test_a_tip_is_told_from_the_first_word_to_the_receipt(line: Pilot) -> None:
    an = line.teller("Kể Tin")
    before = line.told()
    an.say("có nhóm thanh niên bán ma túy ở đầu hẻm")
    an.wait("ở đâu")
    receipt = finish(an)
    assert line.report(receipt)["what"] == "có nhóm thanh niên bán ma túy ở đầu hẻm"
    assert line.told() == before + 1
    an.say(receipt[-4:])
    an.wait("không còn gì nối")
    line.bot.wait(line.bot.idle)
    wait_until_sent(line)


@pytest.mark.parametrize(
    "ways",
    [
        ("1.", "số 1", "một", "Không nhớ", "3", "khong co", "KHÔNG", "1)", "(1)"),
        ("dong y", "Đồng ý.", "bao tin to giac", "1", "hôm qua", "none", "2 ạ", "Một", "gửi"),
    ],
)
def test_what_is_chosen_may_be_typed_in_every_usual_way(line: Pilot, ways: Any) -> None:
    an = line.bot.person(f"Gõ {ways[0]}")
    an.say("chào")
    an.wait("Kính chào")
    for typed, words in zip(ways[:2], ("để máy đọc", "cần gì"), strict=True):
        an.say(typed)
        an.wait(words)
    an.say(ways[2])
    an.wait("thuộc loại nào")
    an.say("tố giác tin báo về tội phạm vi phạm")
    an.wait("Xin kể điều")
    an.say("có đánh bạc ở hẻm 12")
    an.wait("ở đâu")
    an.say(ways[3])
    an.wait("khi nào")
    an.say(ways[4])
    an.wait("ảnh, video")
    an.say("xong")
    an.wait("đơn vị Công an")
    an.say("Không")
    an.wait("trả lời thế nào")
    an.say(ways[7])
    an.wait("xem lại trước khi gửi")
    an.say("gui noi dung nay")
    an.wait("MÃ HỒ SƠ")


def test_a_number_never_answers_a_question_that_was_not_seen_yet(line: Pilot) -> None:
    an = line.bot.person("Bấm Vội")
    an.say("xin chào")
    an.wait("Kính chào")
    with line.bot.changed:  # typed one right after the other, before any answer came
        for _ in range(3):
            an.say("1")
    heard = an.wait(lambda new: sum("câu hỏi cũ" in each.text for each in new) == 2)
    told = "\n".join(each.text for each in heard)
    assert "để máy đọc" in told and "cần gì" not in told
    an.say("1")
    an.wait("cần gì")


def test_numbers_in_a_story_stay_a_story(line: Pilot) -> None:
    an = line.teller("Số Nhà")
    an.say("2 người, 1 xe máy, biển số không rõ, hẻm 15")
    an.wait("ở đâu")
    receipt = finish(an)
    assert line.report(receipt)["what"] == "2 người, 1 xe máy, biển số không rõ, hẻm 15"


def test_pictures_sent_at_once_are_one_answer_and_get_one_reply(line: Pilot) -> None:
    an = line.teller("An Bum")
    an.album([a_file("photo", n) for n in range(4)], caption="người bán ma túy ở cổng trường")
    heard = an.wait("ở đâu")
    assert len(heard) == 1
    receipt = finish(an)
    line.server.wait_for_files()
    assert kept(line, receipt) == ["image/jpeg"] * 4


def test_a_voice_message_is_kept_as_what_it_is(line: Pilot) -> None:
    an = line.teller("Nói Miệng")
    an.voice(VOICE)
    an.wait("Đã nhận 1 tệp")
    an.say("xong")
    an.wait("ở đâu")
    receipt = finish(an)
    line.server.wait_for_files()
    assert kept(line, receipt) == ["audio/aac"]


def kept(line: Pilot, receipt: str) -> list[str]:
    with line.reading() as work:
        known = reports.by_receipt(work, receipt)
        assert known is not None
        files = attachments.of_report(work, known.report)
    assert all(each.state == "kept" for each in files)
    return [str(each.media) for each in files]


def test_a_photo_says_nothing_of_its_maker(line: Pilot, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Planted Phone"
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (9, 90, 9)).save(out, "JPEG", exif=exif)
    an = line.teller("Nhiếp Ảnh")
    an.photo(out.getvalue(), caption="xe tải đổ rác xuống sông")
    an.wait("ở đâu")
    receipt = finish(an)
    line.server.wait_for_files()
    with line.reading() as work:
        known = reports.by_receipt(work, receipt)
    assert known is not None
    line.server.run("case", "file", known.alias, "1", "--to", str(tmp_path / "anh.jpg"))
    content = (tmp_path / "anh.jpg").read_bytes()
    assert content.startswith(b"\xff\xd8") and b"Planted" not in content


def test_a_long_text_that_the_app_cut_is_one_story(line: Pilot) -> None:
    an = line.teller("Viết Dài")
    story = "Đêm nào cũng có xe lạ ra vào con hẻm ấy rất khuya. " * 90
    an.long(story.strip())
    assert len(an.wait("ở đâu")) == 1
    told = str(line.report(finish(an))["what"])
    assert "".join(told.split()) == "".join(story.split())


@pytest.mark.parametrize("kind", ["unsupported", "sticker", "video", "document", "location"])
def test_what_zalo_does_not_carry_is_answered_with_what_works(line: Pilot, kind: str) -> None:
    an = line.teller(f"Gửi {kind}")
    send = {
        "unsupported": an.unsupported,
        "sticker": an.sticker,
        "video": lambda: an.video(b"x"),
        "document": lambda: an.document(b"x"),
        "location": lambda: an.location(10.7, 106.7),
    }[kind]
    send()
    told = an.wait("Xin kể điều")[0].text
    for word in ("tin thoại", "trang web", "113", "được Zalo bảo vệ"):
        assert word in told
    assert "vị trí." not in told


def test_a_group_is_left_alone(line: Pilot) -> None:
    an = line.bot.person("Trong Nhóm")
    before = settled(line)
    an.say("@Bot xin chào", group="zgr-f8a7101d77709e2ec761")
    line.bot.wait(an.confirmed)
    assert line.rows() == before and not an.heard()


def test_what_comes_again_is_taken_once(line: Pilot) -> None:
    an = line.teller("Lặp Lại")
    an.say("một chuyện chỉ kể một lần thôi")
    an.wait("ở đâu")
    for _ in range(3):
        line.bot.repeat(an.events[-1])
    line.bot.wait(an.confirmed)
    receipt = finish(an)
    assert line.report(receipt)["what"] == "một chuyện chỉ kể một lần thôi"


# -- what is recorded -----------------------------------------------------------------------------


def test_every_recorded_body_is_taken_and_what_is_private_answered(line: Pilot) -> None:
    sent: list[tuple[Person, bool, int]] = []
    for name in every("bot"):
        body = recorded(f"bot.{name}")
        message = body.get("result", body)["message"]
        who, group = line.bot.person(f"Ghi lại {name}"), message["chat"]["chat_type"] == "GROUP"
        message["from"]["id"] = who.id
        message["chat"]["id"] = "zgr-1" if group else who.id
        message["message_id"] = line.bot.new_message()
        message["date"] = int(line.bot.wall() * (1 if message["date"] < 1e11 else 1000))
        who.spoke = line.bot.wall()
        sent.append((who, group, line.bot.event(body, who.id)))
    assert len(sent) >= 20
    for who, group, event in sent:
        line.bot.wait(lambda event=event: line.bot.confirmed(event))
        if not group:
            who.wait("Kính chào")


def test_an_update_of_days_ago_is_left_alone(line: Pilot) -> None:
    an = line.bot.person("Tin Cũ")
    before = settled(line)
    line.bot.later -= 3 * 24 * 3600
    an.say("từ tuần trước")
    line.bot.later = 0
    line.bot.wait(an.confirmed)
    assert line.rows() == before


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["gone", "redirect", "huge"])
def test_a_file_that_cannot_be_had_is_told_of(line: Pilot, way: str) -> None:
    an = line.teller(f"Tệp {way}")
    if way == "gone":
        line.bot.fail(faults.GONE, method="download", chat=an.id)
    elif way == "redirect":
        line.bot.fail(faults.redirect("http://127.0.0.1:1/x"), method="download", chat=an.id)
    an.photo(a_file("photo", 1), size=30 << 20 if way == "huge" else 0)
    an.wait("Đã nhận 1 tệp")
    line.server.wait_for_files()
    an.say("có người đổ trộm rác ở bờ kênh")
    assert "không mở được" in an.wait("ở đâu")[0].text


def test_a_file_is_fetched_when_its_host_has_time_again(line: Pilot) -> None:
    an = line.teller("Máy Chủ Bận")
    line.bot.fail(faults.broken(503), method="download", chat=an.id)
    an.photo(a_file("photo", 1), caption="xe chở cát quá tải chạy đêm")
    an.wait("ở đâu")
    line.bot.wait(lambda: len(line.bot.calls("download", an.id)) == 1)
    receipt = finish(an)
    with line.reading() as work:
        known = reports.by_receipt(work, receipt)
        assert known is not None
        assert [each.state for each in attachments.of_report(work, known.report)] == ["waiting"]


# -- what goes wrong at the platform --------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [faults.INTERNAL, faults.broken(502), faults.broken(504, json=False), faults.refused(408)],
)
def test_what_the_platform_does_not_take_now_goes_later(line: Pilot, fault: Any) -> None:
    an = line.newcomer(f"Chờ {fault.status}")
    line.bot.fail(fault, method="sendMessage", chat=an.id)
    an.press("Phản ánh, góp ý, khen ngợi")
    assert len(an.wait("thuộc loại nào")) == 1
    until(lambda: line.state() == "ok")


def test_a_call_without_an_answer_is_in_doubt_and_not_said_again(line: Pilot) -> None:
    an = line.newcomer("Không Rõ")
    before, said = line.doubts(), len(line.bot.calls("sendMessage", an.id))
    line.bot.fail(faults.RESET_EXECUTED, method="sendMessage", chat=an.id)
    an.press("Phản ánh, góp ý, khen ngợi")
    an.wait("thuộc loại nào")
    until(lambda: len(line.doubts()) == len(before) + 1)
    assert len(line.bot.calls("sendMessage", an.id)) == said + 1
    an.press("Khen ngợi")  # whoever saw it can answer it
    an.wait("viết ý kiến")


def test_who_blocked_the_bot_costs_nobody_else_anything(line: Pilot) -> None:
    an, binh = line.newcomer("Chặn"), line.newcomer("Không Chặn")
    an.block()
    an.press("Phản ánh, góp ý, khen ngợi")
    binh.press("Phản ánh, góp ý, khen ngợi")
    binh.wait("thuộc loại nào")
    wait_until_sent(line)
    an.unblock()
    an.say("/menu")
    an.wait("cần gì")


def test_what_the_platform_refuses_for_good_is_let_go(line: Pilot) -> None:
    an = line.newcomer("Từ Chối")
    line.bot.fail(faults.refused(400, "Bad Request: text 123"), method="sendMessage", chat=an.id)
    an.press("Phản ánh, góp ý, khen ngợi")
    until(lambda: "Bad Request: text …" in line.server.log.read_text())
    wait_until_sent(line)
    an.say("/menu")
    an.wait("cần gì")


def test_a_flood_makes_everybody_wait_and_is_told(line: Pilot) -> None:
    an, binh = line.newcomer("Lũ"), line.newcomer("Lụt")
    flood = faults.Fault(status=429, told="Quota exceeded")
    line.bot.fail(flood, method="sendMessage")
    an.press("Phản ánh, góp ý, khen ngợi")
    until(lambda: "429" in line.state())
    before = len(line.bot.calls("sendMessage", binh.id))
    binh.press("Phản ánh, góp ý, khen ngợi")
    line.bot.wait(binh.confirmed)
    assert len(line.bot.calls("sendMessage", binh.id)) == before
    an.wait("thuộc loại nào")
    binh.wait("thuộc loại nào")
    until(lambda: line.state() == "ok")


def test_nothing_is_lost_while_the_platform_is_away(line: Pilot) -> None:
    an = line.newcomer("Vắng")
    line.bot.fail(faults.RESET_UNREAD, times=1, method="getUpdates")
    line.bot.fail(faults.broken(502, json=False), times=1, method="getUpdates")
    an.press("Phản ánh, góp ý, khen ngợi")
    an.wait("thuộc loại nào")


def test_a_restart_loses_nobody(line: Pilot) -> None:
    an = line.teller("Khởi Động")
    line.server.stop()
    an.say("kể trong lúc máy tắt")
    line.server.start()
    an.wait("ở đâu")
    finish(an)


# -- the webhook ----------------------------------------------------------------------------------


def body_of(line: Pilot, name: str = "bot.text") -> dict[str, Any]:
    body = recorded(name)
    body["message"]["date"] = int(line.bot.wall() * 1000)
    body["message"]["message_id"] = line.bot.new_message()
    return body


@pytest.fixture
def hook(line: Pilot) -> Pilot:
    if line.way != "webhook":
        pytest.skip("there is no webhook where one polls")
    return line


def test_without_the_secret_nothing_is_taken(hook: Pilot) -> None:
    before, dice = settled(hook), random.Random(7)
    wrong = [b"", SECRET[:-1].encode(), SECRET.upper().encode(), "mật-khẩu".encode(), b"x" * 5000]
    wrong += [f"{dice.getrandbits(60):x}".encode() for _ in range(1000 - len(wrong))]
    with httpx.Client() as client:
        for secret in (None, *wrong):
            headers = {} if secret is None else {HEADER: secret}
            answer = client.post(hook.hook, json=body_of(hook), headers=headers)
            assert answer.status_code == 401, secret
    assert hook.rows() == before


def test_a_probe_is_answered_and_nothing_comes_of_it(hook: Pilot) -> None:
    before = settled(hook)
    for headers in ({HEADER: SECRET}, {}, {HEADER: SECRET, "content-type": "application/json"}):
        assert hook.bot.post(b"", headers) == 200
    assert hook.bot.post(b"", {HEADER: "sai-mat-khau"}) == 401
    for body in (b" \n", b"{}", b'{"ok":true}', b'{"ok":true,"result":{}}', b'{"ok":false}'):
        assert hook.bot.post(body, {HEADER: SECRET}) == 200
    assert hook.rows() == before


def test_what_is_no_body_is_refused(hook: Pilot) -> None:
    before = settled(hook)
    for body, status in (
        (b"{", 400), (b"[1]", 400), (b"null", 400), (b"\xff\xfe", 400),
        (b'"x"', 400), (b"[" * 100_000, 400), (b"x" * ((1 << 20) + 1), 413),
    ):  # fmt: skip
        assert hook.bot.post(body, {HEADER: SECRET}) == status
    assert hook.rows() == before


def test_unknown_kinds_are_left_aside(hook: Pilot) -> None:
    before = settled(hook)
    for kind in ("message.new.received", "bot.joined", "", None, 7, ["x"]):
        body = body_of(hook) | {"event_name": kind}
        assert hook.bot.post(orjson.dumps(body), {HEADER: SECRET}) == 200
    assert hook.rows() == before


def test_the_docs_hold_for_the_command(hook: Pilot) -> None:
    told = hook.server.run("zalobot", "check")
    assert "Bot Lắng Nghe answers" in told and f"Zalo calls {hook.hook}" in told
    assert "50 people and 3,000 messages a month" in told


DATES = st.one_of(
    st.none(), st.integers(), st.floats(), st.text(max_size=20), st.booleans(), st.just([])
)
ODD = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)
PLACES = (
    "event_name", "message", "message.date", "message.chat", "message.chat.id",
    "message.chat.chat_type", "message.from", "message.from.id", "message.from.is_bot",
    "message.message_id", "message.text", "message.photo_url", "message.caption",
    "message.voice_url", "message.sticker", "message.link",
)  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(every("bot")),
    changes=st.lists(st.tuples(st.sampled_from(PLACES), st.one_of(ODD, DATES)), max_size=3),
)
def test_no_body_is_too_odd_to_be_taken(hook: Pilot, name: str, changes: Any) -> None:
    body = recorded(f"bot.{name}")
    update = body.get("result", body)
    for path, value in changes:
        *way, last = path.split(".")
        place = update
        for each in way:
            place = place.get(each) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[last] = value
    raw = json.dumps(body).encode("utf-8", "surrogatepass")
    assert hook.bot.post(raw, {HEADER: SECRET}) == 200


# -- digests --------------------------------------------------------------------------------------


def test_a_digest_reaches_its_supervisor(line: Pilot) -> None:
    code = invited(line)
    boss = line.newcomer("Lãnh Đạo")
    boss.say(code)
    boss.wait("Nhận lời?")
    boss.press("Nhận lời")
    boss.wait("Đã ghi danh")
    boss.say("/baocao")
    boss.wait("xem kỳ nào")
    boss.press("Kỳ này đến nay (chưa chốt)")
    told = "\n".join(each.text for each in boss.wait("BẢN TIN DƯ LUẬN"))
    assert "đang lập" in told.lower() or "BẢN TIN" in told
    assert not any(each.photo for each in boss.chat())  # PUBLIC_URL is not https


def invited(line: Pilot) -> str:
    told = line.server.run("invite", "supervisor", "--unit", "tinh")
    return told.rsplit("Code: ", 1)[1].strip()
