"""The sender over a real store, with a voice that says what it is told to: each letter once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.clerk import Clerk
from bot.sending import (
    BULK_AT_ONCE,
    LIVE_AT_ONCE,
    Doubtful,
    Later,
    Rejected,
    Sender,
    Traffic,
    Unreachable,
)
from handlers.reception import Taken
from storage import outbox, people
from storage.outbox import Letter, Post
from storage.people import Member
from storage.store import Store, table
from storage.tables import Outgoing
from storage.vocabulary import Event, Message, Person, Said, Waiting
from tests.house import Talkers

numbers = itertools.count(1)
Answer = Exception | None


@dataclass
class Parrot:
    """A platform: notes what it hears, and answers as it is told, one answer a message."""

    answers: list[Answer] = field(default_factory=list)
    heard: list[tuple[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    gate: asyncio.Event | None = None

    name = "web"
    window: timedelta | None = None

    async def pieces(self, letter: Letter) -> Sequence[str]:
        return letter.message.text.split("|")

    async def say(self, address: str, piece: str, bulk: bool) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        if self.gate is not None:
            await self.gate.wait()
        self.at_once -= 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is None or isinstance(answer, Doubtful):
            self.heard.append((address, piece))
        if answer is not None:
            raise answer


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class PostOffice:
    """A store with people, a clerk, a sender and the platform."""

    talkers: Talkers
    parrot: Parrot = field(default_factory=Parrot)

    @property
    def store(self) -> Store:
        return self.talkers.store

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Sender]:
        clerk = Clerk(self.store, self.talkers.reception, now)
        sender = Sender(self.store, clerk, self.parrot, now)
        running = asyncio.create_task(sender.run())
        try:
            yield sender
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await asyncio.to_thread(clerk.stop)

    def enrol(self, who: str) -> bytes:
        with self.store.write() as work:
            key = work.seal.find("address", f"web:{who}")
            member = Member(f"m{next(numbers)}", "supervisor", "tinh", "vi")
            people.enrol(work, member, key, Person("web", who), now().date())
        return key

    def write(self, who: str, text: str, bulk: bool = True, wait: timedelta = timedelta(0)) -> str:
        name, post = f"l{next(numbers)}", Post()
        with self.store.write() as work:
            key = work.seal.find("address", f"web:{who}")
            post.add(Letter(name, key, "web", who, Message(text), now() + wait, bulk=bulk))
            outbox.put(work, post, now().date() + timedelta(days=60))
        return name

    def left(self) -> int:
        with self.store.read() as work:
            return outbox.count(work)

    def claimed(self) -> set[str]:
        with self.store.read() as work:
            rows = work.connection.execute(select(table(Outgoing))).all()
        return {row.id for row in rows if row.claimed is not None}

    def doubts(self) -> list[str]:
        with self.store.read() as work:
            return [one.id for one in outbox.doubts(work)]


@pytest.fixture
def office(talkers: Talkers) -> Iterator[PostOffice]:
    yield PostOffice(talkers)


async def until(told: Callable[[], bool]) -> None:
    for _ in range(3000):
        if await asyncio.to_thread(told):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never came true")


def said(who: str, text: str) -> Event:
    return Event(f"e{next(numbers)}", Person("web", who), Said(text=text), now())


def run(doing: Awaitable[None]) -> None:
    async def whole() -> None:
        await doing

    asyncio.run(whole())


def test_what_waits_is_sent_once_and_deleted(office: PostOffice) -> None:
    for who in ("an", "ba", "tu"):
        office.write(who, f"tin cho {who}")

    async def day() -> None:
        async with office.open():
            await until(lambda: office.left() == 0)

    run(day())
    assert sorted(office.parrot.heard) == [(who, f"tin cho {who}") for who in ("an", "ba", "tu")]


def test_a_reply_goes_at_once_and_in_order(office: PostOffice) -> None:
    async def day() -> None:
        async with office.open() as sender:
            for text in ("/start", "1", "1"):
                await sender.take(said("an", text))
                await until(lambda: office.left() == 0)

    run(day())
    heard = [text for _, text in office.parrot.heard]
    assert heard[0].startswith("Kính chào")
    assert [text[:8] for text in heard[-2:]] == ["Cảm ơn ô", "Ông/bà c"]


def test_a_reply_is_claimed_in_the_commit_of_its_event(office: PostOffice) -> None:
    async def day() -> None:
        office.parrot.gate = asyncio.Event()
        async with office.open() as sender:
            first = await sender.take(said("an", "/start"))
            assert first.claimed and office.claimed() == {first.replies[0].id}
            second = await sender.take(said("an", "1"))
            assert not second.claimed, "it stands behind the first"
            office.parrot.gate.set()
            await until(lambda: office.left() == 0)

    run(day())
    assert len(office.parrot.heard) == 2


def test_without_room_a_reply_is_claimed_in_its_turn(office: PostOffice) -> None:
    crowd = [f"p{number}" for number in range(LIVE_AT_ONCE + 5)]

    async def day() -> None:
        office.parrot.gate = asyncio.Event()
        async with office.open() as sender:
            taken = [await sender.take(said(who, "/start")) for who in crowd]
            assert [each.claimed for each in taken] == [True] * LIVE_AT_ONCE + [False] * 5
            assert len(office.claimed()) == LIVE_AT_ONCE
            office.parrot.gate.set()
            await until(lambda: office.left() == 0)

    run(day())
    assert sorted(who for who, _ in office.parrot.heard) == sorted(crowd)


def test_what_leads_to_no_reply_holds_no_room(office: PostOffice) -> None:
    async def day() -> None:
        async with office.open() as sender:
            event = said("an", "/start")
            await sender.take(event)
            await until(lambda: office.left() == 0)
            for _ in range(LIVE_AT_ONCE + 1):
                assert not (await sender.take(event)).claimed
            assert (await sender.take(said("ba", "/start"))).claimed

    run(day())


def test_a_pause_asked_for_since_the_commit_puts_a_claimed_reply_off(office: PostOffice) -> None:
    office.parrot.answers = [Later(0.2, everybody=True)]

    async def day() -> None:
        async with office.open() as sender:
            await asyncio.gather(
                *(sender.take(said(f"p{number}", "/start")) for number in range(9))
            )
            await until(lambda: office.left() == 0)

    run(day())
    assert sorted(who for who, _ in office.parrot.heard) == [f"p{number}" for number in range(9)]


def test_a_reply_that_was_replaced_before_its_turn_is_not_sent(office: PostOffice) -> None:
    async def day() -> None:
        async with office.open() as sender:
            gone = Waiting("never-stored", Message("đã thay"))
            with office.store.read() as work:
                key = work.seal.find("address", "web:an")
            sender.soon(Person("web", "an"), Taken(key, (gone,)))
            office.write("an", "tin sau", bulk=False)
            sender.nudged.set()
            await until(lambda: office.left() == 0)

    run(day())
    assert office.parrot.heard == [("an", "tin sau")]


def test_an_event_that_comes_again_sends_what_still_waits(office: PostOffice) -> None:
    event = Event("same", Person("web", "an"), Said(text="/start"), now())

    async def day() -> None:
        async with office.open() as sender:
            await sender.clerk.take(event)  # the program died before it could send
            again = await sender.clerk.take(event)
            assert again.repeated
            sender.soon(event.person, again)
            await until(lambda: office.left() == 0)

    run(day())
    assert len(office.parrot.heard) == 1


def test_what_was_left_over_goes_before_what_is_said_next(office: PostOffice) -> None:
    office.write("an", "tin cũ", bulk=False, wait=timedelta(hours=1))
    event = Event(f"e{next(numbers)}", Person("web", "an"), Said(text="/start"), now())

    async def day() -> None:
        async with office.open() as sender:
            sender.soon(event.person, await sender.clerk.take(event))
            await until(lambda: office.left() == 0)

    run(day())
    heard = [text for _, text in office.parrot.heard]
    assert heard[0] == "tin cũ" and heard[1].startswith("Kính chào")


def test_a_platform_that_asks_for_a_pause_gets_it_and_nothing_is_lost(office: PostOffice) -> None:
    office.parrot.answers = [Later(0.2, everybody=True)]
    for who in ("an", "ba"):
        office.write(who, "tin")

    async def day() -> None:
        async with office.open():
            await until(lambda: office.left() == 0)

    run(day())
    assert sorted(office.parrot.heard) == [("an", "tin"), ("ba", "tin")]
    with office.store.read() as work:
        assert outbox.paused(work, "web") is not None


def test_pieces_that_arrived_are_not_said_again(office: PostOffice) -> None:
    office.parrot.answers = [None, Later(0.1)]
    office.write("an", "một|hai|ba", bulk=False)

    async def day() -> None:
        async with office.open():
            await until(lambda: office.left() == 0)

    run(day())
    assert [text for _, text in office.parrot.heard] == ["một", "hai", "ba"]


def test_what_may_have_arrived_is_in_doubt_and_not_said_again(office: PostOffice) -> None:
    office.parrot.answers = [Doubtful()]
    name = office.write("an", "tin")

    async def day() -> None:
        async with office.open() as sender:
            await until(lambda: office.doubts() == [name])
            office.write("ba", "tin sau")
            sender.nudged.set()
            await until(lambda: office.left() == 1)

    run(day())
    assert office.parrot.heard == [("an", "tin"), ("ba", "tin sau")]


def test_what_a_dead_program_had_in_flight_is_in_doubt_at_the_next_start(
    office: PostOffice,
) -> None:
    flying, waiting = office.write("an", "bay"), office.write("ba", "chờ")
    with office.store.write() as work:
        before = now() - timedelta(hours=1)  # on PostgreSQL its lease must be over
        assert outbox.claim(work, [flying], before) == {flying}

    async def day() -> None:
        async with office.open():
            await until(lambda: office.left() == 1)

    run(day())
    assert office.doubts() == [flying]
    assert office.parrot.heard == [("ba", "chờ")]
    assert waiting not in office.doubts()


def test_whoever_blocked_the_bot_is_left_alone_and_loses_nothing(office: PostOffice) -> None:
    key = office.enrol("sep")
    office.parrot.answers = [Unreachable()]
    office.write("sep", "bản tin")

    async def day() -> None:
        async with office.open() as sender:
            await until(lambda: shut() == 1)
            assert office.parrot.heard == []
            with office.store.write() as work:
                people.shut(work, key, False)
            sender.nudged.set()
            await until(lambda: office.left() == 0)

    def shut() -> int:
        with office.store.read() as work:
            return people.shut_out(work)

    run(day())
    assert office.parrot.heard == [("sep", "bản tin")]


def test_of_a_citizen_who_is_gone_nothing_stays(office: PostOffice) -> None:
    office.parrot.answers = [Unreachable()]
    office.write("an", "có trả lời")

    async def day() -> None:
        async with office.open():
            await until(lambda: office.left() == 0)

    run(day())
    assert office.parrot.heard == []


def test_a_message_the_platform_will_never_take_holds_up_nobody(office: PostOffice) -> None:
    office.parrot.answers = [Rejected("Bad Request")]
    office.write("an", "hỏng")
    office.write("ba", "tốt")

    async def day() -> None:
        async with office.open():
            await until(lambda: office.left() == 0)

    run(day())
    assert office.parrot.heard == [("ba", "tốt")]


def test_no_more_is_claimed_than_can_be_in_flight(office: PostOffice) -> None:
    for number in range(30):
        office.write(f"p{number}", "tin")

    async def day() -> None:
        office.parrot.gate = asyncio.Event()
        async with office.open():
            await until(lambda: office.parrot.at_once == BULK_AT_ONCE)
            assert len(office.claimed()) == BULK_AT_ONCE
            office.parrot.gate.set()
            await until(lambda: office.left() == 0)

    run(day())
    assert office.parrot.most_at_once == BULK_AT_ONCE
    assert len(office.parrot.heard) == 30


def test_two_senders_over_one_database_say_each_letter_once(office: PostOffice) -> None:
    for number in range(20):
        office.write(f"p{number}", "tin")

    async def day() -> None:
        async with office.open(), office.open():
            await until(lambda: office.left() == 0)

    run(day())
    assert len(office.parrot.heard) == len(set(office.parrot.heard)) == 20


def test_the_bulk_lane_waits_while_the_last_second_was_full() -> None:
    traffic = Traffic(most=3)
    assert traffic.wait() == 0
    for _ in range(3):
        traffic.sent()
    assert 0 < traffic.wait() <= 1
