"""The double itself: every method and fault by two libraries, every wrong call found."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.telegram import faults, rules
from tests.telegram.clients import LIBRARIES, Library
from tests.telegram.double import BotApi
from tests.telegram.faults import Fault, Pace
from tests.telegram.judge import lost
from tests.telegram.methods import METHODS, TOO_OLD
from tests.telegram.people import Person
from tests.telegram.rules import ptb_parameters
from tests.telegram.schema import CONTRACT, from_aiogram, from_contract
from tests.telegram.world import Refused

TEXT = "Kính chào ông/bà 🙂 https://example.vn"
both = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.name)


def call(api: BotApi, method: str, **params: Any) -> httpx.Response:
    return httpx.post(f"{api.url}/bot{api.token}/{method}", json=params, timeout=20)


# -- every method -------------------------------------------------------------------------------


async def everything(bot: Any, library: Library, an: Person) -> list[Any]:
    """Every method the double plays, once, as a bot would call it."""
    types, file = library.types, library.file
    me = await bot.get_me()
    sent = await bot.send_message(
        chat_id=an.id,
        text=TEXT,
        protect_content=True,
        reply_markup=library.keyboard(("Có", "muốn|có"), ("Không", "muốn|không")),
        link_preview_options=types.LinkPreviewOptions(is_disabled=True),
    )
    reply = types.ReplyParameters(message_id=sent.message_id)
    photos = [types.InputMediaPhoto(media=library.attached(b"a", "a.jpg"), caption="hai ảnh")]
    photos += [types.InputMediaPhoto(media=library.attached(b"b", "b.jpg"))]
    results = [
        sent,
        await bot.send_message(
            chat_id=str(an.id), text="<b>đậm</b> &amp; thường", parse_mode="HTML"
        ),
        await bot.send_message(chat_id=an.id, text="đáp", reply_parameters=reply),
        photo := await bot.send_photo(chat_id=an.id, photo=file(b"jpg", "x.jpg"), caption="ảnh"),
        await bot.send_photo(chat_id=an.id, photo=photo.photo[-1].file_id, has_spoiler=True),
        await bot.send_document(chat_id=an.id, document=file(b"pdf", "bản tin.pdf")),
        await bot.send_video(chat_id=an.id, video=file(b"mp4", "x.mp4")),
        await bot.send_audio(chat_id=an.id, audio=file(b"mp3", "x.mp3")),
        await bot.send_voice(chat_id=an.id, voice=file(b"ogg", "x.ogg")),
        await bot.send_animation(chat_id=an.id, animation=file(b"gif", "x.mp4")),
        await bot.send_video_note(chat_id=an.id, video_note=file(b"mp4", "x.mp4")),
        await bot.send_sticker(chat_id=an.id, sticker=file(b"webp", "x.webp")),
        *await bot.send_media_group(chat_id=an.id, media=photos),
        await bot.send_location(chat_id=an.id, latitude=10.77653, longitude=106.70098),
        await bot.send_venue(an.id, latitude=10.7, longitude=106.7, title="CA", address="số 1"),
        await bot.send_contact(chat_id=an.id, phone_number="113", first_name="Công an"),
    ]
    await _changes(bot, library, an, sent.message_id)
    await _of_itself(bot, library)
    assert me.username == "langnghe_thu_bot"
    return results


async def _changes(bot: Any, library: Library, an: Person, message: int) -> None:
    own = {"chat_id": an.id, "message_id": message}
    await bot.send_chat_action(chat_id=an.id, action="typing")
    query = an.press("Không")
    await bot.answer_callback_query(callback_query_id=query, text="Đã nhận")
    edited = await bot.edit_message_text(text="sửa", **own)
    assert edited.text == "sửa" and edited.reply_markup is None
    keyboard = library.keyboard(("Lại", "x"))
    assert (await bot.edit_message_reply_markup(reply_markup=keyboard, **own)).reply_markup
    assert await bot.delete_message(**own)
    ours = an.photo(b"image", caption="đây")
    found = await bot.get_file(an.place.messages[ours]["photo"][-1]["file_id"])
    content = await bot.download_file(found.file_path) if library.name == "aiogram" else None
    assert (content.read() if content else await found.download_as_bytearray()) == b"image"


async def _of_itself(bot: Any, library: Library) -> None:
    commands = [library.types.BotCommand(command="tinbao", description="Báo tin")]
    assert await bot.set_my_commands(commands=commands, language_code="vi")
    assert (await bot.get_my_commands(language_code="vi"))[0].description == "Báo tin"
    assert not await bot.get_my_commands()
    assert await bot.delete_my_commands(language_code="vi")
    assert not await bot.get_my_commands(language_code="vi")
    for name in ("description", "short_description", "name"):
        assert await getattr(bot, f"set_my_{name}")(**{name: "Lắng Nghe"})
        assert (
            getattr(await getattr(bot, f"get_my_{name}")(language_code="en"), name) == "Lắng Nghe"
        )
    assert await bot.set_webhook(url="http://127.0.0.1:1/telegram", secret_token="a-b_c")
    info = await bot.get_webhook_info()
    assert info.url.endswith("/telegram") and info.max_connections == 40
    assert await bot.delete_webhook(drop_pending_updates=True)
    assert len(await bot.get_updates(timeout=0)) == 0


@both
def test_every_method_is_understood_and_its_answer_read(api: BotApi, library: Library) -> None:
    an = api.person("An")
    an.start()
    results = library.run(api, lambda bot: everything(bot, library, an))
    assert api.violations == []
    assert {call.method for call in api.journal} >= set(METHODS) - {
        "editMessageCaption",
        "deleteMessages",
        "getChat",
        "leaveChat",
    }
    assert [call.status for call in api.journal] == [200] * len(api.journal)
    numbers = [result.message_id for result in results]
    assert numbers == sorted(set(numbers))
    assert an.toasts() == ["Đã nhận"]
    sent = [
        each for done in api.journal if done.method.startswith("send") for each in [done.result]
    ]
    for message in [x for each in sent for x in (each if isinstance(each, list) else [each])]:
        assert message is True or lost("Message", message) == []


def test_what_was_sent_is_seen_by_its_person(api: BotApi) -> None:
    an = api.person("An")
    an.start()
    LIBRARIES[0].run(api, lambda bot: everything(bot, LIBRARIES[0], an))
    heard = an.heard()
    assert [button.data for button in heard[0].buttons] == ["muốn|có", "muốn|không"]
    assert heard[0].protect_content and heard[0].text == TEXT
    assert heard[1].text == "đậm & thường" and heard[1].raw["entities"][0]["type"] == "bold"
    photo, document = heard[3], heard[5]
    assert photo.photo and photo.content == b"jpg" and photo.text == "ảnh"
    assert document.document and document.name == "bản tin.pdf"
    album = [each for each in heard if each.album]
    assert [each.text for each in album] == ["hai ảnh", ""] and len({x.album for x in album}) == 1
    assert an.heard() == []


@pytest.mark.parametrize("way", ["json", "data", "files", "query"])
def test_a_call_may_come_as_json_form_multipart_or_query(api: BotApi, way: str) -> None:
    an = api.person("An")
    an.start()
    url = f"{api.url}/bot{api.token}/sendmessage"  # in whatever case
    markup = {"inline_keyboard": [[{"text": "Có", "callback_data": "x"}]]}
    given = {"chat_id": str(an.id), "text": "đ", "reply_markup": json.dumps(markup)}
    if way == "json":
        answer = httpx.post(url, json={**given, "reply_markup": markup})
    elif way == "data":
        answer = httpx.post(url, data=given)
    elif way == "files":
        answer = httpx.post(url, files={name: (None, value) for name, value in given.items()})
    else:
        answer = httpx.get(url, params=given)
    assert answer.json()["result"]["reply_markup"] == markup, answer.text
    assert api.violations == []


def test_a_body_that_cannot_be_read_is_a_violation(api: BotApi) -> None:
    url = f"{api.url}/bot{api.token}/sendMessage"
    kinds = ("application/json", "multipart/form-data; boundary=x", "text/plain")
    for kind in kinds:
        assert httpx.post(url, content=b"{", headers={"Content-Type": kind}).status_code == 400
    assert len(api.violations) == len(kinds)


def test_another_token_and_another_path_are_refused(api: BotApi) -> None:
    assert httpx.get(f"{api.url}/bot1:x/getMe").json()["description"] == "Unauthorized"
    assert httpx.get(f"{api.url}/").json()["error_code"] == 404
    assert call(api, "getMee").json()["description"] == "Not Found: method not found"
    api.revoke()
    assert call(api, "getMe").status_code == 401


# -- wrong calls --------------------------------------------------------------------------------

KEYS = {"inline_keyboard": [[{"text": "Có", "callback_data": "x"}]]}


NINE = [KEYS["inline_keyboard"][0] * 9]


def keys(**button: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "Có", **button}]]}


PHOTO = {"type": "photo", "media": "https://example.vn/a.jpg"}
LONG = "x" * 201
BAD_COMMAND = {"command": "Báo", "description": "x"}
NO_CHAT = {"chat_id": None}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("sendMessage", {"text": "x", "texts": "y"}, "unknown parameter texts"),
    ("sendMessage", {}, "text is missing"),
    ("sendMessage", {"text": 5}, "text should be String"),
    ("sendMessage", {"text": "x", "chat_id": "@kenh"}, "chat_id is no integer"),
    ("sendMessage", {"text": "x", "chat_id": True}, "chat_id should be"),
    ("sendMessage", {"text": ""}, "text is empty"),
    ("sendMessage", {"text": " \n"}, "text is empty"),
    ("sendMessage", {"text": "đ" * 4097}, "4097 UTF-16 units"),
    ("sendMessage", {"text": "🙂" * 2049}, "4098 UTF-16 units"),
    ("sendMessage", {"text": "<b>x", "parse_mode": "HTML"}, "Can't find end tag"),
    ("sendMessage", {"text": "a<br>b", "parse_mode": "HTML"}, "Unsupported start tag"),
    ("sendMessage", {"text": "x", "protect_content": "yes"}, "should be Boolean"),
    ("sendMessage", {"text": "x", "reply_markup": {"inline": []}}, "no field"),
    ("sendMessage", {"text": "x", "reply_markup": keys()}, "a button that does []"),
    ("sendMessage", {"text": "x", "reply_markup": keys(callback_data="")}, "0 bytes"),
    ("sendMessage", {"text": "x", "reply_markup": keys(callback_data="đ" * 33)}, "66 bytes"),
    ("sendMessage", {"text": "x", "reply_markup": keys(callback_data="x", url="y")}, "that does"),
    ("sendMessage", {"text": "x", "reply_markup": {"inline_keyboard": [{}]}}, "should be an array"),
    ("sendMessage", {"text": "x", "reply_markup": {"inline_keyboard": NINE}}, "in a row"),
    ("sendPhoto", {"photo": "https://example.vn/a", "caption": "đ" * 1025}, "1025 UTF-16 units"),
    ("sendPhoto", {"photo": 5}, "photo should be"),
    ("sendMediaGroup", {"media": [PHOTO]}, "media has 1 items"),
    ("sendMediaGroup", {"media": [PHOTO] * 11}, "media has 11 items"),
    ("sendMediaGroup", {"media": [PHOTO, {"type": "photo"}]}, "media[1].media is missing"),
    ("sendMediaGroup", {"media": [PHOTO, {**PHOTO, "type": "document"}]}, "an album of"),
    ("sendMediaGroup", {"media": [PHOTO, {**PHOTO, "type": "voice"}]}, "type should be"),
    ("sendLocation", {"latitude": "x", "longitude": 1.0}, "latitude should be Float"),
    ("sendChatAction", {"action": "sleeping"}, "no action sleeping"),
    ("answerCallbackQuery", {**NO_CHAT, "callback_query_id": "1", "text": LONG}, "0 to 200"),
    ("setWebhook", {**NO_CHAT, "url": "https://x.vn/", "secret_token": "a b"}, "secret_token"),
    ("setWebhook", {**NO_CHAT, "url": "https://x.vn/", "max_connections": 101}, "1 to 100"),
    ("getUpdates", {**NO_CHAT, "limit": 101}, "1 to 100"),
    ("setMyCommands", {**NO_CHAT, "commands": [BAD_COMMAND]}, "no command"),
    ("sendDice", {}, "does not play"),
    ("noSuchMethod", {}, "no such method"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "params", "problem"), WRONG)
def test_a_wrong_call_is_found_and_refused(
    api: BotApi, method: str, params: dict[str, Any], problem: str
) -> None:
    an = api.person("An")
    an.start()
    given = {"chat_id": an.id, **params}
    answer = call(api, method, **{name: each for name, each in given.items() if each is not None})
    assert answer.status_code in (400, 404) and answer.json()["ok"] is False
    assert len(api.violations) == 1 and problem in api.violations[0], api.violations
    assert not api.journal[-1].executed and an.heard() == []


def test_a_file_that_nothing_speaks_of_is_found(api: BotApi) -> None:
    url = f"{api.url}/bot{api.token}/sendPhoto"
    an = api.person("An")
    an.start()
    data = {"chat_id": str(an.id), "photo": "attach://one"}
    files = {"one": ("a.jpg", b"a"), "two": ("b.jpg", b"b")}
    assert httpx.post(url, data=data, files=files).status_code == 400
    assert api.violations == ["sendPhoto: unknown parameter two"]


def test_python_telegram_bot_s_names_judge_beside_the_contract(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert {"chat_id", "text", "reply_markup"} <= (ptb_parameters("sendMessage") or set())
    assert ptb_parameters("sendRichMessage") is None  # newer than the judge
    assert all(ptb_parameters(method) is not None for method in METHODS)
    given = {"chat_id": 1, "message_id": 1, "text": "x", "rich_message": {"html": "x"}}
    assert rules.check("editMessageText", given, False)
    monkeypatch.setattr(rules, "_NEWER", set())
    with pytest.raises(rules.Wrong, match="python-telegram-bot knows no parameter rich_message"):
        rules.check("editMessageText", given, False)


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract is not here")
def test_without_the_contract_aiogram_s_models_say_the_same() -> None:
    stand_in, contract = from_aiogram(), from_contract(CONTRACT)
    for method in [*METHODS, "getUpdates", "setWebhook", "deleteWebhook", "getWebhookInfo"]:
        ours, theirs = stand_in.methods[method], contract.methods[method]
        assert set(theirs) <= set(ours), method
        needed = {name for name, part in theirs.items() if part.required}
        assert {name for name, part in ours.items() if part.required} >= needed
    assert set(contract.update_kinds()) <= set(stand_in.update_kinds())


# -- faults -------------------------------------------------------------------------------------

FAULTS: list[tuple[Fault, str]] = [
    (faults.flood(7), "flood"),
    (faults.BLOCKED, "forbidden"),
    (faults.DEACTIVATED, "forbidden"),
    (faults.CHAT_NOT_FOUND, "bad request"),
    (faults.QUERY_TOO_OLD, "bad request"),
    (faults.UNMODIFIED, "bad request"),
    (faults.UNAUTHORIZED, "unauthorized"),
    (faults.CONFLICT, "conflict"),
    (faults.migrated(-1001), "migrated"),
    (faults.RESTART, "restart"),
    (faults.broken(500), "server"),
    (faults.broken(502), "server"),
    (faults.broken(502, json=False), "unreadable"),
    (faults.broken(504, executed=True), "server"),
    (faults.RESET_UNREAD, "network"),
    (faults.RESET_EXECUTED, "network"),
]


@both
def test_every_fault_reaches_the_library_as_it_would_from_telegram(
    api: BotApi, library: Library
) -> None:
    an = api.person("An")
    an.start()

    async def suffer(bot: Any) -> None:
        for number, (fault, kind) in enumerate(FAULTS):
            api.fail(fault, method="sendMessage")
            with pytest.raises(library.errors[kind]):
                await bot.send_message(chat_id=an.id, text=f"lần {number}")
            assert api.calls("sendMessage")[-1].executed is fault.executed
        await bot.send_message(chat_id=an.id, text="xong")

    library.run(api, suffer)
    executed = [f"lần {n}" for n, (fault, _) in enumerate(FAULTS) if fault.executed]
    assert [heard.text for heard in an.heard()] == [*executed, "xong"]
    assert api.violations == []


@both
def test_a_call_that_hangs_is_given_up_by_the_caller(api: BotApi, library: Library) -> None:
    an = api.person("An")
    an.start()
    api.fail(faults.hang(executed=True), method="sendMessage")
    more: dict[str, Any] = {"request_timeout": 0.2} if library.name == "aiogram" else {}
    more = more or {"read_timeout": 0.2}

    async def give_up(bot: Any) -> None:
        with pytest.raises(library.errors["network"]):
            await bot.send_message(chat_id=an.id, text="chờ", **more)

    library.run(api, give_up)
    assert an.heard()[0].text == "chờ"
    assert api.calls("sendMessage")[0].status == 0


def test_a_fault_strikes_its_method_and_chat_as_often_as_written(api: BotApi) -> None:
    an, binh = api.person("An"), api.person("Bình")
    for each in (an, binh):
        each.start()
    api.fail(faults.BLOCKED, times=2, method="sendMessage", chat=an.id)

    def told(person: Person) -> int:
        return call(api, "sendMessage", chat_id=person.id, text="x").status_code

    assert call(api, "sendChatAction", chat_id=an.id, action="typing").status_code == 200
    assert [told(who) for who in (binh, an, binh, an, an)] == [200, 403, 200, 403, 200]
    api.fail(faults.BLOCKED, times=9)
    api.mend()
    assert told(an) == 200


def test_a_slow_answer_is_executed_and_comes(api: BotApi) -> None:
    an = api.person("An")
    an.start()
    api.fail(faults.slow(0.05))
    assert call(api, "sendMessage", chat_id=an.id, text="chậm").json()["ok"]


def test_what_the_chat_s_state_forbids_is_refused(api: BotApi) -> None:
    an = api.person("An")

    def to_an() -> str:
        told = call(api, "sendMessage", chat_id=an.id, text="x").json()
        return str(told.get("description", ""))

    assert to_an() == "Forbidden: bot can't initiate conversation with a user"
    an.block()
    assert to_an() == "Forbidden: bot was blocked by the user"
    an.unblock()
    assert to_an() == ""
    an.deactivate()
    assert to_an() == "Forbidden: user is deactivated"
    assert call(api, "sendMessage", chat_id=1, text="x").json()["error_code"] == 400
    assert api.violations == []


def test_editing_and_answering_too_late_are_refused_in_the_server_s_words(api: BotApi) -> None:
    an = api.person("An")
    theirs = an.say("của tôi")
    sent = call(api, "sendMessage", chat_id=an.id, text="x", reply_markup=KEYS).json()["result"]
    own = {"chat_id": an.id, "message_id": sent["message_id"]}
    told = call(api, "editMessageText", text="x", reply_markup=KEYS, **own).json()["description"]
    assert told.startswith("Bad Request: message is not modified")
    told = call(api, "editMessageText", chat_id=an.id, message_id=theirs, text="y").json()
    assert told["description"] == "Bad Request: message can't be edited"
    told = call(api, "deleteMessage", chat_id=an.id, message_id=9).json()
    assert told["description"] == "Bad Request: message to delete not found"
    query = an.press("Có")
    api.later = 3600
    told = call(api, "answerCallbackQuery", callback_query_id=query).json()
    assert told["description"] == TOO_OLD
    assert call(api, "logOut").json()["result"] is True
    assert call(api, "getMe").json()["description"] == "Logged out"


def test_a_file_over_twenty_megabytes_is_not_given(api: BotApi) -> None:
    an = api.person("An")
    sent = an.place.messages[an.document(b"x", size=(20 << 20) + 1)]["document"]
    told = call(api, "getFile", file_id=sent["file_id"]).json()
    assert told["description"] == "Bad Request: file is too big"
    told = call(api, "getFile", file_id="nothing").json()
    assert "wrong file_id" in told["description"]
    path = call(api, "getFile", file_id=_id_of(an, an.voice(b"ogg"))).json()["result"]["file_path"]
    file = f"{api.url}/file/bot{api.token}/{path}"
    assert httpx.get(file).content == b"ogg"
    assert httpx.get(file + "x").status_code == 404
    api.fail(faults.broken(502), method="download")
    api.fail(faults.RESET_UNREAD, method="download")
    with pytest.raises(httpx.TransportError):
        httpx.get(file)
    assert httpx.get(file).status_code == 502
    assert [call.status for call in api.calls("download")] == [200, 404, 0, 502]


def _id_of(an: Person, message: int) -> str:
    return str(an.place.messages[message]["voice"]["file_id"])


# -- rates --------------------------------------------------------------------------------------


class Clock:
    """A clock that is moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def _refusal(pace: Pace, chat: int, count: int = 1) -> int:
    try:
        pace.spend(chat, count)
    except Refused as refused:
        assert refused.parameters is not None
        return int(refused.parameters["retry_after"])
    return 0


def test_thirty_messages_a_second_and_then_the_whole_token_waits() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert [_refusal(pace, chat) for chat in range(30)] == [0] * 30
    assert _refusal(pace, 99) == 1
    clock.now += 0.9
    assert _refusal(pace, 98) == 1
    clock.now += 0.2
    assert _refusal(pace, 98) == 0
    stern = Pace(clock, penalty=5)
    assert [_refusal(stern, chat) for chat in range(31)] == [0] * 30 + [5]
    clock.now += 2
    assert _refusal(stern, 99) == 3
    clock.now += 3
    assert _refusal(stern, 99) == 0


def test_a_chat_takes_a_small_burst_then_one_a_second() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert [_refusal(pace, 1) for _ in range(4)] == [0, 0, 0, 1]
    assert _refusal(pace, 2) == 0
    clock.now += 1
    assert [_refusal(pace, 1) for _ in range(2)] == [0, 1]
    clock.now += 60
    assert [_refusal(pace, 1, 10), _refusal(pace, 1)] == [0, 8]


def test_a_group_takes_twenty_a_minute() -> None:
    clock = Clock()
    pace = Pace(clock, overall=1000)
    assert [_refusal(pace, -1) for _ in range(20)] == [0] * 20
    assert _refusal(pace, -1) == 60
    clock.now += 60
    assert _refusal(pace, -1) == 0


def test_limits_are_answered_with_429_when_switched_on(api: BotApi) -> None:
    an = api.person("An")
    an.start()
    api.limits(burst=1)
    assert call(api, "sendMessage", chat_id=an.id, text="1").status_code == 200
    refused = call(api, "sendMessage", chat_id=an.id, text="2")
    assert refused.json()["parameters"] == {"retry_after": 1}
    assert refused.headers["Retry-After"] == "1" and not api.journal[-1].executed
    assert call(api, "sendChatAction", chat_id=an.id, action="typing").status_code == 200
    api.limits(on=False)
    assert call(api, "sendMessage", chat_id=an.id, text="3").status_code == 200


# -- the journal --------------------------------------------------------------------------------


def test_the_journal_keeps_every_call_in_order_from_any_number_of_threads(api: BotApi) -> None:
    people = [api.person(f"P{number}") for number in range(4)]
    for each in people:
        each.start()

    def talk(person: Person) -> list[int]:
        with httpx.Client(base_url=f"{api.url}/bot{api.token}") as http:
            said = [http.post("/sendMessage", json={"chat_id": person.id, "text": f"{n}"})
                    for n in range(40)]  # fmt: skip
        return [answer.json()["result"]["message_id"] for answer in said]

    with ThreadPoolExecutor(4) as threads:
        numbers = list(threads.map(talk, people))
    assert all(each == sorted(each) for each in numbers)
    for person in people:
        assert [done.params["text"] for done in api.calls(chat=person.id)] == [*map(str, range(40))]
    times = [done.at for done in api.journal]
    assert times == sorted(times) and len(times) == 160
    assert len({number for each in numbers for number in each}) == 160
