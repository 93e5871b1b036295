from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from scheduler import press, snapshot
from scheduler.chart import ChartFailed
from scheduler.due import due
from scheduler.periods import BadPeriod
from scheduler.press import NoSuchUnit
from scheduler.snapshot import Snapshot
from storage import digests, outbox, people, talks
from storage.store import Store
from storage.vocabulary import Message
from tagging.phrases import PhrasesFailed
from tests.scheduler.station import DUE, Station, Words, a_picture, letters, office

LATER = DUE + timedelta(days=40)


@pytest.fixture
def station(store: Store) -> Station:
    return Station(store)


def inbox(station: Station, key: bytes, now: datetime = LATER) -> list[Message]:
    with station.store.read() as work:
        return [each.message for each in outbox.waiting(work, key, now)]


def titles(station: Station, key: bytes) -> list[str]:
    return [message.text.splitlines()[0] for message in inbox(station, key)]


def asked(station: Station, unit: str, key: str, now: datetime = DUE, **changes: Any) -> Snapshot:
    return snapshot.thaw(press.ask(station.store, unit, key, now, office(**changes)).snapshot)


def test_a_digest_goes_out_once_at_its_hour(station: Station) -> None:
    station.tell(9)
    key = station.enrol("an")
    assert not due(station.store, DUE - timedelta(minutes=1), office())
    assert due(station.store, DUE, office())
    for minutes in (0, 1, 60, 60 * 24 * 20):
        assert not due(station.store, DUE + timedelta(minutes=minutes), office())
    assert titles(station, key) == ["BẢN TIN DƯ LUẬN THÁNG 10/2026 — Công an tỉnh Bình An"]


def test_after_three_days_down_the_same_digest_comes_once(station: Station) -> None:
    station.tell(9)
    key = station.enrol("an")
    station.tell(30, on=date(2026, 11, 2))
    assert due(station.store, DUE + timedelta(days=3), office())
    (message,) = inbox(station, key)
    assert "Tổng số: 9 ý kiến" in message.text


def test_late_digests_come_oldest_first_and_none_from_before_the_first_report(
    station: Station,
) -> None:
    for month in (7, 8, 9, 10):
        station.tell(6 + month, on=date(2026, month, 10))
    key = station.enrol("an")
    assert due(station.store, DUE, office())
    assert [title[16:29] for title in titles(station, key)] == [
        "THÁNG 7/2026 ",
        "THÁNG 8/2026 ",
        "THÁNG 9/2026 ",
        "THÁNG 10/2026",
    ]


def test_at_most_twelve_late_periods_are_caught_up(station: Station) -> None:
    station.tell(6, on=date(2020, 1, 5))
    key = station.enrol("an", since=date(2019, 1, 1))
    assert due(station.store, DUE, office())
    assert len(titles(station, key)) == 12


def test_who_was_enrolled_after_a_digest_was_due_is_not_flooded_with_it(station: Station) -> None:
    station.tell(9)
    key = station.enrol("an", since=date(2026, 11, 2))
    assert not due(station.store, DUE + timedelta(days=2), office())
    assert inbox(station, key) == []


def test_two_schedulers_at_once_send_one_digest_to_each(station: Station) -> None:
    station.tell(40)
    station.tell(40, unit="tan")
    keys = [
        station.enrol(one, unit) for one, unit in (("an", "tinh"), ("bo", "ben"), ("ca", "tan"))
    ]
    start = threading.Barrier(3)

    def tick(seed: int) -> bool:
        start.wait()
        return due(station.store, DUE, office(ids=letters(seed)))

    with ThreadPoolExecutor(3) as schedulers:
        assert any(schedulers.map(tick, (1, 2, 3)))
    assert [len(inbox(station, key)) for key in keys] == [1, 1, 1]


def test_a_frozen_digest_keeps_its_bytes_whatever_comes_later(station: Station) -> None:
    station.tell(9)
    first = press.ask(station.store, "tinh", "2026-10", DUE, office())
    station.tell(50, topic="fire")
    again = press.ask(station.store, "tinh", "2026-10", LATER, office(floor=10))
    assert (again.id, again.snapshot, again.chart) == (first.id, first.snapshot, first.chart)
    assert again.sha256 == hashlib.sha256(again.snapshot).hexdigest()


def test_the_same_reports_give_the_same_bytes_on_another_machine(
    station: Station, tmp_path: Any
) -> None:
    from storage.migrating import migrate
    from storage.sealing import Keys, Seal

    other = Store(f"sqlite:///{tmp_path}/other.db", Seal(Keys.new()))
    migrate(other.engine)
    made: list[digests.Digest] = []
    for each in (station, Station(other)):
        each.tell(9, topic="fire")
        each.tell(11, topic="drugs")
        made.append(press.ask(each.store, "tinh", "2026-10", DUE, office(ids=letters(len(made)))))
    other.close()
    assert made[0].id != made[1].id
    assert made[0].snapshot == made[1].snapshot


def test_in_quiet_hours_the_letter_waits_for_the_morning(station: Station) -> None:
    station.tell(9)
    key = station.enrol("an")
    night = datetime(2026, 11, 1, 16, tzinfo=UTC)  # 23:00 in Viet Nam
    assert due(station.store, night, office())
    morning = datetime(2026, 11, 2, 0, tzinfo=UTC)  # 07:00
    assert inbox(station, key, morning - timedelta(seconds=1)) == []
    assert len(inbox(station, key, morning)) == 1


@pytest.mark.parametrize(
    ("hour", "start", "end", "until"),
    [
        (22, 21, 7, (2, 7)),
        (3, 21, 7, (1, 7)),
        (7, 21, 7, None),
        (20, 21, 7, None),
        (13, 12, 14, (1, 14)),
        (14, 12, 14, None),
        (5, 7, 7, None),
        (0, 0, 6, (1, 6)),
    ],
)
def test_quiet_hours_may_cross_midnight_or_not(
    hour: int, start: int, end: int, until: tuple[int, int] | None
) -> None:
    desk = office(quiet_from=start, quiet_until=end)
    found = desk.not_before(datetime(2026, 11, 1, hour, 30, tzinfo=desk.zone))
    local = found and found.astimezone(desk.zone)
    assert (local and (local.day, local.hour)) == until


def test_a_wish_is_answered_at_once_even_at_night(station: Station) -> None:
    station.tell(9)
    key = station.enrol("an", since=date(2026, 10, 31))
    night = datetime(2026, 10, 31, 18, tzinfo=UTC)  # 01:00 on 1 November
    station.wish("an", "last")
    assert due(station.store, night, office())
    (message,) = inbox(station, key, night)
    assert message.text.startswith("BẢN TIN DƯ LUẬN THÁNG 10/2026")
    assert not due(station.store, DUE, office())  # it has been delivered


def test_the_running_period_is_frozen_for_the_day(station: Station) -> None:
    station.tell(9)
    now = datetime(2026, 10, 20, 3, tzinfo=UTC)
    first = press.ask(station.store, "tinh", "now", now, office())
    station.tell(30)
    assert press.ask(station.store, "tinh", "2026-10", now, office()).id == first.id
    taken = snapshot.thaw(first.snapshot)
    assert (taken.total, taken.closed, taken.until) == (9, False, date(2026, 10, 21))
    tomorrow = asked(station, "tinh", "now", now + timedelta(days=1))
    assert tomorrow.total == 39


def test_no_machine_reads_the_words_of_those_who_did_not_agree_to_it(station: Station) -> None:
    station.tell(6, topic=None, text="để cán bộ tự đọc")
    station.tell(6, text="bán ma túy ở đầu hẻm")
    taken = asked(station, "tinh", "2026-10")
    assert (taken.total, taken.phrases) == (12, ("bán ma túy ở đầu hẻm",))


def test_a_running_period_that_shows_nothing_yet_may_be_asked_again(station: Station) -> None:
    now = datetime(2026, 10, 20, 3, tzinfo=UTC)
    station.tell(3)
    assert asked(station, "tinh", "now", now).state == "few"
    station.tell(3)
    assert asked(station, "tinh", "now", now).total == 6


def test_this_month_so_far_does_not_tell_what_came_since_yesterday(station: Station) -> None:
    station.tell(9)
    now = datetime(2026, 10, 20, 3, tzinfo=UTC)
    assert asked(station, "tinh", "now", now).total == 9
    station.tell(2, on=date(2026, 10, 21), topic="fire")
    assert asked(station, "tinh", "now", now + timedelta(days=1)).state == "hidden"
    station.tell(2, on=date(2026, 10, 20), topic="fire")  # came after the first was made
    assert asked(station, "tinh", "2026-10").state == "hidden"


def test_a_province_does_not_give_away_the_few_outside_its_wards(station: Station) -> None:
    station.tell(9)
    station.tell(3, unit="tinh", topic="fire")
    for one, unit in (("an", "tinh"), ("bo", "ben")):
        station.enrol(one, unit)
    assert due(station.store, DUE, office())
    assert asked(station, "ben", "2026-10").total == 9
    assert asked(station, "tinh", "2026-10").state == "hidden"


def test_a_complaint_about_a_unit_is_not_in_that_units_digest(station: Station) -> None:
    station.tell(9, text="như mọi khi")
    station.tell(6, about="ben", topic="misconduct", text="vòi tiền")
    station.tell(7, about="tinh", topic="conduct", text="bao che")
    ward, province = (asked(station, unit, "2026-10") for unit in ("ben", "tinh"))
    assert (ward.total, province.total) == (9, 15)
    assert ward.phrases == ("như mọi khi",)
    assert set(province.phrases) == {"như mọi khi", "vòi tiền"}
    assert "misconduct" not in [row.label for row in ward.part("topic").rows]
    assert province.of("topic", "misconduct") == 6
    assert province.of("topic", "conduct") is None


def test_an_empty_period_says_why_and_is_not_kept_when_only_asked_for(station: Station) -> None:
    assert asked(station, "tinh", "2026-10").since is None
    station.tell(9, on=date(2026, 11, 3))
    found = press.ask(station.store, "tinh", "2026-10", LATER, office())
    assert snapshot.thaw(found.snapshot).state == "empty"
    assert found.chart == b""
    station.tell(12)  # imported later
    assert asked(station, "tinh", "2026-10").total == 12


def test_a_wish_for_nothing_is_answered_without_a_picture(station: Station) -> None:
    key = station.enrol("an")
    station.wish("an", "last")
    assert due(station.store, DUE, office())
    (message,) = inbox(station, key)
    assert "Chưa có ý kiến nào" in message.text
    assert message.picture is None


def test_a_wish_of_somebody_who_may_not_have_it_goes_unanswered(station: Station) -> None:
    station.tell(9)
    key = station.enrol("an", unit="ben")
    station.wish("an", "last", unit="tinh")
    station.wish("an", "1999-99", unit="ben")
    assert not due(station.store, DUE - timedelta(days=1), office())
    assert inbox(station, key) == []
    with station.store.read() as work:
        assert digests.wanted(work) == []


def test_the_picture_is_for_those_it_was_delivered_to(station: Station) -> None:
    station.tell(9)
    key = station.enrol("an")
    station.enrol("bo", unit="ben", since=date(2027, 1, 1))
    assert due(station.store, DUE, office())
    (message,) = inbox(station, key)
    assert message.picture is not None
    assert message.about.startswith("Biểu đồ: Tổng số: 9 ý kiến")
    with station.store.read() as work:
        png = a_picture({"title": "Dư luận tháng 10/2026"})
        assert digests.chart_for(work, message.picture, "an") == png
        assert digests.chart_for(work, message.picture, "bo") is None
        assert digests.chart_for(work, "nothing", "an") is None


def test_a_picture_that_fails_does_not_hold_up_the_words(station: Station) -> None:
    def fails(_: object) -> bytes:
        raise ChartFailed("TimeoutExpired")

    station.tell(9)
    key = station.enrol("an")
    assert due(station.store, DUE, office(chart=fails))
    (message,) = inbox(station, key)
    assert message.picture is None


def test_phrases_that_cannot_be_had_do_not_hold_up_the_figures(station: Station) -> None:
    def fails(*_: object) -> list[Words]:
        raise PhrasesFailed("MemoryError")

    station.tell(9)
    key = station.enrol("an")
    assert due(station.store, DUE, office(phrases=fails))
    (message,) = inbox(station, key)
    assert "Tổng số: 9 ý kiến" in message.text
    assert "Cụm từ" not in message.text


def test_each_address_gets_the_digest_in_the_language_and_length_of_its_reader(
    station: Station,
) -> None:
    for number in range(40):
        station.tell(6, topic=None, text=f"câu rất dài nói đi nói lại nhiều lần {number}" * 5)
    vietnamese = station.enrol("an")
    english = station.enrol("bo", language="en", channel="zalo")
    assert due(station.store, DUE, office())
    assert "Tổng số: 240 ý kiến" in inbox(station, vietnamese)[0].text
    (message,) = inbox(station, english)
    assert "Total: 240 reports" in message.text
    assert len(message.text.encode("utf-16-le")) <= 2 * 2000


def test_what_is_compared_with_is_the_digest_of_the_period_before(station: Station) -> None:
    station.tell(10, on=date(2026, 9, 3), topic="drugs")
    station.tell(8, on=date(2026, 9, 3), topic="theft")
    station.tell(20, topic="drugs")
    station.tell(6, topic="fire")
    taken = asked(station, "tinh", "2026-10")
    assert (taken.total, taken.before, taken.new) == (26, 18, ("fire",))
    assert [(row.label, row.before, row.count) for row in taken.rising] == [("drugs", 10, 20)]
    assert asked(station, "tinh", "2026-09").total == 18


def test_answered_and_unanswered_are_as_of_the_end_of_the_period(station: Station) -> None:
    station.tell(6, state="answered")
    station.tell(7, on=date(2026, 10, 11), state="new")
    station.tell(5)
    taken = asked(station, "tinh", "2026-10")
    assert [taken.of("answer", one) for one in ("answered", "waiting", "none")] == [6, 7, 5]
    assert taken.oldest == 20


def test_a_unit_or_period_that_cannot_be_had_is_said(station: Station) -> None:
    with pytest.raises(NoSuchUnit):
        asked(station, "huyen", "2026-10")
    with pytest.raises(BadPeriod, match="begins on 01/12/2026"):
        asked(station, "tinh", "2026-12")
    with pytest.raises(BadPeriod, match="ends on 01/01/2027"):
        asked(station, "tinh", "2026-Q4")


def test_rows_past_their_day_are_deleted(station: Station) -> None:
    with station.store.write() as work:
        talks.keep(work, {b"1" * 16: {"at": "menu"}}, date(2026, 10, 1))
        people.wrong(work, "an", DUE - timedelta(days=2), timedelta(minutes=15))
    due(station.store, DUE, office())
    with station.store.read() as work:
        assert talks.load(work, [b"1" * 16], date(2026, 12, 1)) == {}
        assert people.guesses(work, "an", DUE - timedelta(days=2), timedelta(hours=1)) == 0
        assert not digests.overdue(work, DUE.date(), DUE - timedelta(days=1))
