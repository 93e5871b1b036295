from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.questions import (
    LONGEST_STORY,
    Choice,
    ChoiceOrWords,
    Digits,
    Files,
    Gone,
    Narrative,
    Partly,
    Place,
    Question,
    Retake,
    Review,
    Saved,
    Telling,
    Unclear,
    UnitName,
    Where,
    Words,
    grouped,
    receipt_in,
)
from handlers.scene import Scene
from handlers.telling import WHEN
from storage.people import Tree
from storage.vocabulary import Language, Point, Pressed, Said
from tagging.normal import fold
from tests.house import CATALOGUES, UNITS, SmallGazetteer

TREE = Tree({unit.id: unit for unit in UNITS})
RECEIPT = "1234567890123456"
LEGAL = Choice("legal", ask="tip.legal", options=("crime", "denunciation", "reflection"))
WHEN_WAS_IT = ChoiceOrWords("when", ask="tell.when", options=WHEN)
CONTACT = Words("contact", ask="tell.contact", shortest=5, longest=200)
STORY = Narrative("what", ask="tip.what")
PLACE = Place("where", ask="tell.where")
FILES = Files("evidence", ask="tell.evidence", most=3)
UNIT = UnitName("unit", ask="tell.unit")
DIGITS = Digits("receipt", ask="lookup")
SAVED = Saved("saved", ask="receipt", receipt=RECEIPT)
REVIEW = Review("review", ask="tell.review")
EVERY: tuple[Question[Any], ...] = (
    LEGAL,
    WHEN_WAS_IT,
    CONTACT,
    STORY,
    PLACE,
    FILES,
    UNIT,
    DIGITS,
    SAVED,
    REVIEW,
)
PATH = ((LEGAL, "crime"), (STORY, Telling("bán ma túy")), (WHEN_WAS_IT, "today"))
both = pytest.mark.parametrize("language", ["vi", "en"])


def scene(language: Language = "vi", so_far: Any = None, files: tuple[str, ...] = ()) -> Scene:
    words = CATALOGUES[language]
    return Scene(words, SmallGazetteer(), lambda: TREE, so_far, files, PATH)


def read(question: Question[Any], text: str, language: Language = "vi", so_far: Any = None) -> Any:
    return question.read(Said(text=text), scene(language, so_far))


# -- one of a list ----------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["1", "1.", "(1)", "1)", " 1 ", "một", "mot", "Một", "MOT"])
def test_the_first_of_a_list_is_meant_by_its_number_in_every_spelling(typed: str) -> None:
    assert read(LEGAL, typed) == "crime"


@pytest.mark.parametrize(("typed", "option"), [("two", "denunciation"), ("Three", "reflection")])
def test_english_numerals_are_understood_in_english(typed: str, option: str) -> None:
    assert read(LEGAL, typed, "en") == option


@both
def test_every_option_is_meant_by_its_label_with_and_without_marks(language: Language) -> None:
    for question in (LEGAL, WHEN_WAS_IT):
        for option in question.options(scene(language)):
            assert read(question, option.label, language) == option.id
            assert read(question, fold(option.label), language) == option.id
            assert read(question, option.label.upper(), language) == option.id
            decomposed = unicodedata.normalize("NFD", option.label)
            assert read(question, decomposed, language) == option.id


@both
def test_every_option_is_meant_by_its_button_and_by_its_number(language: Language) -> None:
    for question in (LEGAL, WHEN_WAS_IT):
        for number, option in enumerate(question.options(scene(language)), 1):
            pressed = Said(pressed=Pressed(question.key, option.id))
            assert question.read(pressed, scene(language)) == option.id
            assert read(question, str(number), language) == option.id


@both
def test_yes_and_no_are_understood_in_every_way_of_the_catalogue(language: Language) -> None:
    sure = Choice("sure", ask="rights.sure", options=("yes", "no"))
    for meaning in ("yes", "no"):
        for way in CATALOGUES[language].all(f"ways.{meaning}"):
            assert read(sure, way, language) == meaning, way


@pytest.mark.parametrize(
    "typed", ["", "0", "4", "99", "(9)", "🙂", "...", "tôi không hiểu câu hỏi"]
)
def test_what_is_no_option_is_unclear(typed: str) -> None:
    assert read(LEGAL, typed) == Unclear("unclear.choice")


def test_a_button_that_a_newer_version_no_longer_has_is_unclear() -> None:
    gone = Said(pressed=Pressed("legal", "gossip"))
    assert LEGAL.read(gone, scene()) == Unclear("unclear.choice")


def test_a_pin_or_a_file_is_no_answer_to_a_choice() -> None:
    assert LEGAL.read(Said(place=Point(10, 106)), scene()) == Unclear("unclear.choice")


def test_a_kept_option_that_is_gone_is_not_recalled() -> None:
    with pytest.raises(Gone):
        LEGAL.recall("gossip")
    with pytest.raises(Gone):
        WHEN_WAS_IT.recall("last century")


# -- one of a list, or own words --------------------------------------------------------------


def test_own_words_are_kept_apart_from_options() -> None:
    answer = read(WHEN_WAS_IT, "  tối thứ bảy tuần trước ")
    assert answer == "=tối thứ bảy tuần trước"
    assert WHEN_WAS_IT.recall(answer) == answer
    assert WHEN_WAS_IT.show(answer, scene()) == "tối thứ bảy tuần trước"


def test_own_words_that_look_like_a_kept_option_are_still_words() -> None:
    assert read(WHEN_WAS_IT, "=now") == "==now"
    assert WHEN_WAS_IT.show("==now", scene()) == "=now"


@pytest.mark.parametrize("typed", ["", "77", "(12)", "?!", "🙂🙂", "   "])
def test_a_number_out_of_range_or_no_letter_is_not_own_words(typed: str) -> None:
    assert read(WHEN_WAS_IT, typed) == Unclear("unclear.choice")


def test_own_words_have_a_limit_and_the_person_is_told_which() -> None:
    assert read(WHEN_WAS_IT, "a" * 300) == "=" + "a" * 300
    assert read(WHEN_WAS_IT, "a" * 301) == Unclear("unclear.long", (("most", 300),))


# -- short words --------------------------------------------------------------------------------


def test_a_contact_is_read_with_its_spaces_made_even() -> None:
    assert read(CONTACT, " 0901  234\n567 ") == "0901 234 567"


@pytest.mark.parametrize("typed", ["", "0901", "-----", "🙂🙂🙂🙂🙂"])
def test_a_contact_that_is_too_short_is_asked_again(typed: str) -> None:
    assert read(CONTACT, typed) == Unclear("unclear.short")


def test_a_contact_that_is_too_long_is_asked_again() -> None:
    assert read(CONTACT, "a" * 201) == Unclear("unclear.long", (("most", 200),))


# -- a story ------------------------------------------------------------------------------------


def test_a_story_is_its_words() -> None:
    assert read(STORY, " Có cháy ở chợ \n") == Telling("Có cháy ở chợ")


@pytest.mark.parametrize("typed", ["", "ab", "👍👍", "... !!", "\n\n"])
def test_a_story_needs_a_few_letters(typed: str) -> None:
    assert read(STORY, typed) == Unclear("unclear.story")


def test_a_story_has_a_limit() -> None:
    assert read(STORY, "a" * LONGEST_STORY) == Telling("a" * LONGEST_STORY)
    assert read(STORY, "a" * (LONGEST_STORY + 1)) == Unclear(
        "unclear.long", (("most", LONGEST_STORY),)
    )


def test_files_may_come_before_the_words_of_a_story() -> None:
    heard = STORY.read(Said(), scene(files=("file-a",)))
    assert heard == Partly(["file-a"])
    more = STORY.read(Said(), scene(so_far=["file-a"], files=("file-b",)))
    assert more == Partly(["file-a", "file-b"])
    assert read(STORY, "ảnh chụp ở chợ", so_far=["file-a", "file-b"]) == Telling(
        "ảnh chụp ở chợ", ("file-a", "file-b")
    )


@both
def test_a_story_may_be_files_alone_once_the_person_says_done(language: Language) -> None:
    for way in CATALOGUES[language].all("ways.done"):
        assert read(STORY, way, language, ["file-a"]) == Telling("", ("file-a",))
    assert "1" in STORY.message(scene(language, ["file-a"])).text


def test_done_without_a_file_is_no_story_when_it_is_too_short_to_be_one() -> None:
    assert read(STORY, "ok") == Unclear("unclear.story")


@both
def test_a_long_story_is_shown_short_with_its_files_counted(language: Language) -> None:
    shown = STORY.show(Telling("a" * 500, ("file-a", "file-b")), scene(language))
    assert shown.startswith("a" * 300 + "…") and "2" in shown


# -- files --------------------------------------------------------------------------------------


def test_an_album_is_one_part_of_the_answer_after_the_other() -> None:
    assert FILES.read(Said(), scene(files=("file-a", "file-b"))) == Partly(["file-a", "file-b"])
    assert FILES.read(Said(), scene(so_far=["file-a"], files=("file-b",))) == Partly(
        ["file-a", "file-b"]
    )


def test_more_files_than_the_limit_are_refused() -> None:
    three = ["file-a", "file-b", "file-c"]
    assert FILES.read(Said(), scene(so_far=three, files=("file-d",))) == Unclear(
        "files.too_many", (("most", 3),)
    )
    assert read(FILES, "xong", so_far=three) == Telling("", tuple(three))


@both
def test_done_and_none_end_the_files_in_every_way_of_the_catalogue(language: Language) -> None:
    for meaning in ("done", "none"):
        for way in CATALOGUES[language].all(f"ways.{meaning}"):
            assert read(FILES, way, language, ["file-a"]) == Telling("", ("file-a",)), way
            assert read(FILES, way, language) == Telling(""), way


@pytest.mark.parametrize("option", ["done", "none"])
@pytest.mark.parametrize("so_far", [None, ["file-a"]])
def test_either_button_of_an_older_keyboard_ends_the_files(option: str, so_far: Any) -> None:
    pressed = Said(pressed=Pressed("evidence", option))
    assert FILES.read(pressed, scene(so_far=so_far)) == Telling("", tuple(so_far or ()))


def test_the_button_says_none_before_a_file_and_done_after() -> None:
    assert [option.id for option in FILES.options(scene())] == ["none"]
    assert [option.id for option in FILES.options(scene(so_far=["file-a"]))] == ["done"]


def test_words_are_no_files() -> None:
    assert read(FILES, "có ảnh nhưng để sau") == Unclear("files.unclear")


# -- a place ------------------------------------------------------------------------------------


def test_a_pin_is_a_place_to_about_a_metre() -> None:
    pin = PLACE.read(Said(place=Point(10.7769000123, 106.7009000456)), scene())
    assert pin == Where(pin=(10.7769, 106.7009))
    assert "10.7769" in PLACE.show(pin, scene())


@pytest.mark.parametrize("typed", ["Bến Thành", "ben thanh", "phường bến thành", "BEN THANH"])
def test_part_of_a_ward_s_name_offers_the_ward(typed: str) -> None:
    assert read(PLACE, typed) == Partly({"typed": typed, "offered": ["79.benthanh"]})


def test_several_wards_of_one_name_are_offered_and_one_is_chosen() -> None:
    heard = read(PLACE, "ben")
    assert isinstance(heard, Partly) and heard.so_far["offered"] == ["79.benthanh", "01.bendo"]
    assert read(PLACE, "2", so_far=heard.so_far) == Where(ward="01.bendo", words="ben")
    assert read(PLACE, "3", so_far=heard.so_far) == Where(words="ben")
    assert read(PLACE, "4", so_far=heard.so_far) == Where()
    assert "ben" in PLACE.message(scene(so_far=heard.so_far)).text


def test_a_ward_is_chosen_by_its_whole_label_without_marks() -> None:
    so_far = {"typed": "ben", "offered": ["79.benthanh", "01.bendo"]}
    assert read(PLACE, "phuong ben do, thanh pho ha noi", so_far=so_far) == Where(
        ward="01.bendo", words="ben"
    )


def test_another_name_typed_while_wards_are_offered_searches_again() -> None:
    so_far = {"typed": "ben", "offered": ["79.benthanh", "01.bendo"]}
    heard = read(PLACE, "tân định", so_far=so_far)
    assert heard == Partly({"typed": "tân định", "offered": ["79.tandinh"]})


def test_a_ward_that_the_gazetteer_lost_stands_for_itself() -> None:
    assert PLACE.show(Where(ward="99.gone"), scene()) == "99.gone"


@both
def test_not_remembering_the_place_is_an_answer_in_every_way(language: Language) -> None:
    for way in CATALOGUES[language].all("ways.unknown"):
        assert read(PLACE, way, language) == Where(), way
    assert read(PLACE, "1", language) == Where()
    assert PLACE.show(Where(), scene(language))


def test_words_that_name_no_ward_are_kept_as_the_place() -> None:
    assert read(PLACE, "sau  trường học\ncũ") == Where(words="sau trường học cũ")


@pytest.mark.parametrize("typed", ["", "??", "📍"])
def test_a_place_without_a_letter_is_unclear(typed: str) -> None:
    assert read(PLACE, typed) == Unclear("place.unclear")


def test_a_place_has_a_limit() -> None:
    assert read(PLACE, "x" * 301) == Unclear("unclear.long", (("most", 300),))


# -- a unit -------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["Bến Thành", "ben thanh", "CONG AN PHUONG BEN THANH"])
def test_a_unit_is_found_by_part_of_its_name(typed: str) -> None:
    assert read(UNIT, typed) == "ben-thanh"


def test_several_units_of_a_name_are_offered_and_one_is_chosen() -> None:
    heard = read(UNIT, "phuong")
    assert heard == Partly(["ben-thanh", "tan-dinh"])
    assert read(UNIT, "2", so_far=heard.so_far) == "tan-dinh"
    assert read(UNIT, "3", so_far=heard.so_far) == "?"
    pressed = Said(pressed=Pressed("unit", "ben-thanh"))
    assert UNIT.read(pressed, scene(so_far=heard.so_far)) == "ben-thanh"


@both
def test_not_knowing_the_unit_is_an_answer(language: Language) -> None:
    for way in CATALOGUES[language].all("ways.unknown"):
        assert read(UNIT, way, language) == "?", way
    assert UNIT.show("?", scene(language)) == CATALOGUES[language]("unit.unknown")


@pytest.mark.parametrize("typed", ["", "???", "phòng không có thật", "x" * 10_000])
def test_a_unit_that_is_not_found_is_unclear(typed: str) -> None:
    assert read(UNIT, typed) == Unclear("unit.unclear")


def test_a_unit_is_shown_in_the_person_s_language() -> None:
    assert UNIT.show("ben-thanh", scene("vi")) == "Công an phường Bến Thành"
    assert UNIT.show("ben-thanh", scene("en")) == "Ben Thanh police"


# -- a receipt ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        RECEIPT,
        "1234 5678 9012 3456",
        " 1234-5678-9012-3456 ",
        "1234.5678.9012.3456",
        "1234–5678_9012 3456",
        "1234\u00a05678\n9012\t3456",
    ],
)
def test_a_receipt_is_read_in_any_grouping(typed: str) -> None:
    assert receipt_in(typed) == RECEIPT
    assert read(DIGITS, typed) == RECEIPT


@pytest.mark.parametrize(
    "typed", ["", "123456789012345", "12345678901234567", "mã 1234567890123456", "١٢٣٤" * 4]
)
def test_what_is_not_sixteen_digits_is_no_receipt(typed: str) -> None:
    assert receipt_in(typed) is None
    assert read(DIGITS, typed) == Unclear("lookup.unclear")


def test_a_receipt_is_shown_in_four_groups_and_read_back() -> None:
    assert grouped(RECEIPT) == "1234 5678 9012 3456"
    assert receipt_in(grouped(RECEIPT)) == RECEIPT


@pytest.mark.parametrize(
    "typed", ["3456", "(3456)", "1234 5678 9012 3456", "đã lưu", "da luu", "1"]
)
def test_a_receipt_counts_as_saved_by_its_last_group_or_the_word(typed: str) -> None:
    assert read(SAVED, typed) == "saved"


@pytest.mark.parametrize("typed", ["", "3457", "1234", "chưa", "2"])
def test_a_receipt_is_shown_again_until_it_is_saved(typed: str) -> None:
    assert read(SAVED, typed) == Unclear("receipt.again")


@both
def test_the_receipt_s_message_shows_its_groups(language: Language) -> None:
    assert "1234 5678 9012 3456" in SAVED.message(scene(language)).text


# -- the review ---------------------------------------------------------------------------------


@both
def test_the_review_shows_every_answer_and_offers_to_change_each(language: Language) -> None:
    message = REVIEW.message(scene(language))
    ids = [option.id for option in message.choices]
    assert ids == ["send", "edit.legal", "edit.what", "edit.when", "drop"]
    assert "bán ma túy" in message.text
    assert CATALOGUES[language]("tell.when.today") in message.text


@both
def test_each_line_of_the_review_leads_back_to_its_question(language: Language) -> None:
    for option in REVIEW.options(scene(language)):
        heard = read(REVIEW, option.label, language)
        key = option.id.removeprefix("edit.")
        assert heard == (Retake(key) if option.id.startswith("edit.") else option.id)


@both
def test_send_and_drop_are_understood_in_every_way_of_the_catalogue(language: Language) -> None:
    for meaning in ("send", "drop"):
        for way in CATALOGUES[language].all(f"ways.{meaning}"):
            assert read(REVIEW, way, language) == meaning, way


def test_anything_else_at_the_review_sends_nothing() -> None:
    assert read(REVIEW, "chờ một chút") == Unclear("unclear.choice")


# -- every kind ---------------------------------------------------------------------------------

NASTY = st.sampled_from(
    [
        "\x00\x01\x1b[2J",
        "\u202egnol\u202c \u2066x\u2069",
        unicodedata.normalize("NFD", "Đường Nguyễn Huệ, phường Bến Thành"),
        "e" + "\u0301" * 500,
        "👨‍👩‍👧‍👦" * 200,
        "\n" * 10_000,
        "a" * 100_000,
        "{typed} {0} %s {",
        "９９",
        "²",
        "٣",
        "\ufeff\u200b\u00ad",
    ]
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
    st.integers(0, 10**17).map(str),
    NASTY,
)
SO_FAR = {
    "where": {"typed": "ben", "offered": ["79.benthanh", "99.gone"]},
    "evidence": ["file-a"],
    "what": ["file-a"],
    "unit": ["ben-thanh", "gone"],
}


@pytest.mark.parametrize("question", EVERY, ids=lambda question: type(question).__name__)
@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(text=TEXTS, language=st.sampled_from(["vi", "en"]), halfway=st.booleans())
def test_reading_never_raises_and_what_is_kept_is_recalled(
    question: Question[Any], text: str, language: Language, halfway: bool
) -> None:
    here = scene(language, SO_FAR.get(question.key) if halfway else None)
    answer = question.read(Said(text=text), here)
    if isinstance(answer, Unclear):
        assert CATALOGUES[language](answer.why, **dict(answer.values))
    elif isinstance(answer, Partly):
        kept = json.loads(json.dumps(answer.so_far))
        assert question.message(scene(language, kept)).text
    elif not isinstance(answer, Retake):
        assert question.recall(json.loads(json.dumps(question.keep(answer)))) == answer
        assert isinstance(question.show(answer, here), str)


@dataclass(frozen=True)
class Kind:
    question: Question[Any]
    answers: st.SearchStrategy[Any]


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAMES = st.lists(WORDS, max_size=5).map(tuple)
DEGREES = st.floats(-180, 180).map(lambda degrees: round(degrees, 5))
PLACES = st.builds(
    Where, st.none() | WORDS, st.none() | WORDS, st.none() | st.tuples(DEGREES, DEGREES)
)
KINDS = (
    Kind(LEGAL, st.sampled_from(LEGAL.ids)),
    Kind(WHEN_WAS_IT, st.sampled_from(WHEN_WAS_IT.ids) | WORDS.map("={}".format)),
    Kind(CONTACT, WORDS),
    Kind(STORY, st.builds(Telling, WORDS, NAMES)),
    Kind(PLACE, PLACES),
    Kind(
        FILES, st.builds(Telling, WORDS, NAMES.map(lambda names: tuple(f"file-{n}" for n in names)))
    ),
    Kind(UNIT, WORDS),
    Kind(DIGITS, st.just(RECEIPT)),
    Kind(SAVED, st.just("saved")),
    Kind(REVIEW, st.sampled_from(["send", "drop"])),
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind.question).__name__)
@settings(max_examples=40, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_every_answer_survives_being_kept_as_json(kind: Kind, data: st.DataObject) -> None:
    answer = data.draw(kind.answers)
    kept = json.loads(json.dumps(kind.question.keep(answer)))
    assert kind.question.recall(kept) == answer


@pytest.mark.parametrize("question", EVERY, ids=lambda question: type(question).__name__)
@both
def test_every_kind_puts_itself_in_both_languages(
    question: Question[Any], language: Language
) -> None:
    message = question.message(scene(language))
    assert message.question == question.key and message.text


def test_a_kind_that_does_not_say_how_it_reads_is_not_finished() -> None:
    with pytest.raises(NotImplementedError):
        Question("key", "ask").read(Said(text="x"), scene())


def test_random_spellings_of_numbers_choose_what_the_plain_number_chooses() -> None:
    dice = random.Random(1)
    spellings: list[Callable[[int], str]] = [
        str,
        "{}.".format,
        "({})".format,
        "{})".format,
        " {} ".format,
        "( {} )".format,
    ]
    for _ in range(40):
        number = dice.randrange(1, 7)
        assert read(WHEN_WAS_IT, dice.choice(spellings)(number)) == WHEN[number - 1]
