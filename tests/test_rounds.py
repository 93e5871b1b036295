from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from storage import people, rounds, talks
from storage.people import Member
from storage.prompting import round_in
from storage.store import Store
from storage.vocabulary import Event, Pressed, Said
from tests.house import at
from tests.panel import Panel, open_panel, shipped, texts, unhurried


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[Panel]:
    opened = open_panel(unhurried(tmp_path / "langnghe.db"))
    yield opened
    opened.store.close()


@pytest.fixture
def everywhere(store: Store) -> Panel:
    """On both engines, for what they could do differently."""
    return open_panel(store)


def test_a_pulse_goes_from_its_file_to_the_supervisor(everywhere: Panel) -> None:
    panel = everywhere
    officers = [f"o{n}" for n in range(12)]
    panel.enrol(*officers)
    panel.enrol("chief", role="supervisor", unit="tinh")
    panel.start(shipped("monthly-pulse", when="once"))
    assert panel.tick()
    for number, who in enumerate(officers):
        said = panel.answer(who, str(1 + number % 2), "4", "5", "xong", "bỏ qua")
        assert "Xin xem lại" in texts(said)
        assert "Đã ghi nhận" in texts(panel.say(who, "gửi"))
    with panel.store.read() as work:
        assert rounds.results(work, panel.round().id) == {}
    panel.close()
    assert panel.round().state == "closed"
    panel.later(days=3)
    panel.tick()
    result = texts(panel.house.waiting("chief"))
    assert "KẾT QUẢ: Thăm dò tâm tư hằng tháng" in result
    assert "Số người trả lời: 12" in result
    assert "• 1: 6 (50 %)\n• 2–5 hoặc không trả lời: 6 (50 %)" in result


TAPS = ("3", "4", "5", "xong", "bỏ qua", "gửi")


def a_pulse(panel: Panel, count: int = 12, **changes: Any) -> list[str]:
    officers = [f"o{n}" for n in range(count)]
    panel.enrol(*officers)
    panel.start(shipped("monthly-pulse", when="once", **changes))
    panel.tick()
    return officers


def ballots(panel: Panel) -> int:
    with panel.store.read() as work:
        return int(work.connection.execute(text("SELECT count(*) FROM ballot")).scalar_one())


def test_an_empty_group_opens_a_round_that_asks_nobody_and_shows_nothing(panel: Panel) -> None:
    panel.enrol("chief", role="supervisor", unit="tinh")
    panel.start(shipped("nine-months", when="once"))
    assert not panel.tick()
    panel.close()
    assert panel.round().state == "few"
    panel.later(days=3)
    panel.tick()
    assert "Chưa đủ 10 người trả lời" in texts(panel.house.waiting("chief"))


def test_a_closed_round_s_button_and_the_rest_of_a_talk_are_too_late(panel: Panel) -> None:
    officers = a_pulse(panel)
    button = Said(pressed=Pressed(f"round:{panel.round().id}", "answer"))
    panel.answer("o1", *TAPS[:-1])
    panel.close()
    assert "đã kết thúc" in texts(panel.say("o0", button))
    assert "đã kết thúc" in texts(panel.say("o1", "gửi"))
    assert ballots(panel) == 0 and len(officers) == 12


def test_a_late_answer_counts_within_the_grace_time(panel: Panel) -> None:
    a_pulse(panel, grace_days=2)
    panel.house.now = panel.round().closes + timedelta(hours=5)
    panel.tick()
    assert "Đã ghi nhận" in texts(panel.answer("o0", *TAPS))
    assert ballots(panel) == 1


def test_double_taps_count_once(everywhere: Panel) -> None:
    panel = everywhere
    a_pulse(panel)
    button = Said(pressed=Pressed(f"round:{panel.round().id}", "answer"))
    assert panel.say("o0", button)[-1].question == "promise"
    assert panel.say("o0", button)[-1].question == "promise"
    panel.say("o0", "1", *TAPS)
    assert ballots(panel) == 1
    assert "đã trả lời đợt này rồi" in texts(panel.say("o0", button))
    send = Said(pressed=Pressed("review", "send"))
    panel.say("o0", send)
    assert ballots(panel) == 1


def test_twenty_people_answer_in_one_second(everywhere: Panel) -> None:
    panel = everywhere
    officers = a_pulse(panel, 20)
    for who in officers:
        panel.answer(who, *TAPS[:-1])
    events = [Event(f"send-{who}", at(who), Said(text="gửi"), panel.now) for who in officers]
    with panel.store.write() as work:
        taken = panel.house.reception.take(work, events, panel.now)
    assert all("Đã ghi nhận" in texts([r.message for r in each.replies]) for each in taken)
    assert ballots(panel) == 20


def test_nobody_answers_after_leaving(panel: Panel) -> None:
    a_pulse(panel)
    panel.answer("o0", *TAPS[:2])
    panel.say("o0", "/dung", "4", "1")
    assert "thôi tham gia" in texts(panel.say("o0", "/tieptuc", *TAPS[2:]))
    assert ballots(panel) == 0
    button = Said(pressed=Pressed(f"round:{panel.round().id}", "answer"))
    assert "dành cho người được mời" in texts(panel.say("o0", button))


def test_somebody_who_moves_to_another_unit_is_asked_once_and_by_one_of_them(
    panel: Panel,
) -> None:
    a_pulse(panel)
    panel.answer("o0", *TAPS)
    with panel.store.write() as work:
        key = talks.key_of(work, at("o0"))
        moved = Member("o0-moved", "officer", "tan-dinh", "vi")
        people.enrol(work, moved, key, at("o0"), panel.now.date())
    assert "không có đợt hỏi nào" in texts(panel.say("o0", "/traloi"))
    button = Said(pressed=Pressed(f"round:{panel.round().id}", "answer"))
    assert "không hỏi đồng chí" in texts(panel.say("o0", button))
    panel.tick()
    assert ballots(panel) == 1


def test_units_that_hold_one_another_ask_nobody_twice(panel: Panel) -> None:
    who = {"roles": ("officer",), "units": ("tinh", "ben-thanh"), "organisations": ()}
    officers = a_pulse(panel, who=who)
    assert all(len(panel.house.waiting(one)) == 1 for one in officers)


def test_whoever_is_busy_is_told_at_the_end(panel: Panel) -> None:
    panel.enrol("o0", "o1")
    panel.say("o0", "/tinbao", "1", "có nhóm người đánh bạc ở cuối chợ")
    panel.say("o1", "/menu")
    panel.start(shipped("monthly-pulse", when="once"))
    panel.tick()
    called = [m for m in panel.house.waiting("o0") if round_in(m.question or "")]
    assert called == []
    assert any(round_in(m.question or "") for m in panel.house.waiting("o1"))
    assert "Đến đợt" not in texts(panel.say("o0", "không nhớ"))
    assert "Đến đợt: Thăm dò" in texts(panel.say("o0", "/huy"))
    panel.tick()
    assert "Đến đợt" not in texts(panel.say("o0", "/tinbao", "/huy"))


def test_at_night_the_end_of_a_talk_tells_nothing_and_the_morning_does(panel: Panel) -> None:
    panel.enrol("o0")
    panel.say("o0", "/tinbao", "1")
    panel.start(shipped("monthly-pulse", when="once"))
    panel.tick()
    panel.house.now = panel.now.replace(hour=15)
    assert "Đến đợt" not in texts(panel.say("o0", "/huy"))
    panel.later(hours=12)
    panel.tick()
    assert "Đến đợt" in texts(panel.house.waiting("o0"))


def test_whoever_rests_is_not_asked_and_not_reminded(everywhere: Panel) -> None:
    panel = everywhere
    panel.enrol("o0", "o1")
    panel.say("o0", "/dung", "1")
    panel.start(shipped("monthly-pulse", when="once"))
    panel.tick()
    assert panel.house.waiting("o0")[-1].question is None
    panel.say("o1", "/dung", "2")
    panel.later(days=3)
    assert not panel.tick()


def test_too_few_answers_leave_nothing_behind(everywhere: Panel) -> None:
    panel = everywhere
    officers = a_pulse(panel)
    for who in officers[:9]:
        panel.answer(who, "1", "1", "1", "xong", "đổi ca trực", "gửi")
    panel.close()
    assert panel.round().state == "few"
    with panel.store.read() as work:
        for name in ("ballot", "tally", "saying"):
            found = work.connection.execute(text(f"SELECT count(*) FROM {name}")).scalar()
            assert found == 0, name


def test_the_floor_that_was_promised_stays_when_the_setting_changes(panel: Panel) -> None:
    officers = a_pulse(panel)
    for who in officers[:9]:
        panel.answer(who, *TAPS)
    panel.office = replace(panel.office, smallest_panel=5)
    panel.close()
    assert panel.round().state == "few"


def test_words_are_shown_once_an_analyst_has_passed_them(everywhere: Panel) -> None:
    panel = everywhere
    officers = a_pulse(panel)
    panel.enrol("chief", role="supervisor", unit="tinh")
    panel.enrol("analyst", role="analyst", unit="tinh")
    for who in officers:
        panel.answer(who, *TAPS[:4], f"đổi ca trực {who}", "gửi")
    panel.close()
    shown = texts(panel.say("analyst", "/duyet"))
    assert "đổi ca trực" in shown and "Bến Thành" not in shown
    panel.say("analyst", "cho nêu", "giữ lại")
    panel.say("analyst", "dừng")
    panel.say("chief", "/ketqua", "1", "1")
    assert panel.tick()
    result = texts(panel.house.waiting("chief"))
    assert result.count("– đổi ca trực") == 1
    assert "Bến Thành" not in result


def test_a_campaign_that_was_answered_stays_as_it_is(panel: Panel) -> None:
    a_pulse(panel)
    with panel.store.write() as work:
        rounds.set_campaign(work, shipped("monthly-pulse", when="once", open_days=9), panel.now)
    panel.answer("o0", *TAPS)
    with panel.store.write() as work, pytest.raises(rounds.Fixed):
        rounds.set_campaign(work, shipped("monthly-pulse", when="once", open_days=7), panel.now)
    with panel.store.write() as work:
        assert rounds.close_campaign(work, "monthly-pulse", panel.now)
    panel.later(minutes=1)
    panel.tick()
    assert panel.round().state == "few"


def test_what_others_raised_may_be_confirmed_without_seeing_whose_it_was(panel: Panel) -> None:
    ctv = [f"c{n}" for n in range(10)]
    panel.enrol(*ctv, role="collaborator", unit="tinh")
    panel.enrol("analyst", role="analyst", unit="tinh")
    panel.start(shipped("opinion-round", when="0 8 * * 2"))
    panel.later(days=7)
    panel.tick()
    for who in ctv:
        matter = ("1", "3", f"đường hỏng do {who} nêu", "2", "4", "1", "bỏ qua")
        panel.answer(who, *matter, "gửi, kết thúc")
    panel.say("c0", "/phananh", "1", "2", "1", "tin sai lan truyền", "1", "1", "1", "bỏ qua", "gửi")
    assert ballots(panel) == 11
    panel.close()
    panel.say("analyst", "/duyet", "cho nêu", "cho nêu", "dừng")
    panel.later(days=2)
    panel.tick()
    asked = texts(panel.answer("c3"))
    assert "Đồng chí cũng nghe thấy ý nào?" in asked
    panel.say("c3", "1", "xong", *matter, "gửi, kết thúc")
    for number, who in enumerate(each for each in ctv if each != "c3"):
        panel.answer(who, *(("1",) if number < 4 else ()), "xong", *matter, "gửi, kết thúc")
    panel.enrol("chief", role="supervisor", unit="tinh")
    panel.close()
    with panel.store.read() as work:
        newest, first = rounds.closed_rounds(work, 9)
        assert (newest.state, first.state) == ("closed", "closed")
        assert rounds.tallies(work, first.id)["whose"]["tinh"] == {"people": 10}
    panel.tick()
    result = texts(panel.house.waiting("chief"))
    assert "CŨNG NGHE THẤY" in result and "– 5 người" in result


def test_attendance_is_done_or_not_done(
    everywhere: Panel,
) -> None:
    panel = everywhere
    officers = a_pulse(panel, 6)
    panel.enrol("chief", role="supervisor", unit="tinh")
    panel.answer(officers[0], *TAPS)
    panel.close()
    mine = texts(panel.say(officers[0], "/thamgia", "1"))
    assert "đã tham gia 1 trên 1 đợt hỏi" in mine and ": đã tham gia" in mine
    counts = texts(panel.say("chief", "/thamgia", "12 tháng"))
    assert "1/6 người" in counts and "Công an phường Bến Thành: 1/6" in counts


def test_a_supervisor_of_a_small_unit_sees_the_panel_above(panel: Panel) -> None:
    panel.enrol(*(f"b{n}" for n in range(10)))
    panel.enrol(*(f"t{n}" for n in range(4)), unit="tan-dinh")
    panel.enrol("chief", role="supervisor", unit="tan-dinh")
    panel.enrol("top", role="supervisor", unit="tinh")
    panel.start(shipped("monthly-pulse", when="once"))
    panel.tick()
    for number, who in enumerate(panel.names[:14]):
        panel.answer(who, str(1 + number % 2), *TAPS[1:])
    panel.close()
    panel.later(days=3)
    panel.tick()
    result = texts(panel.house.waiting("chief"))
    assert "tính chung với đơn vị khác" in result
    assert "Số người trả lời: 14" in result
    panel.say("top", "/ketqua", "1", "2", "bến thành")
    panel.tick()
    assert "tính chung với đơn vị khác" in texts(panel.house.waiting("top")[-1:])


def test_whoever_is_busy_when_reminders_go_out_is_reminded_later(everywhere: Panel) -> None:
    panel = everywhere
    panel.enrol("o0", "o1")
    panel.start(shipped("monthly-pulse", when="once"))
    panel.tick()
    panel.later(days=3)
    panel.say("o0", "/tinbao", "1")
    panel.tick()
    assert "Nhắc lại" not in texts(panel.house.waiting("o0"))
    assert "Nhắc lại" in texts(panel.house.waiting("o1"))
    panel.say("o0", "/huy")
    panel.tick()
    assert "Nhắc lại" in texts(panel.house.waiting("o0"))


def test_an_answer_to_questions_that_were_changed_meanwhile_is_not_taken(panel: Panel) -> None:
    a_pulse(panel)
    panel.answer("o0", *TAPS[:-1])
    other = shipped("nine-months").question
    with panel.store.write() as work:
        mended = shipped("monthly-pulse", when="once", question=[q.model_dump() for q in other])
        rounds.set_campaign(work, mended, panel.now)
    assert "vừa được sửa" in texts(panel.say("o0", "gửi"))
    assert ballots(panel) == 0


def test_a_person_sees_what_is_kept_of_them(panel: Panel) -> None:
    a_pulse(panel)
    panel.say("o0", "/doanthe", "1, 2", "xong")
    panel.answer("o0", *TAPS)
    panel.close()
    kept = texts(panel.say("o0", "/quyen", "1"))
    assert "Đoàn Thanh niên, Hội Phụ nữ" in kept
    assert "đã tham gia: 1 trên 1" in kept
    panel.say("o0", "/quyen", "xóa dữ liệu của tôi", "xóa")
    with panel.store.read() as work:
        assert rounds.affiliations(work, "o0") == []


def test_a_campaign_of_an_organisation_asks_its_members_only(panel: Panel) -> None:
    panel.enrol("o0", "o1")
    panel.say("o0", "/doanthe", "1", "xong")
    panel.start(shipped("nine-months", when="once"))
    panel.tick()
    assert any(round_in(m.question or "") for m in panel.house.waiting("o0"))
    assert not any(round_in(m.question or "") for m in panel.house.waiting("o1"))


def test_the_result_of_one_unit_s_campaign_goes_to_those_it_concerns(panel: Panel) -> None:
    who = {"roles": ("officer",), "units": ("ben-thanh",), "organisations": ()}
    for unit in ("ben-thanh", "tan-dinh", "tinh"):
        panel.enrol(f"chief-{unit}", role="supervisor", unit=unit)
    officers = a_pulse(panel, who=who)
    for one in officers:
        panel.answer(one, *TAPS)
    panel.close()
    panel.later(days=3)
    panel.tick()
    assert "KẾT QUẢ" in texts(panel.house.waiting("chief-ben-thanh"))
    assert "KẾT QUẢ" in texts(panel.house.waiting("chief-tinh"))
    assert "KẾT QUẢ" not in texts(panel.house.waiting("chief-tan-dinh"))
    assert "Chưa có đợt hỏi" in texts(panel.say("chief-tan-dinh", "/ketqua"))


def test_the_longest_answers_there_can_be_fit_and_have_the_size_of_the_shortest(
    panel: Panel,
) -> None:
    wide = [{"id": f"option_{n:02}_{'x' * 8}", "vi": f"Mục {n}"} for n in range(20)]
    questions = [
        *({"key": f"text{n}", "kind": "text", "text": {"vi": "?"}} for n in range(5)),
        *(
            {"key": f"list{n}", "kind": "several", "text": {"vi": "?"}, "options": wide}
            for n in range(5)
        ),
    ]
    who = {"roles": ("collaborator",), "units": (), "organisations": ()}
    panel.enrol("a", "b", role="collaborator", unit="tinh")
    made = shipped(
        "opinion-round", when="once", question=questions, who=who, confirm=False, languages=["vi"]
    )
    panel.start(made)
    panel.tick()
    numbers = ", ".join(str(n + 1) for n in range(20))
    longest = ("abcd" + "😀😁" * 248,) * 5 + (numbers, "xong") * 5
    panel.answer("a", *(*longest, "2") * 4, *longest)
    panel.answer("b", *("bỏ qua",) * 5, *("xong",) * 5)
    with panel.store.read() as work:
        talking = work.connection.execute(text("SELECT length(state) FROM talk")).scalars().all()
        replies = "SELECT length(sealed) FROM outgoing WHERE question LIKE 'again%'"
        waiting = work.connection.execute(text(replies)).scalars().all()
    assert len(talking) == len(waiting) == 2
    assert len(set(talking)) == len(set(waiting)) == 1
    panel.say("a", "1")
    panel.say("b", "1")
    with panel.store.read() as work:
        sizes = work.connection.execute(text("SELECT length(sealed) FROM ballot")).scalars().all()
    assert len(sizes) == 2 and len(set(sizes)) == 1
