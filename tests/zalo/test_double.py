"""The doubles themselves: they refuse what Zalo would, and say what Zalo would have said."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.doubles.inbox import Inbox
from tests.zalo import faults, payloads
from tests.zalo.botplatform import BotPlatform
from tests.zalo.faults import NAMES, Fault
from tests.zalo.official import DAY, EVENTS, HOUR, OfficialAccount
from tests.zalo.people import Person

VERIFIER = "v" * 43
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)
BACK = "https://langnghe.example.vn/zalo/ve"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


def token(oa: OfficialAccount, **given: str) -> Any:
    form = {"app_id": oa.app_id, **given}
    headers = {"secret_key": oa.app_secret}
    answer = httpx.post(f"{oa.url}/v4/oa/access_token", data=form, headers=headers, timeout=20)
    assert answer.status_code == 200
    return answer.json()


def refreshed(oa: OfficialAccount, refresh: str) -> Any:
    return token(oa, grant_type="refresh_token", refresh_token=refresh)


def code(oa: OfficialAccount, challenge: str | None = CHALLENGE) -> str:
    asked = {"app_id": oa.app_id, "redirect_uri": BACK, "state": "s"}
    asked |= {"code_challenge": challenge} if challenge else {}
    back = oa.consent(f"{oa.url}/v4/oa/permission?{urlencode(asked)}")
    found = parse_qs(urlsplit(back).query)
    assert back.startswith(BACK) and found["oa_id"] == [oa.oa_id] and found["state"] == ["s"]
    return found["code"][0]


def by_code(oa: OfficialAccount, code: str, verifier: str = VERIFIER) -> Any:
    return token(oa, grant_type="authorization_code", code=code, code_verifier=verifier)


def api(oa: OfficialAccount, path: str, body: Any = None, access: str = "", **more: Any) -> Any:
    """A call of the OpenAPI with the newest token; its JSON."""
    access = access or (oa.grants.pairs[-1] if oa.grants.pairs else oa.pair()).access
    headers = {"access_token": access, **more.pop("headers", {})}
    way = "GET" if body is None and not more.get("files") else "POST"
    answer = httpx.request(way, oa.url + path, json=body, headers=headers, timeout=20, **more)
    assert answer.status_code == 200
    return answer.json()


def cs(oa: OfficialAccount, person: Person, message: Any, **more: Any) -> Any:
    body = {"recipient": {"user_id": person.id}, "message": message}
    return api(oa, "/v3.0/oa/message/cs", body, **more)


def spoken(oa: OfficialAccount, name: str = "An") -> Person:
    person = oa.person(name)
    person.say("xin chào")
    return person


# -- tokens -------------------------------------------------------------------------------------


def test_a_code_gives_a_pair_once_and_only_to_who_knows_the_verifier(oa: OfficialAccount) -> None:
    given = code(oa)
    pair = by_code(oa, given)
    assert pair["expires_in"] == "90000" and pair["access_token"] != pair["refresh_token"]
    assert by_code(oa, given)["error"] == -14010
    assert by_code(oa, code(oa), "w" * 43)["error"] == -14010
    assert "access_token" in by_code(oa, code(oa, challenge=None))
    late = code(oa)
    oa.later += 600
    assert by_code(oa, late)["error"] == -14010
    assert oa.violations == []


def test_a_refresh_token_is_used_once_and_ends_the_old_access_token(oa: OfficialAccount) -> None:
    first = by_code(oa, code(oa))
    assert api(oa, "/v2.0/oa/getoa", access=first["access_token"])["error"] == 0
    second = refreshed(oa, first["refresh_token"])
    assert refreshed(oa, first["refresh_token"])["error"] == -14020
    assert oa.grants.refreshed == 1 and oa.grants.reused == 1
    assert api(oa, "/v2.0/oa/getoa", access=first["access_token"])["error"] == -216
    assert api(oa, "/v2.0/oa/getoa", access=second["access_token"])["error"] == 0


def test_two_at_once_with_one_refresh_token_get_one_pair(oa: OfficialAccount) -> None:
    refresh = oa.pair().refresh
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: refreshed(oa, refresh), range(8)))
    assert sum("access_token" in each for each in told) == 1
    assert sorted({each.get("error", 0) for each in told}) == [-14020, 0]


def test_tokens_end_at_their_time(oa: OfficialAccount) -> None:
    oa.grants.lifetime = 3600
    pair = oa.pair()
    oa.later += 3599
    assert api(oa, "/v2.0/oa/getoa")["error"] == 0
    oa.later += 1
    assert api(oa, "/v2.0/oa/getoa")["error"] == -220
    oa.later += 90 * DAY
    assert refreshed(oa, pair.refresh)["error"] == -14020


@pytest.mark.parametrize("fault", [faults.RESET_EXECUTED, faults.hang(True), faults.broken(504)])
def test_a_refresh_can_be_done_and_its_answer_lost(oa: OfficialAccount, fault: Fault) -> None:
    pair = oa.pair()
    oa.fail(Fault(**{**fault.__dict__, "executed": True}), method="token")
    form = {"app_id": oa.app_id, "grant_type": "refresh_token", "refresh_token": pair.refresh}
    try:
        answer = httpx.post(
            f"{oa.url}/v4/oa/access_token",
            data=form,
            headers={"secret_key": oa.app_secret},
            timeout=0.5,
        )
        assert answer.status_code == 504 and "access_token" not in answer.text
    except httpx.TransportError:
        assert fault.way != "answer"
    assert oa.grants.refreshed == 1
    assert refreshed(oa, pair.refresh)["error"] == -14020


def test_the_token_endpoint_wants_a_form_and_the_app_s_secret(oa: OfficialAccount) -> None:
    url, pair = f"{oa.url}/v4/oa/access_token", oa.pair()
    form = {"app_id": oa.app_id, "grant_type": "refresh_token", "refresh_token": pair.refresh}
    wrong = httpx.post(url, data=form, headers={"secret_key": "another"}).json()
    assert wrong["error"] == -14006 and wrong["error_description"]
    assert token(oa, app_id="1", grant_type="refresh_token")["error"] == -14004
    assert oa.violations == []
    httpx.post(url, json=form, headers={"secret_key": oa.app_secret})
    token(oa, grant_type="refresh_token", refresh_token="x", code="y")
    assert len(oa.violations) == 2


def test_a_consent_comes_back_only_to_its_address(oa: OfficialAccount) -> None:
    oa.callback = BACK
    asked = {"app_id": oa.app_id, "redirect_uri": f"{BACK}/khac"}
    page = f"{oa.url}/v4/oa/permission"
    assert httpx.get(page, params=asked).status_code == 400
    there = httpx.get(page, params={**asked, "redirect_uri": BACK})
    assert there.status_code == 302 and there.headers["Location"].startswith(f"{BACK}?oa_id=")


# -- sending ------------------------------------------------------------------------------------


def test_a_message_arrives_and_says_what_it_counted_against(oa: OfficialAccount) -> None:
    an = spoken(oa)
    told = cs(oa, an, {"text": "Kính chào\n1. Có\n2. Không"})
    assert told["error"] == 0 and told["data"]["user_id"] == an.id
    assert told["data"]["quota"] == {"quota_type": "reply", "remain": "8", "total": "8"}
    (heard,) = an.heard()
    assert heard.message_id == told["data"]["message_id"] and int(told["data"]["sent_time"])
    assert [each.label for each in heard.choices] == ["Có", "Không"]
    an.press("Không")
    assert b'"text":"2"' in oa.lost[-1].body
    with pytest.raises(AssertionError, match="no choice 'Thôi'"):
        an.press("Thôi")
    assert oa.calls("message/cs", an.id)[0].executed and oa.violations == []


def test_the_windows_of_48_hours_and_7_days(oa: OfficialAccount) -> None:
    an, text = spoken(oa), {"text": "tin"}
    oa.grants.lifetime = 30 * 86_400
    oa.pair()
    oa.later += 48 * HOUR - 60
    assert cs(oa, an, text)["data"]["quota"]["quota_type"] == "reply"
    oa.later += 120
    assert "quota" not in cs(oa, an, text)["data"]
    oa.tier = 1
    assert cs(oa, an, text)["data"]["quota"]["quota_type"] == "sub_quota"
    assert cs(oa, an, text)["error"] == -211
    oa.later += 5 * DAY
    assert cs(oa, an, text)["error"] == -230
    an.chatnow()
    assert cs(oa, an, text)["error"] == 0
    an.seen(["x"])
    assert cs(oa, oa.person("Chưa nói"), text)["error"] == -232
    an.block()
    assert cs(oa, an, text)["error"] == -217
    an.unblock()
    an.restrict()
    assert cs(oa, an, text)["error"] == -244
    assert oa.violations == []


WRONG_MESSAGES: list[tuple[Any, int]] = [
    ({"text": "a" * 2001}, -210),
    ({"text": "😀" * 1001}, -210),
    ({"text": "cha\u0300o"}, -201),
    ({"text": ""}, -201),
    ({"text": 5}, -201),
    ({}, -201),
    ("text", -201),
    ({"text": "a", "parse_mode": "html"}, -201),
    ({"text": "a", "quote_message_id": 7}, -201),
    ({"attachment": {"type": "audio", "payload": {}}}, -233),
    ({"attachment": {"type": "file", "payload": {"token": "không có"}}}, -201),
    ({"text": "a", "attachment": {"type": "file", "payload": {"token": "x"}}}, -201),
    ({"text": "a", "attachment": {"type": "template", "payload": {"buttons": []}}}, -201),
    (
        {"attachment": {"type": "template", "payload": {"template_type": "list", "elements": [1]}}},
        -233,
    ),
]


def media(**element: Any) -> dict[str, Any]:
    payload = {"template_type": "media", "elements": [element]}
    return {"attachment": {"type": "template", "payload": payload}}


@pytest.mark.parametrize(("message", "error"), WRONG_MESSAGES)
def test_what_is_no_message_is_refused_and_is_a_violation(
    oa: OfficialAccount, message: Any, error: int
) -> None:
    an = spoken(oa)
    assert cs(oa, an, message)["error"] == error
    assert len(oa.violations) == 1 and not an.heard()


def test_what_else_of_a_call_does_not_fit(oa: OfficialAccount) -> None:
    an, text = spoken(oa), {"text": "tin"}
    path = "/v3.0/oa/message/cs"
    for body in (
        {"recipient": {"user_id": int(an.id)}, "message": text},
        {"recipient": {"user_id": an.id, "message_id": "x"}, "message": text},
        {"recipient": {"user_id": an.id}, "message": text, "tracking": 1},
        {"recipient": an.id, "message": text},
        {"message": text},
    ):
        assert api(oa, path, body)["error"] == -201
    assert len(oa.violations) == 5
    assert cs(oa, an, media(media_type="image", url="http://10.0.0.1/a.jpg"))["error"] == -201
    assert cs(oa, an, media(media_type="image"))["error"] == -201
    assert cs(oa, an, media(media_type="video", url="https://a.vn"))["error"] == -233
    assert (
        api(oa, "/v2.0/oa/message", {"recipient": {"user_id": an.id}, "message": text})["error"]
        == -240
    )
    assert len(oa.violations) == 9
    headers = {"access_token": oa.grants.pairs[-1].access}
    assert httpx.post(f"{oa.url}/v3.0/oa/message/transaction", headers=headers).status_code == 404
    assert len(oa.violations) == 10 and not an.heard()


def uploaded(oa: OfficialAccount, kind: str, name: str, content: bytes, of: str) -> Any:
    return api(oa, f"/v2.0/oa/upload/{kind}", files={"file": (name, content, of)})


def test_files_are_uploaded_sent_and_end_after_seven_days(oa: OfficialAccount) -> None:
    oa.grants.lifetime = 30 * 86_400
    an = spoken(oa)
    image = uploaded(oa, "image", "a.png", PNG, "image/png")["data"]["attachment_id"]
    paper = uploaded(oa, "file", "b.pdf", b"%PDF-1.7", "application/pdf")["data"]["token"]
    picture = {**media(media_type="image", attachment_id=image), "text": "ảnh"}
    file = {"attachment": {"type": "file", "payload": {"token": paper}}}
    assert cs(oa, an, picture)["error"] == cs(oa, an, file)["error"] == 0
    first, second = an.heard()
    assert first.photo and first.content == PNG and first.text == "ảnh"
    assert second.document and second.name == "b.pdf" and second.content == b"%PDF-1.7"
    assert oa.violations == []
    assert cs(oa, an, media(media_type="gif", attachment_id=image, width=1, height=1))["error"]
    oa.later += 7 * DAY
    an.say("còn đây")
    assert cs(oa, an, picture)["error"] == cs(oa, an, file)["error"] == -100


def test_what_cannot_be_uploaded(oa: OfficialAccount) -> None:
    big = PNG + bytes(1 << 20)
    assert uploaded(oa, "image", "a.png", big, "image/png")["error"] == -210
    assert uploaded(oa, "image", "a.webp", b"RIFF", "image/webp")["error"] == -233
    assert uploaded(oa, "image", "a.png", b"no image", "image/png")["error"] == -233
    assert uploaded(oa, "file", "a.zip", b"PK\x03\x04", "application/zip")["error"] == -233
    large = b"%PDF" + bytes(5 << 20)
    assert uploaded(oa, "file", "a.pdf", large, "application/pdf")["error"] == -210
    assert api(oa, "/v2.0/oa/upload/image", {"file": "a"})["error"] == -201
    assert len(oa.violations) == 6


def test_an_image_by_its_address_is_fetched(oa: OfficialAccount) -> None:
    an = spoken(oa)
    url = oa.url + oa.shelf.put(PNG, "a.png", "x").path
    assert cs(oa, an, media(media_type="image", url=url))["error"] == 0
    assert an.heard()[0].content == PNG
    gone = f"{oa.url}/media/khong-co.png"
    assert cs(oa, an, media(media_type="image", url=gone))["error"] == -201


def test_buttons_are_taken_where_they_are_switched_on(oa: OfficialAccount) -> None:
    an = spoken(oa)
    button = {"title": "Có", "type": "oa.query.hide", "payload": "#co"}
    link = {"title": "Trang", "type": "oa.open.url", "payload": {"url": "https://a.vn"}}

    def message(*buttons: Any) -> Any:
        return {"text": "Chọn", "attachment": {"type": "template", "payload": {"buttons": buttons}}}

    assert cs(oa, an, message(button))["error"] == -201
    oa.violations.clear()
    oa.buttons = True
    assert cs(oa, an, message(button, link))["error"] == 0
    an.press("Có")
    assert b'"text":"#co"' in oa.lost[-1].body and oa.violations == []
    for wrong in (
        [button] * 6,
        [{**button, "title": "a" * 101}],
        [{**button, "payload": "a" * 1001}],
        [{**button, "type": "oa.query"}],
        [{**link, "payload": "https://a.vn"}],
    ):
        assert cs(oa, an, message(*wrong))["error"]
    assert len(oa.violations) == 5


def test_the_form_for_contact_data_and_its_answer(oa: OfficialAccount) -> None:
    an = spoken(oa)
    element = {"title": "Xin", "subtitle": "số điện thoại", "image_url": "https://a.vn/a.jpg"}
    payload = {"template_type": "request_user_info", "elements": [element]}
    assert cs(oa, an, {"attachment": {"type": "template", "payload": payload}})["error"] == 0
    assert an.heard()[0].kind == "info"
    an.submit_info("An", "84901234567")
    assert b'"phone":"84901234567"' in oa.lost[-1].body


def test_what_can_be_asked_of_the_account_and_of_somebody(oa: OfficialAccount) -> None:
    an = spoken(oa)
    assert api(oa, "/v2.0/oa/getoa")["data"]["oa_id"] == oa.oa_id
    asked = {"data": f'{{"user_id":"{an.id}"}}'}
    detail = api(oa, "/v3.0/oa/user/detail", params=asked)["data"]
    assert detail["display_name"] == "An" and detail["user_is_follower"] is False
    quota = api(oa, "/v3.0/oa/quota/message", {"user_id": an.id})["data"]
    assert quota["cs_reply"] == {"remain": 8, "total": 8}
    assert oa.violations == []
    assert api(oa, "/v3.0/oa/user/detail", params={"data": "x"})["error"] == -201
    assert len(oa.violations) == 1


def test_a_proof_of_the_app_s_secret_where_it_is_wanted(oa: OfficialAccount) -> None:
    oa.proof = True
    access = oa.pair().access
    assert api(oa, "/v2.0/oa/getoa")["error"] == -242
    proof = hmac.new(oa.app_secret.encode(), access.encode(), "sha256").hexdigest()
    assert api(oa, "/v2.0/oa/getoa", headers={"appsecret_proof": proof})["error"] == 0


def test_more_calls_than_a_minute_takes(oa: OfficialAccount) -> None:
    now = [0.0]
    oa.clock = lambda: now[0]
    oa.limits(2)
    assert [api(oa, "/v2.0/oa/getoa")["error"] for _ in range(3)] == [0, 0, -32]
    now[0] = 61
    access = {"access_token": oa.grants.pairs[-1].access}
    answer = httpx.get(f"{oa.url}/v2.0/oa/getoa", headers=access)
    assert answer.json()["error"] == 0 and answer.headers["X-RateLimit-Remain"] == "1"


@pytest.mark.parametrize("number", sorted(NAMES))
def test_every_error_can_be_played(oa: OfficialAccount, number: int) -> None:
    an = spoken(oa)
    oa.fail(faults.error(number), method="message/cs", chat=an.id)
    told = cs(oa, an, {"text": "tin"})
    assert told == {"error": number, "message": NAMES[number]}
    assert not an.heard() and cs(oa, an, {"text": "tin"})["error"] == 0


def test_what_goes_wrong_on_the_way(oa: OfficialAccount) -> None:
    an, body = spoken(oa), {"text": "tin"}
    headers = {"access_token": oa.pair().access}
    call = {"recipient": {"user_id": an.id}, "message": body}
    url = f"{oa.url}/v3.0/oa/message/cs"
    oa.fail(faults.broken(502, json=False))
    answer = httpx.post(url, json=call, headers=headers)
    assert answer.status_code == 502 and answer.text.startswith("<html>")
    for fault, heard in ((faults.RESET_UNREAD, 0), (faults.RESET_EXECUTED, 1)):
        oa.fail(fault)
        with pytest.raises(httpx.TransportError):
            httpx.post(url, json=call, headers=headers)
        assert len(an.heard()) == heard


# -- events -------------------------------------------------------------------------------------


def test_an_event_is_signed_over_its_raw_body(oa: OfficialAccount, inbox: Inbox) -> None:
    oa.hook_on(inbox.url)
    an = spoken(oa)
    oa.wait(an.confirmed)
    (body, headers), (event, mac) = inbox.raw[0], inbox.got[0]
    whole = f"{oa.app_id}{body.decode()}{event['timestamp']}{oa.oa_secret}"
    assert mac == "mac=" + hashlib.sha256(whole.encode()).hexdigest()
    assert isinstance(event["timestamp"], str) and "num_retry" not in headers
    assert event["sender"]["id"] == an.id and int(an.id) > 2**53


def test_everything_a_person_can_do_is_an_event(oa: OfficialAccount, inbox: Inbox) -> None:
    oa.hook_on(inbox.url)
    an = oa.person("An")
    for act in (
        lambda: an.say("a"), lambda: an.say("b", quoting="x"), lambda: an.photo(b"c"),
        lambda: an.location(10.5, 106.5), lambda: an.voice(b"d"), lambda: an.video(b"e"),
        lambda: an.document(b"f"), an.gif, an.sticker, lambda: an.link("https://a.vn"),
        lambda: an.card("84"), an.follow, an.unfollow, lambda: an.submit_info("An", "84"),
        lambda: an.received("x"), lambda: an.seen(["x"]), lambda: an.react("x"), an.chatnow,
        an.withdraw,
    ):  # fmt: skip
        act()
    oa.staff_says(an, "chào anh")
    oa.anonymous("Khách").say("tôi")
    assert cs(oa, an, {"text": "đáp"})["error"] == 0
    oa.wait(oa.idle)
    names = [event["event_name"] for event, _ in inbox.got]
    assert {name.partition(".")[0] for name, _ in EVENTS.values()} <= set(names)
    echoes = [event for event, _ in inbox.got if event["event_name"] == "oa_send_text"]
    assert [each["sender"].get("admin_id") is not None for each in echoes] == [True, False]
    assert [heard.kind for heard in an.heard()] == ["staff", "text"]


def test_files_are_served_as_what_they_are(oa: OfficialAccount) -> None:
    an = oa.person("An")
    an.voice(b"\xff\xf1aac")
    an.video(b"mp4", size=1 << 20)
    an.photo(b"\xff\xd8\xffjpg")
    served = [httpx.get(oa.url + path) for path in oa.shelf.files if "/t." not in path]
    kinds = {each.headers["Content-Type"] for each in served}
    assert {"audio/aac", "video/mp4", "image/jpeg"} <= kinds
    assert {len(each.content) for each in served} >= {1 << 20, 5, 6}
    voice = oa.url + next(iter(oa.shelf.files))
    oa.fail(faults.GONE, method="download", chat=an.id)
    assert httpx.get(voice).status_code == 404
    oa.fail(faults.redirect("http://10.0.0.1/a"), method="download")
    assert httpx.get(voice).headers["Location"] == "http://10.0.0.1/a"
    assert oa.calls("download", an.id)


def test_what_fails_is_tried_again_and_then_the_app_is_unsubscribed(
    oa: OfficialAccount, inbox: Inbox
) -> None:
    oa.hook_on(inbox.url)
    inbox.answering = lambda event: (500, b"", {})
    an = spoken(oa)
    oa.wait(lambda: not oa.subscribed)
    assert [headers.get("num_retry") for _, headers in inbox.raw] == [None, *"12345"]
    assert len({body for body, _ in inbox.raw}) == 1
    an.say("không ai nghe")
    assert len(oa.lost) == 2 and len(inbox.raw) == 6
    inbox.answering = lambda event: (200, b"", {})
    oa.resubscribe()
    an.say("lại nghe")
    oa.wait(oa.idle)
    assert len(inbox.raw) == 7


def test_later_events_pass_by_one_that_failed(oa: OfficialAccount, inbox: Inbox) -> None:
    tried: list[str] = []

    def answer(event: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
        tried.append(event["message"]["text"])
        return (500 if tried == ["một"] else 200), b"", {}

    inbox.answering = answer
    oa.hook_on(inbox.url)
    an = oa.person("An")
    an.say("một")
    an.say("hai")
    oa.wait(oa.idle)
    assert tried == ["một", "hai", "một"]
    oa.repeat(an.events[0])
    with oa.reordered(seed=3):
        for word in "abcdef":
            an.say(word)
    oa.wait(oa.idle)
    assert tried[3] == "một" and sorted(tried[4:]) == list("abcdef") != tried[4:]


def test_what_is_not_from_zalo_can_be_posted(oa: OfficialAccount, inbox: Inbox) -> None:
    oa.hook_on(inbox.url)
    assert oa.ping() == 200 and oa.forged({"timestamp": "1"}, "mac=00") == 200
    assert inbox.got == [({}, None), ({"timestamp": "1"}, "mac=00")]
    oa.timestamps = "number"
    oa.person("An").say("a")
    oa.timestamps = "seconds"
    oa.person("An").say("b")
    oa.wait(oa.idle)
    first, second = (event["timestamp"] for event, _ in inbox.got[2:])
    assert isinstance(first, int) and len(second) == 10


@pytest.mark.parametrize("name", payloads.every("oa"))
def test_every_recorded_event_can_be_sent(oa: OfficialAccount, inbox: Inbox, name: str) -> None:
    oa.hook_on(inbox.url)
    oa.event(payloads.recorded(f"oa.{name}"))
    oa.wait(oa.idle)
    assert inbox.got[0][0]["event_name"] == name.partition(".")[0]


# -- the Bot Platform ---------------------------------------------------------------------------


def call(bot: BotPlatform, method: str, **params: Any) -> Any:
    return httpx.post(f"{bot.url}/bot{bot.token}/{method}", json=params, timeout=20).json()


def update(bot: BotPlatform) -> Any:
    told = call(bot, "getUpdates", timeout=0)
    return told["result"]["message"] if told["ok"] else told["error_code"]


def test_a_poll_gives_one_update_and_none_is_a_timeout(bot: BotPlatform) -> None:
    an = bot.person("An")
    an.say("một")
    an.say("hai")
    assert not an.confirmed()
    assert update(bot)["text"] == "một" and update(bot)["text"] == "hai"
    assert not an.confirmed()
    url = f"{bot.url}/bot{bot.token}/getUpdates"
    empty = httpx.post(url, json={"timeout": 0})
    assert empty.status_code == 408 and empty.json()["error_code"] == 408 and an.confirmed()
    bot.errors = "200"
    empty = httpx.post(url, json={"timeout": 0})
    assert empty.status_code == 200 and empty.json()["error_code"] == 408


def test_a_poll_waits_for_what_comes(bot: BotPlatform) -> None:
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(call, bot, "getUpdates", timeout=20)
        bot.wait(lambda: bot.pollers)
        bot.person("An").say("đây")
        assert told.result()["result"]["message"]["text"] == "đây"


def test_both_ways_a_poll_is_said_to_be(bot: BotPlatform) -> None:
    an = bot.person("An")
    an.say("mất")
    bot.lose()
    assert update(bot) == 408 and len(bot.lost) == 1
    bot.replays = True
    an.say("một")
    an.say("hai")
    assert [update(bot)["text"] for _ in range(5)] == ["một", "hai", "một", "hai", "một"]


def test_what_a_person_sends_to_a_bot(bot: BotPlatform) -> None:
    an = bot.person("An")
    an.photo(b"jpg", "ảnh")
    an.voice(b"aac")
    an.sticker()
    photo, voice, sticker = (update(bot) for _ in range(3))
    assert photo["caption"] == "ảnh" and httpx.get(photo["photo_url"]).content == b"jpg"
    assert voice["voice_url"].endswith(".aac") and isinstance(sticker["sticker"], str)
    bot.documented = bot.seconds = bot.links = True
    an.photo(b"jpg")
    an.sticker()
    an.link("https://a.vn")
    photo, sticker, link = (update(bot) for _ in range(3))
    assert "photo_url" not in photo and "caption" not in photo and photo["photo"]
    assert sticker["sticker"]["id"] and link["link"] == "https://a.vn"
    assert photo["date"] < 10**10
    bot.links = False
    for act in (lambda: an.video(b"v"), lambda: an.document(b"d"), lambda: an.location(1, 2)):
        act()
        assert "text" not in update(bot)
    an.say("@bot", group="zgr-1")
    assert update(bot)["chat"] == {"chat_type": "GROUP", "id": "zgr-1"}
    with pytest.raises(AssertionError, match="nobody can do this"):
        an.follow()


WRONG_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("sendmessage", {"chat_id": "x", "text": "a"}),
    ("sendDocument", {"chat_id": "x"}),
    ("sendMessage", {"chat_id": "x", "text": "a" * 2001}),
    ("sendMessage", {"chat_id": "x", "text": ""}),
    ("sendMessage", {"chat_id": 5, "text": "a"}),
    ("sendMessage", {"chat_id": "x", "text": "a", "reply_markup": {}}),
    ("sendMessage", {"chat_id": "x", "text": "a", "parse_mode": "HTML"}),
    (
        "sendMessage",
        {"chat_id": "x", "text": "a", "text_styles": [{"start": 0, "len": 1, "st": ["x"]}]},
    ),
    ("sendPhoto", {"chat_id": "x", "photo": "http://10.0.0.1/a.jpg"}),
    ("sendChatAction", {"chat_id": "x", "action": "upload_photo"}),
    ("getUpdates", {"offset": 3}),
    ("setWebhook", {"url": "https://a.vn"}),
    ("setWebhook", {"url": "https://a.vn", "secret_token": "1234567"}),
]


@pytest.mark.parametrize(("method", "params"), WRONG_CALLS)
def test_what_is_no_call_of_the_bot_platform(
    bot: BotPlatform, method: str, params: dict[str, Any]
) -> None:
    told = call(bot, method, **params)
    assert told["ok"] is False and told["error_code"] == 400
    assert len(bot.violations) == 1


def test_messages_of_a_bot_arrive(bot: BotPlatform) -> None:
    an = bot.person("An")
    assert call(bot, "sendMessage", chat_id=an.id, text="a")["error_code"] == 400
    an.say("chào")
    url = bot.url + bot.shelf.put(PNG, "a.png", "bot").path
    assert call(bot, "sendMessage", chat_id=an.id, text="1. Có")["result"]["message_id"]
    assert call(bot, "sendPhoto", chat_id=an.id, photo=url, caption="ảnh")["ok"]
    assert call(bot, "sendVoice", chat_id=an.id, voice_url="https://a.vn/a.aac")["ok"]
    assert call(bot, "sendSticker", chat_id=an.id, sticker="abc")["ok"]
    assert call(bot, "sendChatAction", chat_id=an.id, action="typing")["ok"]
    assert [heard.kind for heard in an.heard()] == ["text", "photo", "voice", "sticker"]
    assert len(bot.calls("download")) == 3 and bot.violations == []
    bot.fail(faults.GONE, method="download")
    assert call(bot, "sendPhoto", chat_id=an.id, photo=url)["error_code"] == 400
    assert call(bot, "getMe")["result"]["account_name"].startswith("bot.")
    wrong = httpx.post(f"{bot.url}/bot1:x/getMe")
    assert wrong.status_code == 401 and wrong.json()["description"] == "Unauthorized"


def test_a_webhook_is_saved_though_its_probe_fails(bot: BotPlatform, inbox: Inbox) -> None:
    inbox.header = "X-Bot-Api-Secret-Token"
    assert call(bot, "getWebhookInfo")["error_code"] == 404
    told = call(bot, "setWebhook", url=inbox.url, secret_token="bi-mat-01")["result"]
    assert told["verification"]["ok"] and inbox.raw[0][0] == b"" and inbox.got[0][1] == "bi-mat-01"
    inbox.answering = lambda update: (500, b"", {})
    told = call(bot, "setWebhook", url=inbox.url, secret_token="bi-mat-02")["result"]
    assert not told["verification"]["ok"]
    assert call(bot, "getWebhookInfo")["result"]["url"] == inbox.url
    inbox.answering = lambda update: (200, b"", {})
    bot.wrapped = True
    an = bot.person("An")
    an.say("chào")
    bot.wait(an.confirmed)
    assert inbox.got[-1][0]["ok"] and inbox.got[-1][1] == "bi-mat-02"
    assert update(bot) == 408  # polling while a webhook is set gives nothing
    assert call(bot, "testWebhook")["result"]["status_code"] == 200
    assert call(bot, "testWebhook")["errorCode"] == 426
    inbox.answering = lambda update: (500, b"", {})
    an.say("chưa nhận")
    bot.wait(lambda: bot.deliveries[-1].status == 500)
    assert call(bot, "deleteWebhook")["result"]["url"] == ""
    assert update(bot)["text"] == "chưa nhận"
    bot.https_only = True
    for url in ("http://a.vn/x", "https://localhost/x", inbox.url):
        assert call(bot, "setWebhook", url=url, secret_token="bi-mat-01")["error_code"] == 400


def test_the_free_plan_ends(bot: BotPlatform) -> None:
    bot.plan(users=1, messages=2)
    an, binh = bot.person("An"), bot.person("Bình")
    an.say("chào")
    binh.say("chào")
    assert update(bot)["from"]["id"] == an.id and update(bot) == 408
    told = [call(bot, "sendMessage", chat_id=an.id, text="a") for _ in range(3)]
    assert [each.get("error_code", 0) for each in told] == [0, 0, 429]
    bot.later += 31 * DAY
    assert call(bot, "sendMessage", chat_id=an.id, text="a")["ok"]
    assert call(bot, "sendMessage", chat_id=binh.id, text="a")["error_code"] == 429


@pytest.mark.parametrize("status", [403, 404, 429, 502])
def test_errors_of_the_bot_platform_can_be_played(bot: BotPlatform, status: int) -> None:
    an = bot.person("An")
    an.say("chào")
    bot.fail(faults.refused(status), method="sendMessage", chat=an.id)
    url = f"{bot.url}/bot{bot.token}/sendMessage"
    answer = httpx.post(url, json={"chat_id": an.id, "text": "a"})
    assert answer.status_code == status and answer.json()["error_code"] == status
    assert not an.heard()


@pytest.mark.parametrize("name", payloads.every("bot"))
def test_every_recorded_update_has_a_name_and_a_message(name: str) -> None:
    body = payloads.recorded(f"bot.{name}")
    body = body["result"] if name.endswith(".wrapped") else body
    assert body["event_name"].startswith("message.") and body["message"]["message_id"]
    assert name.endswith(".wrapped") or f"{name}.wrapped" in payloads.every("bot")


def test_people_may_act_from_any_thread(oa: OfficialAccount, inbox: Inbox) -> None:
    oa.hook_on(inbox.url)
    crowd = [threading.Thread(target=spoken, args=(oa, f"p{n}")) for n in range(20)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    oa.wait(oa.idle)
    assert len({event["message"]["msg_id"] for event, _ in inbox.got}) == 20
