"""Staff who speak with somebody at the platform, and consents taken back there."""

from __future__ import annotations

from datetime import date

from storage import attachments, people, reports, talks
from storage.vocabulary import FileAt, Message, Said
from tests.house import Talkers, at

STORY = "có nhóm thanh niên bán ma túy ở đầu hẻm 12"
STAFF = Said(staff=True)


def until_asked_where(talkers: Talkers) -> list[Message]:
    for words in ("/start", "1", "1", "/tinbao", "1", STORY):
        heard = talkers.say(words)
    assert heard[-1].question == "where"
    return heard


def told(talkers: Talkers) -> int:
    with talkers.store.read() as work:
        return reports.count(work)


def test_while_staff_speak_nothing_is_said_and_nothing_comes_of_what_is_said(
    talkers: Talkers,
) -> None:
    until_asked_where(talkers)
    assert talkers.say(STAFF) == []
    for said in ("đầu hẻm 12", "1", STORY, Said(files=(FileAt("f", "photo"),)), Said(unread=True)):
        assert talkers.say(said) == []
    with talkers.store.read() as work:
        assert not attachments.any_waiting(work)
    assert told(talkers) == 0


def test_half_an_hour_after_their_last_word_the_bot_speaks_again(talkers: Talkers) -> None:
    talkers.say("/start")
    talkers.say(STAFF)
    talkers.later(minutes=20)
    talkers.say(STAFF)
    talkers.later(minutes=29)
    assert talkers.say("xin chào") == []
    talkers.later(minutes=1)
    assert talkers.say("xin chào") != []


def test_what_is_said_after_staff_answers_no_question_of_before(talkers: Talkers) -> None:
    until_asked_where(talkers)
    talkers.say(STAFF)
    talkers.later(minutes=31)
    heard = talkers.say("dạ cảm ơn")
    assert heard[-1].question != "when"
    assert talkers.say("/tieptuc")[-1].question == "where"  # it waits, as what is set aside does


def test_a_command_or_a_menu_word_brings_the_bot_back(talkers: Talkers) -> None:
    talkers.say("/start")
    for words in ("/menu", "menu"):
        talkers.say(STAFF)
        assert talkers.say("/khong_co_lenh_nay") == []
        assert talkers.say(words) != []
        assert talkers.say("xin chào") != []


def test_danger_is_answered_also_then_and_nothing_else(talkers: Talkers) -> None:
    talkers.say("/start")
    talkers.say(STAFF)
    heard = talkers.say("cứu tôi với, nó đang cầm dao đuổi theo tôi")
    assert len(heard) == 1 and "113" in heard[0].text and heard[0].question is None


def test_staff_may_speak_with_somebody_who_has_never_been_here(talkers: Talkers) -> None:
    assert talkers.say(STAFF, "binh") == []
    assert talkers.say("xin chào", "binh") == []
    talkers.later(hours=1)
    assert "Kính chào" in talkers.say("xin chào", "binh")[0].text


def test_a_restart_does_not_end_it(talkers: Talkers) -> None:
    talkers.say("/start")
    talkers.say(STAFF)
    talkers.restart()
    assert talkers.say("xin chào") == []


def test_a_consent_taken_back_at_the_platform_takes_all_with_it(talkers: Talkers) -> None:
    until_asked_where(talkers)
    talkers.say(Said(files=talkers.files("photo", 1)))
    assert talkers.say(Said(withdrawn=True)) == []
    assert talkers.waiting() == []
    with talkers.store.read() as work:
        key = talks.key_of(work, at("an"))
        assert people.consents(work, key) == []
        assert talks.load(work, [key], date.max) == {}
    assert "Kính chào" in talkers.say("xin chào")[0].text


def test_a_consent_taken_back_ends_a_role(talkers: Talkers) -> None:
    talkers.say(talkers.invite("collaborator", "ben-thanh"))
    for _ in range(6):
        talkers.say("1")
    with talkers.store.read() as work:
        key = talks.key_of(work, at("an"))
        assert people.members(work, [key])
    talkers.say(Said(withdrawn=True))
    with talkers.store.read() as work:
        assert people.members(work, [key]) == {}
