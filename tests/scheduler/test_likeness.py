from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, text

from scheduler import edition, press, snapshot
from scheduler.likeness import gather
from scheduler.snapshot import Snapshot
from storage import alike, corrections, reports
from storage.migrating import SCRIPTS, config
from storage.sealing import Keys, Seal
from storage.store import Store, Work, table
from storage.tables import Alike, Report
from tests.scheduler.station import DUE, WORDS, Station, office

MONDAY, SUNDAY = date(2026, 10, 5), date(2026, 10, 11)
LOUD = "quán nhậu ở ngã ba mở loa tới hai giờ sáng, cả xóm không ai ngủ được"
LOUD_TOO = "quan nhau o nga ba mo loa toi hai gio sang, ca xom khong ai ngu duoc"
DOG = "nhà kế bên nuôi chó thả rông cắn người"
_alike, _report = table(Alike), table(Report)


@pytest.fixture
def station(store: Store) -> Station:
    return Station(store)


def groups(store: Store) -> list[int]:
    """How many reports each group holds, the largest first."""
    with store.read() as work:
        every = [row.report for row in work.connection.execute(select(_alike))]
        named = alike.names(work, every)
    return sorted(map(list(named.values()).count, set(named.values())), reverse=True)


def reports_of(work: Work, told: date) -> list[str]:
    return list(
        work.connection.execute(select(_report.c.id).where(_report.c.told == told)).scalars()
    )


def test_reports_of_one_week_in_nearly_the_same_words_are_one_group(station: Station) -> None:
    station.tell(1, on=MONDAY, text=LOUD)
    station.tell(1, on=SUNDAY, text=LOUD_TOO)
    station.tell(1, on=SUNDAY, text=DOG)
    assert gather(station.store) == 3
    assert groups(station.store) == [2, 1]
    assert gather(station.store) == 0


def test_one_that_comes_later_joins_the_group(station: Station) -> None:
    station.tell(2, on=MONDAY, text=LOUD)
    gather(station.store)
    station.tell(1, on=SUNDAY, text=LOUD_TOO)
    gather(station.store)
    assert groups(station.store) == [3]


@pytest.mark.parametrize(
    "other", [{"on": date(2026, 10, 12)}, {"unit": "tan"}, {"topic": "theft"}, {"about": "ben"}]
)
def test_another_week_place_topic_or_complaint_is_another_group(
    station: Station, other: dict[str, object]
) -> None:
    station.tell(2, on=MONDAY, text=LOUD)
    station.tell(1, **{"on": MONDAY, "text": LOUD, **other})  # type: ignore[arg-type]
    gather(station.store)
    assert groups(station.store) == [2, 1]


def test_a_complaint_is_in_no_group_with_what_the_unit_itself_may_see(station: Station) -> None:
    station.tell(2, on=MONDAY, text=LOUD, state="new")
    station.tell(1, on=MONDAY, text=LOUD, state="new", unit="tinh", about="ben")
    gather(station.store)
    with station.store.read() as work:
        for one in reports_of(work, MONDAY):
            unit = work.connection.execute(select(_report.c.unit).where(_report.c.id == one))
            seen = alike.like(work, one)
            assert len(seen) == (1 if unit.scalar() == "ben" else 0)


def test_a_report_that_no_machine_may_read_is_compared_with_nothing(station: Station) -> None:
    station.tell(2, on=MONDAY, text=LOUD, topic=None)
    station.tell(1, on=MONDAY, text=LOUD, topic="drugs")
    with station.store.write() as work:
        for one in reports_of(work, MONDAY):
            corrections.correct(work, one, "office", {"topic": "drugs"}, MONDAY)
    assert gather(station.store) == 1
    assert groups(station.store) == [1]


def test_a_report_whose_topic_was_corrected_is_compared_anew(station: Station) -> None:
    station.tell(2, on=MONDAY, text=LOUD)
    station.tell(1, on=MONDAY, text=LOUD, topic="theft")
    gather(station.store)
    with station.store.write() as work:
        (theft,) = work.connection.execute(
            select(_report.c.id).where(_report.c.topic == "theft")
        ).scalars()
        corrections.correct(work, theft, "office", {"topic": "drugs"}, MONDAY)
    assert gather(station.store) == 3
    assert groups(station.store) == [3]


def test_the_rows_tell_nobody_which_reports_are_alike(station: Station) -> None:
    station.tell(3, on=MONDAY, text=LOUD)
    station.tell(1, on=MONDAY, text=DOG)
    gather(station.store)

    def rows() -> dict[str, bytes]:
        with station.store.read() as work:
            return {row.report: row.sealed for row in work.connection.execute(select(_alike))}

    before = rows()
    assert len(set(before.values())) == 4
    assert len({len(sealed) for sealed in before.values()}) == 1
    assert not any(one.encode() in sealed for one in before for sealed in before.values())
    station.tell(1, on=MONDAY, text=LOUD_TOO)
    gather(station.store)
    after = rows()
    assert all(after[one] != sealed for one, sealed in before.items())  # not only whom it joined


def test_a_corner_that_has_changed_meanwhile_is_left_to_the_next_look(station: Station) -> None:
    station.tell(2, on=MONDAY, text=LOUD)
    with station.store.read() as work:
        (corner,) = alike.waiting(work)
        known = list(alike.texts(work, corner))
    station.tell(1, on=MONDAY, text=LOUD)
    with station.store.write() as work:
        assert not alike.group(work, corner, dict.fromkeys(known, known[0]))
    assert groups(station.store) == []
    gather(station.store)
    assert groups(station.store) == [3]


def test_an_import_is_compared_bit_by_bit(station: Station) -> None:
    for week in (5, 12, 19):
        station.tell(3, on=date(2026, 10, week), text=LOUD)
    assert gather(station.store, most=4) == 6
    assert gather(station.store, most=4) == 3
    assert groups(station.store) == [3, 3, 3]


def test_destroyed_words_leave_no_group_behind(station: Station) -> None:
    station.tell(2, on=MONDAY, text=LOUD)
    gather(station.store)
    with station.store.write() as work:
        reports.forget(work, SUNDAY)
    assert groups(station.store) == []


def test_what_another_key_sealed_upsets_nothing(station: Station, url: str) -> None:
    station.tell(2, on=MONDAY, text=LOUD)
    gather(station.store)
    stranger = Store(url, Seal(Keys.new()))
    assert groups(stranger) == []
    with stranger.read() as work:
        assert alike.sizes(work, ["ben"], MONDAY, SUNDAY) == {}
    stranger.close()


def bulletin(station: Station) -> Snapshot:
    gather(station.store)
    return snapshot.thaw(press.ask(station.store, "tinh", "2026-10", DUE, office()).snapshot)


def printed(taken: Snapshot) -> str:
    return edition.text(taken, WORDS["vi"], office().taxonomy)


def test_the_digest_says_how_many_are_alike_and_names_no_small_group(station: Station) -> None:
    station.tell(6, on=MONDAY, text=LOUD)
    station.tell(4, on=MONDAY, unit="tan", text=LOUD)
    station.tell(1, on=MONDAY, text=DOG)
    taken = bulletin(station)
    assert taken.of("alike", "many") == 6
    assert "gần như trùng lời nhau (từ 5 ý kiến" in printed(taken)


def test_four_alike_are_not_spoken_of(station: Station) -> None:
    station.tell(4, on=MONDAY, text=LOUD)
    station.tell(8, on=MONDAY, unit="tan", text=DOG, topic="theft")
    station.tell(5, on=SUNDAY, text=DOG)
    taken = bulletin(station)
    assert taken.of("alike", "many") is None  # 13 and 4: showing either would show the other
    assert "trùng lời" not in printed(taken)


def test_reports_from_before_are_compared_too(url: str) -> None:
    """A database of the first schema: what a machine has read waits, the rest does not."""
    from alembic import command

    assert SCRIPTS.is_dir()
    store = Store(url, Seal(Keys.new()))
    with store.engine.connect() as connection, connection.begin():
        command.upgrade(config(connection), "0001")
        connection.execute(
            text("INSERT INTO unit VALUES ('u', 'U', 'U', NULL, NULL, :no, :day, NULL)"),
            {"no": False, "day": MONDAY},
        )
        for one in ("read", "not"):
            connection.execute(
                text(
                    "INSERT INTO report (id, kind, legal, stream, channel, language, told, unit,"
                    " also, sure, body) VALUES (:id, 'tip', 'crime', 'citizen', 'web', 'vi', :day,"
                    " 'u', '', :no, :body)"
                ),
                {"id": one, "day": MONDAY, "no": False, "body": b""},
            )
        connection.execute(
            text("INSERT INTO tag VALUES ('read', 'topic', 'machine', 'drugs', 0.5, :none)"),
            {"none": b""},
        )
        command.upgrade(config(connection), "0004")
    with store.read() as work:
        rows = work.connection.execute(select(_alike.c.report, _alike.c.waits)).all()
    store.close()
    assert [tuple(row) for row in rows] == [("read", True)]
