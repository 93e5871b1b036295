"""Windows: nothing is pushed outside of them, nothing goes twice, and a word brings what waits."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clerk import Clerk
from bot.sending import Closed, Rejected, Sender, Unreachable, closed, unreachable
from handlers.talk import Talk
from scheduler.due import forward
from storage import outbox, people, reach, talks
from storage.outbox import Letter, Post
from storage.people import Member
from storage.store import Store, Work
from storage.vocabulary import Event, Message, Person, Said
from tests.house import NOON, Talkers, open_house
from tests.panel import unhurried
from tests.scheduler.station import letters, office

HOURS_48 = timedelta(hours=48)
WINDOWS = {"web": timedelta(0), "telegram": None, "zalo": HOURS_48}
numbers = itertools.count(1)


def enrol(store: Store, name: str, *at: Person, heard: datetime | None = None) -> None:
    with store.write() as work:
        first, *others = ((talks.key_of(work, one), one) for one in at)
        member = Member(name, "supervisor", "tinh", "vi")
        people.enrol(work, member, *first, date(2026, 1, 1), heard)
        welcome(work, first[0])
        for key, one in others:
            people.add_address(work, name, key, one, heard)


def welcome(work: Work, key: bytes) -> None:
    """Somebody who is in the middle of nothing: they are left in peace otherwise."""
    talks.keep(work, {key: Talk(welcomed=True).as_kept()}, date(2030, 1, 1))


def queue(
    store: Store,
    person: Person,
    text: str,
    *,
    bulk: bool = True,
    roams: bool = True,
    heard: datetime | None = None,
) -> str:
    name = f"w{next(numbers)}"
    with store.write() as work:
        key = talks.key_of(work, person)
        message = Message(text)
        letter = Letter(
            name,
            key,
            person.channel,
            person.address,
            message,
            bulk=bulk,
            roams=bulk and roams,
            heard=heard,
        )
        outbox.put(work, Post([letter]), date(2030, 1, 1))
    return name


def count(store: Store) -> int:
    with store.read() as work:
        return outbox.count(work)


# -- the sender -----------------------------------------------------------------------------------


@dataclass
class Platform:
    """A platform with a window: notes what it takes, and answers as it is told."""

    name: str
    window: timedelta | None = None
    answers: list[Exception | None] = field(default_factory=list)
    took: list[str] = field(default_factory=list)
    asked: int = 0

    async def pieces(self, letter: Letter) -> Sequence[str]:
        return letter.message.text.split("|")

    async def say(self, address: str, piece: str, bulk: bool) -> None:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.took.append(piece)


@dataclass
class Line:
    """A sender at a platform, over the house's store, with a clerk of its own."""

    talkers: Talkers
    platform: Platform

    def run(self, doing: Callable[[Sender, Clerk], Awaitable[None]]) -> None:
        async def whole() -> None:
            clock = lambda: self.talkers.now  # noqa: E731  # a clock that is turned by hand
            clerk = Clerk(self.talkers.store, self.talkers.reception, clock)
            sender = Sender(self.talkers.store, clerk, self.platform, clock)
            running = asyncio.create_task(sender.run())
            try:
                await doing(sender, clerk)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await asyncio.to_thread(clerk.stop)

        asyncio.run(whole())

    async def word(self, sender: Sender, clerk: Clerk, person: Person, text: str = "/menu") -> None:
        event = Event(f"v{next(numbers)}", person, Said(text=text), self.talkers.now)
        sender.soon(person, await clerk.take(event))
        sender.nudged.set()


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1500):
        if await asyncio.to_thread(true):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never came true")


ZALO = Person("zalo", "1")


@pytest.fixture
def line(talkers: Talkers) -> Line:
    return Line(talkers, Platform("zalo", HOURS_48))


def test_what_the_platform_closes_waits_for_the_next_word_and_goes_once(line: Line) -> None:
    enrol(line.talkers.store, "sep", ZALO, heard=NOON)
    queue(line.talkers.store, ZALO, "bản tin")
    line.platform.answers = [Closed()]

    def shut() -> bool:
        with line.talkers.store.read() as work:
            key = talks.key_of(work, ZALO)
            return people.present(work, [key])[key].away

    async def day(sender: Sender, clerk: Clerk) -> None:
        await until(shut)
        assert line.platform.took == [] and line.platform.asked == 1
        queue(line.talkers.store, ZALO, "bản tin sau")
        with line.talkers.store.read() as work:
            assert not outbox.any_due(work, "zalo", line.talkers.now, HOURS_48)
        await line.word(sender, clerk, ZALO, "/huy")
        await until(lambda: count(line.talkers.store) == 0)

    line.run(day)
    assert [t for t in line.platform.took if "bản tin" in t] == ["bản tin", "bản tin sau"]


def test_a_citizen_s_notice_that_was_closed_waits_for_their_next_word(line: Line) -> None:
    with line.talkers.store.write() as work:
        welcome(work, talks.key_of(work, ZALO))
    queue(line.talkers.store, ZALO, "có trả lời", roams=False)
    line.platform.answers = [Closed()]

    async def day(sender: Sender, clerk: Clerk) -> None:
        await until(lambda: line.platform.asked == 1)
        await until(lambda: not due_now())
        await line.word(sender, clerk, ZALO, "/huy")
        await until(lambda: "có trả lời" in line.platform.took)

    def due_now() -> bool:
        with line.talkers.store.read() as work:
            return outbox.any_claimed(work, "zalo") or outbox.any_due(
                work, "zalo", line.talkers.now, HOURS_48
            )

    line.run(day)
    assert line.platform.took.count("có trả lời") == 1


def test_a_citizen_s_notice_of_after_the_window_is_not_even_tried(line: Line) -> None:
    store, told = line.talkers.store, line.talkers.now
    old = queue(store, ZALO, "có trả lời", bulk=False, heard=told - HOURS_48)
    with store.read() as work:
        assert outbox.any_due(work, "zalo", told, HOURS_48)
    new = Person("zalo", "khac")
    queue(store, new, "trả lời khác", bulk=False, heard=told - timedelta(hours=47))

    async def day(sender: Sender, clerk: Clerk) -> None:
        await until(lambda: "trả lời khác" in line.platform.took)
        assert line.platform.asked == 1
        await line.word(sender, clerk, ZALO, "/huy")
        await until(lambda: count(store) == 0)

    line.run(day)
    assert line.platform.took.count("có trả lời") == 1, old


def test_a_reply_that_was_closed_goes_before_the_next_one(line: Line) -> None:
    line.platform.answers = [Closed()]

    async def day(sender: Sender, clerk: Clerk) -> None:
        queue(line.talkers.store, ZALO, "trả lời cũ", bulk=False)
        sender.nudged.set()
        await until(lambda: line.platform.asked == 1)
        await line.word(sender, clerk, ZALO)
        await until(lambda: count(line.talkers.store) == 0)

    line.run(day)
    assert line.platform.took[0] == "trả lời cũ" and len(line.platform.took) == 2


def test_outside_its_window_nothing_is_pushed_and_a_word_opens_it(line: Line) -> None:
    enrol(line.talkers.store, "sep", ZALO, heard=NOON)
    line.talkers.now = NOON + timedelta(hours=48)
    queue(line.talkers.store, ZALO, "bản tin")

    async def day(sender: Sender, clerk: Clerk) -> None:
        with line.talkers.store.read() as work:
            assert not outbox.any_due(work, "zalo", line.talkers.now, HOURS_48)
            assert outbox.any_due(work, "zalo", line.talkers.now - timedelta(1), HOURS_48)
        await line.word(sender, clerk, ZALO, "/huy")
        await until(lambda: count(line.talkers.store) == 0)

    line.run(day)
    assert line.platform.took.count("bản tin") == 1


def test_pieces_that_arrived_before_a_close_are_not_said_again_nor_moved(line: Line) -> None:
    store = line.talkers.store
    enrol(store, "sep", ZALO, Person("telegram", "2"), heard=NOON)
    queue(store, ZALO, "một|hai")
    line.platform.answers = [None, Closed()]

    async def day(sender: Sender, clerk: Clerk) -> None:
        await until(lambda: line.platform.asked == 2)
        await until(lambda: not claimed())
        assert not forward(store, line.talkers.now, office(windows=WINDOWS))
        await line.word(sender, clerk, ZALO, "/huy")
        await until(lambda: count(store) == 0)

    def claimed() -> bool:
        with store.read() as work:
            return outbox.any_claimed(work, "zalo")

    line.run(day)
    assert [t for t in line.platform.took if t in ("một", "hai")] == ["một", "hai"]


def test_what_cannot_go_on_one_channel_goes_on_another(line: Line) -> None:
    store, telegram = line.talkers.store, Person("telegram", "2")
    enrol(store, "sep", ZALO, telegram, heard=NOON)
    queue(store, ZALO, "bản tin")
    line.platform.answers = [Unreachable()]

    async def day(sender: Sender, clerk: Clerk) -> None:
        await until(lambda: line.platform.asked == 1)
        await until(lambda: forward(store, line.talkers.now, office(windows=WINDOWS)))

    line.run(day)
    other = Line(line.talkers, Platform("telegram"))

    async def evening(sender: Sender, clerk: Clerk) -> None:
        await until(lambda: count(store) == 0)

    other.run(evening)
    assert (line.platform.took, other.platform.took) == ([], ["bản tin"])


def test_a_letter_the_platform_never_takes_is_lost_and_no_other_waits_for_it(line: Line) -> None:
    enrol(line.talkers.store, "sep", ZALO, heard=NOON)
    line.platform.answers = [Rejected("quá dài")]
    queue(line.talkers.store, ZALO, "hỏng")
    queue(line.talkers.store, ZALO, "tốt")

    async def day(sender: Sender, clerk: Clerk) -> None:
        await until(lambda: count(line.talkers.store) == 0)

    line.run(day)
    assert line.platform.took == ["tốt"]


# -- whatever happens, in whatever order ----------------------------------------------------------

CHANNELS = ("zalo", "telegram", "web")
ACTIONS = st.sampled_from(
    [
        *(("speak", channel) for channel in CHANNELS),
        *(("later", minutes) for minutes in (7, 70, 2_870, 2_890)),
        ("close", "zalo"),
        ("block", "zalo"),
        ("block", "telegram"),
        ("queue", ""),
        ("queue", ""),
        ("tick", ""),
        ("send", "zalo"),
        ("send", "telegram"),
        ("open page", ""),
    ]
)


@dataclass
class World:
    """One person with three channels, the platforms as they truly are, and the program's parts."""

    talkers: Talkers
    name: str
    said: dict[str, datetime] = field(default_factory=dict)
    against: set[str] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)
    queued: list[str] = field(default_factory=list)
    took: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        before = self.talkers.now - timedelta(hours=2)
        enrol(self.store, self.name, *map(self.at, CHANNELS), heard=before)
        self.said = dict.fromkeys(CHANNELS, before)
        self.speak("zalo")

    @property
    def store(self) -> Store:
        return self.talkers.store

    def at(self, channel: str) -> Person:
        return Person(channel, f"{channel}-{self.name}")

    def do(self, what: str, which: str | int) -> None:
        if what == "speak":
            self.speak(str(which))
        elif what == "later":
            self.talkers.later(minutes=int(which))
        elif what == "close":
            self.against.add(str(which))
        elif what == "block":
            self.blocked.add(str(which))
        elif what == "queue":
            self.queue()
        elif what == "tick":
            forward(
                self.store, self.talkers.now, office(windows=WINDOWS, ids=letters(next(numbers)))
            )
        elif what == "send":
            self.send(str(which))
        else:
            self.open_page()

    def speak(self, channel: str) -> None:
        self.against.discard(channel)
        self.blocked.discard(channel)
        self.said[channel] = self.talkers.now
        name = f"x{next(numbers)}"
        event = Event(name, self.at(channel), Said(text="/huy"), self.talkers.now)
        self.talkers.take(event)

    def queue(self) -> None:
        text = f"bản tin {len(self.queued)} của {self.name}"
        self.queued.append(text)
        to = reach.Reach(self.talkers.now, WINDOWS)
        with self.store.read() as work:
            best = to.best(reach.ways(work, [self.name])[self.name])
        queue(self.store, best.at, text)

    def send(self, channel: str) -> None:
        """Send all that is due, as the bulk lane does, and meet what the platform answers."""
        now, window = self.talkers.now, WINDOWS[channel]
        while True:
            with self.store.write() as work:
                mine = outbox.claim_due(work, channel, now, now, (), (), window=window)
            if not mine:
                return
            (letter,) = mine
            with self.store.write() as work:
                if channel in self.blocked:
                    unreachable(work, [letter], now)
                elif channel in self.against:
                    closed(work, [letter], now)
                else:
                    if letter.bulk and window is not None:
                        assert now - self.said[channel] <= window, "pushed outside its window"
                    self.took[letter.message.text] += 1
                    outbox.sent(work, [letter.id])

    def open_page(self) -> None:
        """The page shows what waits, once, and says that it has."""
        with self.store.read() as work:
            key = talks.key_of(work, self.at("web"))
            waiting = outbox.waiting(work, key, self.talkers.now)
        with self.store.write() as work:
            loose = [each.id for each in waiting if each.loose]
            ours = outbox.claim(work, loose, self.talkers.now + timedelta(days=400))
            shown = [each for each in waiting if not each.loose or each.id in ours]
            self.took.update(each.message.text for each in shown)
            outbox.seen(work, key, [each.id for each in shown])

    def all_of(self) -> list[int]:
        return [self.took[text] for text in self.queued]


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Talkers:
    folder: Path = tmp_path_factory.mktemp("windows")
    return open_house(unhurried(folder / "langnghe.db"))


@settings(max_examples=60, deadline=None)
@given(doing=st.lists(ACTIONS, min_size=12, max_size=30), last=st.sampled_from(CHANNELS))
def test_never_twice_never_outside_and_always_after_a_word(
    lasting: Talkers, doing: list[tuple[str, str | int]], last: str
) -> None:
    lasting.now = NOON
    world = World(lasting, f"p{next(numbers)}")
    for what, which in doing:
        world.do(what, which)
        assert max(world.all_of(), default=0) <= 1
    world.speak(last)
    for _ in CHANNELS:  # what a platform refuses now goes another way at the clock's next look
        for what, which in (("tick", ""), ("send", "zalo"), ("send", "telegram")):
            world.do(what, which)
    world.do("tick", "")
    world.open_page()
    assert world.all_of() == [1] * len(world.queued)


# -- several programs -----------------------------------------------------------------------------


def test_programs_that_move_and_send_at_once_send_each_letter_once(talkers: Talkers) -> None:
    store, now = talkers.store, NOON
    people_of = [f"m{number}" for number in range(12)]
    for one in people_of:
        enrol(store, one, Person("zalo", one), Person("telegram", one), heard=NOON)
    for one, number in itertools.product(people_of, range(3)):
        queue(store, Person("zalo", one), f"{one}-{number}")
    took: Counter[str] = Counter()
    ends = threading.Event()
    faults: list[BaseException] = []

    def moving(seed: int) -> None:
        dice = random.Random(seed)
        while not ends.is_set():
            with store.write() as work:
                one = dice.choice(people_of)
                channel = dice.choice(("zalo", "telegram"))
                key = talks.key_of(work, Person(channel, one))
                people.shut(work, key, dice.random() < 0.5)
            forward(store, now, office(windows=WINDOWS, ids=letters(next(numbers) + seed)))

    def sending(channel: str) -> None:
        while not ends.is_set():
            with store.write() as work:
                mine = outbox.claim_due(work, channel, now, now, (), (), 2, WINDOWS[channel])
            for letter in mine:
                took[letter.message.text] += 1
            with store.write() as work:
                outbox.sent(work, [letter.id for letter in mine])
            if count(store) == 0:
                ends.set()

    def safely(doing: Callable[[], None]) -> None:
        try:
            doing()
        except BaseException as fault:  # noqa: BLE001  # told in the main thread
            faults.append(fault)
            ends.set()

    doing = [partial(moving, number) for number in (1, 2)]
    doing += [partial(sending, name) for name in ("zalo", "telegram") * 2]
    threads = [threading.Thread(target=safely, args=(each,)) for each in doing]
    for each in threads:
        each.start()
    assert ends.wait(60)
    for each in threads:
        each.join()
    assert faults == []
    assert took == {f"{one}-{number}": 1 for one in people_of for number in range(3)}
