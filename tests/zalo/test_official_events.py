from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.zalo.hearing import heard, told_at
from bot.channels.zalo.naming import recipient
from bot.channels.zalo.receiving import Signature
from bot.reading import loads
from storage.vocabulary import Event, FileAt, Point, Said
from tests.zalo import payloads

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
USER = "8309393969855402319"
URL = "https://f21-zpg-r.zdn.vn/3857014137519472131/"
STRANGER = "anonymous:7d3e3e7b8a1e4f20a1b2:c1a4ddab3fe8d6b68ff9"

# What every recorded body says; None: a kind that nobody reads.
SAID: dict[str, tuple[Said, ...] | None] = {
    "anonymous_send_file": (Said(files=(FileAt(f"{URL}d.pdf", "document", size=9999),)),),
    "anonymous_send_image": (Said(files=(FileAt(f"{URL}a.jpg", "photo"),)),),
    "anonymous_send_sticker": (Said(unread=True),),
    "anonymous_send_text": (Said(text="message"),),
    "follow": (Said(reachable=True), Said(start="")),
    "oa_send_file": (),
    "oa_send_gif": (),
    "oa_send_image": (),
    "oa_send_list": (),
    "oa_send_sticker": (),
    "oa_send_text": (),
    "oa_send_text.staff": (Said(staff=True),),
    "some_new_kind": None,
    "unfollow": (Said(reachable=False),),
    "user_click_chatnow": (Said(reachable=True), Said(start="")),
    "user_reacted_message": (),
    "user_received_message": (),
    "user_seen_message": (),
    "user_send_audio": (Said(files=(FileAt(f"{URL}voice.aac", "voice"),)),),
    "user_send_business_card": (Said(text="84901234567"),),
    "user_send_file": (Said(files=(FileAt(f"{URL}d.pdf", "document", size=9999),)),),
    "user_send_gif": (Said(files=(FileAt(f"{URL}a.gif", "photo"),)),),
    "user_send_image": (Said(text="caption", files=(FileAt(f"{URL}a.jpg", "photo"),)),),
    "user_send_link": (Said(text="https://example.vn/trang"),),
    "user_send_location": (Said(place=Point(10.7923119, 106.7820651)),),
    "user_send_sticker": (Said(unread=True),),
    "user_send_text": (Said(text="message"),),
    "user_send_text.quoting": (Said(text="message"),),
    "user_send_video": (Said(files=(FileAt(f"{URL}v.mp4", "video"),)),),
    "user_submit_info": (Said(text="84901234567"),),
    "user_withdraw": (Said(withdrawn=True),),
}


def events_of(body: dict[str, Any]) -> list[Event] | None:
    found = heard(body, orjson.dumps(body), NOW)
    return None if found is None else list(found)


def said_by(body: dict[str, Any]) -> Said:
    events = events_of(body)
    assert events is not None and len(events) == 1
    return events[0].said


def test_every_recorded_body_is_among_those_looked_at() -> None:
    assert payloads.every("oa") == sorted(SAID)


@pytest.mark.parametrize("name", SAID)
def test_a_recorded_body_says_what_it_says(name: str) -> None:
    events, wanted = events_of(payloads.recorded(f"oa.{name}")), SAID[name]
    assert (events if events is None else tuple(e.said for e in events)) == wanted
    for event in events or ():
        assert event.person.address == (STRANGER if name.startswith("anonymous") else USER)
        assert event.at == datetime.fromtimestamp(1751100041.636, UTC)


def test_an_answer_to_somebody_anonymous_names_the_conversation() -> None:
    assert recipient(USER) == {"user_id": USER}
    assert recipient(STRANGER) == {
        "anonymous_id": "7d3e3e7b8a1e4f20a1b2",
        "conversation_id": "c1a4ddab3fe8d6b68ff9",
    }


def test_the_same_message_is_the_same_event_however_it_is_written() -> None:
    body = payloads.recorded("oa.user_send_text")
    one = heard(body, orjson.dumps(body), NOW)
    other = heard(body, orjson.dumps(body, option=orjson.OPT_INDENT_2), NOW)
    assert one and other and one[0].id == other[0].id == "m96d3cdf3af150460909"


def test_what_has_no_id_is_known_by_its_bytes() -> None:
    body = payloads.recorded("oa.follow")
    later = {**body, "timestamp": "1751100041637"}
    ids = {e.id for each in (body, body, later) for e in events_of(each) or ()}
    assert len(ids) == 4  # two events each: they are there again, and see the welcome


def test_ids_beyond_the_exact_numbers_stay_as_they_are() -> None:
    body = payloads.filled("oa.user_send_text", {"sender.id": 8309393969855402319})
    assert (events_of(body) or [])[0].person.address == USER


@pytest.mark.parametrize("id", ["", None, True, 1.5, ["1"], {"id": 1}, "a b", "a:b", "x" * 65])
def test_an_id_that_is_none_belongs_to_nobody(id: Any) -> None:
    body = payloads.recorded("oa.user_send_text")
    body["sender"]["id"] = id
    assert events_of(body) is None


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("1751100041636", 1751100041.636),
        (1751100041636, 1751100041.636),
        (1751100041, 1751100041.0),
        ("1751100041", 1751100041.0),
        (1751100041.5, 1751100041.5),
        ("", None),
        (None, None),
        (True, None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e400", None),
        (-5, None),
        (0, None),
        ([], None),
    ],
)
def test_a_time_is_read_however_it_is_told(given: Any, seconds: float | None) -> None:
    assert told_at({"timestamp": given}) == seconds


@pytest.mark.parametrize(
    "coordinates",
    [
        None,
        {},
        {"latitude": "10.7"},
        {"latitude": "x", "longitude": "1"},
        {"latitude": "nan", "longitude": "1"},
        {"latitude": "1e999", "longitude": "1"},
        {"latitude": "91", "longitude": "1"},
        {"latitude": "1", "longitude": "181"},
        {"latitude": [1], "longitude": "1"},
        "10.7,106.7",
    ],
)
def test_a_place_that_is_nowhere_is_said_to_be_unreadable(coordinates: Any) -> None:
    body = payloads.recorded("oa.user_send_location")
    body["message"]["attachments"][0]["payload"]["coordinates"] = coordinates
    assert said_by(body) == Said(unread=True)


def test_what_is_told_of_the_future_happens_now() -> None:
    body = payloads.filled("oa.user_send_text", {"timestamp": "99999999999999"})
    assert (events_of(body) or [])[0].at == NOW


def test_coordinates_may_be_numbers() -> None:
    body = payloads.recorded("oa.user_send_location")
    given = {"latitude": 10.5, "longitude": 106}
    body["message"]["attachments"][0]["payload"]["coordinates"] = given
    assert said_by(body) == Said(place=Point(10.5, 106.0))


@pytest.mark.parametrize("text", [None, "", "  ", 5, ["a"]])
def test_a_message_without_words_is_said_to_be_unreadable(text: Any) -> None:
    body = payloads.recorded("oa.user_send_text")
    body["message"]["text"] = text
    assert said_by(body) == Said(unread=True)


def test_an_item_of_the_account_s_menu_is_a_command() -> None:
    body = payloads.filled("oa.user_send_text", {"message.text": "#baocao"})
    assert said_by(body) == Said(text="/baocao")
    body = payloads.filled("oa.user_send_text", {"message.text": "#baocao gấp"})
    assert said_by(body) == Said(text="#baocao gấp")


def test_a_shared_page_is_its_address_with_the_words_beside_it() -> None:
    body = payloads.filled("oa.user_send_link", {"message.text": "xem giúp tôi"})
    assert said_by(body) == Said(text="xem giúp tôi\nhttps://example.vn/trang")
    body = payloads.filled("oa.user_send_link", {"message.text": None})
    assert said_by(body) == Said(text="Một trang\nhttps://example.vn/trang")


@pytest.mark.parametrize("description", ["", "no json", "[]", '{"qrCodeUrl":"x"}', '{"phone":5}'])
def test_a_card_without_a_number_is_said_to_be_unreadable(description: str) -> None:
    path = "message.attachments.0.payload.description"
    body = payloads.filled("oa.user_send_business_card", {path: description})
    assert said_by(body) == Said(unread=True)


def test_several_files_of_one_message_come_together() -> None:
    body = payloads.recorded("oa.user_send_image")
    body["message"]["attachments"] += [{"type": "image", "payload": {"url": "https://b"}}, {}, 5]
    assert [file.locator for file in said_by(body).files] == [f"{URL}a.jpg", "https://b"]


def test_what_a_group_says_is_not_read() -> None:
    body = payloads.recorded("oa.user_send_text")
    assert events_of({**body, "event_name": "user_send_group_text"}) is None


def test_pictures_wait_for_one_another_and_a_voice_message_for_nothing() -> None:
    image, voice = (payloads.recorded(f"oa.user_send_{kind}") for kind in ("image", "audio"))
    part = (events_of(image) or [])[0].part
    assert part is not None and part.more
    another = payloads.filled("oa.user_send_image", {"message.msg_id": "other"})
    assert (events_of(another) or [])[0].part != part  # else the end of one ended the other
    assert (events_of(voice) or [])[0].part is None


def test_a_text_as_long_as_the_app_sends_waits_for_the_rest() -> None:
    def more(text: str) -> bool:
        part = events_of(payloads.filled("oa.user_send_text", {"message.text": text}))[0].part  # type: ignore[index]
        return part is not None and part.more

    assert more("ạ" * 2000) and not more("có")


# -- the signature --------------------------------------------------------------------------------

SIGNATURE = Signature("102719276611582260", "Khoa-ky-webhook-02")


def test_a_signature_is_a_plain_digest_over_app_body_time_and_secret() -> None:
    raw = b'{"app_id":"102719276611582260","timestamp":"1751100041636"}'
    whole = b"102719276611582260" + raw + b"1751100041636" + b"Khoa-ky-webhook-02"
    mac = hashlib.sha256(whole).hexdigest()
    for header in (f"mac={mac}", mac, f" mac={mac.upper()} ".replace("MAC", "mac")):
        assert SIGNATURE.fits(raw, orjson.loads(raw), header)


@pytest.mark.parametrize("header", ["", "mac=", "mac=00", "mac=é", "mac=" + "0" * 64, "\x80"])
def test_any_other_header_does_not_fit(header: str) -> None:
    raw = b'{"timestamp":"1"}'
    assert not SIGNATURE.fits(raw, orjson.loads(raw), header)


def test_a_number_as_time_is_signed_as_it_is_written() -> None:
    raw = b'{"timestamp":1751100041636}'
    whole = b"102719276611582260" + raw + b"1751100041636" + b"Khoa-ky-webhook-02"
    assert SIGNATURE.fits(raw, orjson.loads(raw), hashlib.sha256(whole).hexdigest())


# -- anything at all -------------------------------------------------------------------------------

SCRAPS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["1751100041636", "84901234567", "https://x", USER, "image", "{}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@st.composite
def odd_bodies(draw: st.DrawFn) -> dict[str, Any]:
    """A recorded body with scraps in the place of some of its parts, or without them."""
    body = payloads.recorded(f"oa.{draw(st.sampled_from(sorted(SAID)))}")
    for _ in range(draw(st.integers(1, 4))):
        place: Any = body
        while isinstance(place, dict | list) and place:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or draw(st.booleans()):
                if draw(st.booleans()):
                    place[key] = draw(SCRAPS)
                else:
                    del place[key]
                break
            place = place[key]
    return body


@given(odd_bodies())
@settings(max_examples=300, deadline=None)
def test_no_body_is_too_odd_to_be_heard(body: dict[str, Any]) -> None:
    for event in heard(body, b"raw", NOW) or ():
        assert event.person.channel == "zalo" and event.person.address
        fields = (event.said.text, event.said.place, event.said.start, event.said.reachable)
        flags = (event.said.unread, event.said.withdrawn, event.said.staff)
        assert event.said.files or any(each is not None for each in fields) or any(flags)


def test_deep_bodies_are_no_reason_to_fall_over() -> None:
    with pytest.raises(ValueError, match="deep"):
        loads(b"[" * 100_000)
