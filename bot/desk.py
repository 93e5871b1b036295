"""The answering desk on the command line, until staff have theirs in chat."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta

from rich.table import Table

from bot.installation import Installation, chance, now
from bot.office import LETTER_DAYS, office_of
from storage import alike, attachments, corrections, digests, outbox, reports, talks
from storage.outbox import Letter, Post
from storage.reports import Known
from storage.vocabulary import Language, Message, Person
from tagging import masks, taxonomy
from tagging.times import times

OFFICE = "office"  # who corrects on the command line, which knows no persons
ANSWERS = tuple(state for state in reports.STATES if state not in ("new", "reopened"))


class NoSuchCase(Exception):
    """No case has this alias: `langnghe case list` shows those that wait."""


def waiting_cases(opened: Installation, unit: str | None) -> Table:
    """The cases that wait, oldest first: alias, unit, topic, state, age in days."""
    labels = taxonomy.load()
    with opened.store.read() as work:
        # Of every unit that ever stood: what waits in one that ended must not be forgotten.
        units = digests.whole_tree(work).below(unit) if unit else None
        waiting = reports.open_cases(work, units)
        groups = alike.names(work, [one.report for one in waiting])
    many = Counter(groups.values())
    listed = Table("case", "unit", "topic", "state", "days", "alike")
    for one in waiting:
        topic = labels.label("topic", one.topic, "vi") if one.topic else "-"
        days = (opened.today() - one.opened).days
        like = many[groups.get(one.report, "")]
        shown = str(like) if like > 1 else ""
        listed.add_row(one.alias, one.unit, topic, one.state, str(days), shown)
    return listed


def alike_cases(opened: Installation, alias: str) -> Table:
    """What others told in nearly the same words, within a week, a place, a topic, a unit.

    Raises NoSuchCase.
    """
    with opened.store.read() as work:
        same = alike.like(work, _known(reports.by_alias(work, alias)).report)
    listed = Table("case", "state", "told")
    for one in same:
        listed.add_row(one.alias or "-", one.state or "-", f"{one.told:%d/%m/%Y}")
    return listed


def label(opened: Installation, alias: str, labels: Mapping[str, str | None]) -> dict[str, str]:
    """Set the labels that count for a case, by axis; gives what was set.

    Raises NoSuchCase, and ValueError for a label that does not exist or when none is given.
    """
    given = {axis: one for axis, one in labels.items() if one is not None}
    if not given:
        raise ValueError("Name at least one of --topic, --sentiment, --urgency.")
    for axis, one in given.items():
        known = taxonomy.load().ids(axis)
        if one not in known:
            raise ValueError(f"There is no {axis} {one}. One of: {', '.join(known)}")
    with opened.store.write() as work:
        report = _known(reports.by_alias(work, alias)).report
        corrections.correct(work, report, OFFICE, given, opened.today())
    return given


def full_case(opened: Installation, alias: str) -> str:
    """A case with every word of it. Raises NoSuchCase."""
    with opened.store.read() as work:
        known = _known(reports.by_alias(work, alias))
        body = reports.body(work, known.report)
        reasons = reports.reasons(work, known.report)
        people = corrections.given(work, known.report)
        files = attachments.of_report(work, known.report)
    lines = [f"{known.alias}  {known.unit}  {known.state}  {known.opened:%d/%m/%Y}"]
    lines += [f"{part}: {words}" for part, words in body.items()]
    for axis, (label, confidence, words) in reasons.items():
        because = ", ".join(words) or "-"
        lines.append(f"[machine] {axis}: {label} ({confidence:.0%}) because of: {because}")
    lines += [f"[machine] {line}" for line in _named(opened, body.get("what", ""), known.opened)]
    lines += [f"[people] {axis}: {name} ({on:%d/%m/%Y})" for axis, (name, on) in people.items()]
    lines += [
        f"[file {n}] {f.kind} {f.media or f.state} {f.size} bytes" for n, f in enumerate(files, 1)
    ]
    lines += [
        f"{'<' if inward else '>'} {on:%d/%m/%Y} {text}" for inward, text, on in known.messages
    ]
    return "\n".join(lines)


def _named(opened: Installation, text: str, told: date) -> Iterator[str]:
    """The places, times and numbers that a text names, as the machine reads them."""
    text = unicodedata.normalize("NFC", text)
    if ward := opened.places.find(text):
        yield f"place: {ward.name}, {ward.province}"
    for hit in times(text, told):
        read = [f"{hit.day:%d/%m/%Y}"] if hit.day else []
        read += [f"{hit.clock:%H:%M}"] if hit.clock else []
        yield f"time: {text[hit.start : hit.end]}" + (f" = {' '.join(read)}" if read else "")
    for one in masks.found(text):
        yield f"{one.kind}: {text[one.start : one.end]}"


def file_of(opened: Installation, alias: str, number: int) -> bytes:
    """One file of a case, as `full_case` numbers them. Raises NoSuchCase, LookupError."""
    with opened.store.read() as work:
        known = _known(reports.by_alias(work, alias))
        files = attachments.of_report(work, known.report)
    if not 1 <= number <= len(files) or (name := files[number - 1].stored) is None:
        raise LookupError(number)
    return opened.vault.get(name)


def answer(opened: Installation, alias: str, text: str, state: str) -> None:
    """Say something to the sender and set the state. Raises NoSuchCase, ValueError."""
    if state not in ANSWERS:
        raise ValueError(f"There is no state {state}. One of: {', '.join(ANSWERS)}")
    if not text and state == "answered":
        raise ValueError("An answer needs words: write them on standard input.")
    with opened.store.write() as work:
        known = _known(reports.by_alias(work, alias))
        if text:
            reports.say(work, known.report, False, text, opened.today())
        told = reports.move(work, known.report, state, opened.today())
        if told is not None and text:
            heard = datetime.combine(known.opened, time(), opened.settings.zone)
            letter = _notice(opened, *told, talks.key_of(work, told[0]), heard)
            post = Post()
            post.add(letter)
            outbox.put(work, post, opened.today() + timedelta(days=LETTER_DAYS))


def _notice(
    opened: Installation, person: Person, language: Language, key: bytes, heard: datetime
) -> Letter:
    # The words of the answer stay under the receipt: a lock screen shows only that there is one.
    message = Message(opened.catalogues[language]("case.notice"))
    return Letter(
        chance().letters(20),
        key,
        person.channel,
        person.address,
        message,
        not_before=office_of(opened).not_before(now()),
        heard=heard,
    )


def _known(found: Known | None) -> Known:
    if found is None:
        raise NoSuchCase
    return found
