"""How the double gives updates out: offsets, long polls, conflicts, webhooks, people's doings."""

from __future__ import annotations

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.doubles.inbox import Inbox
from tests.telegram import faults
from tests.telegram.clients import LIBRARIES, Library
from tests.telegram.double import BotApi
from tests.telegram.judge import lost
from tests.telegram.people import Person
from tests.telegram.serving import OTHER_POLLER, WEBHOOK_ACTIVE, WEBHOOK_SET

both = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.name)
Thing = dict[str, Any]


def call(api: BotApi, method: str, **params: Any) -> Thing:
    answer = httpx.post(f"{api.url}/bot{api.token}/{method}", json=params, timeout=60)
    told: Thing = answer.json()
    return told


def poll(api: BotApi, **params: Any) -> list[Thing]:
    found: list[Thing] = call(api, "getUpdates", **params)["result"]
    return found


def texts(updates: list[Thing]) -> list[str]:
    return [update["message"]["text"] for update in updates]


# -- long polling -------------------------------------------------------------------------------


def test_an_update_comes_again_until_a_higher_offset_confirms_it(api: BotApi) -> None:
    an = api.person("An")
    for word in ("một", "hai", "ba"):
        an.say(word)
    first, second, third = (update["update_id"] for update in poll(api))
    assert (second, third) == (first + 1, first + 2)
    assert texts(poll(api)) == texts(poll(api, offset=first)) == ["một", "hai", "ba"]
    assert not an.confirmed() and not api.idle()
    assert texts(poll(api, offset=second, limit=1)) == ["hai"]
    assert api.confirmed(first) and not api.confirmed(second)
    assert texts(poll(api, offset=first)) == ["hai", "ba"]  # what is confirmed never comes back
    assert poll(api, offset=third + 1) == [] and an.confirmed() and api.idle()


def test_a_negative_offset_forgets_all_but_the_newest(api: BotApi) -> None:
    an = api.person("An")
    for word in ("một", "hai", "ba"):
        an.say(word)
    assert texts(poll(api, offset=-2)) == ["hai", "ba"]
    assert texts(poll(api)) == ["hai", "ba"]


def test_an_offset_far_in_the_future_confirms_nothing(api: BotApi) -> None:
    api.person("An").say("một")
    assert texts(poll(api, offset=2_000_000_000)) == ["một"]


def test_a_long_poll_ends_with_the_first_update(api: BotApi) -> None:
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(poll, api, timeout=50)
        api.wait(lambda: api.calls("getUpdates") and api.journal[0].executed)
        api.person("An").say("đây")
        assert texts(waits.result()) == ["đây"]


def test_which_kinds_are_wanted_is_remembered(api: BotApi) -> None:
    an = api.person("An")
    assert poll(api, allowed_updates=["callback_query"]) == []
    an.say("không ai nghe")
    an.block()
    assert poll(api) == [] and an.updates == [0, 0]
    assert call(api, "getWebhookInfo")["result"]["allowed_updates"] == ["callback_query"]
    poll(api, allowed_updates=[])
    assert api.update({"chat_member": {"chat": {"id": 1, "type": "private"}}}) == 0
    an.say("nghe")
    assert texts(poll(api)) == ["nghe"]
    assert "allowed_updates" not in call(api, "getWebhookInfo")["result"]


def test_a_callback_dies_after_150_seconds_and_a_message_after_a_day(api: BotApi) -> None:
    an = api.person("An")
    message = an.say("một")
    an.press_data(message, "x")
    assert len(poll(api)) == 2
    api.later = 151
    assert texts(poll(api)) == ["một"]
    api.later = 86_401
    assert poll(api) == []


def test_the_older_of_two_pollers_is_sent_away(api: BotApi) -> None:
    with ThreadPoolExecutor(2) as threads:
        older = threads.submit(call, api, "getUpdates", timeout=50)
        api.wait(lambda: api.calls("getUpdates") and api.journal[0].executed)
        newer = threads.submit(poll, api, timeout=50)
        assert older.result()["description"] == OTHER_POLLER
        api.person("An").say("cho người mới")
        assert texts(newer.result()) == ["cho người mới"]


def test_a_webhook_ends_a_poll_and_forbids_the_next(api: BotApi, inbox: Inbox) -> None:
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(call, api, "getUpdates", timeout=50)
        api.wait(lambda: api.calls("getUpdates") and api.journal[0].executed)
        assert call(api, "setWebhook", url=inbox.url)["description"] == "Webhook was set"
        assert waits.result()["description"] == WEBHOOK_SET
    again = call(api, "setWebhook", url=inbox.url)
    assert again["description"] == "Webhook is already set"
    assert call(api, "getUpdates")["description"] == WEBHOOK_ACTIVE
    assert call(api, "deleteWebhook")["description"] == "Webhook was deleted"
    assert poll(api) == []


def test_a_poller_that_dies_confirms_nothing(api: BotApi) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{api.url}/bot{api.token}/getUpdates", json={"timeout": 50}, timeout=0.1)
    api.person("An").say("nghe không")
    assert texts(poll(api)) == ["nghe không"]


def test_who_asks_too_often_is_slowed_when_the_brake_is_on(api: BotApi) -> None:
    an = api.person("An")
    api.polling_brake = True
    for word in ("một", "hai"):
        an.say(word)
    assert len(poll(api)) == 2
    assert len(poll(api)) == 1


@both
def test_both_libraries_fetch_updates(api: BotApi, library: Library) -> None:
    an = api.person("An")
    an.start("moi-abc")

    async def fetch(bot: Any) -> None:
        (update,) = await bot.get_updates(timeout=10, allowed_updates=["message"])
        assert update.message.text == "/start moi-abc"
        assert not await bot.get_updates(offset=update.update_id + 1, timeout=0)

    library.run(api, fetch)
    assert api.idle() and api.violations == []


# -- webhooks -----------------------------------------------------------------------------------


def test_a_webhook_gets_each_update_with_the_secret_and_in_the_chat_s_order(
    api: BotApi, inbox: Inbox
) -> None:
    people = [api.person(f"P{number}") for number in range(8)]
    call(api, "setWebhook", url=inbox.url, secret_token="bi-mat", max_connections=5)
    for number in range(10):
        for each in people:
            each.say(str(number))
    api.wait(api.idle)
    assert {secret for _, secret in inbox.got} == {"bi-mat"}
    for each in people:
        own = [u["message"]["text"] for u, _ in inbox.got if u["message"]["from"]["id"] == each.id]
        assert own == [*map(str, range(10))]


def test_no_more_deliveries_than_connections_are_under_way(api: BotApi, inbox: Inbox) -> None:
    inside, lock, go_on = 0, threading.Condition(), threading.Event()

    def answer(update: Thing) -> tuple[int, bytes, dict[str, str]]:
        nonlocal inside
        with lock:
            inside += 1
            lock.notify_all()
        assert go_on.wait(20)
        return 200, b"", {}

    inbox.answering = answer
    api.set_webhook(inbox.url, connections=3)
    for number in range(9):
        api.person(f"P{number}").say("x")
    with lock:
        assert lock.wait_for(lambda: inside == 3, 20)  # they are parallel
    for _ in range(20):
        call(api, "getWebhookInfo")  # time enough for a fourth, were there one
    assert inside == 3
    go_on.set()
    api.wait(api.idle)
    assert inside == 9


def test_a_failed_delivery_is_tried_at_once_then_ever_later(api: BotApi, inbox: Inbox) -> None:
    fails = iter([500, 404, 302, 503, 500])

    def answer(update: Thing) -> tuple[int, bytes, dict[str, str]]:
        status = next(fails, 200)
        return status, b"", {"Retry-After": "30"} if status == 503 else {}

    inbox.answering = answer
    api.set_webhook(inbox.url)
    an = api.person("An")
    an.say("một")
    an.say("hai")
    api.wait(api.idle)
    first, second = an.updates
    assert inbox.ids() == [first] * 6 + [second]
    assert api.pauses == [(first, 0), (first, 2), (first, 4), (first, 30), (first, 8)]
    info = call(api, "getWebhookInfo")["result"]
    assert info["last_error_message"] == (
        "Wrong response from the webhook: 500 Internal Server Error"
    )
    assert info["pending_update_count"] == 0


def test_a_chat_that_is_held_up_holds_up_neither_others_nor_its_buttons(
    api: BotApi, inbox: Inbox
) -> None:
    mended = threading.Event()
    an, binh = api.person("An"), api.person("Bình")

    def answer(update: Thing) -> tuple[int, bytes, dict[str, str]]:
        poison = update.get("message", {}).get("text") == "độc"
        return 500 if poison and not mended.is_set() else 200, b"", {}

    inbox.answering = answer
    api.set_webhook(inbox.url)
    poison = an.say("độc")
    an.say("sau")
    an.press_data(poison, "x")
    binh.say("khác")
    poisoned, after, pressed = an.updates
    api.wait(lambda: api.confirmed(pressed) and binh.confirmed())
    assert not api.confirmed(poisoned) and after not in inbox.ids()
    assert call(api, "getWebhookInfo")["result"]["pending_update_count"] == 2
    mended.set()
    api.wait(api.idle)
    assert inbox.ids()[-1] == after


@pytest.mark.parametrize("kind", ["json", "form"])
def test_a_method_in_a_webhook_s_answer_is_played(api: BotApi, inbox: Inbox, kind: str) -> None:
    an = api.person("An")
    reply: Thing = {"method": "sendMessage", "chat_id": an.id, "text": "đáp ngay"}
    body, media = json.dumps(reply).encode(), "application/json"
    if kind == "form":
        body, media = httpx.Request("POST", "/", data=reply).content, ""
        media = "application/x-www-form-urlencoded"
    inbox.answering = lambda update: (200, body, {"Content-Type": media})
    api.set_webhook(inbox.url)
    an.say("hỏi")
    assert an.wait()[0].text == "đáp ngay"
    assert api.journal[-1].by == "webhook" and api.violations == []


def test_a_webhook_may_not_answer_with_methods_that_get_or_steer(api: BotApi, inbox: Inbox) -> None:
    methods = iter(["getMe", "setWebhook", "deleteWebhook", "close", "logOut"])

    def answer(update: Thing) -> tuple[int, bytes, dict[str, str]]:
        body = json.dumps({"method": next(methods)}).encode()
        return 200, body, {"Content-Type": "application/json"}

    inbox.answering = answer
    api.set_webhook(inbox.url)
    for _ in range(5):
        api.person("An").say("x")
    api.wait(api.idle)
    assert api.journal == [] and next(methods, None) is None


def test_what_waits_is_delivered_when_a_webhook_is_set_unless_it_is_dropped(
    api: BotApi, inbox: Inbox
) -> None:
    an = api.person("An")
    an.say("trước")
    call(api, "setWebhook", url=inbox.url)
    api.wait(api.idle)
    call(api, "deleteWebhook")
    an.say("giữa")
    call(api, "setWebhook", url=inbox.url, drop_pending_updates=True)
    an.say("sau")
    api.wait(api.idle)
    assert texts([update for update, _ in inbox.got]) == ["trước", "sau"]


def test_a_webhook_that_nobody_answers_is_tried_until_somebody_does(
    api: BotApi, inbox: Inbox
) -> None:
    api.set_webhook("http://127.0.0.1:1/telegram")
    an = api.person("An")
    an.say("alo")
    api.wait(lambda: len(api.pauses) > 2)
    info = call(api, "getWebhookInfo")["result"]
    assert info["last_error_message"] == "Connection refused"
    api.set_webhook(inbox.url)
    api.wait(api.idle)
    assert inbox.ids() == an.updates


def test_the_address_of_a_webhook_is_checked(api: BotApi, inbox: Inbox) -> None:
    def told(url: str) -> str:
        return str(call(api, "setWebhook", url=url)["description"])

    assert told("no address") == "Bad Request: invalid webhook URL specified"
    assert told("http://example.vn/telegram").endswith("An HTTPS URL must be provided for webhook")
    assert "only on ports 80, 88, 443 or 8443" in told("https://example.vn:9000/telegram")
    api.https_only = True
    assert told(inbox.url).endswith("An HTTPS URL must be provided for webhook")
    api.limits()
    assert told("https://example.vn/a") == "Webhook was set"
    assert told("https://example.vn/b") == "Too Many Requests: retry after 1"


# -- what is odd --------------------------------------------------------------------------------


def test_an_update_can_be_repeated_in_both_ways(api: BotApi, inbox: Inbox) -> None:
    an = api.person("An")
    an.say("một")
    (first,) = poll(api)
    assert poll(api, offset=first["update_id"] + 1) == []
    api.repeat(first["update_id"])
    an.say("hai")
    assert texts(poll(api, offset=first["update_id"] + 1)) == ["một", "hai"]
    assert texts(poll(api, offset=first["update_id"] + 1)) == ["hai"]
    api.set_webhook(inbox.url)
    api.wait(api.idle)
    api.repeat(first["update_id"])
    api.wait(api.idle)
    assert texts([update for update, _ in inbox.got]) == ["hai", "một"]


def test_updates_can_be_reordered_across_chats_only(api: BotApi) -> None:
    people = [api.person(f"P{number}") for number in range(5)]
    with api.reordered(seed=3):
        for number in range(5):
            for each in people:
                each.say(f"{each.id}:{number}")
    came = texts(poll(api))
    assert came != sorted(came, key=lambda text: text[-1]) and len(came) == 25
    for each in people:
        own = [text for text in came if text.startswith(str(each.id))]
        assert own == [f"{each.id}:{number}" for number in range(5)]


# -- what people do -----------------------------------------------------------------------------


def everything(an: Person) -> None:
    """Whatever somebody can do in a chat."""
    first = an.say("chào https://example.vn /tinbao")
    an.start("moi-abc_1")
    an.long("chữ 🙂 " * 1000)
    an.forward("của người khác")
    an.photo(b"jpg", "ảnh")
    an.album([b"1", b"2", b"3"], "ba ảnh")
    an.document(b"pdf", caption="tài liệu")
    an.video(b"mp4", "phim")
    an.voice(b"ogg")
    an.audio(b"mp3")
    an.animation(b"gif")
    an.video_note(b"mp4")
    an.sticker()
    an.location(10.77653, 106.70098)
    an.venue(10.7, 106.7, "Công an phường", "số 1")
    an.contact("0901234567", "Bình", user_id=5)
    an.edit(first, "sửa")
    an.press_data(first, "muốn|có")
    an.press_data(999_999, "cũ|gone")
    an.block()
    an.unblock()


def test_both_judges_and_the_contract_read_whatever_people_do(api: BotApi) -> None:
    an = api.person("An")
    everything(an)
    found = poll(api)
    assert [each for update in found for each in lost("Update", update)] == []
    kinds = Counter(name for update in found for name in update if name != "update_id")
    assert kinds["edited_message"] == 1
    assert kinds["callback_query"] == kinds["my_chat_member"] == 2
    assert len(found) == len(an.updates) == 24


def test_a_judge_finds_what_is_lost() -> None:
    user = {"id": 1, "is_bot": False, "first_name": "An", "mood": "good"}
    found = lost("User", user)
    assert [each for each in found if each.startswith("ptb knows no")]
    assert [each for each in found if each.startswith("aiogram knows no")]
    assert "User.mood is no field of User" in found


def test_a_long_text_comes_in_pieces_that_nothing_ties_together(api: BotApi) -> None:
    an = api.person("An")
    text = "🙂" * 2047 + "abc" + "đ" * 5000
    an.long(text)
    came = texts(poll(api))
    assert "".join(came) == text and len(came) == 3
    assert [len(piece.encode("utf-16-le")) // 2 for piece in came] == [4096, 4096, 905]


def test_an_album_is_one_update_an_item_with_one_group(api: BotApi) -> None:
    api.person("An").album([b"1", b"2", b"3"], "ba ảnh")
    messages = [update["message"] for update in poll(api)]
    assert len({each["media_group_id"] for each in messages}) == 1
    assert [each.get("caption") for each in messages] == ["ba ảnh", None, None]
    uniques = {each["photo"][-1]["file_unique_id"] for each in messages}
    assert len(uniques) == 3


def test_the_newest_button_with_a_label_is_pressed(api: BotApi) -> None:
    an = api.person("An")
    an.start()
    for data in ("a|1", "b|2"):
        keyboard = {"inline_keyboard": [[{"text": "Có", "callback_data": data}]]}
        call(api, "sendMessage", chat_id=an.id, text="?", reply_markup=keyboard)
    an.press("Có")
    query = poll(api)[-1]["callback_query"]
    assert query["data"] == "b|2" and query["message"]["text"] == "?"
    assert query["chat_instance"] and query["from"]["id"] == an.id
    with pytest.raises(AssertionError, match="no button 'Không'"):
        an.press("Không")
    an.press_data(1, "cũ|x")
    gone = poll(api)[-1]["callback_query"]["message"]
    assert gone == {"chat": an.place.card, "message_id": 1, "date": 0}


def test_a_deep_link_carries_sixty_four_plain_letters_at_most(api: BotApi) -> None:
    an = api.person("An")
    an.start("a" * 64)
    for payload in ("a" * 65, "đ", "a b", "a|b"):
        with pytest.raises(AssertionError, match="no deep link"):
            an.start(payload)
    assert len(poll(api)) == 1


def test_waiting_ends_with_the_words_that_were_waited_for(api: BotApi) -> None:
    an = api.person("An")
    an.start()
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(an.wait, "hai")
        for text in ("một", "hai"):
            call(api, "sendMessage", chat_id=an.id, text=text)
        assert [heard.text for heard in waits.result()] == ["một", "hai"]
    with pytest.raises(AssertionError, match="did not come"):
        an.wait("ba", seconds=0.01)


def test_several_people_share_the_numbers_of_the_bot_s_account(api: BotApi) -> None:
    an, binh = api.person("An"), api.person("Bình")
    assert api.person("An") is an and api.person("X", id=2**51).id == 2**51
    numbers = [an.say("1"), binh.say("1"), an.say("2")]
    assert numbers == sorted(numbers) and len(set(numbers)) == 3


def test_a_call_to_leave_a_group_is_obeyed(api: BotApi) -> None:
    group = {"id": -100_123, "type": "supergroup", "title": "Tổ dân phố"}
    user = {"id": 5, "is_bot": False, "first_name": "An"}
    text = {"message_id": 1, "date": 1, "chat": group, "from": user, "text": "chào"}
    assert api.update({"message": text}) > 0
    assert call(api, "leaveChat", chat_id=-100_123)["result"] is True
    told = call(api, "sendMessage", chat_id=-100_123, text="x")["description"]
    assert told == "Forbidden: bot is not a member of the supergroup chat"
    api.fail(faults.migrated(-100_124), chat=-100_123)
    told = call(api, "sendMessage", chat_id=-100_123, text="x")
    assert told["parameters"] == {"migrate_to_chat_id": -100_124}
