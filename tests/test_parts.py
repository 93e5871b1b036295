"""What comes in parts, with captions, edited, too large, or not at all readable."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from handlers.reception import PIECES, Taken, settling, wholes
from storage import attachments, outbox, people, reports, talks
from storage.attachments import LARGEST
from storage.outbox import Letter, Post
from storage.store import table
from storage.tables import Attachment, Held
from storage.vocabulary import Event, FileAt, Message, Option, Part, Point, Pressed, Said
from tests.house import NOON, Talkers, at

numbers = itertools.count(1)
TO_THE_STORY = ("/start", "1", "1", "/tinbao", "1")


def event(said: Said, part: Part | None = None, who: str = "an", ref: str = "") -> Event:
    return Event(f"p{next(numbers)}", at(who), said, NOON, ref=ref, part=part)


def picture(number: int, caption: str | None = None, album: str = "album:1") -> Event:
    said = Said(text=caption, files=(FileAt(f"file{number}", "photo", size=1000),))
    return event(said, Part(album, number, more=True))


def piece(text: str, number: int, more: bool) -> Event:
    return event(Said(text=text), Part(PIECES, number, more), ref=str(number))


def over(last: Event) -> Event:
    assert last.part is not None
    return Event(settling(last.part), last.person, Said(settled=last.part.group), NOON)


def told(talkers: Talkers, what: Event) -> list[Message]:
    return [reply.message for reply in talkers.take(what).replies]


def at_the_story(talkers: Talkers) -> Talkers:
    for words in TO_THE_STORY:
        talkers.say(words)
    return talkers


def held(talkers: Talkers) -> int:
    with talkers.store.read() as work:
        return len(work.connection.execute(select(table(Held))).all())


# -- albums --------------------------------------------------------------------------------------


def test_an_album_is_one_answer_with_one_reply(talkers: Talkers) -> None:
    at_the_story(talkers)
    parts = [picture(1, "bán ma túy ở đầu hẻm"), picture(2), picture(3)]
    for part in parts:
        taken = talkers.take(part)
        assert taken.held and not taken.replies
    replies = told(talkers, over(parts[-1]))
    assert [reply.question for reply in replies] == ["where"]
    assert held(talkers) == 0


def test_the_caption_of_an_album_is_the_story_and_its_pictures_go_with_it(talkers: Talkers) -> None:
    at_the_story(talkers)
    parts = [picture(1), picture(2, "bán ma túy ở đầu hẻm"), picture(3)]
    for part in (*parts, over(parts[-1])):
        talkers.take(part)
    for words in ("không nhớ", "hôm qua", "không", "không", "1"):
        summary = talkers.say(words)[-1]
    assert "bán ma túy ở đầu hẻm (3 tệp)" in summary.text


def test_a_group_that_is_not_over_yet_stays_held(talkers: Talkers) -> None:
    at_the_story(talkers)
    parts = [picture(1, "bán ma túy ở đầu hẻm"), picture(2)]
    talkers.take(parts[0])
    talkers.take(parts[1])
    assert told(talkers, over(parts[0])) == []
    assert held(talkers) == 2
    assert told(talkers, over(parts[1]))


def test_what_somebody_says_next_comes_after_their_album(talkers: Talkers) -> None:
    at_the_story(talkers)
    talkers.take(picture(1))
    talkers.take(picture(2))
    replies = told(talkers, piece("đây là ảnh người bán ma túy", 3, more=False))
    assert [reply.question for reply in replies][-1] == "where"
    assert held(talkers) == 0


def test_two_albums_one_after_the_other_are_two_answers(talkers: Talkers) -> None:
    at_the_story(talkers)
    talkers.take(picture(1))
    second = talkers.take(picture(2, album="album:2"))
    assert second.held
    assert [reply.message.question for reply in second.replies] == ["what"]
    assert "Đã nhận 2 tệp" in told(talkers, over(picture(2, album="album:2")))[-1].text


def test_a_part_that_cannot_be_kept_is_a_dead_letter_and_costs_no_other(talkers: Talkers) -> None:
    at_the_story(talkers)
    talkers.take(picture(1, "bán ma túy ở đầu hẻm"))
    said = Said(files=(FileAt("half a letter: \ud83d", "photo"),))
    taken = talkers.take(event(said, Part("album:1", 2, more=True)))
    assert taken.failed and "trục trặc" in taken.replies[0].message.text
    assert held(talkers) == 1
    assert told(talkers, over(picture(1)))[-1].question == "where"


def test_an_album_survives_a_restart_and_is_found_when_its_time_is_over(talkers: Talkers) -> None:
    at_the_story(talkers)
    talkers.take(picture(7, "người lạ rình mò trước cổng trường"))
    talkers.restart()
    with talkers.store.read() as work:
        assert talks.overdue(work, talkers.now) == []
        later = talkers.now + timedelta(seconds=5)
        left = talks.overdue(work, later)
    assert left == [(at("an"), Part("album:1", 7, more=True))]
    said = Said(settled="album:1")
    replies = told(talkers, Event(settling(left[0][1]), left[0][0], said, NOON))
    assert replies[-1].question == "where"


def test_what_is_held_is_sealed_and_goes_after_its_days(talkers: Talkers) -> None:
    at_the_story(talkers)
    talkers.take(picture(1, "bán ma túy ở đầu hẻm"))
    with talkers.store.read() as work:
        rows = work.connection.execute(select(table(Held))).all()
    assert "hẻm".encode() not in b"".join(row.sealed for row in rows)
    with talkers.store.write() as work:
        talks.forget(work, talkers.now.date() + timedelta(days=4))
    assert held(talkers) == 0


def test_somebody_who_is_forgotten_leaves_no_part_behind(talkers: Talkers) -> None:
    at_the_story(talkers)
    talkers.take(picture(1))
    for words in ("/quyen", "5", "1"):
        talkers.say(words)
    assert held(talkers) == 0


# -- long texts ----------------------------------------------------------------------------------


def test_a_text_that_an_app_cut_is_joined_again(talkers: Talkers) -> None:
    at_the_story(talkers)
    first = "Tối qua có nhóm người lạ. " * 150
    assert talkers.take(piece(first.strip(), 10, more=True)).held
    replies = told(talkers, piece("Họ bán ma túy cho học sinh.", 11, more=False))
    assert replies[-1].question == "where"
    for words in ("không nhớ", "hôm qua", "không", "không", "1"):
        talkers.say(words)
    receipt = talkers.say("gửi")[-1].text.split("\n")[1].replace(" ", "")
    with talkers.store.read() as work:
        known = reports.by_receipt(work, receipt)
        assert known is not None
        what = reports.body(work, known.report)["what"]
    assert what.startswith("Tối qua") and what.endswith("\nHọ bán ma túy cho học sinh.")


def test_pieces_between_which_others_wrote_are_joined_all_the_same(talkers: Talkers) -> None:
    at_the_story(talkers)
    talkers.take(piece("Tối qua có nhóm người lạ. " * 150, 10, more=True))
    replies = told(talkers, piece("Họ bán ma túy.", 17, more=False))
    assert [reply.question for reply in replies] == ["where"]


def test_a_place_does_not_belong_to_a_cut_text(talkers: Talkers) -> None:
    at_the_story(talkers)
    talkers.take(piece("Tối qua có nhóm người lạ. " * 150, 10, more=True))
    replies = told(talkers, event(Said(place=Point(10.77, 106.7))))
    assert [reply.question for reply in replies] == ["where", "when"]


def test_a_command_is_never_a_piece_of_a_text(talkers: Talkers) -> None:
    at_the_story(talkers)
    talkers.take(piece("Tối qua có nhóm người lạ. " * 150, 10, more=True))
    replies = told(talkers, event(Said(text="/huy")))
    assert "Đã hủy" in replies[-1].text


@pytest.mark.parametrize("group", ["album:1", PIECES])
def test_parts_become_whole_in_the_order_of_what_was_said(group: str) -> None:
    first, second = (event(Said(text=f"t{n}"), Part(group, n, n == 1)) for n in (1, 2))
    assert wholes((), first) == ([], [first])
    whole, waits = wholes([first], second)
    assert not waits
    assert [each.said.text for each in whole] == ["t1\nt2"]
    assert wholes((), second) == ([second], [])


# -- captions and files --------------------------------------------------------------------------


def test_a_photo_with_words_under_it_answers_both(talkers: Talkers) -> None:
    at_the_story(talkers)
    said = Said(text="xe tải đổ rác xuống sông", files=talkers.files("photo", 1))
    assert told(talkers, event(said))[-1].question == "where"


def test_words_under_evidence_are_kept_with_it(talkers: Talkers) -> None:
    at_the_story(talkers)
    for words in ("xe tải đổ rác xuống sông", "không nhớ", "hôm qua"):
        talkers.say(words)
    said = Said(text="biển số nhìn rõ ở ảnh này", files=talkers.files("photo", 2))
    assert "Đã nhận 2 tệp" in told(talkers, event(said))[-1].text
    for words in ("xong", "không", "1"):
        summary = talkers.say(words)[-1]
    assert "(2 tệp) biển số nhìn rõ ở ảnh này" in summary.text
    receipt = talkers.say("gửi")[-1].text.split("\n")[1].replace(" ", "")
    with talkers.store.read() as work:
        known = reports.by_receipt(work, receipt)
        assert known is not None
        assert reports.body(work, known.report)["evidence"] == "biển số nhìn rõ ở ảnh này"
        assert len(attachments.of_report(work, known.report)) == 2


def test_words_of_danger_under_a_photo_bring_the_numbers_first(talkers: Talkers) -> None:
    at_the_story(talkers)
    said = Said(text="cháy nhà rồi cứu với", files=talkers.files("photo", 1))
    assert "113" in told(talkers, event(said))[0].text


def test_a_file_that_is_too_large_is_told_plainly_and_not_kept(talkers: Talkers) -> None:
    at_the_story(talkers)
    large = FileAt("big", "video", size=LARGEST + 1)
    replies = told(talkers, event(Said(files=(large,))))
    assert "lớn quá 20 MB" in replies[0].text
    assert replies[-1].question == "what"
    with talkers.store.read() as work:
        assert work.connection.execute(select(table(Attachment))).all() == []


def test_of_several_files_only_those_that_are_too_large_are_left_out(talkers: Talkers) -> None:
    at_the_story(talkers)
    files = (FileAt("big", "video", size=LARGEST + 1), FileAt("small", "photo", size=9))
    replies = told(talkers, event(Said(files=files)))
    assert "1 tệp vừa gửi lớn quá" in replies[0].text
    assert "Đã nhận 1 tệp" in replies[-1].text


def test_what_nobody_can_read_is_answered_with_what_can_be_sent(talkers: Talkers) -> None:
    at_the_story(talkers)
    replies = told(talkers, event(Said(unread=True)))
    assert "không đọc được" in replies[0].text
    assert replies[-1].question == "what"


# -- edits ---------------------------------------------------------------------------------------


def edited(ref: str, text: str) -> Event:
    return event(Said(text=text, edits=ref))


def test_an_edit_changes_the_answer_its_message_gave(talkers: Talkers) -> None:
    at_the_story(talkers)
    told(talkers, piece("bán ma túy ở hẻm 5", 21, more=False))
    replies = told(talkers, edited("21", "bán ma túy ở hẻm 7"))
    assert "Đã sửa" in replies[0].text
    assert replies[-1].question == "where"
    for words in ("không nhớ", "hôm qua", "không", "không", "1"):
        summary = talkers.say(words)[-1]
    assert "hẻm 7" in summary.text
    assert "hẻm 5" not in summary.text


def test_an_edit_that_is_no_answer_leaves_the_answer(talkers: Talkers) -> None:
    at_the_story(talkers)
    told(talkers, piece("bán ma túy ở hẻm 5", 21, more=False))
    assert "ít nhất vài chữ" in told(talkers, edited("21", "?"))[0].text
    for words in ("không nhớ", "hôm qua", "không", "không", "1"):
        summary = talkers.say(words)[-1]
    assert "hẻm 5" in summary.text


def test_an_edit_keeps_the_files_of_the_answer(talkers: Talkers) -> None:
    at_the_story(talkers)
    talkers.say(Said(files=talkers.files("photo", 2)))
    told(talkers, piece("bán ma túy ở hẻm 5", 21, more=False))
    told(talkers, edited("21", "bán ma túy ở hẻm 7"))
    for words in ("không nhớ", "hôm qua", "không", "không", "1"):
        summary = talkers.say(words)[-1]
    assert "hẻm 7 (2 tệp)" in summary.text


def test_an_edited_place_is_looked_up_again(talkers: Talkers) -> None:
    at_the_story(talkers)
    talkers.say("bán ma túy ở hẻm 5")
    told(talkers, piece("chợ cũ", 22, more=False))
    replies = told(talkers, edited("22", "ben thanh"))
    assert replies[-1].question == "where"
    assert replies[-1].choices[0].id == "79.benthanh"


def test_an_edit_of_what_was_sent_already_is_told_kindly(talkers: Talkers) -> None:
    at_the_story(talkers)
    told(talkers, piece("bán ma túy ở hẻm 5", 21, more=False))
    for words in ("không nhớ", "hôm qua", "không", "không", "1", "gửi", "đã lưu"):
        talkers.say(words)
    assert "không đổi được" in told(talkers, edited("21", "bán ma túy ở hẻm 7"))[0].text


def test_an_edit_of_a_part_that_is_held_changes_the_part(talkers: Talkers) -> None:
    at_the_story(talkers)
    first = piece("Tối qua. " * 500, 31, more=True)
    talkers.take(first)
    assert told(talkers, edited("31", "Tối kia. " * 500)) == []
    replies = told(talkers, over(first))
    assert replies[-1].question == "where"


def test_words_of_danger_in_an_edit_bring_the_numbers_first(talkers: Talkers) -> None:
    assert "113" in told(talkers, edited("5", "cứu với có cháy nhà"))[0].text


# -- long options --------------------------------------------------------------------------------


def test_an_option_with_a_long_id_is_known_by_what_stands_for_it() -> None:
    long, short = Option("đơn-vị-" * 10, "x"), Option("ben-thanh", "y")
    assert short.code == "ben-thanh"
    assert len(long.code) == 17 and long.code.isascii()


def test_a_button_may_carry_what_stands_for_the_option(talkers: Talkers) -> None:
    at_the_story(talkers)
    said = Said(pressed=Pressed("what", Option("x" * 50, "").code))
    assert "Xin viết bằng lời" in talkers.say(said)[0].text


# -- people who are away -------------------------------------------------------------------------


def enrolled(talkers: Talkers) -> bytes:
    code = talkers.invite("supervisor", "tinh")
    talkers.say(Said(start=code), "sep")
    talkers.say("1", "sep")
    with talkers.store.read() as work:
        return talks.key_of(work, at("sep"))


def reach(talkers: Talkers, reachable: bool, who: str) -> Taken:
    return talkers.take(event(Said(reachable=reachable), who=who))


def test_whoever_blocks_the_bot_is_not_written_to_until_they_come_back(talkers: Talkers) -> None:
    key = enrolled(talkers)
    letter(talkers, key, "sep")
    assert reach(talkers, False, "sep").replies == ()
    assert due(talkers) == []
    reach(talkers, True, "sep")
    assert [one.message.text for one in due(talkers)] == ["bản tin"]


def test_of_a_citizen_who_blocks_the_bot_nothing_waits_any_more(talkers: Talkers) -> None:
    talkers.say("/start")
    assert talkers.waiting()
    reach(talkers, False, "an")
    assert talkers.waiting() == []


def letter(talkers: Talkers, key: bytes, who: str, message: Message | None = None) -> str:
    name = f"letter{next(numbers)}"
    post = Post()
    post.add(Letter(name, key, "web", who, message or Message("bản tin"), bulk=True))
    with talkers.store.write() as work:
        outbox.put(work, post, talkers.now.date() + timedelta(days=60))
    return name


def due(talkers: Talkers, talking: Sequence[bytes] = ()) -> list[Letter]:
    with talkers.store.write() as work:
        now = talkers.now + timedelta(seconds=60)
        until = now + timedelta(minutes=3)
        found: list[Letter] = []
        while more := outbox.claim_due(work, "web", now, until, (), talking):
            found += [one for one in more if one.bulk]
            outbox.sent(work, [one.id for one in more if not one.bulk])
        return found


def test_staff_messages_are_protected_and_citizens_are_not(talkers: Talkers) -> None:
    enrolled(talkers)
    assert all(message.protect for message in talkers.say("/menu", "sep"))
    assert not any(message.protect for message in talkers.say("/start", "an"))


def test_what_may_not_have_arrived_is_given_again_when_its_person_is_there(
    talkers: Talkers,
) -> None:
    key = enrolled(talkers)
    with talkers.store.write() as work:
        outbox.forget_all(work, key)
    name = letter(talkers, key, "sep")
    with talkers.store.write() as work:
        assert outbox.claim(work, [name], talkers.now) == {name}
        assert outbox.lapsed(work, "web", talkers.now + timedelta(seconds=1)) == 1
        assert [one.id for one in outbox.doubts(work)] == [name]
    assert due(talkers) == []
    replies = talkers.say("/menu", "sep")
    assert replies[0].text == "(Tin dưới đây có thể ông/bà đã nhận rồi.)\n\nbản tin"
    with talkers.store.read() as work:
        assert outbox.doubts(work) == []
    assert "bản tin" not in talkers.say("/menu", "sep")[0].text


def test_a_question_in_doubt_is_asked_by_the_talk_itself(talkers: Talkers) -> None:
    key = enrolled(talkers)
    with talkers.store.write() as work:
        outbox.forget_all(work, key)
    name = letter(talkers, key, "sep", Message("Ông/bà cần gì?", "menu"))
    with talkers.store.write() as work:
        outbox.claim(work, [name], talkers.now)
        outbox.doubt(work, [name])
    replies = talkers.say("/menu", "sep")
    assert [reply.question for reply in replies] == ["menu"]
    with talkers.store.read() as work:
        assert outbox.doubts(work) == []


def test_an_operator_settles_a_doubt_either_way(talkers: Talkers) -> None:
    key = enrolled(talkers)
    names = [letter(talkers, key, "sep") for _ in range(2)]
    with talkers.store.write() as work:
        outbox.doubt(work, names)
        assert outbox.settle(work, names[0], again=True)
        assert outbox.settle(work, names[1], again=False)
        assert not outbox.settle(work, "nobody", again=True)
    assert [one.id for one in due(talkers)] == [names[0]]


# -- claims --------------------------------------------------------------------------------------


def test_a_letter_is_owned_by_one_sender_only(talkers: Talkers) -> None:
    key = enrolled(talkers)
    name = letter(talkers, key, "sep")
    with talkers.store.write() as work:
        assert outbox.claim(work, [name], talkers.now) == {name}
        assert outbox.claim(work, [name], talkers.now) == set()
    assert due(talkers) == []


def test_one_person_gets_their_letters_one_after_the_other(talkers: Talkers) -> None:
    key = enrolled(talkers)
    names = [letter(talkers, key, "sep") for _ in range(3)]
    now = talkers.now + timedelta(seconds=60)
    got = []
    for _ in range(3):
        with talkers.store.write() as work:
            outbox.sent(work, [w.id for w in outbox.waiting(work, key, now) if w.id not in names])
            (one,) = outbox.claim_due(work, "web", now, now, (), ())
            assert outbox.claim_due(work, "web", now, now, (), ()) == []
            outbox.sent(work, [one.id])
            got.append(one.id)
    assert got == names


def test_nothing_comes_between_what_somebody_is_saying(talkers: Talkers) -> None:
    key = enrolled(talkers)
    letter(talkers, key, "sep")
    assert due(talkers, talking=[key]) == []
    assert len(due(talkers)) == 1


def test_a_letter_that_is_put_off_keeps_what_has_arrived(talkers: Talkers) -> None:
    key = enrolled(talkers)
    letter(talkers, key, "sep")
    (one,) = due(talkers)
    soon = talkers.now + timedelta(minutes=5)
    with talkers.store.write() as work:
        outbox.later(work, replace(one, done=1, tries=1), soon)
    assert due(talkers) == []
    talkers.later(minutes=6)
    (again,) = due(talkers)
    assert (again.id, again.done, again.tries) == (one.id, 1, 1)


def test_a_pause_is_only_ever_made_longer(talkers: Talkers) -> None:
    with talkers.store.write() as work:
        assert outbox.paused(work, "web") is None
        outbox.pause(work, "web", NOON + timedelta(seconds=30))
        outbox.pause(work, "web", NOON + timedelta(seconds=5))
        assert outbox.paused(work, "web") == NOON + timedelta(seconds=30)


# -- forums --------------------------------------------------------------------------------------


def test_a_forums_link_begins_an_opinion_that_goes_to_its_unit(talkers: Talkers) -> None:
    talkers.say(Said(start="gopy-ben-thanh"))
    talkers.say("1")
    assert talkers.say("1")[-1].question == "kind"
    for words in (
        "2",
        "các anh làm giấy tờ nhanh lắm",
        "không nhớ",
        "hôm nay",
        "không",
        "không",
        "1",
    ):
        talkers.say(words)
    receipt = talkers.say("gửi")[-1].text.split("\n")[1].replace(" ", "")
    with talkers.store.read() as work:
        known = reports.by_receipt(work, receipt)
    assert known is not None and known.unit == "ben-thanh"


def test_a_complaint_told_at_a_units_own_forum_goes_past_it(talkers: Talkers) -> None:
    talkers.say(Said(start="gopy-ben-thanh"))
    for words in ("1", "1", "1", "cán bộ hạch sách dân", "không nhớ", "hôm nay", "không", "có"):
        talkers.say(words)
    for words in ("bến thành", "1"):
        talkers.say(words)
    receipt = talkers.say("gửi")[-1].text.split("\n")[1].replace(" ", "")
    with talkers.store.read() as work:
        known = reports.by_receipt(work, receipt)
    assert known is not None and known.unit == "tinh"


def test_a_link_of_a_forum_that_is_no_more_opens_the_menu(talkers: Talkers) -> None:
    assert talkers.say(Said(start="gopy-khong-co"))[-1].question == "handle"


def test_people_who_are_shut_out_are_counted(talkers: Talkers) -> None:
    key = enrolled(talkers)
    with talkers.store.write() as work:
        people.shut(work, key, True)
        assert people.shut_out(work) == 1
        assert people.members(work, [key])


def test_the_call_of_a_round_that_may_not_have_arrived_is_given_again(talkers: Talkers) -> None:
    key = enrolled(talkers)
    with talkers.store.write() as work:
        outbox.forget_all(work, key)
    call = Message("Đến đợt: Thăm dò", f"round:{'a' * 20}", (Option("answer", "Trả lời"),))
    name = letter(talkers, key, "sep", call)
    with talkers.store.write() as work:
        outbox.claim(work, [name], talkers.now)
        outbox.doubt(work, [name])
    again = talkers.say("/menu", "sep")[0]
    assert again.text.endswith("Đến đợt: Thăm dò") and again.choices == call.choices
