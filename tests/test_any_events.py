from __future__ import annotations

import itertools
import random
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.dialogue import dialogues
from handlers.questions import receipt_in
from handlers.reception import Taken
from handlers.talk import from_kept
from storage import outbox, people, reports, talks
from storage.migrating import migrate
from storage.sealing import Keys, Seal
from storage.store import Store
from storage.vocabulary import ROLES, Event, FileAt, Message, Point, Pressed, Said
from tests.house import CATALOGUES, Talkers, at, open_house

COMMANDS = [
    way
    for words in CATALOGUES.values()
    for key in words.section("commands.")
    for way in words.all(key)
]
ANSWERS = [
    *(
        way
        for words in CATALOGUES.values()
        for key in words.section("ways.")
        for way in words.all(key)
    ),
    *(str(number) for number in range(12)),
    "(2)",
    "ben thanh",
    "phường",
    "0901 234 567",
    "tối thứ bảy",
    "/ngonngu en",
    "/language vi",
]
STORIES = [
    "Có nhóm thanh niên bán ma túy ở hẻm 12",
    "co nguoi dang bi danh o ngoai cho cuu voi",
    "They were rude to me at the ward office",
    "Thủ tục cấp giấy tờ ở phường rất lâu " * 9,
]
GARBAGE = [
    "",
    " \n ",
    "\x00\x1b[2J",
    "\u202e\u2066x",
    "🙂",
    "👍" * 400,
    unicodedata.normalize("NFD", "Đường Nguyễn Huệ"),
    "a" * 9_000,
    "dòng\n" * 3_000,
    "{0}{x}%s",
    "/",
    "/khong_co",
    "/start abcd-efgh-2222",
    "1111 2222 3333 4444",
    "zzzz-zzzz-zzzz",
]
numbers = itertools.count()


@dataclass(frozen=True)
class Step:
    """What one of the people does next; `choose` picks among whatever there is to pick from."""

    who: int
    does: str
    choose: int
    text: str
    with_next: bool


DOES = [
    *["forward"] * 8,
    "text",
    "text",
    "press",
    "stale",
    "pin",
    "files",
    "start",
    "receipt",
    "repeat",
]
STEPS = st.lists(
    st.builds(
        Step,
        st.integers(0, 2),
        st.sampled_from(DOES),
        st.integers(0, 30),
        st.one_of(
            *map(st.sampled_from, (COMMANDS, ANSWERS, STORIES, GARBAGE)), st.text(max_size=20)
        ),
        st.booleans(),
    ),
    max_size=60,
)


@dataclass
class Walk:
    """Some people who have never been here, and everything they did and heard."""

    talkers: Talkers
    name: int = field(default_factory=lambda: next(numbers))
    done: list[Event] = field(default_factory=list)
    heard: dict[str, list[Message]] = field(default_factory=dict)
    receipts: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)

    def walk(self, steps: Sequence[Step]) -> int:
        """Do it all; returns how many reports came of it."""
        self.talkers.later(hours=1)
        before = self._stored()
        batch: list[Event] = []
        for step in steps:
            batch.append(self._event(step))
            if not step.with_next:
                self._take(batch)
                batch = []
        self._take(batch)
        assert self._stored() - before == len(self.receipts)
        with self.talkers.store.read() as work:
            assert all(reports.by_receipt(work, receipt) for receipt in self.receipts)
            assert not talks.exhume(work)
        return len(self.receipts)

    def _event(self, step: Step) -> Event:
        if step.does == "repeat" and self.done:
            return self.done[step.choose % len(self.done)]
        who = f"{self.name}-{step.who}"
        event = Event(f"x{next(numbers)}", at(who), self._said(step, who), self.talkers.now)
        self.done.append(event)
        return event

    def _said(self, step: Step, who: str) -> Said:
        if step.does == "pin":
            return Said(place=Point(10 + step.choose, 106.123456789))
        if step.does == "files":
            count = 1 + step.choose % 4
            return Said(files=tuple(FileAt(f"at{next(numbers)}", "photo") for _ in range(count)))
        if step.does == "start":
            return Said(start=self._invitation(step.choose) if step.choose % 3 else step.text)
        if step.does == "receipt" and self.receipts:
            return Said(text=sorted(self.receipts)[step.choose % len(self.receipts)])
        asked = [message for message in self.heard.get(who, ()) if message.question]
        if step.does == "stale" and asked:
            return self._pressed(asked[step.choose % len(asked)], step.choose)
        if step.does == "press" and asked:
            return self._pressed(asked[-1], step.choose)
        if step.does == "forward" and asked:
            return self._forward(asked[-1], step)
        return Said(text=step.text)

    def _invitation(self, choose: int) -> str:
        code = "".join("abcdefghij"[int(digit)] for digit in f"{next(numbers):012d}")
        code = "-".join((code[:4], code[4:8], code[8:]))
        with self.talkers.store.write() as work:
            until = self.talkers.now + timedelta(days=7)
            people.invite(work, code, ROLES[choose % len(ROLES)], "tinh", until)
        return code

    def _pressed(self, message: Message, choose: int) -> Said:
        ids = [option.id for option in message.choices] or ["gone"]
        return Said(pressed=Pressed(message.question or "", ids[choose % len(ids)]))

    def _forward(self, message: Message, step: Step) -> Said:
        """What somebody would answer who wants to get on."""
        if message.question in ("what", "more"):
            return Said(text=STORIES[step.choose % len(STORIES)])
        if message.question == "contact":
            return Said(text="0901 234 567")
        if message.question in ("review", "handle", "menu", "evidence", "saved"):
            return self._pressed(message, 0 if step.choose % 6 else step.choose)
        return self._pressed(message, step.choose)

    def _take(self, batch: list[Event]) -> None:
        with self.talkers.store.write() as work:
            taken = self.talkers.reception.take(work, batch, self.talkers.now)
        for event, each in zip(batch, taken, strict=True):
            self._judge(event, each, event.id in self.taken)
            self.taken.add(event.id)
        for event in batch:
            self._look(event)

    def _judge(self, event: Event, taken: Taken, known: bool) -> None:
        assert taken.failed is None
        assert taken.repeated is known
        assert bool(taken.replies) is not known, "answered, or deliberately silent"
        for reply in taken.replies:
            assert reply.message.text.strip()
            self.heard.setdefault(event.person.address, []).append(reply.message)
            if reply.message.question == "saved":
                receipt = receipt_in(reply.message.text.splitlines()[1])
                assert receipt is not None
                self.receipts.add(receipt)

    def _look(self, event: Event) -> None:
        """The talk can be taken up, and no question waits twice."""
        with self.talkers.store.write() as work:
            key = talks.key_of(work, event.person)
            kept = talks.load(work, [key], self.talkers.now.date()).get(key)
            waiting = outbox.waiting(work, key, self.talkers.now)
        asked = [each.message.question for each in waiting if each.message.question]
        assert len(asked) == len(set(asked))
        talk = from_kept(kept)
        for running in (talk.running, talk.aside):
            assert running is None or running.name in dialogues()
        assert talk.aside is None or dialogues()[talk.aside.name].resumable

    def _stored(self) -> int:
        with self.talkers.store.read() as work:
            return reports.count(work)


@pytest.fixture(scope="module")
def talkers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talkers]:
    folder = tmp_path_factory.mktemp("any_events")
    store = Store(f"sqlite:///{folder}/langnghe.db", Seal(Keys.new()))
    migrate(store.engine)
    yield open_house(store)
    store.close()


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_whatever_people_do_each_event_has_its_effect_once(
    talkers: Talkers, steps: list[Step]
) -> None:
    Walk(talkers).walk(steps)


def test_people_who_want_to_get_on_come_to_reports(talkers: Talkers) -> None:
    dice = random.Random(20261101)
    stored = 0
    for _ in range(12):
        steps = [
            Step(
                dice.randrange(3),
                dice.choice([*["forward"] * 30, *DOES]),
                dice.randrange(31),
                dice.choice(ANSWERS),
                dice.random() < 0.3,
            )
            for _ in range(120)
        ]
        stored += Walk(talkers).walk(steps)
    assert stored > 10


def test_what_was_said_to_one_is_never_heard_by_another(talkers: Talkers) -> None:
    one, other = Walk(talkers), Walk(talkers)
    one.walk([Step(0, "text", 0, "/start", False)])
    with talkers.store.read() as work:
        stranger = talks.key_of(work, at(f"{other.name}-0"))
        assert outbox.waiting(work, stranger, talkers.now + timedelta(days=1)) == []
