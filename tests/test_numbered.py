from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from bot.numbered import written
from bot.splitting import units
from handlers.asking import Picked, Several
from handlers.guarding import Guarded
from handlers.questions import (
    Choice,
    ChoiceOrWords,
    Files,
    Labelled,
    Partly,
    Place,
    Question,
    Review,
    Saved,
    Words,
)
from handlers.scene import Scene
from storage.campaign import Asked, Campaign
from storage.campaign_file import read_campaign
from storage.people import Tree
from storage.prompting import ROUND
from storage.vocabulary import Message, Option, Said
from tests.house import CATALOGUES, ROOT, UNITS, SmallGazetteer

TREE = Tree({unit.id: unit for unit in UNITS})
LEGAL = Choice("legal", "tip.legal", ("crime", "denunciation", "reflection"))
SURE = Choice("sure", "rights.sure", ("yes", "no"))
DAYS = Labelled("days", "campaign.days", [(each, each) for each in ("2", "5", "7", "14")])
PULSE: Campaign = read_campaign(ROOT / "campaigns" / "monthly-pulse.toml")


def scene(language: Any = "vi", so_far: Any = None) -> Scene:
    return Scene(CATALOGUES[language], SmallGazetteer(), lambda: TREE, so_far)


def text_of(question: Question[Any], so_far: Any = None, language: Any = "vi") -> str:
    return "\n".join(written(question.message(scene(language, so_far)), 2000))


def scale() -> Picked:
    asked: Asked = next(each for each in PULSE.question if each.kind == "scale")
    return Picked("mood", asked, edits=False)


# -- how it is written ----------------------------------------------------------------------------


def test_the_options_stand_a_line_each_and_the_last_line_asks_for_a_number() -> None:
    assert text_of(LEGAL).endswith(
        "\n\n1. Tố giác, tin báo về tội phạm, vi phạm\n2. Tố cáo cán bộ, công chức\n"
        "3. Phản ánh, kiến nghị\nTrả lời bằng số 1, 2 hoặc 3."
    )
    assert text_of(SURE, language="en").endswith(
        "\n\n1. Delete\n2. No\nAnswer with the number 1 or 2."
    )


def test_who_may_also_write_is_told_so() -> None:
    when = ChoiceOrWords("when", "tell.when", ("now", "today"))
    assert text_of(when).endswith("Gõ số 1 hoặc 2 để chọn, hoặc trả lời bằng lời.")
    files = Files("evidence", "tell.evidence", most=3)
    assert text_of(files).endswith("1. Không có\nGõ số 1 để chọn, hoặc trả lời bằng lời.")
    saved = Saved("saved", "receipt", "1234567890123456")
    assert text_of(saved).endswith("1. Đã lưu\nGõ số 1 để chọn, hoặc trả lời bằng lời.")


def test_a_scale_s_points_are_their_own_numbers() -> None:
    assert "\n\n1 · 2 · 3 · 4 · 5\n6. Bỏ qua\n" in text_of(scale())
    assert text_of(DAYS).endswith("\n\n2 · 5 · 7 · 14\nTrả lời bằng số 2, 5, 7 hoặc 14.")


def test_several_are_asked_for_by_the_question_itself() -> None:
    listed = [("a", "Giá cả"), ("b", "Việc làm")]
    asked = text_of(Several("q", listed, "Điều gì?"), ["b"])
    assert asked.endswith("ví dụ: 1, 3.\n\n1. Giá cả\n2. ✓ Việc làm\n3. Xong")


def test_free_words_have_no_menu() -> None:
    asked = text_of(Words("contact", "tell.contact", 5, 200))
    assert "1." not in asked and asked == CATALOGUES["vi"]("tell.contact.ask")


def test_a_prompt_has_no_number_and_says_its_command() -> None:
    text = CATALOGUES["vi"]("prompt.call", title="Đợt", closes="01/12/2026")
    prompt = Message(text, f"{ROUND}x", (Option("answer", "Trả lời"),))
    assert written(prompt, 2000) == [text]
    assert "/traloi" in text
    assert "/traloi" in CATALOGUES["vi"]("prompt.reminder", title="Đợt", closes="01/12/2026")


def test_everything_is_composed_and_cut_before_the_menu_where_it_must() -> None:
    long = unicodedata.normalize("NFD", "Có việc này ở chợ. " * 150)
    options = tuple(Option(str(n), f"Mục {n * 'ấ'}") for n in range(1, 8))
    parts = written(Message(long, "q", options, by_number="Chọn đi."), 2000)
    assert all(units(part) <= 2000 and unicodedata.is_normalized("NFC", part) for part in parts)
    assert parts[-1].endswith("7. Mục ấấấấấấấ\nChọn đi.")
    assert "1. Mục ấ" in parts[-1]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_word_speaks_of_buttons_where_a_platform_may_have_none(language: Any) -> None:
    for key, sentence in CATALOGUES[language].sentences.items():
        told = sentence if isinstance(sentence, str) else " ".join(sentence)
        words = told.lower().replace(",", " ").split()
        assert not {"nút", "bấm", "button", "buttons", "tap", "press"} & set(words), key


# -- how it is read -------------------------------------------------------------------------------

FIRST = (
    "1", " 1 ", "1.", "(1)", "1)", "[1]", "1,", "1!", "#1", "１", "1️⃣", "số 1", "Số 1.", "so 1",
    "số một", "một", "mot", "MỘT", "one", "One.", "chọn 1", "mục số 1", "dạ 1 ạ", "1 nhé",
    "Tố giác, tin báo về tội phạm, vi phạm", "to giac tin bao ve toi pham vi pham",
    "TỐ GIÁC, TIN BÁO VỀ TỘI PHẠM, VI PHẠM!", "1. Tố giác, tin báo về tội phạm, vi phạm",
)  # fmt: skip


@pytest.mark.parametrize("typed", FIRST)
def test_every_way_to_choose_the_first_is_understood(typed: str) -> None:
    assert LEGAL.read(Said(text=typed), scene()) == "crime"


@pytest.mark.parametrize("typed", ["0", "4", "-", "1 2", "1.5", "1/2", "11", "dạ", "số", "a1"])
def test_what_is_no_number_of_the_menu_chooses_nothing(typed: str) -> None:
    assert not isinstance(LEGAL.read(Said(text=typed), scene()), str)


@pytest.mark.parametrize("typed", ["2", "số 2", "hai", "two", "nhạy cảm 2"])
def test_a_label_that_is_a_number_is_meant_by_itself(typed: str) -> None:
    chosen = DAYS.read(Said(text=typed), scene())
    assert chosen == "2" if "nhạy" not in typed else chosen != "2"


def test_a_number_that_no_label_bears_is_no_place_either() -> None:
    assert not isinstance(DAYS.read(Said(text="1"), scene()), str)
    assert DAYS.read(Said(text="14"), scene()) == "14"


@pytest.mark.parametrize(
    ("typed", "option"),
    [("1", "1"), ("5", "5"), ("6", "-"), ("bỏ qua", "-"), ("ba", "3"), ("số 4", "4")],
)
def test_a_scale_is_read_by_its_points(typed: str, option: str) -> None:
    assert scale().read(Said(text=typed), scene()) == option


@pytest.mark.parametrize("typed", ["1, 3", "1 3", "1;3", "1 và 3", "số 1, số 3", "một, ba", "1+3"])
def test_several_are_read_in_one_message(typed: str) -> None:
    listed = [("a", "Giá cả"), ("b", "Việc làm"), ("c", "Y tế")]
    assert Several("q", listed, "Điều gì?").read(Said(text=typed), scene()) == Partly(["a", "c"])


@pytest.mark.parametrize("typed", ["4", "xong", "Xong.", "số 4"])
def test_several_end_with_their_last_number_too(typed: str) -> None:
    listed = [("a", "Giá cả"), ("b", "Việc làm"), ("c", "Y tế")]
    read = Several("q", listed, "Điều gì?").read(Said(text=typed), scene(so_far=["a"]))
    assert read == ["a"]


@pytest.mark.parametrize("typed", ["1, 9", "1 người", "9", "0", "1, x"])
def test_several_take_nothing_that_is_not_theirs(typed: str) -> None:
    listed = [("a", "Giá cả"), ("b", "Việc làm")]
    read = Several("q", listed, "Điều gì?").read(Said(text=typed), scene())
    assert not isinstance(read, list | Partly)


def test_a_number_chooses_in_a_review_a_place_a_unit_and_a_guarded_text() -> None:
    assert Review("review", "tell.review").read(Said(text="2"), scene()) == "drop"
    place = Place("where", "tell.where").read(Said(text="1"), scene())
    assert getattr(place, "words", "?") is None
    masked = {"why": "persons", "persons": ["A"], "masked": "có [tên]"}
    guarded = Guarded("q", {"vi": "Gì?"}, required=False, leads_out=True)
    assert guarded.read(Said(text="1"), scene(so_far=masked)) == "có [tên]"
    assert Saved("saved", "receipt", "1234567890123456").read(Said(text="1"), scene()) == "saved"


def test_a_number_in_free_words_stays_what_was_written() -> None:
    contact = Words("contact", "tell.contact", 1, 200)
    assert contact.read(Said(text="1"), scene()) == "1"
    assert contact.read(Said(text="số 12"), scene()) == "số 12"
    when = ChoiceOrWords("when", "tell.when", ("now", "today"))
    assert when.read(Said(text="2 hôm trước"), scene()) == "=2 hôm trước"
