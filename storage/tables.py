"""Every table of the store as SQLModel classes: what is sealed is bytes, what is counted plain."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

# A row's place in the file must not tell when it was written, so that it cannot be laid beside
# another table written in the same moment: such tables are kept in the order of a random key.
UNORDERED: dict[str, Any] = {"sqlite_with_rowid": False}


class Seen(SQLModel, table=True):
    """An event that was taken; keyed hash of channel and id, so that it has its effect once."""

    __tablename__: ClassVar[Any] = "seen"
    key: bytes = Field(primary_key=True)
    until: date = Field(index=True)


class Talk(SQLModel, table=True):
    """What runs with one person: sealed, found by the keyed hash of the address."""

    __tablename__: ClassVar[Any] = "talk"
    __table_args__ = UNORDERED
    key: bytes = Field(primary_key=True)
    state: bytes
    until: date = Field(index=True)


class Outgoing(SQLModel, table=True):
    """A message that waits to be sent, sealed with its address; deleted when it was.

    `bulk`: nobody sits and waits for it. `claimed`: somebody is sending it, until then at the
    latest. `doubt`: its sender died or heard no answer, so it may have arrived. `done`: how many
    pieces of it have arrived. `roams`: any address of its enrolled person will do. `parked`: the
    platform takes it only when its person, no one enrolled, speaks again.
    """

    __tablename__: ClassVar[Any] = "outgoing"
    __table_args__ = (
        Index("ix_outgoing_key_n", "key", "n"),
        Index("ix_outgoing_due", "channel", "bulk", "n"),
    )
    n: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    channel: str
    key: bytes
    question: str | None = None
    sealed: bytes
    not_before: datetime | None = None
    until: date = Field(index=True)
    bulk: bool = False
    claimed: datetime | None = None
    doubt: bool = False
    done: int = 0
    tries: int = 0
    roams: bool = False
    parked: bool = False


class Held(SQLModel, table=True):
    """A part of something that is not whole yet (an album, a long text), sealed."""

    __tablename__: ClassVar[Any] = "held"
    __table_args__ = UNORDERED
    key: bytes = Field(primary_key=True)
    number: int = Field(primary_key=True)
    sealed: bytes
    due: datetime
    until: date = Field(index=True)


class LastAsked(SQLModel, table=True):
    """The last two questions somebody was shown where there are no buttons, and when; sealed."""

    __tablename__: ClassVar[Any] = "lastasked"
    __table_args__ = UNORDERED
    key: bytes = Field(primary_key=True)
    sealed: bytes
    until: date = Field(index=True)


class Turn(SQLModel, table=True):
    """Something that only one program may do at a time: who does it now, and until when."""

    __tablename__: ClassVar[Any] = "turn"
    name: str = Field(primary_key=True)
    holder: str
    until: datetime


class Silence(SQLModel, table=True):
    """A channel whose platform asked to be left alone, and until when: for every program."""

    __tablename__: ClassVar[Any] = "silence"
    channel: str = Field(primary_key=True)
    until: datetime


class DeadLetter(SQLModel, table=True):
    """An event that raised: sealed, with the name of what it raised, kept a short while."""

    __tablename__: ClassVar[Any] = "deadletter"
    id: str = Field(primary_key=True)
    sealed: bytes
    reason: str
    until: date = Field(index=True)


class Consent(SQLModel, table=True):
    """What somebody agreed to, or not, for one purpose, under which wording."""

    __tablename__: ClassVar[Any] = "consent"
    __table_args__ = UNORDERED
    key: bytes = Field(primary_key=True)
    purpose: str = Field(primary_key=True)
    given: bool
    wording: str
    on: date


class Attempt(SQLModel, table=True):
    """Wrong receipts and invitations, counted by sender and for all together, to slow guessing."""

    __tablename__: ClassVar[Any] = "attempt"
    key: bytes = Field(primary_key=True)
    since: datetime
    count: int


class Unit(SQLModel, table=True):
    """One office in the tree of units. `inspects`: takes what concerns units without a superior."""

    __tablename__: ClassVar[Any] = "unit"
    id: str = Field(primary_key=True)
    name: str
    name_en: str
    parent: str | None = Field(default=None, foreign_key="unit.id")
    ward: str | None = Field(default=None, index=True)
    inspects: bool = False
    since: date
    until: date | None = None


class Enrolled(SQLModel, table=True):
    """A person with a role in a unit. Nothing of what the person says points here."""

    __tablename__: ClassVar[Any] = "person"
    __table_args__ = UNORDERED
    id: str = Field(primary_key=True)
    role: str
    unit: str = Field(foreign_key="unit.id", index=True)
    language: str
    since: date
    until: date | None = None


class Address(SQLModel, table=True):
    """Where an enrolled person is reached, sealed; found by its keyed hash. One may have several.

    `shut`: the person blocked the bot there, so nothing is sent until they come back. `closed`: the
    platform takes nothing for them before they speak again. `heard`: the hour of their last word.
    """

    __tablename__: ClassVar[Any] = "address"
    key: bytes = Field(primary_key=True)
    person: str = Field(foreign_key="person.id", index=True)
    sealed: bytes
    shut: bool = False
    closed: bool = False
    heard: datetime | None = None


class Link(SQLModel, table=True):
    """A code by which somebody enrolled links another channel: one at a time, its keyed hash."""

    __tablename__: ClassVar[Any] = "link"
    person: str = Field(primary_key=True, foreign_key="person.id")
    key: bytes = Field(unique=True)
    until: datetime


class Invitation(SQLModel, table=True):
    """A single-use way in; only the keyed hash of its code is here."""

    __tablename__: ClassVar[Any] = "invitation"
    key: bytes = Field(primary_key=True)
    role: str
    unit: str = Field(foreign_key="unit.id")
    until: datetime
    used: bool = False


class Report(SQLModel, table=True):
    """What was told. Labels are plain for counting; every word of it is sealed in `body`."""

    __tablename__: ClassVar[Any] = "report"
    __table_args__ = (
        Index("ix_report_told_unit", "told", "unit"),
        UNORDERED,
    )
    id: str = Field(primary_key=True)
    kind: str
    legal: str
    stream: str
    channel: str
    language: str
    told: date
    unit: str = Field(foreign_key="unit.id")
    about: str | None = Field(default=None)
    ward: str | None = None
    topic: str | None = None
    also: str = ""
    sentiment: str | None = None
    urgency: str | None = None
    sure: bool = False
    body: bytes


class Tag(SQLModel, table=True):
    """A suggestion of the machine, or the correction of a person (`on`), its words sealed.

    A row `by` the machine also says that the sender agreed to a machine reading the report.
    """

    __tablename__: ClassVar[Any] = "tag"
    __table_args__ = UNORDERED
    report: str = Field(primary_key=True, foreign_key="report.id")
    axis: str = Field(primary_key=True)
    by: str = Field(primary_key=True)
    label: str
    confidence: float
    reasons: bytes
    on: date | None = Field(default=None)


class Alike(SQLModel, table=True):
    """Which reports say nearly the same: the name of a report's group, sealed under its row.

    `waits`: the report has not been laid beside its like yet. Only reports that a machine may
    read are here.
    """

    __tablename__: ClassVar[Any] = "alike"
    __table_args__ = UNORDERED
    report: str = Field(primary_key=True, foreign_key="report.id")
    waits: bool = Field(index=True)
    sealed: bytes


class Lesson(SQLModel, table=True):
    """One time the tagger learned from corrections, and how old and new model did (0 to 1).

    Whoever inserts the row of a night owns its learning; `state` says what came of it.
    """

    __tablename__: ClassVar[Any] = "lesson"
    day: date = Field(primary_key=True)
    what: str = Field(primary_key=True)
    state: str
    texts: int = 0
    heldout_old: float | None = None
    heldout_new: float | None = None
    recent_old: float | None = None
    recent_new: float | None = None


class Case(SQLModel, table=True):
    """A report being worked on: its receipt by keyed hash, its state, an opt-in sealed address."""

    __tablename__: ClassVar[Any] = "casefile"
    __table_args__ = UNORDERED
    report: str = Field(primary_key=True, foreign_key="report.id")
    alias: str = Field(unique=True)
    receipt: bytes = Field(unique=True)
    state: str = Field(index=True)
    disposition: str | None = None
    opened: date
    answered: date | None = None
    contented: bool | None = None
    notice: bytes | None = None


class CaseMessage(SQLModel, table=True):
    """One message of a case, either way, sealed. `n` orders the messages within the case."""

    __tablename__: ClassVar[Any] = "casemessage"
    __table_args__ = UNORDERED
    case: str = Field(primary_key=True, foreign_key="casefile.report")
    n: int = Field(primary_key=True)
    inward: bool
    on: date
    sealed: bytes


class Attachment(SQLModel, table=True):
    """A file: first where it lies at the platform (sealed), then what was kept of it."""

    __tablename__: ClassVar[Any] = "attachment"
    __table_args__ = UNORDERED
    id: str = Field(primary_key=True)
    state: str = Field(index=True)
    channel: str
    kind: str
    locator: bytes | None = None
    owner: bytes | None = None
    report: str | None = Field(default=None, foreign_key="report.id", index=True)
    stored: str | None = None
    media: str | None = None
    size: int = 0
    tries: int = 0
    not_before: datetime | None = None
    until: date | None = Field(default=None, index=True)


class Digest(SQLModel, table=True):
    """A period in figures for one unit, frozen: the same bytes whenever it is asked for."""

    __tablename__: ClassVar[Any] = "digest"
    __table_args__ = (UniqueConstraint("kind", "unit", "period", "until"),)
    id: str = Field(primary_key=True)
    kind: str
    unit: str = Field(foreign_key="unit.id")
    period: str
    first: date
    until: date
    closed: bool
    made: datetime
    snapshot: bytes
    sha256: str
    chart: bytes


class Shown(SQLModel, table=True):
    """Every figure ever published, so that no later table can be subtracted from it."""

    __tablename__: ClassVar[Any] = "shown"
    digest: str = Field(primary_key=True, foreign_key="digest.id")
    axis: str = Field(primary_key=True)
    label: str = Field(primary_key=True)
    unit: str
    first: date
    until: date
    count: int


class Delivery(SQLModel, table=True):
    """One digest for one person: whoever inserts the row owns the sending.

    It was received by `channel` when its `letter` waits no longer and was not `lost`. `meant`: the
    channel the person was last heard from when it was sent.
    """

    __tablename__: ClassVar[Any] = "delivery"
    digest: str = Field(primary_key=True, foreign_key="digest.id")
    person: str = Field(primary_key=True, foreign_key="person.id")
    at: datetime
    letter: str | None = Field(default=None, index=True)
    channel: str | None = None
    meant: str | None = None
    lost: bool = False


class Accounted(SQLModel, table=True):
    """A sending of which it was told who was not reached: whoever inserts the row tells it."""

    __tablename__: ClassVar[Any] = "accounted"
    what: str = Field(primary_key=True)


class Wish(SQLModel, table=True):
    """What a dialogue wants of the clock: a digest now, for one person, at the address `key`."""

    __tablename__: ClassVar[Any] = "wish"
    id: str = Field(primary_key=True)
    kind: str
    unit: str
    period: str
    person: str = Field(foreign_key="person.id")
    key: bytes | None = None


class Campaign(SQLModel, table=True):
    """A prompt with its questions, as an analyst wrote it (storage.campaign), and since when."""

    __tablename__: ClassVar[Any] = "campaign"
    id: str = Field(primary_key=True)
    body: str
    since: datetime
    closed: bool = False


class Round(SQLModel, table=True):
    """One sending of a campaign: whoever inserts the row owns the opening.

    `floor`: as promised to those asked. `buckets`: which units were counted together, as JSON.
    """

    __tablename__: ClassVar[Any] = "round"
    __table_args__ = (UniqueConstraint("campaign", "due"),)
    id: str = Field(primary_key=True)
    campaign: str = Field(foreign_key="campaign.id")
    due: datetime
    opened: datetime
    closes: datetime
    until: datetime
    floor: int
    state: str = Field(index=True)
    contributors: int = 0
    buckets: str = "{}"


class Participation(SQLModel, table=True):
    """Who was asked in a round and whether they answered. Nothing of what was said is near it."""

    __tablename__: ClassVar[Any] = "participation"
    __table_args__ = UNORDERED
    round: str = Field(primary_key=True, foreign_key="round.id")
    person: str = Field(primary_key=True, foreign_key="person.id", index=True)
    unit: str
    told: bool = False
    done: bool = False
    reminded: int = 0
    reminded_on: date | None = None


class Pause(SQLModel, table=True):
    """Somebody who wants no prompts until a day; without a day, for good."""

    __tablename__: ClassVar[Any] = "pause"
    __table_args__ = UNORDERED
    person: str = Field(primary_key=True, foreign_key="person.id")
    until: date | None = None


class Affiliation(SQLModel, table=True):
    """A mass organisation somebody said they belong to."""

    __tablename__: ClassVar[Any] = "affiliation"
    __table_args__ = UNORDERED
    person: str = Field(primary_key=True, foreign_key="person.id")
    organisation: str = Field(primary_key=True)


class Ballot(SQLModel, table=True):
    """What one person said, sealed to one size, until its round closes; nothing says whose it is.

    `round` is empty for what was said between rounds: the next one to close takes it.
    """

    __tablename__: ClassVar[Any] = "ballot"
    __table_args__ = UNORDERED
    id: str = Field(primary_key=True)
    campaign: str = Field(foreign_key="campaign.id", index=True)
    round: str | None = Field(default=None, foreign_key="round.id")
    sealed: bytes


class Tally(SQLModel, table=True):
    """How many people of a bucket of units chose an option in a closed round."""

    __tablename__: ClassVar[Any] = "tally"
    __table_args__ = UNORDERED
    round: str = Field(primary_key=True, foreign_key="round.id")
    bucket: str = Field(primary_key=True)
    question: str = Field(primary_key=True)
    option: str = Field(primary_key=True)
    count: int


class Saying(SQLModel, table=True):
    """Free words of a closed round, sealed to one size, without unit; shown once they passed."""

    __tablename__: ClassVar[Any] = "saying"
    __table_args__ = UNORDERED
    id: str = Field(primary_key=True)
    round: str = Field(foreign_key="round.id", index=True)
    state: str
    sealed: bytes


class Result(SQLModel, table=True):
    """A table of a closed round for a unit, frozen; what it shows weighs on every later one."""

    __tablename__: ClassVar[Any] = "result"
    round: str = Field(primary_key=True, foreign_key="round.id")
    unit: str = Field(primary_key=True)
    made: datetime
    snapshot: bytes


class ResultSent(SQLModel, table=True):
    """One round's result for one person: whoever inserts the row owns the sending."""

    __tablename__: ClassVar[Any] = "resultsent"
    round: str = Field(primary_key=True, foreign_key="round.id")
    person: str = Field(primary_key=True, foreign_key="person.id")


class ZaloGrant(SQLModel, table=True):
    """What a Zalo Official Account granted one app: its pair of tokens, sealed; one row per app.

    `since`: when the account was connected. `version` counts the pairs. `claimed`: somebody is
    renewing the pair, until then at the latest. `failing`: since when renewing has failed, and
    `trouble` why. `heard`: when a webhook came last; `alarmed`: that none came for long was said.
    `quota`: as Zalo last told it, JSON.
    """

    __tablename__: ClassVar[Any] = "zalogrant"
    app: str = Field(primary_key=True)
    version: int
    sealed: bytes
    since: datetime
    renewed: datetime
    expires: datetime
    claimed: datetime | None = None
    failing: datetime | None = None
    trouble: str | None = None
    heard: datetime | None = None
    alarmed: bool = False
    quota: str | None = None
