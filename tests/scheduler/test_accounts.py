"""Who was not reached: told once, a day later, to whoever answers for the sending."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bot.sending import closed
from scheduler import accounts
from scheduler.due import due, forward
from storage import digests, outbox, people, talks
from storage.people import Member, Tree
from storage.people import Office as Unit
from storage.store import Store, table
from storage.tables import Address, Delivery
from storage.vocabulary import Person
from tests.panel import BOTH, Panel, open_panel, shipped
from tests.scheduler.station import DUE, Station, letters, office

WINDOWS = {"web": timedelta(0), "telegram": None, "zalo": timedelta(days=7)}
LATER = DUE + timedelta(days=1, hours=1)  # Monday, 9 in the morning


@pytest.fixture
def station(store: Store) -> Station:
    return Station(store)


def rules(**changes: Any) -> Any:
    return office(catalogues=BOTH, windows=WINDOWS, **changes)


def tick(station: Station, now: datetime, seed: int = 3) -> bool:
    return due(station.store, now, rules(ids=letters(seed)))


def enrol(station: Station, name: str, unit: str, *at: Person, heard: timedelta | None) -> None:
    since, hour = date(2026, 1, 1), DUE - heard if heard is not None else None
    with station.store.write() as work:
        first, *others = ((talks.key_of(work, one), one) for one in at)
        people.enrol(work, Member(name, "supervisor", unit, "vi"), *first, since, hour)
        for key, one in others:
            people.add_address(work, name, key, one, DUE - timedelta(days=30))


def administrator(store: Store, unit: str = "tinh") -> bytes:
    at = Person("telegram", "boss")
    with store.write() as work:
        key = talks.key_of(work, at)
        member = Member("boss", "administrator", unit, "vi")
        people.enrol(work, member, key, at, date(2026, 1, 1))
    return key


def told(store: Store, key: bytes, now: datetime = LATER) -> list[str]:
    with store.read() as work:
        return [w.message.text for w in outbox.waiting(work, key, now + timedelta(days=1))]


def send(store: Store, channel: str, now: datetime, refuse: bool = False) -> int:
    """Send all that is due in a channel; how many were taken."""
    taken = 0
    while True:
        with store.write() as work:
            window = WINDOWS[channel]
            mine = outbox.claim_due(work, channel, now, now, (), (), 1, window)
            if not mine:
                return taken
            if refuse:
                closed(work, mine, now)
            else:
                outbox.sent(work, [letter.id for letter in mine])
                taken += 1


def five(station: Station) -> bytes:
    """Five supervisors: two on Telegram, one on both, one silent on Zalo, one on the web."""
    station.tell(6)
    key = administrator(station.store)
    tele = [Person("telegram", str(n)) for n in range(3)]
    enrol(station, "a", "tinh", tele[0], heard=timedelta(days=1))
    enrol(station, "b", "ben", tele[1], heard=None)
    enrol(station, "c", "ben", Person("zalo", "3"), tele[2], heard=timedelta(days=8))
    enrol(station, "d", "ben", Person("zalo", "4"), heard=timedelta(days=9))
    enrol(station, "e", "tan", Person("web", "5"), heard=timedelta(days=1))
    return key


def test_the_administrator_is_told_once_a_day_later(station: Station) -> None:
    key = five(station)
    tick(station, DUE)
    assert send(station.store, "telegram", DUE + timedelta(minutes=1)) == 3
    assert send(station.store, "zalo", DUE + timedelta(minutes=1)) == 0
    assert not tick(station, DUE + timedelta(hours=23), 4)
    assert tick(station, LATER, 5)
    assert not tick(station, LATER + timedelta(hours=1), 6)
    assert told(station.store, key) == [
        "Bản tin tháng 10/2026: 3 trên 5 người nhận đã nhận được.\n"
        "• 1 người nhận qua Telegram thay cho Zalo.\n"
        "• 1 người chưa nhận: chưa mở trang web (Công an phường Tân Định).\n"
        "• 1 người chưa nhận: chưa nhắn gì trong 7 ngày (Công an phường Bến Thành).\n"
        "Bản tin còn chờ sẽ tự đến khi người nhận nhắn lại ở bất kỳ kênh nào đã liên kết; không "
        "cần gửi lại."
    ]


def test_two_clocks_tell_it_once(station: Station) -> None:
    key = five(station)
    tick(station, DUE)
    for seed in (5, 6):
        tick(station, LATER, seed)
    assert len([text for text in told(station.store, key) if "đã nhận được" in text]) == 1


def test_nothing_is_told_when_everybody_has_it(station: Station) -> None:
    station.tell(6)
    key = administrator(station.store)
    enrol(station, "a", "tinh", Person("telegram", "1"), heard=None)
    tick(station, DUE)
    assert send(station.store, "telegram", DUE) == 1
    tick(station, LATER, 5)
    assert told(station.store, key) == []


def test_nothing_is_told_at_night_nor_of_long_ago(station: Station) -> None:
    key = five(station)
    tick(station, DUE)
    tick(station, datetime(2026, 11, 2, 15, tzinfo=DUE.tzinfo), 5)  # 10 in the evening
    assert told(station.store, key) == []
    tick(station, DUE + timedelta(days=40), 6)
    assert told(station.store, key) == []


def test_each_reason_is_found(station: Station) -> None:
    station.tell(6)
    key = administrator(station.store)
    for number, name in enumerate(("shut", "closed", "doubt", "lost", "waits")):
        channel = "zalo" if name == "closed" else "telegram"
        at = Person(channel, str(number))
        enrol(station, name, "ben", at, heard=timedelta(hours=1))
    tick(station, DUE)
    send(station.store, "zalo", DUE, refuse=True)
    with station.store.write() as work:
        people.shut(work, talks.key_of(work, Person("telegram", "0")), True)
        of = {one: digests.letter_of(work, digest_of(work), one) for one in ("doubt", "lost")}
        outbox.doubt(work, [of["doubt"] or ""])
        outbox.lose(work, [of["lost"] or ""])
    tick(station, LATER, 5)
    (text,) = told(station.store, key)
    assert "0 trên 5" in text
    for why in (
        "đã chặn hộp thư này",
        "nền tảng chờ người nhận nhắn lại",
        "chưa rõ đã nhận hay chưa",
        "không gửi được",
        "đang chờ gửi",
    ):
        assert f"1 người chưa nhận: {why} (Công an phường Bến Thành)" in text


def digest_of(work: Any) -> str:
    return str(work.connection.execute(table(Delivery).select()).first().digest)


def test_a_digest_that_moved_counts_where_it_arrived(station: Station) -> None:
    station.tell(6)
    enrol(station, "c", "ben", Person("zalo", "3"), Person("telegram", "2"), heard=timedelta(1))
    tick(station, DUE)
    send(station.store, "zalo", DUE, refuse=True)
    assert forward(station.store, DUE, rules(ids=letters(9)))
    assert send(station.store, "telegram", DUE) == 1
    with station.store.read() as work:
        (one,) = digests.reached(work, "month", "2026-10", date(2026, 11, 1))
    assert (one.meant, one.channel, one.state) == ("zalo", "telegram", "received")


def test_what_was_asked_for_is_received_and_does_not_come_again(station: Station) -> None:
    station.tell(6)
    enrol(station, "d", "tinh", Person("zalo", "4"), heard=timedelta(days=9))
    tick(station, DUE)
    with station.store.write() as work:
        key = talks.key_of(work, Person("zalo", "4"))
        people.hear(work, {key: DUE})
        people.wish(work, "w1", "digest", "tinh", "2026-10", "d", key)
    tick(station, DUE + timedelta(hours=1), 5)
    assert send(station.store, "zalo", DUE + timedelta(hours=1)) == 1
    with station.store.read() as work:
        (one,) = digests.reached(work, "month", "2026-10", date(2026, 11, 1))
    assert (one.channel, one.state) == ("zalo", "received")


def test_who_cannot_be_reached_at_all_did_not_receive_it(station: Station) -> None:
    station.tell(6)
    enrol(station, "a", "tinh", Person("telegram", "1"), heard=None)
    with station.store.write() as work:
        broken = update(table(Address)).values(sealed=b"under a key that is gone")
        work.connection.execute(broken)
    tick(station, DUE)
    with station.store.read() as work:
        (one,) = digests.reached(work, "month", "2026-10", date(2026, 11, 1))
    assert one.state == "lost"


def test_who_has_left_is_counted_no_more(station: Station) -> None:
    five(station)
    tick(station, DUE)
    with station.store.write() as work:
        people.leave(work, talks.key_of(work, Person("web", "5")), DUE.date())
    with station.store.read() as work:
        standing = digests.reached(work, "month", "2026-10", date(2026, 11, 1))
    assert "e" not in {each.person for each in standing}


# -- rounds ---------------------------------------------------------------------------------------


def test_of_a_round_only_counts_by_units_are_told_and_few_not_exactly(store: Store) -> None:
    panel = open_panel(store, smallest_panel=5, windows={"web": timedelta(0)})
    people_of(panel, "ben-thanh", 12)
    people_of(panel, "tan-dinh", 7)
    key = administrator(store)
    panel.start(shipped("monthly-pulse", when="once"))
    panel.tick()
    for number in range(9):
        seen(panel, f"ben-thanh-{number}")
    panel.later(days=1, hours=1)
    assert accounts.due(store, panel.now, panel.office)
    assert not accounts.due(store, panel.now, panel.office)
    (text,) = told(store, key, panel.now)
    assert "• Công an phường Bến Thành: dưới 5 trên 12 người." in text
    assert "• Công an phường Tân Định: hầu hết trên 7 người." in text
    assert "không cho biết ai đã hay chưa trả lời" in text
    assert not any(name in text for name in panel.names)


def people_of(panel: Panel, unit: str, count: int) -> None:
    panel.enrol(*(f"{unit}-{number}" for number in range(count)), unit=unit)


def seen(panel: Panel, who: str) -> None:
    with panel.store.write() as work:
        key = talks.key_of(work, Person("web", who))
        outbox.seen(work, key, [w.id for w in outbox.waiting(work, key, panel.now)])


def test_small_units_are_counted_with_their_neighbours() -> None:
    units = {
        one: Unit(one, one, one, None if one == "top" else "top", None, False)
        for one in ("top", "a", "b", "c")
    }
    found = accounts.calls({"a": 12, "b": 3, "c": 4}, {"a": 6, "b": 3}, Tree(units), 10)
    assert sum(of for of, _ in found.values()) == 19
    assert all(of >= 7 for of, _ in found.values()) and "b" not in found and "c" not in found


def test_a_round_of_fewer_than_its_floor_tells_nothing(store: Store) -> None:
    panel = open_panel(store, smallest_panel=10, windows={"web": timedelta(0)})
    people_of(panel, "ben-thanh", 9)
    key = administrator(store)
    panel.start(shipped("monthly-pulse", when="once"))
    panel.tick()
    panel.later(days=1, hours=1)
    assert not accounts.due(store, panel.now, panel.office)
    assert told(store, key, panel.now) == []
