import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagging.normal import fold, looks_bare, spelled, syllables, tidy, untelex

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Đánh  NHAU ở\nNghệ An", "danh nhau o nghe an"),
        (unicodedata.normalize("NFD", "Phường Hưng Dũng"), "phuong hung dung"),
        ("", ""),
    ],
)
def test_folding_drops_marks_capitals_and_needless_spaces(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_both_ways_to_place_a_tone_are_one_spelling() -> None:
    assert spelled("thuý") == spelled("thúy")
    assert spelled("hòa") == spelled("hoà")
    assert spelled("hoa") != spelled("hoà")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ddanhs", "đánh"),
        ("ddangs", "đáng"),
        ("nguwowif", "người"),
        ("nguowif", "người"),
        ("cos", "có"),
        ("danhs", "danh"),
        ("dang", "dang"),
        ("facebook", "facebook"),
        ("đang", "đang"),
    ],
)
def test_raw_telex_is_read_and_ordinary_words_stay(typed: str, meant: str) -> None:
    assert untelex(typed) == meant


def test_the_syllables_come_from_the_installed_word_list() -> None:
    assert {"đánh", "nghiêng", "huyện"} <= syllables()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\u202eb\u200bc", "abc"),
        ("một\r\n\r\n\r\n\r\nhai", "một\n\nhai"),
        ("đẹppppppp !!!!!!!!!", "đẹppp !!!"),
        ("chuyển 1000000000 đồng", "chuyển 1000000000 đồng"),
        ("x\ud800y\x00z\ufeff", "xyz"),
        ("a \t  b \n c", "a b\nc"),
        ("a" + "\u0301" * 50, "á\u0301\u0301"),
    ],
)
def test_tidying_sweeps_out_what_is_not_seen_and_what_runs_away(text: str, kept: str) -> None:
    assert tidy(text) == kept


def test_text_typed_without_marks_is_told_from_text_with_marks() -> None:
    assert looks_bare("cong an oi cho hoi")
    assert not looks_bare("công an ơi cho hỏi")
    assert not looks_bare("")


@given(ANY_TEXT)
def test_any_text_can_be_tidied_stored_and_tidied_again_to_the_same(text: str) -> None:
    once = tidy(text)
    once.encode()
    assert tidy(once) == once


@given(ANY_TEXT)
def test_any_text_can_be_folded_and_folded_again_to_the_same(text: str) -> None:
    assert fold(fold(text)) == fold(text)
