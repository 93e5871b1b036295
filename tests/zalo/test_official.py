"""The whole program behind an Official Account, against a true wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings

from storage import attachments, reports
from tests.server import a_file
from tests.waiting import until
from tests.zalo import faults, payloads
from tests.zalo.official import OfficialAccount
from tests.zalo.piloting import finish
from tests.zalo.stage import FRAME
from tests.zalo.standing import CRIME, Standing, standing
from tests.zalo.test_official_events import odd_bodies


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Standing]:
    folder = tmp_path_factory.mktemp("official")
    more = {"ZALO_OA_SITE_VERIFICATION": "Ma-xac-thuc_1"}
    with OfficialAccount(retry_scale=0.002) as oa, standing(folder, models, oa, more) as running:
        yield running
        assert oa.violations == []
        assert "Traceback" not in running.server.log.read_text()


@pytest.fixture(autouse=True)
def mended(line: Standing) -> Iterator[None]:
    yield
    line.oa.mend()


def body_of(line: Standing, receipt: str) -> dict[str, Any]:
    with line.reading() as work:
        known = reports.by_receipt(work, receipt)
        assert known is not None, receipt
        return reports.body(work, known.report)


# -- conversations --------------------------------------------------------------------------------


def test_a_tip_is_told_from_the_first_word_to_the_receipt(line: Standing) -> None:
    an, before = line.teller("Kể Tin"), line.told()
    an.say("có nhóm thanh niên bán ma túy ở đầu hẻm")
    an.wait("ở đâu")
    receipt = finish(an)
    assert body_of(line, receipt)["what"] == "có nhóm thanh niên bán ma túy ở đầu hẻm"
    assert line.told() == before + 1
    line.settle(an)


def test_a_place_comes_as_a_pin(line: Standing) -> None:
    an = line.teller("Vị Trí")
    an.say("xe tải đổ rác xuống sông mỗi đêm")
    an.wait("ở đâu")
    an.location(10.7923119, 106.7820651, "Chợ")
    an.wait("khi nào")
    assert body_of(line, finish(an, "Hôm qua"))["pin"] == [10.79231, 106.78207]


def test_pictures_sent_at_once_get_one_reply_and_are_kept(line: Standing) -> None:
    an = line.teller("An Bum")
    an.album([a_file("photo", number) for number in range(4)], "người bán ma túy ở cổng trường")
    assert len(an.wait("ở đâu")) == 1
    receipt = finish(an)
    line.server.wait_for_files()
    assert kept(line, receipt) == ["image/jpeg"] * 4


def test_a_voice_message_is_kept_so_that_it_can_be_played(line: Standing, tmp_path: Path) -> None:
    an, sound = line.teller("Tin Thoại"), FRAME * 30
    an.voice(sound)
    an.wait("bằng vài lời")
    an.say("xong")
    an.wait("ở đâu")
    receipt = finish(an)
    line.server.wait_for_files()
    assert kept(line, receipt) == ["audio/aac"]
    with line.reading() as work:
        known = reports.by_receipt(work, receipt)
    assert known is not None
    line.server.run("case", "file", known.alias, "1", "--to", str(tmp_path / "a.aac"))
    assert (tmp_path / "a.aac").read_bytes() == sound


def kept(line: Standing, receipt: str) -> list[str | None]:
    with line.reading() as work:
        known = reports.by_receipt(work, receipt)
        assert known is not None
        return [each.media for each in attachments.of_report(work, known.report)]


def test_a_text_that_the_app_cut_is_one_story(line: Standing) -> None:
    an = line.teller("Viết Dài")
    an.long("Chuyện dài lắm ạ. " * 150)
    an.wait("ở đâu")
    assert len(body_of(line, finish(an))["what"]) > 2500


def test_a_number_that_was_typed_before_the_next_question_does_not_answer_it(
    line: Standing,
) -> None:
    an = line.newcomer("Gõ Nhanh")
    line.oa.fail(faults.slow(0.3), method="message/cs", chat=an.id)
    an.say("1")
    an.say("1")
    an.wait("thuộc câu hỏi cũ")


def test_somebody_anonymous_is_answered_in_their_conversation(line: Standing) -> None:
    stranger = line.oa.anonymous("Khách Vãng Lai")
    stranger.say("xin chào")
    stranger.wait("Kính chào")
    stranger.say("1")
    stranger.wait("để máy đọc")
    sent = line.oa.calls("message", chat=stranger.id)
    assert {call.params["recipient"]["conversation_id"] for call in sent} == {
        line.oa.conversation_of(stranger)
    }
    assert not line.oa.calls("message/cs", chat=stranger.id)


def test_a_follower_is_welcomed_once(line: Standing) -> None:
    an = line.oa.person("Quan Tâm")
    an.follow()
    assert len(an.wait("Kính chào")) == 1


def test_what_cannot_be_read_is_answered_with_what_can(line: Standing) -> None:
    an = line.newcomer("Nhãn Dán")
    an.sticker()
    an.wait("không đọc được")


def test_echoes_receipts_and_reactions_are_left_without_a_word(line: Standing) -> None:
    an = line.newcomer("Im Lặng")
    message = an.chat()[-1].message_id
    an.received(message)
    an.seen([message])
    an.react(message)
    body = payloads.filled(
        "oa.some_new_kind", {"app_id": line.oa.app_id, "timestamp": int(line.oa.wall() * 1000)}
    )
    number = line.oa.event(body)
    line.oa.wait(lambda: an.confirmed() and line.oa.confirmed(number))
    line.settle(an)
    assert an.heard() == []
    assert "some_new_kind" in line.server.log.read_text()


# -- staff and rights -----------------------------------------------------------------------------


def test_while_staff_speak_the_bot_is_quiet_and_takes_nothing_down(line: Standing) -> None:
    an, before = line.teller("Gặp Cán Bộ"), line.told()
    line.oa.staff_says(an, "Chào anh, tôi là cán bộ trực.")
    line.settle(an)
    an.heard()
    before_files = line.files()
    an.say("tôi muốn kể chuyện có người bán ma túy ở đầu hẻm nhà tôi")
    an.photo(a_file("photo", 1))
    an.say("1")
    line.settle(an)
    assert an.heard() == [] and line.told() == before
    assert line.files() == before_files
    an.say("/menu")
    an.wait("Ông/bà cần gì?")
    an.say("1")
    an.wait("thuộc loại nào")


def test_whoever_speaks_of_danger_sees_the_numbers_also_then(line: Standing) -> None:
    an = line.newcomer("Nguy Hiểm")
    line.oa.staff_says(an, "Tôi nghe đây.")
    line.settle(an)
    an.heard()
    an.say("cứu tôi với, nó đang cầm dao đuổi theo tôi")
    assert "113" in an.wait("113")[-1].text


def test_who_withdraws_the_consent_is_forgotten_without_being_asked(line: Standing) -> None:
    an = line.teller("Rút Lại")
    an.photo(a_file("photo", 2), "xe chở pháo lậu")
    an.wait("ở đâu")
    before = line.rows()
    an.withdraw()
    line.settle(an)
    assert line.rows()["talk"] == before["talk"] - 1
    assert an.heard() == []
    an.say("xin chào")
    an.wait("Kính chào")  # as to somebody new


def test_who_left_gets_nothing_and_who_comes_back_does(line: Standing) -> None:
    an = line.newcomer("Bỏ Quan Tâm")
    an.unfollow()
    line.settle(an)
    an.say("/menu")
    an.wait("Ông/bà cần gì?")


# -- the door -------------------------------------------------------------------------------------


def post(line: Standing, raw: bytes, headers: dict[str, str] | None = None) -> int:
    return httpx.post(line.oa.hook, content=raw, headers=headers, timeout=60).status_code


def signed(line: Standing, body: dict[str, Any] | bytes) -> tuple[bytes, dict[str, str]]:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return raw, {"X-ZEvent-Signature": line.oa.mac(raw)}


def a_text(line: Standing, number: int, **more: Any) -> dict[str, Any]:
    values = {
        "app_id": line.oa.app_id,
        "sender.id": str(9_000_000_000_000_000_000 + number),
        "message.msg_id": f"forged{number}",
        "timestamp": str(int(line.oa.wall() * 1000)),
    }
    return payloads.filled("oa.user_send_text", {**values, **more})


def test_five_hundred_forged_calls_store_nothing(line: Standing) -> None:
    before = line.rows()
    statuses = asyncio.run(_all_posted(line, [_forged(line, n) for n in range(500)]))
    assert statuses == {401}
    assert line.rows() == before


def _forged(line: Standing, number: int) -> tuple[bytes, dict[str, str]]:
    """A call as somebody may forge it: unsigned, with another's key, with parts exchanged."""
    raw, headers = signed(line, a_text(line, number))
    other, _ = signed(line, a_text(line, number + 5000))
    return [
        (raw, {}),
        (raw, {"X-ZEvent-Signature": "mac=" + "0" * 64}),
        (raw, {"X-ZEvent-Signature": ""}),
        (other, headers),
        (raw + b" ", headers),
        signed(line, a_text(line, number, app_id="1")),
        (raw, {"X-ZEvent-Signature": headers["X-ZEvent-Signature"][:-1]}),
    ][number % 7]


def test_five_hundred_replayed_calls_have_their_effect_once(line: Standing) -> None:
    an = line.newcomer("Lặp Lại")
    an.say("/tinbao")
    an.wait("thuộc loại nào")
    line.settle(an)
    before, heard = line.rows(), len(an.chat())
    raw = line.oa.sent[an.events[-1]].body
    statuses = asyncio.run(_all_posted(line, [signed(line, raw)] * 500))
    line.settle(an)
    assert statuses == {200} and line.rows() == before and len(an.chat()) == heard


def test_calls_from_days_ago_are_left_alone_and_told_of(line: Standing) -> None:
    before = line.rows()
    old = str(int((line.oa.wall() - 49 * 3600) * 1000))
    bodies = [signed(line, a_text(line, number, timestamp=old)) for number in range(100)]
    assert asyncio.run(_all_posted(line, bodies)) == {200}
    assert line.rows() == before and "clock" in line.state()
    line.newcomer("Hôm Nay")
    assert line.state() == "ok"


async def _all_posted(line: Standing, calls: list[tuple[bytes, dict[str, str]]]) -> set[int]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=20)) as client:

        async def one(raw: bytes, headers: dict[str, str]) -> int:
            async with client.post(line.oa.hook, data=raw, headers=headers) as answer:
                return answer.status

        return set(await asyncio.gather(*(one(*call) for call in calls)))


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 200),
        (b"  \n", 200),
        (b"{}", 200),
        (b'{"event_name":"user_send_text"}', 401),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b"x" * ((1 << 20) + 1), 413),
    ],
    ids=["empty", "blank", "ping", "unsigned", "cut", "list", "no text", "deep", "large"],
)
def test_what_is_no_event_gets_its_status(line: Standing, raw: bytes, status: int) -> None:
    before = line.rows()
    assert post(line, raw) == status
    assert line.rows() == before


def test_every_recorded_body_is_taken_with_its_signature(line: Standing) -> None:
    for name in payloads.every("oa"):
        body = payloads.recorded(f"oa.{name}")
        body |= {"app_id": line.oa.app_id, "timestamp": int(line.oa.wall() * 1000)}
        assert post(line, *signed(line, body)) == 200, name
    assert line.rows()["deadletter"] == 0


def test_no_body_is_too_odd_for_an_answer(line: Standing) -> None:
    """Signed as Zalo would, so all of it reaches the reception."""
    with httpx.Client(timeout=60) as client:

        @given(odd_bodies())
        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        def odd(body: dict[str, Any]) -> None:
            try:
                raw = orjson.dumps({**body, "app_id": line.oa.app_id})
            except TypeError:  # half a letter, a huge number: JSON all the same
                raw = json.dumps({**body, "app_id": line.oa.app_id}).encode()
            headers = {"X-ZEvent-Signature": line.oa.mac(raw)}
            assert client.post(line.oa.hook, content=raw, headers=headers).status_code in (200, 401)

        odd()
    assert line.rows()["deadletter"] == 0
    line.newcomer("Sau Cùng")


def test_the_site_proves_that_it_is_ours(line: Standing) -> None:
    meta = '<meta name="zalo-platform-site-verification" content="Ma-xac-thuc_1">'
    assert meta in httpx.get(f"{line.server.url}/").text
    assert meta in httpx.get(f"{line.server.url}/zalo_verifierMa-xac-thuc_1.html").text
    assert httpx.get(f"{line.server.url}/zalo_verifierother.html").status_code == 404
    assert "langnghe zalo connect" in httpx.get(f"{line.server.url}/zalo/oa/callback?code=1").text


# -- what goes wrong at Zalo ----------------------------------------------------------------------


def test_a_token_that_died_is_renewed_and_the_answer_arrives(line: Standing) -> None:
    an, before = line.newcomer("Hết Hạn"), line.oa.grants.refreshed
    line.oa.grants.die()
    an.say("/tinbao")
    an.wait("thuộc loại nào")
    assert line.oa.grants.refreshed == before + 1 and line.oa.grants.reused == 0
    assert line.granted().pair.access == line.oa.grants.pairs[-1].access


def test_an_error_of_a_moment_costs_no_answer(line: Standing) -> None:
    an = line.newcomer("Lỗi Tạm")
    line.oa.fail(faults.FAILED, method="message/cs", chat=an.id)
    an.say("/tinbao")
    an.wait("thuộc loại nào")
    line.settle(an)


def test_an_answer_nobody_heard_of_is_in_doubt_and_comes_with_the_next(line: Standing) -> None:
    an = line.newcomer("Nghi Ngờ")
    line.oa.fail(faults.RESET_EXECUTED, method="message/cs", chat=an.id)
    an.say("/tinbao")
    until(lambda: len(line.doubts()) == 1)
    an.heard()
    an.say("/menu")
    an.wait("Ông/bà cần gì?")
    assert line.doubts() == []


def test_who_is_out_of_the_window_gets_it_with_their_next_word(line: Standing) -> None:
    an = line.newcomer("Cửa Sổ")
    line.oa.fail(faults.OVER_SEVEN_DAYS, method="message/cs", chat=an.id)
    an.say("/tinbao")
    line.oa.wait(lambda: any(call.code == -230 for call in line.oa.calls(chat=an.id)))
    an.say("1")
    an.wait(lambda new: len(new) >= 1)


def test_no_log_tells_a_token_an_address_or_a_word(line: Standing) -> None:
    log = line.server.log.read_text()
    assert line.oa.grants.pairs and line.oa.people
    secrets = [line.oa.app_secret, line.oa.oa_secret, "ma túy", CRIME]
    secrets += [each for pair in line.oa.grants.pairs for each in (pair.access, pair.refresh)]
    secrets += [person.id for person in line.oa.people.values()]
    assert [secret for secret in secrets if secret in log] == []
