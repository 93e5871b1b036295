from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from scheduler import lessons, press, snapshot
from scheduler.disclosure import remainders
from scheduler.figures import issues
from storage import corrections, digests, reports
from storage.corrections import BY_HAND, NIGHT, ROLLBACK, Lesson
from storage.store import Store, table
from storage.tables import Report
from tagging.learning import Correction, LearningFailed
from tagging.learning import Lesson as Learned
from tests.scheduler.station import DUE, Station, office

MONDAY = date(2026, 11, 9)
NIGHT_OF_TUESDAY = datetime(2026, 11, 9, 20, tzinfo=UTC)  # 3 in the morning, 10 November
_report = table(Report)


@dataclass
class School:
    """Remembers what it was given to learn; learning itself is tested where it happens."""

    taken: bool = True
    fails: bool = False
    given: list[list[Correction]] = field(default_factory=list)

    def learn(self, corrections: Sequence[Correction], until: str, several: int) -> Learned:
        self.given.append(list(corrections))
        if self.fails:
            raise LearningFailed("NoModel")
        return Learned(self.taken, len(corrections), 0.8, 0.81, 0.1, 0.9)


@pytest.fixture
def station(store: Store) -> Station:
    return Station(store)


def correct(station: Station, on: date = MONDAY, **labels: str) -> None:
    """Every report gets these labels."""
    with station.store.write() as work:
        for one in list(work.connection.execute(select(_report.c.id)).scalars()):
            corrections.correct(work, one, "office", labels, on)


def night(station: Station, school: School, days: int = 0, hours: int = 0) -> Lesson | None:
    at = NIGHT_OF_TUESDAY + timedelta(days=days, hours=hours)
    lessons.tonight(station.store, at, office(school=school))
    with station.store.read() as work:
        held = corrections.lessons(work, 1)
    return held[0] if held else None


def test_a_correction_is_learned_once_the_night_after(station: Station) -> None:
    station.tell(1, text="bọn nó đá gà sau chợ")
    correct(station, topic="gambling", urgency="routine")
    school = School()
    assert night(station, school, hours=-1) is None
    lesson = night(station, school)
    assert lesson is not None
    assert (lesson.state, lesson.texts, lesson.heldout_new) == ("taken", 1, 0.81)
    for hours in (0, 1, 12):
        night(station, school, hours=hours)
    (given,) = school.given
    assert given == [
        Correction("bọn nó đá gà sau chợ", "gambling", (), "", "routine", "2026-11-09")
    ]


def test_a_day_is_learned_whole(station: Station) -> None:
    station.tell(1)
    correct(station, on=MONDAY + timedelta(days=1), topic="theft")  # already Tuesday
    school = School()
    lesson = night(station, school)
    assert lesson is not None and lesson.state == "nothing"
    assert night(station, school, days=1) != lesson
    assert len(school.given) == 1


def test_nights_without_a_new_correction_are_free(station: Station) -> None:
    station.tell(1)
    correct(station, topic="theft")
    school = School(taken=False)
    states = [getattr(night(station, school, days=n), "state", "") for n in range(3)]
    assert states == ["kept", "nothing", "nothing"]
    correct(station, on=MONDAY + timedelta(days=3), topic="fraud")
    night(station, school, days=3)
    assert [one.topic for given in school.given for one in given] == ["theft", "fraud"]


def test_a_lesson_that_failed_is_held_again_the_next_night(station: Station) -> None:
    station.tell(1)
    correct(station, topic="theft")
    assert getattr(night(station, School(fails=True)), "state", "") == "failed"
    assert getattr(night(station, School(), days=1), "state", "") == "taken"


def test_two_programs_hold_one_lesson(station: Station) -> None:
    station.tell(1)
    correct(station, topic="theft")
    school = School()
    programs = [threading.Thread(target=night, args=(station, school)) for _ in range(4)]
    for one in programs:
        one.start()
    for one in programs:
        one.join()
    assert len(school.given) == 1


def test_what_no_machine_may_read_is_not_learned_from(station: Station) -> None:
    station.tell(1, topic=None, text="chỉ người đọc")
    station.tell(1, text="máy đọc được")
    correct(station, topic="theft")
    school = School()
    night(station, school)
    assert [one.text for one in school.given[0]] == ["máy đọc được"]


def test_destroyed_words_are_not_learned_from(station: Station) -> None:
    station.tell(1, text="cũ")
    station.tell(1, on=MONDAY, text="mới")
    correct(station, topic="theft")
    with station.store.write() as work:
        reports.forget(work, MONDAY)
    school = School()
    night(station, school)
    assert [one.text for one in school.given[0]] == ["mới"]


def test_who_went_back_keeps_the_old_model_until_something_new_is_corrected(
    station: Station,
) -> None:
    station.tell(1)
    correct(station, topic="theft")
    school = School()
    night(station, school)
    with station.store.write() as work:
        corrections.note(work, Lesson(MONDAY + timedelta(days=1), ROLLBACK, "back"))
    night(station, school, days=1)
    assert len(school.given) == 1
    correct(station, on=MONDAY + timedelta(days=2), topic="fraud")
    night(station, school, days=2)
    assert len(school.given) == 2


def test_by_hand_the_corrections_of_today_count_too(station: Station) -> None:
    station.tell(1)
    correct(station, topic="theft")
    school = School()
    lesson = lessons.now_by_hand(station.store, MONDAY, school, 5)
    assert (lesson.what, lesson.state, len(school.given)) == (BY_HAND, "taken", 1)
    correct(station, topic="fraud")
    assert lessons.now_by_hand(station.store, MONDAY, school, 5).state == "taken"


def test_the_newest_label_counts_and_the_machine_s_own_stays(station: Station) -> None:
    station.tell(1, topic="drugs")
    correct(station, on=MONDAY, topic="theft", sentiment="neutral")
    correct(station, on=MONDAY + timedelta(days=1), topic="fraud")
    with station.store.read() as work:
        (row,) = work.connection.execute(select(_report)).all()
        assert (row.topic, row.sentiment, row.sure) == ("fraud", "neutral", True)
        assert reports.reasons(work, row.id)["topic"][0] == "drugs"
        given = corrections.given(work, row.id)
        assert given == {
            "topic": ("fraud", MONDAY + timedelta(days=1)),
            "sentiment": ("neutral", MONDAY),
        }
        assert not corrections.had(work, MONDAY, NIGHT)


def test_a_corrected_topic_is_not_a_secondary_one_too(station: Station) -> None:
    station.tell(1, topic="drugs")
    with station.store.write() as work:
        work.connection.execute(_report.update().values(also="theft,fraud"))
    correct(station, topic="theft")
    with station.store.read() as work:
        assert work.connection.execute(select(_report.c.also)).scalar() == "fraud"


def test_a_label_corrected_after_the_digest_changes_no_byte_and_gives_nobody_away(
    station: Station,
) -> None:
    """The quarter counts the corrected label; less the frozen month it must tell of no one."""
    station.tell(9, on=date(2026, 10, 6), topic="drugs")
    station.tell(9, on=date(2026, 10, 6), topic="theft")
    month = press.ask(station.store, "tinh", "2026-10", DUE, office())
    with station.store.write() as work:
        one = work.connection.execute(
            select(_report.c.id).where(_report.c.topic == "drugs").limit(1)
        ).scalar_one()
        corrections.correct(work, one, "office", {"topic": "theft"}, MONDAY)
    for month_after in (11, 12):
        station.tell(20, on=date(2026, month_after, 6), topic="drugs")
        station.tell(20, on=date(2026, month_after, 6), topic="theft")
    later = datetime(2027, 1, 2, 3, tzinfo=UTC)
    assert press.ask(station.store, "tinh", "2026-10", later, office()).snapshot == month.snapshot
    for key in ("2026-11", "2026-12", "2026-Q4"):
        press.ask(station.store, "tinh", key, later, office())
    with station.store.read() as work:
        shown = issues(digests.shown(work, ["tinh"], date(2026, 1, 1), date(2027, 1, 1)))
    quarter = max(shown, key=lambda issue: issue.span.days)
    months = [issue for issue in shown if issue is not quarter]
    assert len(months) == 3
    left = dict(remainders("topic", quarter, months))
    assert all(number == 0 or abs(number) >= 5 for number in left.values()), left
    assert snapshot.thaw(month.snapshot).of("topic", "drugs") == 9
