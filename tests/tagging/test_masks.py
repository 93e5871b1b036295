import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagging.masks import SHOWN, found, mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("gọi 0912345678 nhé", "gọi [số điện thoại] nhé"),
        ("gọi 091 234 5678, 0912.345.678", "gọi [số điện thoại], [số điện thoại]"),
        ("máy bàn (024) 3825 1234", "máy bàn [số điện thoại]"),
        ("+84 912 345 678", "[số điện thoại]"),
        ("CCCD 079 201 001 234", "CCCD [số giấy tờ]"),
        ("cmnd 186 543 210", "cmnd [số giấy tờ]"),
        ("xe 29-B1 567.89 và 37A-123.45", "xe [biển số] và [biển số]"),
        ("xe bien 59x1 12345 bo chay", "xe bien [biển số] bo chay"),
        ("xe 80-NG-123-45, TM 12-34", "xe [biển số], [biển số]"),
        ("xe MĐ 123 456", "xe [biển số]"),
        ("stk 1903 4567 890 123 techcombank", "stk [số tài khoản] techcombank"),
        ("momo 0987 112 xxx", "momo [số tài khoản]"),
        ("thư abc.def@gmail.com", "thư [email]"),
        ("xem https://zalo.me/g/abc nhé", "xem [liên kết] nhé"),
        ("fb.com/abc, @tele_user", "[liên kết], [liên kết]"),
        ("anh Nguyễn Văn A ở xóm 5", "anh [tên] ở xóm 5"),
        ("thằng Tèo, o Nhàn, đồng chí Trần Đức", "thằng [tên], o [tên], đồng chí [tên]"),
        ("Lê Thị Hồng Gấm đánh bạc", "[tên] đánh bạc"),
        ("NGUYỄN VĂN BÌNH", "[tên]"),
        ("họ tên: hùng", "họ tên: [tên]"),
    ],
)
def test_what_points_to_a_person_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked
    assert mask(unicodedata.normalize("NFD", text)) == masked


@pytest.mark.parametrize(
    "text",
    [
        "mất 15.000.000 đồng ngày 20/10/2026",
        "chuyển 500000000 đ",
        "nhà số 123/45/6 đường Lê Lợi",
        "anh Công an phường rất tốt",
        "UBND XÃ NGHI LỘC",
        "đêm nào cũng ồn từ 22h đến 2h",
    ],
)
def test_sums_dates_streets_and_offices_stay(text: str) -> None:
    assert mask(text) == text


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_any_text_can_be_masked(text: str) -> None:
    hits = found(text)
    assert all(hit.kind in SHOWN and hit.start < hit.end for hit in hits)
    assert all(one.end <= other.start for one, other in pairwise(hits))
    mask(text)


@given(st.from_regex(r"0[35789][0-9]{8}", fullmatch=True))
def test_no_mobile_number_slips_through(number: str) -> None:
    assert number not in mask(f"gọi cho {number} ngay")
