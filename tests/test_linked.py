"""One person at several channels: linked by a code, reached once, forgotten everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event as sql
from sqlalchemy import select

from handlers.forgetting import forget_address
from scheduler.due import due, forward
from storage import outbox, people, reach, rounds, talks
from storage.outbox import Letter, Post
from storage.people import Member
from storage.store import Store, table
from storage.tables import Address, Link, Outgoing, Talk
from storage.vocabulary import Event, Message, Person, Pressed, Said, Waiting
from tests.house import CATALOGUES, NOON, Talkers
from tests.panel import BOTH, Panel, open_panel, shipped, texts
from tests.scheduler.station import letters, office
from tests.transcript import RECEIPT

WEB, TELEGRAM, ZALO = Person("web", "lan"), Person("telegram", "77"), Person("zalo", "88")
WINDOWS = {"web": timedelta(0), "telegram": None, "zalo": timedelta(hours=48)}


def say(talkers: Talkers, person: Person, *said: str | Said) -> str:
    """Say things one after the other; what is said back to the last of them."""
    replies: Sequence[Waiting] = ()
    for each in said:
        name = f"l{next(talkers.numbers)}"
        what = Said(text=each) if isinstance(each, str) else each
        replies = talkers.take(Event(name, person, what, talkers.now)).replies
    return "\n".join(each.message.text for each in replies)


def enrolled(talkers: Talkers, person: Person, role: str = "supervisor") -> None:
    code = talkers.invite(role, "tinh")
    assert "Đã ghi danh" in say(talkers, person, Said(start=code), "1")


def code_of(talkers: Talkers, person: Person) -> str:
    said = say(talkers, person, "/lienket")
    return said.partition("LIENKET ")[2][:9]


def link(talkers: Talkers, known: Person, other: Person) -> None:
    code = code_of(talkers, known)
    assert "Đã liên kết" in say(talkers, other, f"LIENKET {code}", "1")


def key(store: Store, person: Person) -> bytes:
    with store.read() as work:
        return talks.key_of(work, person)


def member(store: Store, person: Person) -> Member | None:
    one = key(store, person)
    with store.read() as work:
        return people.members(work, [one]).get(one)


def waiting(store: Store, person: Person, now: datetime = NOON) -> list[str]:
    one = key(store, person)
    with store.read() as work:
        return [w.message.text for w in outbox.waiting(work, one, now)]


def put(store: Store, person: Person, text: str, roams: bool = True) -> None:
    one, name = key(store, person), f"put-{text}"
    with store.write() as work:
        letter = Letter(
            name, one, person.channel, person.address, Message(text), bulk=True, roams=roams
        )
        outbox.put(work, Post([letter]), NOON.date() + timedelta(days=60))


# -- the code -------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [WEB, TELEGRAM, ZALO, Person("zalobot", "99")])
@pytest.mark.parametrize("other", [WEB, TELEGRAM, ZALO, Person("zalobot", "99")])
def test_any_two_channels_are_linked(talkers: Talkers, known: Person, other: Person) -> None:
    if known == other:
        return
    enrolled(talkers, known)
    link(talkers, known, other)
    mine = member(talkers.store, known)
    assert mine is not None and mine == member(talkers.store, other)
    assert "vừa được liên kết với vai trò của ông/bà" in waiting(talkers.store, known)[-1]


def test_a_code_is_good_once_for_ten_minutes_and_the_newest_only(talkers: Talkers) -> None:
    enrolled(talkers, WEB)
    first, second = code_of(talkers, WEB), code_of(talkers, WEB)
    assert "không đúng, đã dùng" in say(talkers, ZALO, f"lienket {first}")
    talkers.later(minutes=10)
    assert "không đúng, đã dùng" in say(talkers, ZALO, f"lienket {second}")
    third = code_of(talkers, WEB)
    talkers.later(minutes=9)
    assert "Đã liên kết" in say(talkers, ZALO, f"lienket {third}", "1")
    assert "không đúng, đã dùng" in say(talkers, TELEGRAM, f"lienket {third}")


def test_two_who_confirm_one_code_do_not_both_get_it(talkers: Talkers) -> None:
    enrolled(talkers, WEB)
    code = code_of(talkers, WEB)
    for person in (ZALO, TELEGRAM):
        say(talkers, person, f"lienket {code}")
    assert "Đã liên kết" in say(talkers, ZALO, "1")
    assert "không đúng, đã dùng" in say(talkers, TELEGRAM, "1")
    assert member(talkers.store, TELEGRAM) is None


def test_of_a_code_only_its_keyed_hash_is_kept(talkers: Talkers) -> None:
    enrolled(talkers, WEB)
    code = code_of(talkers, WEB).replace(" ", "")
    with talkers.store.read() as work:
        (row,) = work.connection.execute(select(table(Link))).all()
        assert row.key == work.seal.find("link", code)
    assert code not in str(row)


def test_a_code_of_somebody_who_left_is_worth_nothing(talkers: Talkers) -> None:
    enrolled(talkers, WEB)
    code = code_of(talkers, WEB)
    say(talkers, WEB, "/quyen", "5", "1")
    assert "không đúng, đã dùng" in say(talkers, ZALO, f"lienket {code}")


def test_citizens_get_no_code(talkers: Talkers) -> None:
    assert "gõ /lienket ở kênh ông/bà đã ghi danh" in say(talkers, WEB, "/lienket")
    with talkers.store.read() as work:
        assert work.connection.execute(select(table(Link))).all() == []
        assert work.connection.execute(select(table(Address))).all() == []


def test_a_receipt_works_on_every_channel_and_ties_none_of_them(talkers: Talkers) -> None:
    say(talkers, WEB, "/start", "1", "1", "/gopy", "1", "Thủ tục ở phường rất lâu")
    said = say(talkers, WEB, "không nhớ", "không nhớ", "không", "không", "1", "gửi")
    receipt = RECEIPT.findall(said)[0]
    talkers.answer(receipt, "Đã kiểm tra, xin cảm ơn.")
    for person in (TELEGRAM, ZALO, Person("zalobot", "99"), Person("web", "khác")):
        say(talkers, person, "/start", "1", "1")
        assert "Đã kiểm tra, xin cảm ơn." in say(talkers, person, receipt)
    with talkers.store.read() as work:
        assert work.connection.execute(select(table(Address))).all() == []


def test_what_a_citizen_told_before_the_link_stays_untied(talkers: Talkers) -> None:
    enrolled(talkers, WEB)
    say(talkers, ZALO, "/start", "1", "2")
    say(talkers, WEB, "/ngonngu en")
    code = code_of_english(talkers)
    assert "Linked." in say(talkers, ZALO, f"lienket {code}", "1")
    assert say(talkers, ZALO, "/menu").startswith("What do you need?")


def code_of_english(talkers: Talkers) -> str:
    return say(talkers, WEB, "/link").partition("LINK ")[2][:9]


# -- the end --------------------------------------------------------------------------------------


def test_one_channel_is_unlinked_and_what_waits_there_moves(talkers: Talkers) -> None:
    enrolled(talkers, WEB)
    link(talkers, WEB, ZALO)
    put(talkers.store, ZALO, "bản tin")
    assert "chính là kênh này" in say(talkers, WEB, "/kenh")
    ends = say(talkers, WEB, Said(pressed=Pressed("which", key(talkers.store, ZALO).hex())), "1")
    assert "Đã bỏ liên kết kênh Zalo" in ends
    assert member(talkers.store, ZALO) is None and member(talkers.store, WEB) is not None
    assert "bản tin" in waiting(talkers.store, WEB)
    assert "bản tin" not in waiting(talkers.store, ZALO)
    assert "vừa được bỏ liên kết" in waiting(talkers.store, ZALO)[-1]
    assert "dành cho người được mời" in say(talkers, ZALO, "/baocao")


def test_the_only_channel_cannot_be_unlinked(talkers: Talkers) -> None:
    enrolled(talkers, WEB)
    link(talkers, WEB, ZALO)
    say(talkers, WEB, "/kenh")
    one = key(talkers.store, ZALO)
    with talkers.store.write() as work:
        mine = people.members(work, [one])[one]
        assert people.drop_address(work, mine.id, one)
    ends = say(talkers, WEB, Said(pressed=Pressed("which", one.hex())), "1")
    assert "kênh duy nhất" in ends and member(talkers.store, WEB) is not None


def test_who_is_forgotten_on_one_channel_is_forgotten_on_all(talkers: Talkers) -> None:
    enrolled(talkers, WEB)
    link(talkers, WEB, ZALO)
    put(talkers.store, WEB, "bản tin")
    assert "Đã xóa mọi dữ liệu" in say(talkers, ZALO, "/quyen", "5", "1")
    assert member(talkers.store, WEB) is None and member(talkers.store, ZALO) is None
    assert waiting(talkers.store, WEB) == []
    with talkers.store.read() as work:
        left = work.connection.execute(select(table(Talk).c.key).where(table(Talk).c.state != b""))
        assert left.scalars().all() == []


def test_a_web_session_that_is_left_ends_that_channel_and_no_other(talkers: Talkers) -> None:
    enrolled(talkers, WEB)
    link(talkers, WEB, ZALO)
    put(talkers.store, WEB, "bản tin")
    with talkers.store.write() as work:
        one = talks.key_of(work, WEB)
        forget_address(work, one, NOON.date(), letters(5))
    assert member(talkers.store, WEB) is None and member(talkers.store, ZALO) is not None
    assert waiting(talkers.store, WEB) == [] and "bản tin" in waiting(talkers.store, ZALO)


def test_a_new_role_ends_the_old_one_on_every_channel(talkers: Talkers) -> None:
    enrolled(talkers, WEB, "collaborator")
    link(talkers, WEB, ZALO)
    code = talkers.invite("analyst", "tinh")
    assert "không còn hiệu lực" in say(talkers, WEB, Said(start=code), "1")
    mine = member(talkers.store, WEB)
    assert mine is not None and mine.role == "analyst"
    assert member(talkers.store, ZALO) is None


# -- when each was heard from ---------------------------------------------------------------------


def heard(store: Store, person: Person) -> datetime | None:
    one = key(store, person)
    with store.read() as work:
        return people.present(work, [one])[one].heard


def test_only_the_hour_is_kept_and_only_of_enrolled_people(talkers: Talkers) -> None:
    talkers.now = datetime(2026, 11, 10, 5, 41, 12, tzinfo=UTC)
    enrolled(talkers, WEB)
    say(talkers, ZALO, "/start")
    assert heard(talkers.store, WEB) == datetime(2026, 11, 10, 5, tzinfo=UTC)
    with talkers.store.read() as work:
        assert len(work.connection.execute(select(table(Address))).all()) == 1


def test_it_is_written_once_an_hour_and_never_backwards(talkers: Talkers) -> None:
    talkers.now = datetime(2026, 11, 10, 5, 10, tzinfo=UTC)
    enrolled(talkers, WEB)
    written: list[str] = []

    def note(_c: object, _u: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE address"):
            written.append(statement)

    sql.listen(talkers.store.engine, "before_cursor_execute", note)
    for _ in range(3):
        say(talkers, WEB, "/menu")
        talkers.later(minutes=10)
    assert written == []
    talkers.later(minutes=30)
    say(talkers, WEB, "/menu")
    late = Event("late", WEB, Said(text="/menu"), talkers.now - timedelta(hours=3))
    talkers.take(late)
    ahead = Event("ahead", WEB, Said(text="/menu"), talkers.now + timedelta(hours=3))
    talkers.take(ahead)
    assert len(written) == 1
    assert heard(talkers.store, WEB) == datetime(2026, 11, 10, 6, tzinfo=UTC)


def test_whoever_speaks_is_there_again(talkers: Talkers) -> None:
    enrolled(talkers, ZALO)
    one = key(talkers.store, ZALO)
    with talkers.store.write() as work:
        people.close(work, one)
        people.shut(work, one, True)
    say(talkers, ZALO, "/menu")
    with talkers.store.read() as work:
        assert not people.present(work, [one])[one].away


# -- where things go ------------------------------------------------------------------------------


def test_a_letter_goes_where_it_arrives_and_else_where_its_person_spoke_last(
    talkers: Talkers,
) -> None:
    enrolled(talkers, WEB)
    link(talkers, WEB, ZALO)
    link(talkers, WEB, TELEGRAM)
    mine = member(talkers.store, WEB)
    assert mine is not None

    def best(**later: float) -> str:
        to = reach.Reach(talkers.now + timedelta(**later), WINDOWS)
        with talkers.store.read() as work:
            return to.best(reach.ways(work, [mine.id])[mine.id]).at.channel

    talkers.later(hours=1)
    say(talkers, ZALO, "/menu")
    assert best() == "zalo" and best(hours=49) == "telegram"
    with talkers.store.write() as work:
        people.shut(work, talks.key_of(work, TELEGRAM), True)
    assert best(hours=49) == "zalo"  # it waits there: the person spoke there last
    talkers.later(hours=2)
    say(talkers, WEB, "/menu")
    assert best() == "zalo" and best(hours=49) == "web"


def test_a_wish_is_answered_where_it_was_made(talkers: Talkers) -> None:
    enrolled(talkers, WEB)
    link(talkers, WEB, TELEGRAM)
    rules = office(catalogues=BOTH, windows=WINDOWS)
    for person in (WEB, TELEGRAM):
        say(talkers, person, "/baocao", "1")
        due(talkers.store, talkers.now, rules)
        assert "BẢN TIN DƯ LUẬN" in waiting(talkers.store, person)[-1]
    assert sum("BẢN TIN DƯ LUẬN" in text for text in waiting(talkers.store, WEB)) == 1


def test_what_is_shown_on_the_page_goes_nowhere_else(talkers: Talkers) -> None:
    enrolled(talkers, WEB)
    link(talkers, WEB, TELEGRAM)
    put(talkers.store, WEB, "bản tin")
    rules = office(catalogues=BOTH, windows=WINDOWS)
    one = key(talkers.store, WEB)
    with talkers.store.read() as work:
        loose = [w.id for w in outbox.waiting(work, one, talkers.now) if w.loose]
    with talkers.store.write() as work:
        assert outbox.claim(work, loose, talkers.now + timedelta(days=400)) == set(loose)
    assert not forward(talkers.store, talkers.now, rules)
    assert "bản tin" in waiting(talkers.store, WEB)
    assert "bản tin" not in waiting(talkers.store, TELEGRAM)


def test_what_was_moved_cannot_be_claimed_by_its_old_name(talkers: Talkers) -> None:
    enrolled(talkers, WEB)
    link(talkers, WEB, TELEGRAM)
    put(talkers.store, WEB, "bản tin")
    rules = office(catalogues=BOTH, windows=WINDOWS)
    assert forward(talkers.store, talkers.now, rules)
    assert not forward(talkers.store, talkers.now, rules)
    with talkers.store.write() as work:
        assert outbox.claim(work, ["put-bản tin"], talkers.now) == set()
    assert "bản tin" in waiting(talkers.store, TELEGRAM)
    assert "bản tin" not in waiting(talkers.store, WEB)


def test_a_notice_for_one_channel_stays_there(talkers: Talkers) -> None:
    enrolled(talkers, WEB)
    link(talkers, WEB, TELEGRAM)
    forward(talkers.store, talkers.now, office(catalogues=BOTH, windows=WINDOWS))
    assert any("vừa được liên kết" in text for text in waiting(talkers.store, WEB))


# -- rounds ---------------------------------------------------------------------------------------


@pytest.fixture
def panel(store: Store) -> Panel:
    opened = open_panel(store, smallest_panel=5, windows=WINDOWS)
    opened.enrol("lan", "hoa")
    link(opened.house, WEB, TELEGRAM)
    with store.write() as work:
        work.connection.execute(table(Outgoing).delete())
    opened.start(shipped("monthly-pulse", when="once"))
    return opened


def calls(panel: Panel, person: Person) -> int:
    return sum("Đến đợt" in text for text in waiting(panel.store, person, panel.now))


def test_a_round_calls_a_person_once_and_counts_an_answer_on_any_channel(panel: Panel) -> None:
    panel.tick()
    assert (calls(panel, WEB), calls(panel, TELEGRAM)) == (0, 1)
    taps = ("/traloi", "1", "3", "4", "5", "xong", "bỏ qua", "gửi")
    assert "Đã ghi nhận" in say(panel.house, WEB, *taps)
    assert calls(panel, TELEGRAM) == 0  # answered: nothing calls for it any more
    assert "không có đợt hỏi nào" in say(panel.house, TELEGRAM, "/traloi")
    with panel.store.read() as work:
        assert rounds.calls_waiting(work, panel.round().id)[0]["ben-thanh"] == 2
    panel.later(days=3)
    panel.tick()
    assert sum("Nhắc lại" in t for t in waiting(panel.store, WEB, panel.now)) == 0
    assert sum("Nhắc lại" in t for t in waiting(panel.store, TELEGRAM, panel.now)) == 0


def test_a_reminder_takes_the_place_of_a_call_that_waits_elsewhere(panel: Panel) -> None:
    with panel.store.write() as work:
        people.shut(work, talks.key_of(work, TELEGRAM), True)
    panel.tick()
    assert (calls(panel, WEB), calls(panel, TELEGRAM)) == (1, 0)
    with panel.store.write() as work:
        people.shut(work, talks.key_of(work, TELEGRAM), False)
    panel.later(days=3)
    panel.tick()
    assert calls(panel, WEB) == 0
    assert sum("Nhắc lại" in t for t in waiting(panel.store, TELEGRAM, panel.now)) == 1


def test_who_is_busy_on_one_channel_is_not_called_on_the_other(panel: Panel) -> None:
    say(panel.house, WEB, "/tinbao")
    panel.tick()
    assert (calls(panel, WEB), calls(panel, TELEGRAM)) == (0, 0)
    assert "Đến đợt" in texts(panel.say("lan", "hủy"))
    panel.tick()
    assert calls(panel, TELEGRAM) == 0


def test_words_of_channels_are_in_both_languages() -> None:
    for words in CATALOGUES.values():
        assert all(words.channel(name) != name for name in ("web", "telegram", "zalo", "zalobot"))
