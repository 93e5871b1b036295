"""Reports as they were told, and the cases that are worked on: receipt, messages, state."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import orjson
from sqlalchemy import bindparam, delete, func, select, update

from storage import alike
from storage.store import Work, table
from storage.tables import Attachment, Case, CaseMessage, Report, Tag
from storage.vocabulary import Language, Person

_report, _tag = table(Report), table(Tag)
_case, _message, _attachment = table(Case), table(CaseMessage), table(Attachment)

OPEN = ("new", "sorting", "passed", "checking", "reopened")
STATES = (*OPEN, "answered", "closed")


class Suggested(Protocol):
    """What the machine thinks of a text (tagging.tagger.Tags fits)."""

    @property
    def topic(self) -> str: ...
    @property
    def also(self) -> tuple[str, ...]: ...
    @property
    def sentiment(self) -> str: ...
    @property
    def urgency(self) -> str: ...
    @property
    def sure(self) -> bool: ...
    @property
    def confidence(self) -> Mapping[str, float]: ...
    @property
    def reasons(self) -> Mapping[str, Sequence[str]]: ...


@dataclass(frozen=True)
class Told:
    """A report as it enters the store. `body` holds every word of it and is sealed."""

    id: str
    kind: str
    legal: str
    stream: str
    channel: str
    language: Language
    told: date
    unit: str
    about: str | None
    ward: str | None
    body: dict[str, Any]
    tags: Suggested | None


@dataclass(frozen=True)
class Opened:
    """A new case: its neutral alias for staff, its receipt for the sender, an address if asked."""

    report: str
    alias: str
    receipt: str
    opened: date
    notice: tuple[Person, Language] | None


@dataclass(frozen=True)
class Known:
    """A case as its sender or the office sees it, with the messages both ways in order."""

    report: str
    alias: str
    state: str
    opened: date
    answered: date | None
    contented: bool | None
    unit: str
    topic: str | None
    messages: tuple[tuple[bool, str, date], ...]


def add(work: Work, told: Told) -> None:
    """Store a report with the machine's suggestions, if the sender let the machine read it."""
    tags = told.tags
    row = {
        "id": told.id,
        "kind": told.kind,
        "legal": told.legal,
        "stream": told.stream,
        "channel": told.channel,
        "language": told.language,
        "told": told.told,
        "unit": told.unit,
        "about": told.about,
        "ward": told.ward,
        "topic": tags.topic if tags else None,
        "also": ",".join(tags.also) if tags else "",
        "sentiment": tags.sentiment if tags else None,
        "urgency": tags.urgency if tags else None,
        "sure": tags.sure if tags else False,
        "body": work.seal.close(orjson.dumps(told.body), f"report|body|{told.id}"),
    }
    work.connection.execute(work.insert(Report), row)
    if tags is not None:
        work.connection.execute(work.insert(Tag), _suggestions(work, told.id, tags))
        alike.put(work, told.id)


def _suggestions(work: Work, report: str, tags: Suggested) -> list[dict[str, Any]]:
    labels = {"topic": tags.topic, "sentiment": tags.sentiment, "urgency": tags.urgency}
    return [
        {
            "report": report,
            "axis": axis,
            "by": "machine",
            "label": label,
            "confidence": round(tags.confidence.get(axis, 0.0), 4),
            "reasons": work.seal.close(
                orjson.dumps(list(tags.reasons.get(axis, ()))), f"tag|reasons|{report}.{axis}"
            ),
        }
        for axis, label in labels.items()
    ]


def body(work: Work, report: str) -> dict[str, Any]:
    """Every word of one report. Raises LookupError when there is none."""
    sealed = work.connection.execute(
        select(_report.c.body).where(_report.c.id == report)
    ).scalar_one_or_none()
    if sealed is None:
        raise LookupError(report)
    if not sealed:
        return {}  # its time was over: the words were destroyed
    opened: dict[str, Any] = orjson.loads(work.seal.open(sealed, f"report|body|{report}"))
    return opened


def reasons(work: Work, report: str) -> dict[str, tuple[str, float, list[str]]]:
    """The machine's suggestions for a report: label, confidence and the words that caused it."""
    rows = work.connection.execute(
        select(_tag).where(_tag.c.report == report, _tag.c.by == "machine")
    )
    return {
        row.axis: (
            row.label,
            row.confidence,
            orjson.loads(work.seal.open(row.reasons, f"tag|reasons|{report}.{row.axis}")),
        )
        for row in rows
        if row.reasons  # destroyed with the report's words when its time was over
    }


def open_case(work: Work, case: Opened) -> None:
    """Open the case of a report under its receipt."""
    row = {
        "report": case.report,
        "alias": case.alias,
        "receipt": work.seal.find("receipt", case.receipt),
        "state": "new",
        "disposition": None,
        "opened": case.opened,
        "answered": None,
        "contented": None,
        "notice": _notice(work, case),
    }
    work.connection.execute(work.insert(Case), row)


def _notice(work: Work, case: Opened) -> bytes | None:
    if case.notice is None:
        return None
    person, language = case.notice
    plain = orjson.dumps([person.channel, person.address, language])
    return work.seal.close(plain, f"casefile|notice|{case.report}")


_views = select(
    _case.c.report,
    _case.c.alias,
    _case.c.state,
    _case.c.opened,
    _case.c.answered,
    _case.c.contented,
    _report.c.unit,
    _report.c.topic,
).join(_report, _report.c.id == _case.c.report)


def by_receipt(work: Work, receipt: str) -> Known | None:
    """The case a receipt opens, or nothing."""
    key = work.seal.find("receipt", receipt)
    return _known(work, _views.where(_case.c.receipt == key))


def by_alias(work: Work, alias: str) -> Known | None:
    """The case staff call by this alias, or nothing."""
    return _known(work, _views.where(_case.c.alias == alias))


def open_cases(work: Work, units: Collection[str] | None = None) -> list[Known]:
    """The cases that wait for an answer, of all units or of these; oldest first, no messages."""
    query = _views.where(_case.c.state.in_(OPEN)).order_by(_case.c.opened, _case.c.alias)
    if units is not None:
        query = query.where(_report.c.unit.in_(sorted(units)))
    rows = work.connection.execute(query)
    return [Known(**row, messages=()) for row in rows.mappings()]


def _known(work: Work, query: Any) -> Known | None:
    row = work.connection.execute(query).mappings().first()
    if row is None:
        return None
    sent = work.connection.execute(
        select(_message).where(_message.c.case == row["report"]).order_by(_message.c.n)
    )
    messages = tuple(
        (
            bool(each.inward),
            work.seal.open(each.sealed, f"casemessage|sealed|{each.case}.{each.n}").decode(),
            each.on,
        )
        for each in sent
    )
    return Known(**row, messages=messages)


def say(work: Work, case: str, inward: bool, text: str, on: date) -> None:
    """Add a message to a case: inward from its sender, else from the office."""
    n = work.connection.execute(
        select(func.coalesce(func.max(_message.c.n), 0) + 1).where(
            _message.c.case == bindparam("c")
        ),
        {"c": case},
    ).scalar_one()
    sealed = work.seal.close(text.encode(), f"casemessage|sealed|{case}.{n}")
    row = {"case": case, "n": n, "inward": inward, "on": on, "sealed": sealed}
    work.connection.execute(work.insert(CaseMessage), row)


def rate(work: Work, case: str, contented: bool) -> None:
    """Note whether the sender is content; a case whose sender is not is open again."""
    values: dict[str, Any] = {"contented": contented}
    if not contented:
        values["state"] = "reopened"
    work.connection.execute(update(_case).where(_case.c.report == case).values(values))


def move(work: Work, case: str, state: str, on: date) -> tuple[Person, Language] | None:
    """Set a case's state and return whom to tell; a closed case forgets the address for good."""
    values: dict[str, Any] = {"state": state}
    if state == "answered":
        values |= {"answered": func.coalesce(_case.c.answered, on)}
    sealed = work.connection.execute(
        select(_case.c.notice).where(_case.c.report == case)
    ).scalar_one()
    if state == "closed":
        values |= {"notice": None}
    work.connection.execute(update(_case).where(_case.c.report == case).values(values))
    if sealed is None:
        return None
    channel, address, language = orjson.loads(work.seal.open(sealed, f"casefile|notice|{case}"))
    return Person(channel, address), language


def forget(work: Work, before: date) -> int:
    """Destroy every word of reports told before a day; their labels stay. Returns how many."""
    old = work.connection.execute(
        select(_report.c.id).where(_report.c.told < before, _report.c.body != b"")
    ).scalars()
    gone = list(old)
    if gone:
        connection = work.connection
        connection.execute(update(_report).where(_report.c.id.in_(gone)).values(body=b""))
        connection.execute(update(_tag).where(_tag.c.report.in_(gone)).values(reasons=b""))
        connection.execute(delete(_message).where(_message.c.case.in_(gone)))
        connection.execute(delete(_attachment).where(_attachment.c.report.in_(gone)))
        alike.forget(work, gone)
        closed = {"notice": None, "state": "closed"}
        connection.execute(update(_case).where(_case.c.report.in_(gone)).values(closed))
    return len(gone)


def count(work: Work) -> int:
    """How many reports there are."""
    return int(work.connection.execute(select(func.count()).select_from(_report)).scalar_one())
