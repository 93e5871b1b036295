"""What the chart of a bulletin says: its bars, its strip and their words, ready to be drawn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from scheduler.snapshot import Snapshot
from scheduler.wording import Wording
from storage.words import Words
from tagging.taxonomy import Taxonomy

MOST_BARS = 10


def picture(snapshot: Snapshot, words: Words, taxonomy: Taxonomy) -> dict[str, Any] | None:
    """The picture as plain JSON; None where no topic is shown, because there is nothing to draw."""
    rows = snapshot.part("topic").rows
    if snapshot.state != "shown" or not rows:
        return None
    wording = Wording(words, taxonomy)
    bars = [
        {
            "label": wording.label(snapshot, "topic", row.label),
            "now": row.count,
            "before": row.before,
            "said": wording.number(row.count),
        }
        for row in rows[:MOST_BARS]
    ]
    return {
        "title": wording.say("chart_title", period=wording.period(snapshot.spoken_of())),
        "unit": _unit(snapshot, wording),
        "total": wording.say("total", count=wording.number(snapshot.total or 0)),
        "legend": [wording.say("chart_now"), wording.say("chart_before")],
        "bars": bars,
        "topics": wording.say("section.topic"),
        "strip": _strip(snapshot, wording),
        "sentiment": wording.say("section.sentiment"),
    }


def _unit(snapshot: Snapshot, wording: Wording) -> str:
    unit = snapshot.names[wording.words.language]
    if snapshot.closed:
        return unit
    last = wording.day(snapshot.until - timedelta(days=1))
    return wording.say("chart_running", unit=unit, last=last)


def _strip(snapshot: Snapshot, wording: Wording) -> list[dict[str, Any]]:
    part, total = snapshot.part("sentiment"), snapshot.total or 1
    if not part.rows:
        return []
    counts = {row.label: row.count for row in part.rows}
    order = (*wording.taxonomy.ids("sentiment"), "none")
    cells = [
        (one, wording.label(snapshot, "sentiment", one), counts[one])
        for one in order
        if one in counts
    ]
    if part.rest:
        cells.append(("rest", wording.say("chart_rest"), part.rest))
    return [
        {"id": one, "label": label, "count": count, "said": wording.percent(count, total)}
        for one, label, count in cells
    ]
