from __future__ import annotations

import itertools
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select

from handlers.guessing import OF_ALL, OF_ONE, WITHIN
from handlers.reception import Taken
from handlers.telling import UNNAMED, routed
from storage import attachments, outbox, people, reports, talks
from storage.migrating import migrate
from storage.people import Office, Tree
from storage.sealing import Keys, Seal
from storage.store import Store, StoreDown, table
from storage.tables import Attachment, Case, DeadLetter, Enrolled, Report
from storage.vocabulary import Event, FileAt, Form, Message, Pressed, Said
from tests.house import UNITS, Talkers, at, open_house

WELCOME = ("/start", "1", "1")
OPINION = ("/gopy", "1", "Thủ tục ở phường rất lâu", "không nhớ", "không nhớ", "không", "không")
numbers = itertools.count()


def event(said: Said | str, who: str = "an", id: str | None = None, **more: Any) -> Event:
    said = Said(text=said) if isinstance(said, str) else said
    return Event(id or f"r{next(numbers)}", at(who), said, more.pop("now"), **more)


def together(talkers: Talkers, *events: tuple[str, Said | str]) -> list[Taken]:
    """Take what several people said in one transaction."""
    batch = [event(said, who, now=talkers.now) for who, said in events]
    with talkers.store.write() as work:
        return talkers.reception.take(work, batch, talkers.now)


def through(talkers: Talkers, *lines: Said | str, who: str = "an") -> list[Message]:
    replies: list[Message] = []
    for line in lines:
        replies = talkers.say(line, who)
    return replies


def texts(taken: Taken) -> str:
    return "\n".join(reply.message.text for reply in taken.replies)


def receipt(replies: list[Message]) -> str:
    shown = next(message.text for message in replies if message.question == "saved")
    return "".join(letter for letter in shown.splitlines()[1] if letter.isdigit())


def sent(talkers: Talkers, *, reply: str = "1", who: str = "an") -> str:
    """A whole opinion sent; returns its receipt."""
    handed_out = receipt(through(talkers, *WELCOME, *OPINION, reply, "gửi", who=who))
    talkers.say("đã lưu", who)
    return handed_out


def rows(store: Store, model: Any) -> list[Any]:
    with store.read() as work:
        return list(work.connection.execute(select(table(model))))


def reports_kept(store: Store) -> int:
    with store.read() as work:
        return reports.count(work)


def the_report(store: Store) -> Any:
    (only,) = rows(store, Report)
    return only


# -- once, in order, together -------------------------------------------------------------------


def test_an_event_taken_twice_has_one_effect(talkers: Talkers) -> None:
    through(talkers, *WELCOME, *OPINION, "1")
    once = event("gửi", now=talkers.now)
    first, second = talkers.take(once), talkers.take(once)
    assert not first.repeated and first.replies
    assert second.repeated and not second.replies
    assert reports_kept(talkers.store) == 1


def test_an_event_twice_in_one_batch_has_one_effect(talkers: Talkers) -> None:
    through(talkers, *WELCOME, *OPINION, "1")
    once = event("gửi", now=talkers.now)
    with talkers.store.write() as work:
        taken = talkers.reception.take(work, [once, once], talkers.now)
    assert [each.repeated for each in taken] == [False, True]
    assert reports_kept(talkers.store) == 1


def test_a_repeated_event_leaves_what_waits_to_be_fetched_again(talkers: Talkers) -> None:
    once = event("/start", now=talkers.now)
    said = [reply.message for reply in talkers.take(once).replies]
    talkers.take(once)
    assert talkers.waiting() == said


def test_one_id_in_two_channels_is_two_events(talkers: Talkers) -> None:
    from storage.vocabulary import Person

    for channel in ("web", "telegram"):
        one = Event("same", Person(channel, "an"), Said(text="/start"), talkers.now)
        assert not talkers.take(one).repeated


def test_two_events_of_one_person_in_one_batch_are_taken_in_order(talkers: Talkers) -> None:
    taken = together(talkers, ("an", "/start"), ("an", "1"), ("an", "1"), ("an", "/gopy"))
    assert [each.failed for each in taken] == [None] * 4
    assert "Phê bình" in str(taken[-1].replies)


def test_a_whole_report_may_stand_in_one_batch(talkers: Talkers) -> None:
    lines = (*WELCOME, *OPINION, "1", "gửi")
    taken = together(talkers, *(("an", line) for line in lines))
    assert receipt([reply.message for reply in taken[-1].replies])
    assert reports_kept(talkers.store) == 1


def test_events_of_many_persons_share_one_transaction(talkers: Talkers) -> None:
    crowd = [f"person{n}" for n in range(40)]
    for line in (*WELCOME, *OPINION, "1", "gửi"):
        taken = together(talkers, *((who, line) for who in crowd))
        assert all(each.replies and each.failed is None for each in taken)
    assert len({receipt([r.message for r in each.replies]) for each in taken}) == len(crowd)
    assert reports_kept(talkers.store) == len(crowd)


def test_results_stand_in_the_order_of_the_events(talkers: Talkers) -> None:
    taken = together(talkers, ("an", "/start"), ("binh", "/start"), ("an", "/language en"))
    with talkers.store.read() as work:
        keys = [talks.key_of(work, at(who)) for who in ("an", "binh", "an")]
    assert [each.key for each in taken] == keys


# -- a poison event -----------------------------------------------------------------------------


def test_a_poison_event_becomes_a_sealed_dead_letter_and_is_answered_kindly(
    talkers: Talkers,
) -> None:
    through(talkers, *WELCOME, "/gopy", "1", "poison words", *OPINION[3:], "1")
    taken = talkers.take(event("gửi", now=talkers.now))
    assert taken.failed == "RuntimeError"
    with talkers.store.read() as work:
        ((letter, reason, buried),) = talks.exhume(work)
    assert reason == "RuntimeError" and orjson.loads(buried)["said"]["text"] == "gửi"
    assert letter[:6] in texts(taken) and "Xin lỗi" in texts(taken)
    assert talkers.waiting()[-1].text == texts(taken)
    (row,) = rows(talkers.store, DeadLetter)
    assert "gửi".encode() not in bytes(row.sealed)


def test_a_poison_event_leaves_its_talk_as_it_was(talkers: Talkers) -> None:
    through(talkers, *WELCOME, "/gopy", "1", "poison words", *OPINION[3:], "1")
    before = _state(talkers)
    talkers.say("gửi")
    assert _state(talkers) == before
    assert reports_kept(talkers.store) == 0
    through(talkers, Said(pressed=Pressed("review", "edit.what")), "lời khác hẳn", "gửi")
    assert reports_kept(talkers.store) == 1


def _state(talkers: Talkers, who: str = "an") -> Any:
    with talkers.store.write() as work:
        key = talks.key_of(work, at(who))
        return talks.load(work, [key], talkers.now.date()).get(key)


def test_a_poison_event_blocks_nobody_in_its_batch(talkers: Talkers) -> None:
    through(talkers, *WELCOME, "/gopy", "1", "poison words", *OPINION[3:], "1")
    through(talkers, *WELCOME, *OPINION, "1", who="binh")
    before, poison, after = together(talkers, ("binh", "gửi"), ("an", "gửi"), ("chi", "/start"))
    assert (before.failed, poison.failed, after.failed) == (None, "RuntimeError", None)
    assert receipt([reply.message for reply in before.replies])
    assert "Kính chào" in texts(after)
    assert reports_kept(talkers.store) == 1


def test_a_poison_event_that_is_repeated_is_not_tried_again(talkers: Talkers) -> None:
    through(talkers, *WELCOME, "/gopy", "1", "poison words", *OPINION[3:], "1")
    poison = event("gửi", now=talkers.now)
    assert talkers.take(poison).failed
    assert talkers.take(poison).repeated
    assert len(rows(talkers.store, DeadLetter)) == 1


def test_a_dead_letter_is_destroyed_after_a_short_while(talkers: Talkers) -> None:
    through(talkers, *WELCOME, "/gopy", "1", "poison words", *OPINION[3:], "1", "gửi")
    with talkers.store.write() as work:
        talks.forget(work, talkers.now.date() + timedelta(days=15))
    assert not rows(talkers.store, DeadLetter)


# -- a store that is down -----------------------------------------------------------------------


def test_a_store_that_is_full_keeps_nothing_and_the_same_events_are_good_again(
    tmp_path: Path,
) -> None:
    store = Store(f"sqlite:///{tmp_path}/langnghe.db", Seal(Keys.new()))
    migrate(store.engine)
    talkers = open_house(store)
    through(talkers, *WELCOME, "/gopy", "1")
    long = event("x y z " * 1300, now=talkers.now)
    short = event("/start", "binh", now=talkers.now)
    before = _state(talkers)
    pages = _pragma(store, "page_count")
    _pragma(store, f"max_page_count={pages}")
    with pytest.raises(StoreDown), store.write() as work:
        talkers.reception.take(work, [short, long], talkers.now)
    _pragma(store, "max_page_count=1000000")
    assert _state(talkers) == before and _state(talkers, "binh") is None
    assert not rows(store, DeadLetter)
    assert not talkers.take(short).repeated and not talkers.take(long).repeated
    store.close()


def test_a_store_that_is_read_only_keeps_nothing(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/langnghe.db", Seal(Keys.new()))
    migrate(store.engine)
    talkers = open_house(store)
    _pragma(store, "query_only=ON")
    one = event("/start", now=talkers.now)
    with pytest.raises(StoreDown), store.write() as work:
        talkers.reception.take(work, [one], talkers.now)
    _pragma(store, "query_only=OFF")
    assert not talkers.take(one).repeated
    store.close()


def _pragma(store: Store, pragma: str) -> Any:
    connection = store.engine.raw_connection()
    try:
        found = connection.cursor().execute(f"PRAGMA {pragma}").fetchone()
    finally:
        connection.close()
    return found[0] if found else None


# -- what waits ---------------------------------------------------------------------------------


def test_an_album_of_several_events_answers_one_question_and_leaves_one_reply(
    talkers: Talkers,
) -> None:
    through(talkers, *WELCOME, *OPINION[:5])
    together(talkers, *(("an", Said(files=(FileAt(f"at{n}", "photo"),))) for n in range(3)))
    together(talkers, ("an", Said(files=(FileAt("at4", "photo"),))))
    waiting = [message for message in talkers.waiting() if message.question == "evidence"]
    assert [message.text for message in waiting] == [
        "Đã nhận 4 tệp (tối đa 10). Gửi tiếp, hoặc chọn Xong."
    ]
    with talkers.store.read() as work:
        assert len(attachments.claim(work, talkers.now, talkers.now)) == 4


def test_the_waiting_message_of_a_question_goes_when_the_question_is_answered(
    talkers: Talkers,
) -> None:
    through(talkers, *WELCOME, "/gopy")
    assert [message.question for message in talkers.waiting()][-1] == "kind"
    talkers.say("1")
    questions = [message.question for message in talkers.waiting()]
    assert "kind" not in questions and questions[-1] == "what"


def test_a_question_answered_in_the_batch_that_asked_it_never_waits(talkers: Talkers) -> None:
    through(talkers, *WELCOME)
    together(talkers, ("an", "/gopy"), ("an", "1"))
    assert "kind" not in [message.question for message in talkers.waiting()]


def test_messages_that_were_seen_are_deleted(talkers: Talkers) -> None:
    first = talkers.take(event("/start", now=talkers.now))
    ids = tuple(reply.id for reply in first.replies)
    talkers.take(event("xin", now=talkers.now, seen=ids))
    with talkers.store.read() as work:
        left = {each.id for each in outbox.waiting(work, first.key, talkers.now)}
    assert not left & set(ids)


def test_nobody_deletes_the_messages_of_another(talkers: Talkers) -> None:
    first = talkers.take(event("/start", now=talkers.now))
    ids = tuple(reply.id for reply in first.replies)
    talkers.take(event("/start", "binh", now=talkers.now, seen=ids))
    assert [message.question for message in talkers.waiting()] == ["handle"]


def test_what_nobody_came_for_is_deleted_after_its_days(talkers: Talkers) -> None:
    talkers.say("/start")
    with talkers.store.write() as work:
        outbox.expire(work, talkers.now.date() + timedelta(days=8))
    assert not talkers.waiting()


# -- invitations and guesses --------------------------------------------------------------------


def test_an_invitation_raced_by_two_people_in_one_batch_enrols_one(talkers: Talkers) -> None:
    code = talkers.invite("analyst", "tinh")
    together(talkers, ("an", Said(start=code)), ("binh", Said(start=code)))
    one, other = together(talkers, ("an", "1"), ("binh", "1"))
    assert "Đã ghi danh" in texts(one)
    assert "đã dùng" in texts(other)
    assert len(rows(talkers.store, Enrolled)) == 1


def test_an_invitation_raced_over_two_batches_enrols_one(talkers: Talkers) -> None:
    code = talkers.invite("analyst", "tinh")
    talkers.say(code, "an")
    talkers.say(code, "binh")
    talkers.say("1", "an")
    assert "đã dùng" in str(talkers.say("1", "binh"))
    assert "đã dùng" in str(talkers.say(code, "chi"))


def test_an_invitation_that_expired_is_worth_nothing(talkers: Talkers) -> None:
    code = talkers.invite("analyst", "tinh")
    talkers.later(days=8)
    assert "hết hạn" in str(talkers.say(Said(start=code)))
    assert not rows(talkers.store, Enrolled)


def test_a_sender_who_guesses_is_slowed_and_forgiven_after_the_span(talkers: Talkers) -> None:
    good = sent(talkers, who="binh")
    talkers.say("/tracuu")
    for guess in range(OF_ONE):
        assert "Không tìm thấy" in str(talkers.say(f"{guess:016d}"))
    assert "thử lại sau 15 phút" in str(talkers.say(good))
    assert "HỒ SƠ" in str(talkers.say(good, "binh"))
    talkers.later(seconds=WITHIN.total_seconds())
    assert "HỒ SƠ" in str(talkers.say(good))


def test_wrong_invitations_and_wrong_receipts_count_together(talkers: Talkers) -> None:
    through(talkers, *WELCOME)
    for guess in range(OF_ONE):
        talkers.say("/tracuu" if guess % 2 else "/moi")
        talkers.say(f"{guess:016d}" if guess % 2 else f"aaaa-bbbb-ccc{'abcdef'[guess]}")
    talkers.say("/moi")
    assert "thử lại sau" in str(talkers.say("aaaa-bbbb-cccz"))


def test_all_senders_together_are_slowed_and_forgiven_after_the_span(talkers: Talkers) -> None:
    good = sent(talkers, who="binh")
    crowd = [f"guesser{n}" for n in range(OF_ALL // 4)]
    for guess in range(4):
        together(talkers, *((who, f"{guess:016d}") for who in crowd))
    assert "thử lại sau" in str(talkers.say(good, "binh"))
    talkers.later(seconds=WITHIN.total_seconds())
    assert "HỒ SƠ" in str(talkers.say(good, "binh"))


# -- where a report goes ------------------------------------------------------------------------

TREE = Tree(
    {
        unit.id: unit
        for unit in (
            *UNITS,
            Office("to-1", "Tổ 1", "Team 1", "ben-thanh", "79.to1", False),
        )
    }
)
ROUTES = [
    ("79.benthanh", None, "ben-thanh"),
    (None, None, "tinh"),
    ("no.such.ward", None, "tinh"),
    ("79.benthanh", "tan-dinh", "ben-thanh"),
    ("79.benthanh", "ben-thanh", "tinh"),
    ("79.to1", "ben-thanh", "tinh"),
    ("79.to1", "to-1", "ben-thanh"),
    ("79.benthanh", "to-1", "ben-thanh"),
    ("79.benthanh", "tinh", "thanh-tra"),
    (None, "tinh", "thanh-tra"),
    ("79.benthanh", UNNAMED, "thanh-tra"),
    (None, UNNAMED, "thanh-tra"),
    ("79.benthanh", "a-unit-that-is-gone", "thanh-tra"),
    ("79.benthanh", "thanh-tra", "ben-thanh"),
    (None, "thanh-tra", "tinh"),
]


@pytest.mark.parametrize(("ward", "about", "to"), ROUTES)
def test_a_report_goes_to_whom_it_does_not_concern(
    ward: str | None, about: str | None, to: str
) -> None:
    assert routed(TREE, ward, about) == to


@pytest.mark.parametrize("ward", [None, *(unit.ward for unit in TREE.units.values() if unit.ward)])
@pytest.mark.parametrize("about", [UNNAMED, *TREE.units])
def test_no_report_goes_to_the_unit_it_is_about_or_below_it(ward: str | None, about: str) -> None:
    assert about not in TREE.units or routed(TREE, ward, about) not in TREE.below(about)


def test_a_report_about_a_unit_is_stored_with_its_superior(talkers: Talkers) -> None:
    through(talkers, *WELCOME, "/gopy", "1", "Cán bộ gây khó dễ", "ben thanh", "1", "1")
    through(talkers, "không", "có", "bến thành", "1", "gửi")
    report = the_report(talkers.store)
    assert (report.ward, report.about, report.unit) == ("79.benthanh", "ben-thanh", "tinh")


def test_a_report_about_a_unit_nobody_can_name_goes_to_the_inspection_desk(
    talkers: Talkers,
) -> None:
    through(talkers, *WELCOME, *OPINION[:-1], "có", "không biết", "1", "gửi")
    report = the_report(talkers.store)
    assert (report.about, report.unit) == (UNNAMED, "thanh-tra")


# -- what is kept and what is not ---------------------------------------------------------------


def test_a_report_is_tagged_with_the_words_that_caused_the_tags(talkers: Talkers) -> None:
    through(talkers, "/start", "1", "1", "/tinbao", "1", "bán ma túy ở hẻm 12", *OPINION[3:])
    through(talkers, "1", "gửi")
    report = the_report(talkers.store)
    assert report.topic == "drugs" and report.sentiment == "neutral"
    with talkers.store.read() as work:
        assert reports.reasons(work, report.id)["topic"] == ("drugs", 0.9, ["bán"])


def test_who_refuses_the_machine_gets_no_tags(talkers: Talkers) -> None:
    through(talkers, "/start", "1", "2", *OPINION, "1", "gửi")
    report = the_report(talkers.store)
    assert (report.topic, report.sentiment, report.urgency, report.also) == (None, None, None, "")
    with talkers.store.read() as work:
        assert reports.reasons(work, report.id) == {}


def test_who_changes_their_mind_about_the_machine_is_heeded_from_then_on(talkers: Talkers) -> None:
    sent(talkers)
    through(talkers, "/quyen", "4", *OPINION, "1", "gửi")
    tagged = sorted(report.topic is not None for report in rows(talkers.store, Report))
    assert tagged == [False, True]


def test_who_refuses_everything_leaves_no_report_and_is_asked_again(talkers: Talkers) -> None:
    through(talkers, "/start", "2")
    assert "Kính chào" in str(talkers.say("/gopy"))
    assert reports_kept(talkers.store) == 0


@pytest.mark.parametrize(("reply", "kept"), [("1", False), ("2", True)])
def test_the_sender_s_address_is_kept_on_wish_only(
    talkers: Talkers, reply: str, kept: bool
) -> None:
    code = sent(talkers, reply=reply)
    (case,) = rows(talkers.store, Case)
    assert (case.notice is not None) is kept
    talkers.answer(code, "Đã xử lý")
    told = [message.text for message in talkers.waiting() if "trả lời mới" in message.text]
    assert bool(told) is kept


def test_a_contact_left_is_sealed_in_the_report_and_no_address_is_kept(talkers: Talkers) -> None:
    through(talkers, *WELCOME, *OPINION, "3", "0901 234 567", "gửi")
    (case,) = rows(talkers.store, Case)
    assert case.notice is None
    with talkers.store.read() as work:
        assert reports.body(work, case.report)["contact"] == "0901 234 567"


def test_the_sender_s_address_is_destroyed_when_the_case_closes(talkers: Talkers) -> None:
    sent(talkers, reply="2")
    (case,) = rows(talkers.store, Case)
    with talkers.store.write() as work:
        assert reports.move(work, case.report, "closed", date(2026, 12, 1)) == (at("an"), "vi")
    (case,) = rows(talkers.store, Case)
    assert case.notice is None and case.state == "closed"
    with talkers.store.write() as work:
        assert reports.move(work, case.report, "answered", date(2026, 12, 2)) is None


def test_files_belong_to_the_report_and_name_no_owner_after_sending(talkers: Talkers) -> None:
    through(talkers, *WELCOME, *OPINION[:5], Said(files=talkers.files("photo", 2)))
    before = rows(talkers.store, Attachment)
    assert all(row.owner and row.until and row.report is None for row in before)
    through(talkers, "xong", "không", "1", "gửi")
    report = the_report(talkers.store)
    after = rows(talkers.store, Attachment)
    assert [(row.owner, row.until, row.report) for row in after] == [(None, None, report.id)] * 2


def test_files_sent_with_the_story_belong_to_the_report_too(talkers: Talkers) -> None:
    photo = Said(files=talkers.files("photo", 1))
    through(talkers, *WELCOME, "/gopy", "1", photo, "ảnh này chụp ở chợ", *OPINION[3:], "1", "gửi")
    (row,) = rows(talkers.store, Attachment)
    assert row.report == the_report(talkers.store).id


def test_files_of_a_cancelled_talk_are_let_go(talkers: Talkers) -> None:
    through(talkers, *WELCOME, *OPINION[:5], Said(files=talkers.files("photo", 1)), "/huy")
    with talkers.store.write() as work:
        attachments.expire(work, talkers.now.date())
    assert not rows(talkers.store, Attachment)


def test_where_a_file_lies_is_sealed(talkers: Talkers) -> None:
    photo = Said(files=(FileAt("a-locator-of-the-platform", "photo"),))
    through(talkers, *WELCOME, *OPINION[:5], photo)
    (row,) = rows(talkers.store, Attachment)
    assert b"a-locator" not in bytes(row.locator)
    with talkers.store.read() as work:
        (lying,) = attachments.claim(work, talkers.now, talkers.now)
    assert lying.locator == "a-locator-of-the-platform"


def test_after_a_talk_nothing_of_it_is_kept_with_the_address(talkers: Talkers) -> None:
    sent(talkers)
    state = _state(talkers)
    assert state["running"] is None and state["aside"] is None
    assert "Thủ tục" not in str(state)


def test_words_added_under_a_receipt_reach_the_case_from_another_channel(talkers: Talkers) -> None:
    code = sent(talkers)
    photo = Said(files=talkers.files("photo", 1))
    through(talkers, code, "1", photo, "xin bổ sung ảnh này", who="binh")
    with talkers.store.read() as work:
        known = reports.by_receipt(work, code)
        assert known is not None
        assert [(inward, text) for inward, text, _ in known.messages] == [
            (True, "xin bổ sung ảnh này")
        ]
        assert len(attachments.of_report(work, known.report)) == 1


def test_a_sender_who_is_not_content_opens_the_case_again(talkers: Talkers) -> None:
    code = sent(talkers)
    talkers.answer(code, "Đã xử lý")
    through(talkers, code, "3")
    (case,) = rows(talkers.store, Case)
    assert (case.state, case.contented) == ("reopened", False)


def test_words_past_their_time_are_destroyed_and_labels_stay(talkers: Talkers) -> None:
    through(talkers, *WELCOME, "/tinbao", "1", "bán ma túy ở hẻm 12", *OPINION[3:5])
    through(talkers, Said(files=talkers.files("photo", 1)), "xong", "không", "2", "gửi", "đã lưu")
    report = the_report(talkers.store)
    with talkers.store.write() as work:
        assert reports.forget(work, report.told) == 0
        reports.say(work, report.id, False, "Đang xác minh", report.told)
        assert reports.forget(work, report.told + timedelta(days=1)) == 1
        assert reports.forget(work, report.told + timedelta(days=1)) == 0
        assert reports.body(work, report.id) == {}
        known = reports.by_alias(work, rows(talkers.store, Case)[0].alias)
    assert known is not None and known.messages == ()
    assert not rows(talkers.store, Attachment)
    (case,) = rows(talkers.store, Case)
    assert (case.notice, case.state) == (None, "closed")
    after = the_report(talkers.store)
    assert (after.topic, after.sentiment, after.unit) == ("drugs", "neutral", report.unit)


# -- forms written elsewhere --------------------------------------------------------------------


def forms(talkers: Talkers, *written: tuple[str, Form]) -> list[Taken]:
    batch = [event(Said(form=form), id, id, now=talkers.now) for id, form in written]
    with talkers.store.write() as work:
        return talkers.reception.take(work, batch, talkers.now)


def test_a_form_is_one_report_however_often_it_is_brought_in(talkers: Talkers) -> None:
    form = Form("Đường làng hỏng nặng", "ben-thanh", "hotline")
    first = forms(talkers, ("one", form), ("two", form))
    again = forms(talkers, ("one", form), ("two", form))
    assert [each.repeated for each in first + again] == [False, False, True, True]
    assert reports_kept(talkers.store) == 2
    assert {(r.unit, r.channel) for r in rows(talkers.store, Report)} == {("ben-thanh", "hotline")}


def test_an_empty_form_and_an_unknown_unit_are_left_out(talkers: Talkers) -> None:
    good = Form("Đường làng hỏng nặng")
    taken = forms(
        talkers,
        ("empty", Form(" \u200b\n ")),
        ("unknown", Form("Đường hỏng", "no-such-unit")),
        ("good", good),
    )
    assert [each.failed for each in taken] == ["NotAReport", "NoSuchUnit", None]
    assert [report.unit for report in rows(talkers.store, Report)] == ["tinh"]


def test_a_form_starts_no_talk(talkers: Talkers) -> None:
    forms(talkers, ("one", Form("Đường làng hỏng nặng")))
    with talkers.store.read() as work:
        assert outbox.count(work) == 0
    assert _state(talkers, "one") is None


# -- bad input ----------------------------------------------------------------------------------

BAD = [
    "",
    " \n\t ",
    "\x00\x07\x1b[31m",
    "\u202e\u202d\u2066",
    "🙂" * 50,
    "x" * 1_000_000,
    "dòng\n" * 10_000,
    "Xin cha\u0300o ca\u0301c anh",
    "{0} {typed} %s",
    "'; DROP TABLE report; --",
    "/",
    "/khong_co_lenh_nay",
    "\ud800",
]


# A story would take these for its words; everywhere else they are no answer.
SHORT = [text for text in BAD if sum(letter.isalnum() for letter in text) < 3]


def test_bad_input_is_answered_at_every_question_and_leaves_nothing(talkers: Talkers) -> None:
    for line in (*WELCOME, "/gopy", "1", *OPINION[2:], "2", "gửi"):
        taken = together(talkers, *(("an", text) for text in SHORT))
        assert all(each.replies and each.failed is None for each in taken), line
        talkers.say(line)
    assert reports_kept(talkers.store) == 1 and not rows(talkers.store, DeadLetter)


def test_bad_input_in_mid_talk_changes_no_answer(talkers: Talkers) -> None:
    through(talkers, *WELCOME, "/gopy")
    before = _state(talkers)
    for text in BAD:
        assert talkers.say(text)
        assert _state(talkers) == before, ascii(text[:12])


def test_how_many_reports_there_are_is_counted(talkers: Talkers) -> None:
    with talkers.store.read() as work:
        query = select(func.count()).select_from(table(Report))
        assert work.connection.execute(query).scalar_one() == reports.count(work) == 0


def test_wrong_guesses_that_are_over_leave_no_row(talkers: Talkers) -> None:
    talkers.say(f"{1:016d}")
    with talkers.store.write() as work:
        assert people.forgive(work, talkers.now + timedelta(hours=1)) == 2
