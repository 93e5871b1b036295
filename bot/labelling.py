"""Labelling lines in bulk, and judging the tagger, for the command line."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson
from rich.table import Table

from bot.installation import Installation
from scheduler import lessons
from storage import corrections
from storage.corrections import ROLLBACK, Lesson
from tagging.corpus import heldout_messages
from tagging.evaluation import evaluate, rendered
from tagging.learning import School, back
from tagging.tagger import Tagger, Tags
from tagging.training import train

MOST_LESSONS = 30
AT_ONCE = 1000  # lines; enough to be quick, little enough to stream


def label_lines(models: Path, lines: IO[bytes], out: IO[bytes]) -> None:
    """Write each JSON line again with its labels added, in order. Raises ValueError."""
    tagger = _tagger(models)
    number = 0
    while batch := list(islice(lines, AT_ONCE)):
        rows = []
        for line in batch:
            number += 1
            if line.strip():
                rows.append(_row(line, number))
        for row, tags in zip(rows, tagger.tag_many([row["text"] for row in rows]), strict=True):
            out.write(orjson.dumps(row | _labels(tags)) + b"\n")
    out.flush()


def _tagger(models: Path) -> Tagger:
    if not (models / "places.json").is_file():
        models.mkdir(parents=True, exist_ok=True)
        train(models)
    return Tagger.load(models)


def _row(line: bytes, number: int) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise ValueError(f"line {number} is not JSON") from None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise ValueError(f"line {number} has no `text`")
    return row


def _labels(tags: Tags) -> dict[str, Any]:
    return {
        "topic": tags.topic,
        "also": tags.also,
        "sentiment": tags.sentiment,
        "urgency": tags.urgency,
        "confidence": tags.confidence,
        "sure": tags.sure,
        "reasons": tags.reasons,
    }


def taught(opened: Installation) -> Lesson:
    """Learn at once from all corrections."""
    today, floor = opened.today(), opened.settings.smallest_group
    return lessons.now_by_hand(opened.store, today, School(opened.models), floor)


def rolled_back(opened: Installation) -> None:
    """Put the model before back into use and keep it until something new is corrected.

    Raises NoModel where there is none before, BrokenModel.
    """
    back(opened.models)
    with opened.store.write() as work:
        corrections.note(work, Lesson(opened.today(), ROLLBACK, "back"))


def history(opened: Installation) -> Table:
    """The last lessons: what was learned from, how old and new model did, which one is in use."""
    listed = Table("day", "when", "result", "texts", "held-out old, new", "recent old, new")
    with opened.store.read() as work:
        held = corrections.lessons(work, MOST_LESSONS)
    for one in held:
        listed.add_row(
            f"{one.day:%d/%m/%Y}",
            one.what,
            one.state,
            str(one.texts),
            _pair(one.heldout_old, one.heldout_new),
            _pair(one.recent_old, one.recent_new),
        )
    return listed


def _pair(old: float | None, new: float | None) -> str:
    return "" if old is None or new is None else f"{old:.3f} {new:.3f}"


def judged(models: Path, bare: bool) -> str:
    """The evaluation on the held-out messages as text."""
    _tagger(models)
    return rendered(evaluate(models, heldout_messages(), bare=bare))
