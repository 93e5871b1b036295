"""Labelling lines in bulk, and judging the tagger, for the command line."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson

from tagging.corpus import heldout_messages
from tagging.evaluation import evaluate, rendered
from tagging.tagger import Tagger, Tags
from tagging.training import train

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


def judged(models: Path, bare: bool) -> str:
    """The evaluation on the held-out messages as text."""
    _tagger(models)
    return rendered(evaluate(models, heldout_messages(), bare=bare))
