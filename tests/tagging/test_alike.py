from __future__ import annotations

import pytest

from tagging.alike import Likeness, grouped
from tagging.corpus import training_messages
from tests.tagging.copies import crowd, right_pairs

TOLD = "quán nhậu ở ngã ba mở loa tới hai giờ sáng, cả xóm không ai ngủ được"
LIKE_IT = (
    "quan nhau o nga ba mo loa toi hai gio sang, ca xom khong ai ngu duoc",
    "QUÁN NHẬU ở ngã ba mở loa tới hai giờ sáng , cả xóm không ai ngủ được!!!",
    "em chào các anh, quán nhậu ở ngã ba mở loa tới hai giờ sáng, cả xóm không ai ngủ được",
)
OTHER = (
    "quán nhậu ở ngã tư lấn hết vỉa hè, người đi bộ phải xuống lòng đường",
    "nhà kế bên nuôi chó thả rông cắn người",
    "",
    "😀😀",
    "...",
)


def test_copies_of_one_text_are_one_group_and_others_stand_alone() -> None:
    assert grouped([TOLD, *OTHER, *LIKE_IT]) == [0, 1, 2, 3, 4, 5, 0, 0, 0]


def test_texts_that_say_nothing_are_like_nothing() -> None:
    assert grouped(["", "", "!!!", "!!!"]) == [0, 1, 2, 3]


def test_a_text_that_comes_later_finds_those_that_came_before() -> None:
    likeness = Likeness()
    first = likeness.add(TOLD)
    likeness.add(OTHER[0])
    assert likeness.leader(likeness.add(LIKE_IT[0])) == first


def test_altered_copies_are_found_and_little_else() -> None:
    texts, origin = crowd([one.text for one in training_messages()], 5000, seed=5)
    precision, recall = right_pairs(grouped(texts), origin)
    assert precision >= 0.95
    assert recall >= 0.90


@pytest.mark.parametrize("text", ["a" * 1_000_000, "a " * 500_000, "\ud800", "你好" * 50])
def test_no_text_upsets_the_comparison(text: str) -> None:
    assert grouped([TOLD, text, text])[0] == 0
