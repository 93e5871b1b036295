"""The parts of the Bot Platform's channel by themselves: what is heard, said, shown, and whose turn
it is."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.asked import Asked
from bot.channels.zalobot.calling import Failed, NoAnswer, NotSent, Platform
from bot.channels.zalobot.charts import PATH, Charts
from bot.channels.zalobot.hearing import heard, mark, told_at, updates
from bot.channels.zalobot.speaking import Pace, ZaloBotVoice, pieces
from bot.clerk import Clerk
from bot.sending import Doubtful, Later, Rejected, Unreachable
from scheduler.due import due
from storage import outbox, talks, turns
from storage.outbox import Letter
from storage.store import Store
from storage.vocabulary import Event, Message, Option, Person, Said
from tests.house import Talkers
from tests.scheduler.station import DUE, Station, a_picture, office
from tests.server import free_port
from tests.zalo import faults
from tests.zalo.botplatform import BotPlatform
from tests.zalo.payloads import every, recorded

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def one(name: str, **changed: Any) -> Event | None:
    found = updates(recorded(f"bot.{name}"))
    assert len(found) == 1
    update: Any = found[0]
    update["message"] |= changed
    return heard(update, NOW)


# -- hearing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in every("bot") if "wrapped" not in name])
def test_a_body_says_the_same_wrapped_and_bare(name: str) -> None:
    bare, wrapped = one(name), one(f"{name}.wrapped")
    assert bare == wrapped
    assert (bare is None) == ("group" in name)
    if bare is not None:
        assert bare.person.channel == "zalobot"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("image", "photo"), ("image.documented", "photo"), ("voice", "voice")],
)
def test_a_file_lies_where_one_of_the_fields_says(name: str, kind: str) -> None:
    event = one(name)
    assert event is not None
    (file,) = event.said.files
    assert file.kind == kind and file.locator.startswith("https://")


@pytest.mark.parametrize("name", ["sticker", "sticker.object", "unsupported"])
def test_what_cannot_be_read_is_answered(name: str) -> None:
    event = one(name)
    assert event is not None and event.said.unread


@pytest.mark.parametrize("text", [None, "", "  ", 7, ["x"], {"a": 1}])
def test_a_text_without_a_text_is_answered_too(text: Any) -> None:
    event = one("text", text=text)
    assert event is not None and event.said == Said(unread=True)


@pytest.mark.parametrize("address", ["", 7, None, "https://zdn.vn/\n", "đ", "x" * 5000, []])
def test_a_photo_without_an_address_is_answered_too(address: Any) -> None:
    event = one("image", photo_url=address, caption=None)
    assert event is not None and event.said == Said(unread=True)


@pytest.mark.parametrize(
    ("given", "at"),
    [
        (1789033572455, 1789033572455),
        (1789033572, 1789033572000),
        ("1789033572455", 1789033572455),
        ("1789033572", 1789033572000),
        (1789033572.5, 1789033572500),
        (None, None), ("", None), ("hôm qua", None), (True, None), (-5, None), (0, None),
        (float("nan"), None), (10**400, None), ("9" * 400, None), (1e18, None),
    ],
)  # fmt: skip
def test_a_date_is_read_however_it_is_told(given: Any, at: int | None) -> None:
    assert told_at({"date": given}) == at


@pytest.mark.parametrize("id", [9007199254740993123, "9007199254740993123"])
def test_ids_stay_what_they_are(id: Any) -> None:
    event = one("text", chat={"id": id, "chat_type": "PRIVATE"}, message_id=id)
    assert event is not None
    assert (event.person.address, event.id) == ("9007199254740993123", "m9007199254740993123")


def test_an_update_without_an_id_is_known_again_by_what_it_is() -> None:
    first: Any = recorded("bot.text")
    del first["message"]["message_id"]
    again = {"message": dict(reversed(first["message"].items())), "event_name": first["event_name"]}
    assert mark(first) == mark(again) != mark({**first, "x": 1})
    assert mark({"message": {"text": "\ud800", "n": 10**30}}).startswith("h")


@pytest.mark.parametrize(
    "changed",
    [
        {"chat": {"id": "zgr-1", "chat_type": "GROUP"}},
        {"chat": {"id": "zgr-1"}},
        {"chat": {"id": "a b", "chat_type": "PRIVATE"}, "from": {"id": "c\nd"}},
        {"from": {"id": "x", "is_bot": True}},
        {"chat": None, "from": None},
    ],
)
def test_groups_bots_and_nobody_are_left_alone(changed: Any) -> None:
    assert one("text", **changed) is None


def test_pictures_bear_numbers_that_no_two_share() -> None:
    first, second = one("image"), one("image", message_id="another")
    assert first is not None and second is not None and first.part and second.part
    assert first.part.group == second.part.group and first.part.more
    assert first.part.number != second.part.number


# -- saying ---------------------------------------------------------------------------------------


def test_a_menu_is_one_piece_and_ties_its_question() -> None:
    (piece,) = pieces(Message("Chọn.", "legal", (Option("a", "Có"), Option("b", "Không"))), None)
    assert piece.text == "Chọn.\n\n1. Có\n2. Không" and piece.question == "legal"


def test_a_prompt_and_a_notice_ask_nothing_that_a_number_could_answer() -> None:
    prompt = Message("Đến đợt. Gõ /traloi.", "round:x", (Option("answer", "Trả lời"),))
    assert [p.question for p in (*pieces(prompt, None), *pieces(Message("Tin."), None))] == [
        None,
        None,
    ]


def test_a_picture_goes_first_or_is_told_in_words() -> None:
    message = Message("BẢN TIN", picture="d", about="Biểu đồ: tổng số 12.")
    first, last = pieces(message, "https://langnghe.example.vn/zalo/bot/charts/x.png")
    assert (first.picture, first.text) == (
        "https://langnghe.example.vn/zalo/bot/charts/x.png",
        "Biểu đồ: tổng số 12.",
    )
    assert last.text == "BẢN TIN"
    (words,) = pieces(message, None)
    assert words.text == "BẢN TIN\n\nBiểu đồ: tổng số 12." and words.picture is None


def test_everything_is_cut_to_what_zalo_takes() -> None:
    parts = pieces(Message("Một câu dài. " * 400, "q", (Option("a", "Có"),)), None)
    assert all(len(part.text) <= 2000 for part in parts) and len(parts) > 1
    assert [part.question for part in parts] == [None] * (len(parts) - 1) + ["q"]


class Quiet(Asked):
    """Keeps no note of what was shown."""

    def __init__(self) -> None:
        self._flights = {}

    async def shown(self, address: str, question: str, at: int | None) -> None:
        return None


def saying(
    bot: BotPlatform, doing: Callable[[ZaloBotVoice], Coroutine[Any, Any, None]], token: str = ""
) -> list[str]:
    states: list[str] = []

    async def say() -> None:
        platform = Platform(token or bot.token, bot.url)
        try:
            await doing(ZaloBotVoice(platform, Quiet(), lambda _: None, states.append, lambda: NOW))
        finally:
            await platform.close()

    asyncio.run(say())
    return states


REFUSALS = [
    (faults.INTERNAL, Later, 0, False),
    (faults.broken(500), Later, 0, False),
    (faults.broken(502, json=False), Later, 0, False),
    (faults.refused(408), Later, 0, False),
    (faults.refused(401), Later, 60, True),
    (faults.FLOOD, Later, 4, True),
    (faults.Fault(status=404, body=b"nothing here"), Later, 60, True),
    (faults.refused(400, "Bad Request: chat not found"), Unreachable, 0, False),
    (faults.refused(404, "user not found"), Unreachable, 0, False),
    (faults.refused(400, "Bad Request: text is too long"), Rejected, 0, False),
    (faults.refused(404, "no such method"), Rejected, 0, False),
    (faults.refused(426, "too often"), Rejected, 0, False),
    (faults.RESET_EXECUTED, Doubtful, 0, False),
    (faults.Fault(status=200, body=b"<html>"), Doubtful, 0, False),
]


@pytest.mark.parametrize("inside", ["status", "200"])
@pytest.mark.parametrize(("fault", "error", "after", "everybody"), REFUSALS)
def test_each_error_is_what_the_outbox_can_act_upon(
    bot: BotPlatform, inside: Any, fault: Any, error: Any, after: float, everybody: bool
) -> None:
    bot.errors = inside
    an = bot.person("An")
    an.say("chào")
    bot.fail(fault, method="sendMessage")

    async def say(voice: ZaloBotVoice) -> None:
        (piece,) = await voice.pieces(letter_to(an.id))
        with pytest.raises(error) as raised:
            await voice.say(an.id, piece, bulk=False)
        if isinstance(raised.value, Later):
            assert (raised.value.after, raised.value.everybody) == (after, everybody)
        assert bot.token not in str(raised.value) and raised.value.__cause__ is None
        await voice.say(an.id, piece, bulk=False)

    assert saying(bot, say)[-1] == "ok"


def letter_to(address: str, message: Message | None = None) -> Letter:
    return Letter("l", b"k", "zalobot", address, message or Message("Chào ông/bà."))


def test_nobody_there_is_tried_again_and_told_of() -> None:
    token = "1:secret"

    async def say() -> None:
        platform = Platform(token, f"http://127.0.0.1:{free_port()}")
        with pytest.raises(NotSent) as raised:
            await platform.call("getMe")
        assert token not in repr(raised.value) and raised.value.__cause__ is None
        await platform.close()

    asyncio.run(say())


def test_a_call_that_is_never_answered_ends(bot: BotPlatform) -> None:
    bot.fail(faults.hang(), method="getMe")

    async def ask() -> None:
        platform = Platform(bot.token, bot.url)
        with pytest.raises(NoAnswer):
            await platform.call("getMe", seconds=0.2)
        await platform.close()

    asyncio.run(ask())


def test_the_token_is_in_no_log_at_any_level(
    bot: BotPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    an = bot.person("An")
    an.say("chào")
    for fault in (faults.INTERNAL, faults.RESET_UNREAD, faults.refused(400, bot.token)):
        bot.fail(fault, method="sendMessage")

        async def say(voice: ZaloBotVoice) -> None:
            (piece,) = await voice.pieces(letter_to(an.id))
            with pytest.raises((Later, Doubtful, Rejected)) as raised:
                await voice.say(an.id, piece, bulk=False)
            logging.getLogger("test").error("it failed", exc_info=raised.value)

        saying(bot, say)
    assert "it failed" in caplog.text
    assert bot.token.partition(":")[2] not in caplog.text


@pytest.mark.parametrize("said", [{"ok": False, "error_code": "401"}, {"ok": False}, [], "x", None])
def test_an_answer_may_be_anything(bot: BotPlatform, said: Any) -> None:
    async def ask() -> Any:
        bot.fail(faults.Fault(body=json.dumps(said).encode()), method="getMe")
        platform = Platform(bot.token, bot.url)
        try:
            return await platform.call("getMe")
        finally:
            await platform.close()

    with pytest.raises((Failed, NoAnswer)):
        asyncio.run(ask())


def test_one_person_too_many_holds_up_nobody_else() -> None:
    pace = Pace()
    assert pace.flooded("an").everybody
    pace.went("binh")
    alone = pace.flooded("an")
    assert not alone.everybody and alone.after == 0
    pace.went("an")
    assert pace.flooded("an").everybody


def test_a_flood_waits_longer_each_time() -> None:
    pace = Pace()
    waits = [pace.flooded(f"p{n}").after for n in range(12)]
    assert waits[:4] == [4, 8, 16, 32] and waits[-1] == 3600
    assert "used up" in pace.state


# -- the chart of a digest ------------------------------------------------------------------------


def test_a_chart_is_only_for_whom_it_was_delivered_to(store: Store) -> None:
    station, moment = Station(store), [NOW]
    station.tell(9)
    an, bo = station.enrol("an"), station.enrol("bo", unit="ben", since=date(2027, 1, 1))
    assert due(store, DUE, office())
    with store.read() as work:
        (waits,) = outbox.waiting(work, an, DUE)
    message = waits.message
    charts = Charts(store, "https://langnghe.example.vn", lambda: moment[0])
    link = charts.link(Letter("l", an, "zalobot", "an", message))
    assert link is not None and link.startswith(f"https://langnghe.example.vn{PATH}/")
    name = link.rpartition("/")[2].removesuffix(".png")
    assert charts.find(name) == charts.find(name) == a_picture({"title": "Dư luận tháng 10/2026"})
    assert charts.link(Letter("l", bo, "zalobot", "bo", message)) is None
    changed = name[:-5] + ("A" if name[-5] != "A" else "B") + name[-4:]
    for odd in (name[:-4], changed, "", "x" * 5000, "ă"):
        assert charts.find(odd) is None, odd
    assert (
        Charts(store, "http://127.0.0.1", lambda: NOW).link(
            Letter("l", an, "zalobot", "an", message)
        )
        is None
    )
    moment[0] += timedelta(hours=2, seconds=1)
    assert charts.find(name) is None


# -- which question it was ------------------------------------------------------------------------


def test_a_number_is_for_the_question_that_was_seen(store: Store) -> None:
    until = NOW.date() + timedelta(days=7)
    with store.write() as work:
        key = talks.key_of(work, Person("zalobot", "an"))
        assert talks.asked(work, key, 5) is None
        talks.shown(work, key, "first", 100, until)
        assert [talks.asked(work, key, at) for at in (50, 100, 150, None)] == ["first"] * 4
        talks.shown(work, key, "second", 200, until)
        talks.shown(work, key, "second", 900, until)  # asked again: it was seen before
        told = [talks.asked(work, key, at) for at in (100, 199, 200, 500, 50, None)]
        # What was said before all that is known has a clock of its own: it answers what stands.
        assert told == ["first", "first", "second", "second", "second", "second"]
        talks.unask(work, key)
        assert talks.asked(work, key, 150) is None
        talks.shown(work, key, "third", 100, until)
        talks.forget(work, until + timedelta(days=1))
        assert talks.asked(work, key, 150) is None


def test_what_was_asked_is_told_by_no_row(store: Store) -> None:
    until = NOW.date()
    with store.write() as work:
        for name, question in (("an", "saved"), ("binh", "a-very-long-question-" * 5)):
            talks.shown(work, talks.key_of(work, Person("zalobot", name)), question, 10**13, until)
        rows = work.connection.exec_driver_sql("SELECT sealed FROM lastasked").scalars().all()
    assert len({len(bytes(row)) for row in rows}) == 1
    assert not any(b"saved" in bytes(row) for row in rows)


def test_a_number_for_another_question_answers_nothing(talkers: Talkers) -> None:
    talkers.say("xin chào")
    stale = talkers.say(Said(text="1", to="menu"))
    assert "câu hỏi cũ" in stale[0].text and stale[-1].question == "handle"
    assert talkers.say(Said(text="Đồng ý", to="menu"))[-1].question == "handle"
    assert talkers.say(Said(text="1", to="handle"))[-1].question == "machine"
    assert talkers.say(Said(text="1"))[-1].question == "menu"
    assert talkers.say(Said(text="/tinbao", to="machine"))[-1].question == "legal"
    assert talkers.say(Said(text="1", to="legal"))[-1].question == "what"
    story = "có người bán ma túy ở đầu hẻm"
    assert talkers.say(Said(text=story, to="legal"))[-1].question == "where"


def test_what_is_said_waits_for_what_is_just_being_told(talkers: Talkers) -> None:
    async def meet() -> list[str | None]:
        clerk = Clerk(talkers.store, talkers.reception, lambda: NOW)
        asked = Asked(talkers.store, clerk, "zalobot", NOW.date)
        event = Event("e1", Person("zalobot", "an"), Said(text="1"), NOW)
        await asked.shown("an", "first", 100)

        async def hear(at: int) -> str | None:
            async with asked.turn("an"):
                return (await asked.placed(event, at)).said.to

        async with asked.telling("an"):
            early, late = (asyncio.create_task(hear(at)) for at in (150, 250))
            await asyncio.sleep(0)
            assert not early.done() and not late.done()
            await asked.shown("an", "second", 200)
        found = [await early, await late]
        long = Event("e2", event.person, Said(text="một câu chuyện dài " * 9), NOW)
        found.append((await asked.placed(long, 250)).said.to)
        clerk.stop()
        return found

    assert asyncio.run(meet()) == ["first", "second", None]


# -- whose turn it is -----------------------------------------------------------------------------


def test_only_one_has_the_turn_until_it_is_over(store: Store) -> None:
    soon = NOW + timedelta(seconds=60)
    with store.write() as work:
        assert turns.take(work, "poll", "one", NOW, soon)
        assert not turns.take(work, "poll", "two", NOW, soon)
        assert turns.take(work, "other", "two", NOW, soon)
        assert turns.take(work, "poll", "one", NOW, soon + timedelta(seconds=60))
        later = NOW + timedelta(seconds=121)
        assert turns.take(work, "poll", "two", later, later + timedelta(seconds=60))
        assert not turns.take(work, "poll", "one", later, later + timedelta(seconds=60))
        turns.leave(work, "poll", "one")
        assert not turns.take(work, "poll", "one", later, later)
        turns.leave(work, "poll", "two")
        assert turns.take(work, "poll", "one", later, later)
