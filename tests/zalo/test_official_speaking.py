from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.asked import Asked
from bot.channels.zalo.granting import Keeper
from bot.channels.zalo.speaking import Api, Piece, ZaloVoice, nearly_used_up, pieces
from bot.clerk import Clerk
from bot.sending import Closed, Doubtful, Later, Rejected, Unreachable
from bot.settings import Settings
from storage import grants, talks
from storage.grants import Pair
from storage.migrating import migrate
from storage.outbox import Letter
from storage.sealing import Keys, Seal
from storage.store import Store
from storage.vocabulary import Message, Option
from storage.vocabulary import Person as Address
from tests.doubles.faults import Fault
from tests.house import open_house
from tests.server import free_port
from tests.zalo import faults
from tests.zalo.official import OfficialAccount
from tests.zalo.people import Person
from tests.zalo.standing import settings_of

NOW = datetime.now(UTC)


class Line:
    """A voice that speaks to the double, and what it told of its troubles."""

    def __init__(self, oa: OfficialAccount, store: Store, buttons: bool = False) -> None:
        self.oa, self.troubles, self.quotas = oa, ["ok"], []  # type: ignore[var-annotated]
        self.settings = Settings(**{k.lower(): v for k, v in settings_of(oa).items()})
        given = oa.pair()
        with store.write() as work:
            pair = Pair(given.access, given.refresh, NOW + timedelta(hours=25))
            grants.renew(work, oa.app_id, pair, NOW)
        self.keeper = Keeper(self.settings, store, lambda: NOW)
        self.buttons, self.store = buttons, store
        self.reception = open_house(store).reception

    def say(self, person: str, *said: Piece) -> None:
        asyncio.run(self._say(person, said))

    async def _say(self, person: str, said: tuple[Piece, ...]) -> None:
        api = Api(self.settings, self.keeper)
        clerk = Clerk(self.store, self.reception, lambda: NOW)
        asked = Asked(self.store, clerk, "zalo", NOW.date)
        heard = self.troubles.append, self.quotas.append
        voice = ZaloVoice(api, asked, self.buttons, False, lambda _: None, *heard)
        try:
            for piece in said:
                await voice.say(person, piece, bulk=False)
        finally:
            clerk.stop()
            await api.close()

    def outcome(self, fault: Fault, times: int = 1) -> Exception | None:
        an = self.speaker("An")
        self.oa.fail(fault, times=times, method="message/cs")
        try:
            self.say(an.id, Piece("xin chào"))
        except (Later, Unreachable, Closed, Rejected, Doubtful) as raised:
            return raised
        return None

    def speaker(self, name: str) -> Person:
        person = self.oa.person(name)
        person.spoke = self.oa.wall()
        return person


@pytest.fixture
def line(oa: OfficialAccount, tmp_path: Path) -> Iterator[Line]:
    store = Store(f"sqlite:///{tmp_path}/l.db", Seal(Keys.new()))
    migrate(store.engine)
    yield Line(oa, store)
    store.close()


# What the outbox does about each error: which exception, whether all wait, what the state says.
CLASSES: dict[int, tuple[type[Exception], bool, str]] = {
    -32: (Later, True, ""),
    -100: (Later, False, ""),
    -200: (Later, False, ""),
    -201: (Rejected, False, ""),
    -204: (Later, True, "deleted"),
    -205: (Later, True, "does not exist"),
    -209: (Later, True, "not active"),
    -210: (Rejected, False, ""),
    -211: (Later, False, "quota"),
    -212: (Later, True, "not registered"),
    -213: (Unreachable, False, ""),
    -217: (Unreachable, False, ""),
    -218: (Closed, False, ""),
    -219: (Later, True, "removed"),
    -221: (Later, True, "not verified"),
    -223: (Later, True, "did not grant"),
    -224: (Later, True, "paid package"),
    -227: (Unreachable, False, ""),
    -230: (Closed, False, ""),
    -232: (Closed, False, ""),
    -233: (Rejected, False, ""),
    -234: (Later, False, ""),
    -235: (Later, True, "-235"),
    -237: (Rejected, False, ""),
    -240: (Later, True, "shut this call down"),
    -242: (Later, True, "ZALO_OA_APP_SECRET"),
    -244: (Unreachable, False, ""),
    -248: (Rejected, False, ""),
    -320: (Later, True, "Cloud Account"),
    -321: (Later, True, "empty"),
}


@pytest.mark.parametrize("code", [code for code in faults.NAMES if code > -1000])
def test_every_error_has_its_class(line: Line, code: int) -> None:
    if code in (-216, -220):
        assert line.outcome(faults.error(code)) is None  # renewed, and said
        assert line.oa.grants.refreshed == 1
        return
    kind, everybody, trouble = CLASSES[code]
    raised = line.outcome(faults.error(code))
    assert type(raised) is kind
    assert getattr(raised, "everybody", False) == everybody
    assert trouble in line.troubles[-1] and (trouble or line.troubles == ["ok"])
    assert str(code) in line.troubles[-1] or not trouble


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.broken(502), Later),
        (faults.broken(429), Later),
        (faults.broken(403), Rejected),
        (faults.broken(200, json=False), Doubtful),
        (faults.RESET_UNREAD, Doubtful),
        (faults.RESET_EXECUTED, Doubtful),
    ],
    ids=["502", "429", "403", "page", "unread", "executed"],
)
def test_what_is_no_answer_of_zalo_s_has_its_class(
    line: Line, fault: Fault, kind: type[Exception]
) -> None:
    assert type(line.outcome(fault)) is kind


def test_a_message_that_was_never_handed_over_waits(line: Line) -> None:
    line.settings = line.settings.model_copy(
        update={"zalo_oa_api_url": f"http://127.0.0.1:{free_port()}"}
    )
    assert type(line.outcome(faults.FAILED)) is Later
    assert line.troubles[-1] == "cannot be reached"


def test_a_token_that_stays_refused_is_told_and_holds_all(line: Line) -> None:
    raised = line.outcome(faults.TOKEN_INVALID, times=9)
    assert isinstance(raised, Later) and raised.everybody
    assert "token" in line.troubles[-1] and line.oa.grants.refreshed == 1


def test_what_is_raised_names_neither_address_nor_token_nor_words(line: Line) -> None:
    an = line.speaker("An")
    for fault in (faults.error(-201), faults.RESET_EXECUTED, faults.broken(403)):
        raised = line.outcome(fault)
        told = f"{raised!r} {raised.__cause__!r}" if raised else ""
        for secret in (an.id, line.oa.grants.pairs[-1].access, "xin chào"):
            assert secret not in told


# -- what goes out --------------------------------------------------------------------------------


def test_a_text_arrives_composed_and_without_more(line: Line) -> None:
    an = line.speaker("An")
    message = Message("Đường hỏng")
    line.say(an.id, *pieces(message, None, False))
    assert an.heard()[0].raw == {"text": "Đường hỏng"}
    assert line.oa.violations == []


MANY = tuple(Option(f"o{n}", f"Mục {n}") for n in range(1, 8))


def test_options_are_numbered_lines(line: Line) -> None:
    an = line.speaker("An")
    line.say(an.id, *pieces(Message("Chọn gì?", "q", MANY), None, False))
    heard = an.heard()[0]
    assert [choice.label for choice in heard.choices] == [option.label for option in MANY]
    assert heard.buttons == ()


def test_a_long_text_is_cut_within_two_thousand(line: Line) -> None:
    an = line.speaker("An")
    line.say(an.id, *pieces(Message("Câu này dài. " * 400, "q", MANY), None, False))
    heard = an.heard()
    assert len(heard) > 2 and all(len(each.text) <= 2000 for each in heard)
    assert len(heard[-1].choices) == len(MANY) and line.oa.violations == []


def test_buttons_stand_beside_the_numbers_where_they_are_wanted(line: Line) -> None:
    line.oa.buttons = True
    an = line.speaker("An")
    line.say(an.id, *pieces(Message("Chọn gì?", "q", MANY[:5]), None, True))
    heard = an.heard()[0]
    assert [button.says for button in heard.buttons] == [option.label for option in MANY[:5]]
    assert "1. Mục 1" in heard.text and line.oa.violations == []


def test_six_options_get_no_buttons_so_that_none_seems_to_be_missing() -> None:
    assert pieces(Message("Chọn gì?", "q", MANY), None, True)[-1].buttons == ()


def a_picture(size: int = 600) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((size, size), 90).save(out, "PNG")
    return out.getvalue()


def test_a_picture_is_uploaded_and_comes_before_the_words(line: Line) -> None:
    an, picture = line.speaker("An"), a_picture()
    message = Message("Bản tin tháng 10", about="Biểu đồ")
    line.say(an.id, *pieces(message, picture, False))
    first, second = an.heard()
    assert (first.photo, first.text, first.content) == (True, "Biểu đồ", picture)
    assert second.text == "Bản tin tháng 10" and line.oa.violations == []


def test_a_picture_that_zalo_would_refuse_is_left_out() -> None:
    large = a_picture(1100)
    assert len(large) > 1 << 20
    message = Message("Bản tin", picture="d", about="Biểu đồ: 5 tin")
    assert pieces(message, large, False) == [Piece("Bản tin\n\nBiểu đồ: 5 tin")]


@pytest.mark.parametrize("fault", [faults.RESET_EXECUTED, faults.broken(200, json=False)])
def test_a_picture_in_doubt_is_uploaded_again_for_nobody_has_seen_it(
    line: Line, fault: Fault
) -> None:
    an = line.speaker("An")
    line.oa.fail(fault, method="upload/image")
    with pytest.raises(Later):
        line.say(an.id, Piece("Biểu đồ", picture=a_picture()))
    line.say(an.id, Piece("Biểu đồ", picture=a_picture()))
    assert len(an.heard()) == 1


def test_somebody_anonymous_is_answered_by_their_own_way(line: Line) -> None:
    stranger = line.oa.anonymous("Khách")
    address = f"anonymous:{stranger.id}:{line.oa.conversation_of(stranger)}"
    line.say(address, Piece("Kính chào"))
    assert stranger.heard()[0].text == "Kính chào"
    assert [call.method for call in line.oa.calls()] == ["message"] and not line.oa.violations


def test_an_app_that_wants_a_proof_with_each_call_gets_it(line: Line) -> None:
    line.oa.proof = True
    an = line.speaker("An")
    line.say(an.id, Piece("Kính chào"))
    assert an.heard()[0].text == "Kính chào"


def test_what_was_asked_is_known_from_when_it_arrived(line: Line) -> None:
    an = line.speaker("An")
    line.say(an.id, *pieces(Message("Chọn gì?", "q", MANY), None, False))
    with line.store.read() as work:
        key = talks.key_of(work, Address("zalo", an.id))
        assert talks.asked(work, key, round(line.oa.wall() * 1000)) == "q"


def test_the_quota_is_handed_on(line: Line) -> None:
    an = line.speaker("An")
    line.oa.tier = 20
    line.say(an.id, Piece("a"))
    line.oa.later += 49 * 3600
    line.say(an.id, Piece("b"))
    kinds = [quota["quota_type"] for quota in line.quotas]
    assert kinds == ["reply", "sub_quota"] and line.quotas[1]["remain"] == "19"


@pytest.mark.parametrize(
    ("quota", "short"),
    [
        ({"remain": "49", "total": "500"}, True),
        ({"remain": "50", "total": "500"}, False),
        ({"remain": 0, "total": 500}, True),
        ({"remain": "", "total": "500"}, False),
        ({"remain": "1"}, False),
        ({"remain": "0", "total": "0"}, False),
        ({"remain": "nan", "total": "nan"}, False),
        ({"remain": None, "total": []}, False),
    ],
)
def test_a_quota_is_short_when_a_tenth_is_left(quota: dict[str, Any], short: bool) -> None:
    assert nearly_used_up(quota) == short


def test_the_window_is_two_days_or_seven_where_it_may_cost() -> None:
    def window(paid: bool) -> timedelta | None:
        nobody: Any = None
        return ZaloVoice(nobody, nobody, False, paid, nobody, nobody, nobody).window

    assert window(False) == timedelta(hours=48) and window(True) == timedelta(days=7)


def test_a_letter_without_a_picture_needs_no_look_at_the_store() -> None:
    nobody: Any = None
    voice = ZaloVoice(nobody, nobody, False, False, nobody, nobody, nobody)
    letter = Letter("l", b"k", "zalo", "1", Message("Kính chào"))
    assert asyncio.run(voice.pieces(letter)) == [Piece("Kính chào")]
