from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagging.places import NoPlaces, Places

HCM = "Thành phố Hồ Chí Minh"


@pytest.mark.parametrize(
    ("asked", "name", "province"),
    [
        ("ben thanh quan 1", "Phường Bến Thành", HCM),
        ("phường Bến Nghé", "Phường Sài Gòn", HCM),
        ("xã Mỹ Khánh, Phong Điền, Cần Thơ", "Phường An Bình", "Thành phố Cần Thơ"),
        ("p.12 go vap", "Phường An Hội Tây", HCM),
        ("phuong 12 quan go vap tphcm", "Phường An Hội Tây", HCM),
        ("ben thahn", "Phường Bến Thành", HCM),
        ("x. ea kao", "Phường Ea Kao", "Tỉnh Đắk Lắk"),
        ("eakao", "Phường Ea Kao", "Tỉnh Đắk Lắk"),
        ("sapa", "Phường Sa Pa", "Tỉnh Lào Cai"),
        ("ninh kieu can tho", "Phường Ninh Kiều", "Thành phố Cần Thơ"),
        ("hoang sa", "Đặc khu Hoàng Sa", "Thành phố Đà Nẵng"),
        ("ba dinh hn", "Phường Ba Đình", "Thành phố Hà Nội"),
        ("hung dung vinh", "Phường Trường Vinh", "Tỉnh Nghệ An"),
    ],
)
def test_a_ward_is_found_first(places: Places, asked: str, name: str, province: str) -> None:
    first = places.search(asked)[0]
    assert (first.name, first.province) == (name, province)


def test_the_beginning_of_a_name_is_enough(places: Places) -> None:
    assert "Phường Cái Khế" in [ward.name for ward in places.search("cai kh")]


def test_many_wards_of_one_name_are_all_offered_up_to_the_limit(places: Places) -> None:
    assert [ward.name for ward in places.search("tân phú", most=3)] == ["Xã Tân Phú"] * 3


@pytest.mark.parametrize("asked", ["", "   ", "😀", "zzzzqqq", "?" * 5000])
def test_what_is_no_place_finds_none(places: Places, asked: str) -> None:
    assert places.search(asked) == []


def test_all_communes_are_there_under_ids_that_stay(places: Places) -> None:
    assert len(places) == 3321
    ward = places.ward("79.phuongsaigon")
    assert ward is not None
    assert ward.name == "Phường Sài Gòn"
    assert "Phường Bến Nghé, Quận 1, Thành phố Hồ Chí Minh" in ward.old
    assert places.ward("99.nowhere") is None


def test_communes_that_differ_in_marks_alone_have_names_and_ids_of_their_own(
    places: Places,
) -> None:
    found = {ward.id: ward.name for ward in places.search("xã tân thành tây ninh", most=50)}
    assert found["80.xaxtaanthafnh"] == "Xã Tân Thành"
    assert found["80.xaxtaanthajnh"] == "Xã Tân Thạnh"


@pytest.mark.parametrize(
    ("told", "id"),
    [
        ("Tôi ở tổ 7 phường Hưng Dũng, thành phố Vinh, sáng nào cũng thấy", "40.phuongtruongvinh"),
        ("o xa Ea Kao thanh pho Buon Ma Thuot co nguoi ban thuoc", "66.phuongeakao"),
        ("báo công an xã Mỹ Khánh, huyện Phong Điền giúp", "92.phuonganbinh"),
    ],
)
def test_a_ward_named_beyond_doubt_is_found_in_a_narrative(
    places: Places, told: str, id: str
) -> None:
    ward = places.find(told)
    assert ward is not None
    assert ward.id == id


@pytest.mark.parametrize(
    "told",
    ["nhà tôi xa Tân Phú lắm", "nha toi rat xa can tho", "xã Tân Phú", "", "ở phường tôi có trộm"],
)
def test_a_doubtful_mention_is_no_place(places: Places, told: str) -> None:
    assert places.find(told) is None


def test_a_folder_without_places_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoPlaces, match=str(tmp_path)):
        Places.load(tmp_path)


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_can_be_sought(places: Places, text: str) -> None:
    assert len(places.search(text)) <= 6
    places.find(text)
