from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagging.augment import bare
from tagging.times import times

TOLD = date(2026, 11, 10)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "named", "day", "clock"),
    [
        ("lúc 22h30 có đánh nhau", "22h30", None, time(22, 30)),
        ("bị cạy cửa 3 giờ sáng nay", "3 giờ sáng nay", date(2026, 11, 10), time(3)),
        (
            "khoảng 8 giờ rưỡi tối hôm qua",
            "8 giờ rưỡi tối hôm qua",
            date(2026, 11, 9),
            time(20, 30),
        ),
        ("10g đêm chúng nó tới", "10g đêm", None, time(22)),
        ("12h đêm chưa tắt loa", "12h đêm", None, time(0)),
        ("sáu giờ sáng", "sáu giờ sáng", None, time(6)),
        ("5 giờ chiều", "5 giờ chiều", None, time(17)),
        ("tối qua", "tối qua", date(2026, 11, 9), None),
        ("bữa kia tui thấy", "bữa kia", date(2026, 11, 8), None),
        ("thứ bảy tuần trước", "thứ bảy tuần trước", date(2026, 11, 7), None),
        ("chủ nhật vừa rồi", "chủ nhật", date(2026, 11, 8), None),
        ("cách đây 3 hôm", "cách đây 3 hôm", date(2026, 11, 7), None),
        ("hai tuần trước", "hai tuần trước", date(2026, 10, 27), None),
        ("ngày 5 tháng 10 tôi nộp", "ngày 5 tháng 10", date(2026, 10, 5), None),
        ("hôm 29/12 năm ngoái", "hôm 29/12", date(2025, 12, 29), None),
        ("từ 03/09/2026", "03/09/2026", date(2026, 9, 3), None),
        ("đêm nào cũng ồn", "đêm nào cũng", None, None),
        ("mỗi sáng", "mỗi sáng", None, None),
        ("vài hôm trước", "vài hôm trước", None, None),
    ],
)
def test_a_time_is_found_and_read_with_and_without_marks(
    text: str, named: str, day: date | None, clock: time | None
) -> None:
    for typed in (text, bare(text), text.upper()):
        found = next(hit for hit in times(typed, TOLD) if hit.kind)
        assert typed[found.start : found.end].lower() in (named, bare(named))
        assert (found.day, found.clock) == (day, clock)


@pytest.mark.parametrize(
    "text",
    ["nhà số 29/12 đường Lê Lợi", "hẻm 12/5", "đường 30/4", "biển 59X1-123.45", "gọi 0912345678",
     "", "năm mươi nghìn", "31/02/2026 thì không có", "99h99"],
)  # fmt: skip
def test_what_only_looks_like_a_time_is_passed_over(text: str) -> None:
    assert not any(hit.day or hit.clock for hit in times(text, TOLD))


def test_several_times_stand_in_the_order_of_the_text() -> None:
    text = "đêm nào cũng từ 10h đêm tới 2h sáng, nặng nhất là hôm qua"
    assert [hit.kind for hit in times(text, TOLD)] == ["often", "clock", "clock", "day"]


@given(st.text(st.characters(exclude_categories=()), max_size=300), st.dates())
def test_no_text_upsets_the_reading_of_times(text: str, told: date) -> None:
    if date(1900, 1, 1) < told < date(2900, 1, 1):
        times(text, told)
