"""Faults that were found once: each stays mended."""

from __future__ import annotations

import asyncio
import struct
from datetime import date

import pytest

from bot.cleaning import NotTaken, clean, judge
from handlers.forgetting import forget_person
from storage import people, reports, talks
from storage.migrating import migrate
from storage.people import Office
from storage.sealing import Keys, Seal
from storage.store import BadDatabase, Store, StoreDown
from storage.tables import Attachment
from storage.vocabulary import FileAt, Pressed, Said
from tests.house import at
from tests.test_cleaning import DOCX, XLSX, film, zipped
from tests.test_reception import OPINION, WELCOME, rows, sent, the_report, through, together


def test_typing_a_label_that_is_also_a_command_answers_the_question(talkers):
    through(talkers, *WELCOME, "/gopy")
    assert "viết ý kiến" in str(talkers.say("kiến nghị"))


def test_resuming_sets_aside_what_runs(talkers):
    through(
        talkers,
        *WELCOME,
        "/tinbao",
        "1",
        "có vụ trộm xe ở chợ",
        "/gopy",
        "1",
        "phường làm chậm quá",
        "/tieptuc",
    )
    assert "Việc này ở đâu" in str(talkers.say("/tieptuc"))
    assert "phường làm chậm" in str(through(talkers, *OPINION[3:], "1"))


def test_words_survive_the_turn_from_tip_to_opinion(talkers):
    through(talkers, *WELCOME, "Ở đường Lê Lợi có người đổ rác", "1", "3")
    assert "Việc này ở đâu" in str(talkers.say("1"))


def test_cancelling_at_the_receipt_does_not_say_that_nothing_was_kept(talkers):
    through(talkers, *WELCOME, *OPINION, "1", "gửi")
    assert "không được lưu" not in str(talkers.say("hủy"))


def test_a_photo_sent_at_the_menu_is_not_thrown_away(talkers):
    through(talkers, *WELCOME)
    assert "dưới dạng nào" in str(talkers.say(Said(files=(FileAt("x", "photo"),))))


def test_a_receipt_typed_at_the_welcome_opens_its_case(talkers):
    code = sent(talkers)
    talkers.say("/start", "binh")
    assert "HỒ SƠ" in str(talkers.say(code, "binh"))


def test_an_invitation_typed_at_the_welcome_enrols(talkers):
    code = talkers.invite("analyst", "tinh")
    talkers.say("/start")
    assert "Nhận lời" in str(talkers.say(code))


def test_english_names_of_units_are_found(talkers):
    through(
        talkers,
        *WELCOME,
        "/language en",
        "/opinion",
        "1",
        "they were rude",
        "unknown",
        "unknown",
        "none",
        "yes",
    )
    assert "hear back" in str(talkers.say("Ben Thanh police"))


def test_a_role_holds_from_the_next_event_of_the_same_batch(talkers):
    through(talkers, *WELCOME)
    code = talkers.invite("supervisor", "tinh")
    talkers.say(code)
    _, second = together(talkers, ("an", "1"), ("an", "/baocao"))
    assert "người được mời" not in str(second)


@pytest.mark.parametrize(
    "end",
    [
        ("/quaylai", "/quaylai"),
        ("không", "1", "bỏ"),
        ("không", "1", Said(pressed=Pressed("review", "edit.evidence")), "không"),
    ],
)
def test_files_that_left_the_answers_are_let_go(talkers, end):
    through(talkers, *WELCOME, *OPINION[:5], Said(files=talkers.files("photo", 1)), "xong", *end)
    assert all(row.until == date.min for row in rows(talkers.store, Attachment))


def test_files_of_words_that_were_not_wanted_are_let_go(talkers):
    talkers.say(Said(files=talkers.files("photo", 1)))
    through(talkers, "1", "1", "3")
    assert all(row.until == date.min for row in rows(talkers.store, Attachment))


def test_danger_told_behind_a_command_gets_the_numbers(talkers):
    assert "113" in str(talkers.say("/tinbao có người đang bị đâm ở ngoài đường"))


def test_a_talk_that_cannot_be_read_harms_only_its_person_and_only_once(talkers):
    through(talkers, *WELCOME)
    with talkers.store.write() as work:
        key = talks.key_of(work, at("an"))
        talks.keep(
            work,
            {
                key: {
                    "language": "vi",
                    "welcomed": True,
                    "running": {"name": "menu", "newer": 1},
                    "aside": None,
                }
            },
            date(2027, 1, 1),
        )
    taken = together(talkers, ("an", "/menu"), ("binh", "/start"))
    assert taken[1].replies


def test_who_was_never_asked_is_not_read_by_the_machine(talkers):
    code = talkers.invite("officer", "tinh")
    through(talkers, code, "1", *OPINION, "1", "gửi")
    assert the_report(talkers.store).topic is None


# --- storage
def test_reasons_of_a_forgotten_report_are_gone(talkers):
    sent(talkers)
    report = the_report(talkers.store)
    with talkers.store.write() as work:
        reports.forget(work, date(2030, 1, 1))
        reports.reasons(work, report.id)


def test_an_unreachable_server_is_store_down():
    store = Store("postgresql://u:p@127.0.0.1:1/x", Seal(Keys.new()))
    with pytest.raises((StoreDown, BadDatabase)):
        migrate(store.engine)


@pytest.mark.parametrize(
    "url", ["sqlite:////proc/nope/x.db", "sqlite:////dev/null/x.db", "sqlite:////tmp"]
)
def test_an_impossible_path_names_the_setting(url):
    with pytest.raises((StoreDown, BadDatabase)):
        migrate(Store(url, Seal(Keys.new())).engine)


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "null",
        '{"sealing":{},"finding":"AAAA"}',
        '{"sealing":[],"finding":""}',
        '{"sealing":{"1":1},"finding":"AA=="}',
    ],
)
def test_damaged_keys(tmp_path, content):
    (tmp_path / "k").write_text(content)
    with pytest.raises((ValueError, KeyError)):
        Seal(Keys.read(tmp_path / "k"))


def test_256_rotations():
    keys = Keys.new()
    for _ in range(255):
        keys = keys.rotated()
    assert Seal(keys).open(Seal(keys).close(b"x", "w"), "w") == b"x"


# --- cleaning
TODAY = date(2026, 11, 10)
REFUSED = {
    "zip": zipped(**{"a.txt": "hi"}),
    "jar": zipped(**{"META-INF/MANIFEST.MF": "x"}),
    "macros": zipped(
        **{"[Content_Types].xml": "x", "word__document.xml": "x", "word__vbaProject.bin": "x"}
    ),
    "slides": zipped(**{"[Content_Types].xml": "x", "ppt__presentation.xml": "x"}),
    "avi": b"RIFF\x24\0\0\0AVI LIST" + bytes(100),
}


@pytest.mark.parametrize("what", REFUSED)
def test_zip_is_not_docx(what):
    with pytest.raises(NotTaken):
        asyncio.run(clean(REFUSED[what]))


def test_xlsx_is_itself():
    assert judge(XLSX).endswith("spreadsheetml.sheet")


def test_a_docx_of_an_unknown_zip_version_is_refused():
    bad = bytearray(DOCX)
    at_ = bad.find(b"PK\x01\x02")
    bad[at_ + 6] = 0xFF
    with pytest.raises(NotTaken):
        asyncio.run(clean(bytes(bad)))


def test_amr_is_taken():
    assert judge(b"#!AMR\n" + bytes(range(256))) == "audio/amr"


@pytest.mark.parametrize("brand", [b"isom", b"iso5", b"iso6", b"dash", b"avc1", b"mp41"])
def test_mp4_brands(brand):
    assert judge(film(brand)) == "video/mp4"


@pytest.mark.parametrize("brand", [b"M4A "])
def test_m4a_with_isom(brand):
    assert (
        judge(struct.pack(">I", 28) + b"ftyp" + brand + bytes(4) + b"M4A mp42isom" + bytes(100))
        == "audio/mp4"
    )


@pytest.mark.parametrize(
    "head", [b"\xff\xf3\x40\xc4", b"\xff\xfb\x90\x64", b"\xff\xf2\x40\xc4", b"\xff\xfa\x90\x00"]
)
def test_mp3(head):
    assert judge((head + bytes(413)) * 3) == "audio/mpeg"


def test_a_case_of_a_unit_that_ended_still_waits_in_sight(talkers):
    sent(talkers)
    with talkers.store.write() as work:
        people.set_units(work, [Office("moi", "Công an tỉnh mới", "New", None, None, False)], TODAY)
    with talkers.store.read() as work:
        assert len(reports.open_cases(work)) == 1
        assert reports.open_cases(work, {"moi"}) == []


def test_whoever_is_forgotten_owns_no_file(talkers):
    through(talkers, *WELCOME, *OPINION[:5], Said(files=talkers.files("photo", 1)))
    with talkers.store.write() as work:
        forget_person(work, talks.key_of(work, at("an")), TODAY)
    assert all(
        row.owner is None and row.until == date.min for row in rows(talkers.store, Attachment)
    )
