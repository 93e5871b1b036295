import sys

import pytest

from tagging.phrases import Phrase, PhrasesFailed, common

TEXTS = [
    "hàng xóm mở loa ồn ào, nhờ kiểm tra",
    "de nghi kiem tra nha ben",
    "Kiểm tra giúp, anh Nguyễn Văn Bình gọi 0912345678 không ai nghe, kiểm tra mãi",
    "Kiểm tra giúp, anh Nguyễn Văn Bình gọi 0912345678 không ai nghe, kiểm tra mãi",
]


def test_a_phrase_counts_once_a_text_and_equal_texts_once() -> None:
    assert common(TEXTS, at_least=2, most=10) == [Phrase("kiểm tra", 3)]


def test_persons_and_numbers_are_no_phrases() -> None:
    words = " ".join(phrase.words for phrase in common(TEXTS, at_least=1, most=100))
    assert "bình" not in words
    assert "0912" not in words


def test_the_library_is_not_loaded_into_this_process() -> None:
    common(TEXTS, at_least=1, most=1)
    assert "underthesea" not in sys.modules


def test_a_failure_says_what_is_wrong() -> None:
    with pytest.raises(PhrasesFailed, match="TypeError"):
        common([3], at_least=1, most=1)  # type: ignore[list-item]  # the child must refuse it
