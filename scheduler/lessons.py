"""The night school: once a night the tagger learns from what people corrected, if they did."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from scheduler.office import Office, School
from storage import corrections
from storage.corrections import BY_HAND, NIGHT, Corrected, Lesson
from storage.store import Store
from tagging.learning import Correction, LearningFailed

log = logging.getLogger("langnghe.lessons")


def tonight(store: Store, now: datetime, office: Office) -> None:
    """Learn once a night, after the hour for it; also with several programs. Raises StoreDown.

    What was corrected before today counts, so that a day is learned whole. While it learns, in
    a process of its own, no transaction is open.
    """
    school, today = office.school, office.today(now)
    if school is None or now.astimezone(office.zone).hour < office.learn_hour:
        return
    with store.read() as work:
        if corrections.had(work, today, NIGHT):
            return
    with store.write() as work:
        if not corrections.begin(work, today, NIGHT):
            return
    _hold(store, school, Lesson(today, NIGHT, "begun"), today, office.floor)


def now_by_hand(store: Store, today: date, school: School, floor: int) -> Lesson:
    """Learn at once from everything corrected until now. Raises StoreDown."""
    tomorrow = today + timedelta(days=1)
    return _hold(store, school, Lesson(today, BY_HAND, "begun"), tomorrow, floor)


def _hold(store: Store, school: School, lesson: Lesson, before: date, floor: int) -> Lesson:
    with store.read() as work:
        newest, last = corrections.newest_day(work, before), corrections.last(work)
        new = newest is not None and (last is None or newest >= last)
        told = corrections.corrected(work, before) if new else []
    held = _learned(school, lesson, told, floor) if told else replace(lesson, state="nothing")
    with store.write() as work:
        corrections.note(work, held)
    return held


def _learned(school: School, lesson: Lesson, told: Sequence[Corrected], floor: int) -> Lesson:
    given = [_correction(one) for one in told]
    try:
        came = school.learn(given, lesson.day.isoformat(), floor)
    except LearningFailed as error:
        log.error("the tagger has not learned: %s", error)
        return replace(lesson, state="failed", texts=len(told))
    return replace(
        lesson,
        state="taken" if came.taken else "kept",
        texts=came.texts,
        heldout_old=came.heldout_old,
        heldout_new=came.heldout_new,
        recent_old=came.recent_old,
        recent_new=came.recent_new,
    )


def _correction(one: Corrected) -> Correction:
    labels = (one.labels.get(axis, "") for axis in ("topic", "sentiment", "urgency"))
    topic, sentiment, urgency = labels
    return Correction(one.text, topic, one.also, sentiment, urgency, one.on.isoformat())
