"""The whole program on Telegram, by polling and by webhook, against a true wire."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.server import Visitor, Wire, a_file
from tests.telegram import faults
from tests.telegram.double import BotApi
from tests.telegram.line import CRIME, SECRET, WAYS, Line, finish, on_line
from tests.waiting import until

HEADER = "X-Telegram-Bot-Api-Secret-Token"


@pytest.fixture(scope="module", params=WAYS)
def line(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, models: Path
) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp(request.param)
    with BotApi(retry_scale=0.02) as api, on_line(folder, models, request.param, api) as running:
        yield running
        assert api.violations == []


@pytest.fixture(autouse=True)
def mended(line: Line) -> Iterator[None]:
    yield
    line.api.mend()


# -- conversations -------------------------------------------------------------------------------


def test_a_tip_is_told_from_the_first_word_to_the_receipt(line: Line) -> None:
    an = line.teller("Kể Tin")
    before = line.told()
    an.say("có nhóm thanh niên bán ma túy ở đầu hẻm")
    an.wait("ở đâu")
    receipt = finish(an)
    assert line.report(receipt)["what"] == "có nhóm thanh niên bán ma túy ở đầu hẻm"
    assert line.told() == before + 1
    an.press("Đã lưu")
    an.wait("không còn gì nối")
    line.api.wait(line.api.idle)
    wait_until_sent(line)


def wait_until_sent(line: Line) -> None:
    """Until nothing waits in the outbox any more."""
    until(lambda: line.waiting() == len(line.doubts()))


def test_an_album_is_one_answer_and_gets_one_reply(line: Line) -> None:
    an = line.teller("An bum")
    photos = [a_file("photo", number) for number in range(4)]
    an.album(photos, caption="người bán ma túy đứng ở cổng trường")
    heard = an.wait("ở đâu")
    assert len(heard) == 1
    receipt = finish(an)
    line.server.wait_for_files()
    with line.reading() as work:
        from storage import attachments, reports

        known = reports.by_receipt(work, receipt)
        assert known is not None
        files = attachments.of_report(work, known.report)
    assert [(each.state, each.media) for each in files] == [("kept", "image/jpeg")] * 4


def test_a_photo_is_kept_without_what_it_says_about_its_maker(line: Line, tmp_path: Path) -> None:
    an = line.teller("Nhiếp Ảnh")
    exif = Image.Exif()
    exif[0x010F] = "Planted Phone"
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (9, 90, 9)).save(out, "JPEG", exif=exif)
    assert b"Planted Phone" in out.getvalue()
    an.photo(out.getvalue(), caption="xe tải đổ rác xuống sông")
    an.wait("ở đâu")
    receipt = finish(an)
    line.server.wait_for_files()
    with line.reading() as work:
        from storage import reports

        known = reports.by_receipt(work, receipt)
    assert known is not None
    line.server.run("case", "file", known.alias, "1", "--to", str(tmp_path / "anh.jpg"))
    kept = (tmp_path / "anh.jpg").read_bytes()
    assert kept.startswith(b"\xff\xd8") and b"Planted" not in kept
    sealed = [path.read_bytes() for path in (line.server.folder / "data").glob("attachments/*")]
    assert sealed and not any(kept[:64] in each for each in sealed)


def test_a_text_the_app_cut_in_two_is_one_story(line: Line) -> None:
    an = line.teller("Viết Dài")
    story = "Đêm nào cũng có xe lạ ra vào con hẻm ấy rất khuya. " * 110
    assert len(an.long(story.strip())) == 2
    heard = an.wait("ở đâu")
    assert len(heard) == 1
    told = line.report(finish(an))["what"]
    assert " ".join(str(told).split()) == " ".join(story.split())


def test_an_edit_changes_the_answer_before_it_is_sent(line: Line) -> None:
    an = line.teller("Sửa Chữ")
    said = an.say("bán ma túy ở hẻm 5")
    an.wait("ở đâu")
    an.edit(said, "bán ma túy ở hẻm 7")
    assert "Đã sửa" in an.wait("ở đâu")[0].text
    assert line.report(finish(an))["what"] == "bán ma túy ở hẻm 7"


def test_every_kind_of_message_gets_a_civil_answer(line: Line) -> None:
    an = line.teller("Mọi Kiểu")
    for send, words in (
        (an.sticker, "không đọc được"),
        (lambda: an.location(10.77, 106.69), "Xin viết bằng lời"),
        (lambda: an.contact("0901234567", "Ba"), "ở đâu"),
        (lambda: an.venue(10.77, 106.69, "Chợ Cũ", "Quận 1"), "khi nào"),
    ):
        send()
        an.wait(words)


@pytest.mark.parametrize("kind", ["video", "voice", "audio", "animation", "video_note", "document"])
def test_every_kind_of_file_is_taken_as_what_it_is(line: Line, kind: str) -> None:
    an = line.teller(f"Gửi {kind}")
    getattr(an, kind)(a_file("voice", 1))
    assert "Đã nhận 1 tệp" in an.wait()[0].text


def test_a_file_over_twenty_megabytes_is_told_plainly(line: Line) -> None:
    an = line.teller("Phim Dài")
    an.video(b"....ftypisom", size=30 * 1024 * 1024)
    assert "lớn quá 20 MB" in an.wait("Xin kể điều")[0].text


def test_a_forwarded_text_is_a_story_only_when_its_sender_says_so(line: Line) -> None:
    an = line.newcomer("Chuyển Tiếp")
    an.forward("nghe nói có người bán pháo nổ ở cuối xóm")
    assert an.wait("gửi nội dung vừa viết")


# -- buttons -------------------------------------------------------------------------------------


def test_a_button_of_last_year_does_no_harm(line: Line) -> None:
    an = line.teller("Nút Cũ")
    an.press_data(3, "kind|praise")
    heard = an.wait("Xin kể điều")
    assert "câu hỏi cũ" in heard[0].text
    assert an.toasts()


def test_a_button_tapped_twice_is_one_answer(line: Line) -> None:
    an = line.newcomer("Bấm Hai")
    menu = next(each for each in reversed(an.chat()) if each.buttons)
    data = menu.buttons[0].data or ""
    an.press_data(menu.message_id, data)
    an.press_data(menu.message_id, data)
    an.wait("thuộc loại nào")
    line.api.wait(an.confirmed)
    an.say("1")
    heard = an.wait("Xin kể điều")
    assert not [each for each in heard if "câu hỏi cũ" in each.text]


def test_what_a_button_carries_is_forged_to_no_avail(line: Line) -> None:
    an = line.teller("Giả Nút")
    for data in ("", "|", "what|", "what|x", "menu|tip|more", "đ" * 30):
        an.press_data(9, data or "-")
        an.wait("Xin kể điều")


def test_a_query_that_is_too_old_is_no_trouble(line: Line) -> None:
    an = line.newcomer("Chậm Trễ")
    line.api.fail(faults.QUERY_TOO_OLD, 1, "answerCallbackQuery")
    an.press("Báo tin, tố giác")
    an.wait("thuộc loại nào")


# -- what goes wrong at Telegram -----------------------------------------------------------------


def test_a_flood_warning_is_obeyed_for_the_whole_token(line: Line) -> None:
    an, ba = line.newcomer("Nhanh Tay"), line.newcomer("Chờ Đợi")
    line.api.fail(faults.flood(2), 1, "sendMessage", an.id)
    an.say("/tinbao")
    line.api.wait(lambda: [c for c in line.api.calls("sendMessage", an.id) if c.status == 429])
    ba.say("/tinbao")
    an.wait("thuộc loại nào")
    ba.wait("thuộc loại nào")
    refused = next(c for c in line.api.calls("sendMessage", an.id) if c.status == 429)
    after = [c for c in line.api.calls("sendMessage") if c.at > refused.at]
    assert min(call.at for call in after) - refused.at >= 2


@pytest.mark.parametrize("fault", [faults.broken(500), faults.RESTART], ids=["500", "restart"])
def test_a_server_error_of_telegrams_loses_nothing(line: Line, fault: faults.Fault) -> None:
    an = line.newcomer(f"Lỗi {fault.told[:30]}")
    line.api.fail(fault, 1, "sendMessage", an.id)
    an.say("/tinbao")
    an.wait("thuộc loại nào")
    assert not line.doubts()


def test_what_may_have_arrived_is_listed_and_not_said_again(line: Line) -> None:
    an = line.newcomer("Đứt Mạng")
    line.api.fail(faults.RESET_EXECUTED, 1, "sendMessage", an.id)
    an.say("/tinbao")
    an.wait("thuộc loại nào")
    until(line.doubts)
    (doubt,) = line.doubts()
    assert doubt in line.server.run("doubts")
    an.press(CRIME)
    an.wait("Xin kể điều")
    assert line.doubts() == []


def test_whoever_blocks_the_bot_and_comes_back_goes_on(line: Line) -> None:
    an = line.teller("Đi Về")
    an.block()
    line.api.wait(an.confirmed)
    an.unblock()
    line.api.wait(an.confirmed)
    an.say("xe tải đổ rác xuống sông")
    an.wait("ở đâu")


def test_a_person_who_is_gone_holds_up_nobody(line: Line) -> None:
    gone, here = line.newcomer("Đã Xóa"), line.newcomer("Còn Đây")
    gone.deactivate()
    gone.say("/tinbao")
    here.say("/tinbao")
    here.wait("thuộc loại nào")
    wait_until_sent(line)


# -- updates -------------------------------------------------------------------------------------


def test_a_repeated_update_changes_nothing(line: Line) -> None:
    an = line.teller("Lặp Lại")
    an.say("có người bán ma túy ở đầu hẻm")
    an.wait("ở đâu")
    line.api.repeat(an.updates[-1])
    line.api.wait(an.confirmed)
    an.say("không nhớ")
    heard = an.wait("khi nào")
    assert len(heard) == 1


def test_updates_of_many_people_in_any_order_keep_each_ones_order(line: Line) -> None:
    people = [line.teller(f"Lộn {number}") for number in range(5)]
    with line.api.reordered(seed=4):
        for person in people:
            person.say("xe tải đổ rác xuống sông")
            person.say("không nhớ")
    for person in people:
        person.wait("khi nào")


def test_groups_channels_bots_and_payments_are_left_without_a_word(line: Line) -> None:
    before = len(line.api.calls("sendMessage"))
    group = {"id": -100200300, "type": "supergroup", "title": "Xóm"}
    someone = {"id": 42, "is_bot": False, "first_name": "Ai"}
    robot = {"id": 43, "is_bot": True, "first_name": "Máy"}
    private = {"id": 43, "type": "private", "first_name": "Máy"}
    message = {"message_id": 1, "date": 1_795_600_000, "text": "/start"}
    query = {"id": "1", "from": someone, "query": "x", "offset": ""}
    pay = {"id": "2", "from": someone, "currency": "VND", "total_amount": 1, "invoice_payload": "x"}
    for update in (
        {"message": {**message, "chat": group, "from": someone}},
        {"message": {**message, "chat": private, "from": robot}},
        {"channel_post": {**message, "chat": {"id": -1001, "type": "channel", "title": "Kênh"}}},
        {"inline_query": query},
        {"pre_checkout_query": pay},
    ):
        line.api.update(dict(update), anyway=True)
    line.api.wait(line.api.idle)
    assert len(line.api.calls("sendMessage")) == before


def test_a_group_the_bot_is_put_into_is_left(line: Line) -> None:
    group = {"id": -100777, "type": "supergroup", "title": "Tổ dân phố"}
    someone = {"id": 42, "is_bot": False, "first_name": "Ai"}
    bot = {"user": line.api.bot, "status": "member"}
    left = {"user": line.api.bot, "status": "left"}
    change = {"chat": group, "from": someone, "date": 1_795_600_000}
    line.api.update({"my_chat_member": {**change, "old_chat_member": left, "new_chat_member": bot}})
    line.api.wait(lambda: line.api.calls("leaveChat", -100777))


def test_an_update_that_nobody_can_read_is_a_dead_letter_and_blocks_nobody(line: Line) -> None:
    an = line.newcomer("Sau Đó")
    before = line.dead()
    line.api.update({"message": {"message_id": "no number", "chat": {"id": an.id}}}, anyway=True)
    an.say("/tinbao")
    an.wait("thuộc loại nào")
    assert line.dead() == before + 1


# -- staff ---------------------------------------------------------------------------------------


def test_a_receipt_handed_out_here_opens_the_case_on_the_web(line: Line) -> None:
    an = line.teller("Hai Kênh")
    an.say("xe tải đổ rác xuống sông")
    an.wait("ở đâu")
    receipt = finish(an)
    visitor = Visitor(line.server.url)
    assert "HỒ SƠ CỦA ÔNG/BÀ" in visitor.say(receipt)[0].text


def test_whoever_asked_is_told_here_that_there_is_an_answer(line: Line) -> None:
    an = line.teller("Chờ Tin")
    an.say("xe tải đổ rác xuống sông")
    an.wait("ở đâu")
    for label, words in (
        ("Không nhớ, không rõ", "khi nào"),
        ("Hôm qua", "ảnh, video"),
        ("Không có", "đơn vị Công an"),
        ("Không", "trả lời thế nào"),
        ("Báo vào cuộc trò chuyện này", "xem lại trước khi gửi"),
        ("Gửi nội dung này", "MÃ HỒ SƠ"),
    ):
        an.press(label)
        heard = an.wait(words)
    receipt = next(each.text for each in heard if "MÃ HỒ SƠ" in each.text).split("\n")[1]
    an.press("Đã lưu")
    an.wait("để báo khi có trả lời")
    Wire(line.server).answer(receipt, "Đã kiểm tra, xử phạt.")
    heard = an.wait("Có trả lời mới")
    assert "xử phạt" not in heard[0].text


# -- the operator --------------------------------------------------------------------------------


def test_nothing_said_and_nobodys_address_stands_in_the_log(line: Line) -> None:
    an = line.teller("Kín Đáo")
    an.say("planted-sentence bán ma túy ở đầu hẻm")
    an.wait("ở đâu")
    log = line.server.log.read_text()
    for planted in ("planted-sentence", str(an.id), "Kín Đáo", line.api.token, SECRET):
        assert planted not in log


def webhooks(line: Line) -> None:
    if line.way != "webhook":
        pytest.skip("there is no webhook where we poll")


BAD_CALLS = (
    ({}, b'{"update_id":1}', 401),
    ({HEADER: "wrong"}, b'{"update_id":1}', 401),
    ({HEADER: SECRET + "x"}, b'{"update_id":1}', 401),
    ({HEADER: ""}, b'{"update_id":1}', 401),
    ({HEADER: SECRET}, b"{", 400),
    ({HEADER: SECRET}, b"", 400),
    ({HEADER: SECRET}, b"[]", 400),
    ({HEADER: SECRET}, b'{"update_id":1,"message":"\xff"}', 400),
    ({HEADER: SECRET}, b'{"x":"' + b"a" * (1 << 20) + b'"}', 413),
    ({HEADER: "wrong"}, b"a" * (2 << 20), 401),
)


@pytest.mark.parametrize("number", range(len(BAD_CALLS)))
def test_a_call_that_is_not_telegrams_gets_its_status_and_leaves_nothing(
    line: Line, number: int
) -> None:
    webhooks(line)
    headers, body, status = BAD_CALLS[number]
    line.api.wait(line.api.idle)
    before = line.told(), line.dead(), line.held(), line.seen()
    answer = httpx.post(line.hook, content=body, headers=headers)
    assert answer.status_code == status
    assert answer.content == b""
    assert (line.told(), line.dead(), line.held(), line.seen()) == before


def test_the_webhook_answers_to_nothing_but_calls(line: Line) -> None:
    answer = httpx.get(line.hook)
    assert answer.status_code == (405 if line.way == "webhook" else 404)
