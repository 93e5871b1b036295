"""A snapshot in words for chat, as long as a channel takes and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from scheduler import periods
from scheduler.disclosure import LEAST
from scheduler.drift import PER
from scheduler.snapshot import Row, Snapshot
from scheduler.wording import Wording
from storage.words import Words
from tagging.taxonomy import Taxonomy

AXES = ("topic", "sentiment", "urgency", "place", "kind")
MOST_ROWS = (20, 12, 8, 5, 3)  # of an axis: as many as fit, before whole sections are left out
LEAVE_OUT = (
    "annex",
    "kind",
    "phrases",
    "urgency",
    "place",
    "sentiment",
)  # the first to go comes first
MOST_ALIKE = 3  # topics an alternative text names


def text(snapshot: Snapshot, words: Words, taxonomy: Taxonomy, longest: int = 4096) -> str:
    """The bulletin in one language, at most `longest` UTF-16 units (as chat platforms count)."""
    wording = Wording(words, taxonomy)
    left_out: tuple[str, ...] = ()
    for most in MOST_ROWS:
        found = _written(snapshot, wording, most, left_out)
        if units(found) <= longest:
            return found
    for section in LEAVE_OUT:
        left_out = (*left_out, section)
        found = _written(snapshot, wording, MOST_ROWS[-1], left_out)
        if units(found) <= longest:
            return found
    return _cut(found, longest)


def about(snapshot: Snapshot, words: Words, taxonomy: Taxonomy) -> str:
    """What the picture shows, in words, for those who cannot see it."""
    wording = Wording(words, taxonomy)
    topics = ", ".join(
        wording.say(
            "about_topic",
            label=wording.label(snapshot, "topic", row.label),
            count=wording.number(row.count),
        )
        for row in snapshot.part("topic").rows[:MOST_ALIKE]
    )
    return wording.say("about_chart", total=_total(snapshot, wording) + ".", topics=topics)


def units(said: str) -> int:
    """How long a text is in UTF-16 units."""
    return len(said.encode("utf-16-le")) // 2


def _cut(said: str, longest: int) -> str:
    """Only an office with a name of hundreds of letters comes here."""
    return said.encode("utf-16-le")[: 2 * longest].decode("utf-16-le", "ignore")


def _written(taken: Snapshot, wording: Wording, most: int, left_out: tuple[str, ...]) -> str:
    blocks = [list(_head(taken, wording))]
    if taken.state == "shown":
        sections = {axis: list(_axis(taken, wording, axis, most)) for axis in AXES}
        sections["topic"] += _movements(taken, wording)
        sections["answer"] = list(_answers(taken, wording))
        sections["phrases"] = list(_phrases(taken, wording))
        sections["note"] = list(_notes(taken, wording))
        sections["annex"] = list(_annex(taken, wording))
        blocks += [lines for name, lines in sections.items() if lines and name not in left_out]
    return "\n\n".join("\n".join(lines) for lines in blocks)


def _head(taken: Snapshot, wording: Wording) -> Iterator[str]:
    unit = taken.names[wording.words.language]
    yield wording.say("title", period=wording.period(taken.spoken_of()).upper(), unit=unit)
    yield wording.say(
        "span" if taken.closed else "span_running",
        first=wording.day(taken.first),
        last=wording.day(taken.until - timedelta(days=1)),
    )
    yield ""
    if taken.state in ("few", "hidden"):
        yield wording.say(taken.state, floor=taken.floor)
    elif taken.state == "empty":
        yield _why_empty(taken, wording)
    else:
        yield _total(taken, wording)


def _why_empty(taken: Snapshot, wording: Wording) -> str:
    if taken.since is None:
        return wording.say("empty_never")
    if taken.since >= taken.until:
        return wording.say("empty_before", since=wording.day(taken.since))
    return wording.say("empty")


def _total(taken: Snapshot, wording: Wording) -> str:
    total = taken.total or 0
    if not taken.before:
        return wording.say("total", count=wording.number(total))
    return wording.say(
        "total_changed",
        count=wording.number(total),
        change=wording.change(total, taken.before),
        before=_earlier(taken, wording),
    )


def _earlier(taken: Snapshot, wording: Wording) -> str:
    return wording.period(periods.before(taken.spoken_of()))


def _axis(taken: Snapshot, wording: Wording, axis: str, most: int) -> Iterator[str]:
    part = taken.part(axis)
    if axis == "kind" and len(part.rows) == 1 and not part.rest:
        return  # all of one kind: the total says it
    yield wording.say(f"section.{axis}")
    for row in part.rows[:most]:
        yield _row(taken, wording, axis, row)
    if len(part.rows) > most:
        yield wording.say("more", count=len(part.rows) - most, floor=taken.floor)
    if not part.rows:
        yield wording.say("rest_only", floor=taken.floor)
    elif part.rest:
        yield wording.say("rest", **_share(taken, wording, part.rest))


def _row(taken: Snapshot, wording: Wording, axis: str, row: Row) -> str:
    label = wording.label(taken, axis, row.label)
    share = _share(taken, wording, row.count)
    if not row.before:
        return wording.say("row", label=label, **share)
    change = wording.change(row.count, row.before)
    return wording.say("row_changed", label=label, change=change, **share)


def _share(taken: Snapshot, wording: Wording, count: int) -> dict[str, str]:
    return {"count": wording.number(count), "share": wording.percent(count, taken.total or 1)}


def _movements(taken: Snapshot, wording: Wording) -> Iterator[str]:
    if taken.new:
        labels = wording.labels(taken, "topic", taken.new)
        yield wording.say("new", labels=labels, before=_earlier(taken, wording))
    if taken.rising:
        yield wording.say("rising", labels=wording.moved(taken, taken.rising))
    if taken.falling:
        yield wording.say("falling", labels=wording.moved(taken, taken.falling))


def _answers(taken: Snapshot, wording: Wording) -> Iterator[str]:
    shown = {row.label: row.count for row in taken.part("answer").rows}
    if not shown:
        return
    yield wording.say("section.answer")
    if "answered" in shown:
        yield wording.say("answered", **_share(taken, wording, shown["answered"]))
    if "waiting" in shown:
        share = _share(taken, wording, shown["waiting"])
        if taken.oldest:
            yield wording.say("waiting_oldest", days=taken.oldest, **share)
        else:
            yield wording.say("waiting", **share)
    if "none" in shown:
        yield wording.say("uncased", **_share(taken, wording, shown["none"]))


def _phrases(taken: Snapshot, wording: Wording) -> Iterator[str]:
    if taken.phrases:
        quoted = ", ".join(wording.say("phrase", words=words) for words in taken.phrases)
        yield wording.say("phrases", phrases=quoted)


def _notes(taken: Snapshot, wording: Wording) -> Iterator[str]:
    unsure = taken.of("sure", "unsure")
    if unsure:
        yield wording.say("unsure", share=wording.percent(unsure, taken.total or 1))
    yield wording.say("note", floor=taken.floor)


def _annex(taken: Snapshot, wording: Wording) -> Iterator[str]:
    """What tells how far the machine's labels can be trusted this time."""
    lines = [*_drift(taken, wording), *_alike(taken, wording)]
    if lines:
        yield wording.say("section.annex")
        yield from lines


def _drift(taken: Snapshot, wording: Wording) -> Iterator[str]:
    found = taken.drift
    if found is None:
        return
    if found.unsure is not None and found.unsure_before is not None:
        now, before = (wording.percent(one, PER) for one in (found.unsure, found.unsure_before))
        yield wording.say("drift_unsure", now=now, before=before, periods=found.periods)
    if found.mix is not None:
        share = wording.percent(found.mix, PER)
        yield wording.say("drift_mix", share=share, periods=found.periods)


def _alike(taken: Snapshot, wording: Wording) -> Iterator[str]:
    many = taken.of("alike", "many")
    if many:
        yield wording.say("alike", least=LEAST, **_share(taken, wording, many))
