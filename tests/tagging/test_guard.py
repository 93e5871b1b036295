from __future__ import annotations

import pytest

from tagging.guard import look


@pytest.mark.parametrize(
    ("said", "person"),
    [
        ("nhờ anh Nguyễn Văn Hải giải thích", "Nguyễn Văn Hải"),
        ("gọi số 0912 345 678 mà hỏi", "0912 345 678"),
        ("đồng chí Hùng hay đi muộn", "Hùng"),
    ],
)
def test_what_points_to_a_person_is_pointed_out_and_taken_out(said: str, person: str) -> None:
    seen = look(said)
    assert person in " ".join(seen.persons)
    assert person not in seen.masked and "[" in seen.masked


@pytest.mark.parametrize(
    "said",
    [
        "theo công văn mật số 45",
        "kế hoạch này đóng dấu MẬT",
        "chuyen an 226B dang lam",
        "văn bản số 12/KH-CAT (mật) nói vậy",
        "đây là tài liệu lưu hành nội bộ",
        "thuộc bí mật nhà nước",
    ],
)
def test_what_is_marked_as_secret_is_seen(said: str) -> None:
    assert look(said).secrets


@pytest.mark.parametrize(
    "said",
    [
        "đội trưởng nhận tiền của người vi phạm",
        "trung tá phó phòng trù dập lính",
        "anh Trần Văn Bảy ở đội 2 vòi tiền dân",
        "sep bat nop tien hang thang",
    ],
)
def test_an_accusation_of_one_official_is_seen(said: str) -> None:
    assert look(said).accuses


@pytest.mark.parametrize(
    "said",
    [
        "trực đêm nhiều quá, mong được nghỉ bù",
        "chế độ phụ cấp chậm, anh em bí bách",
        "Bà con mật độ xe đông, đường hẹp",
        "cần thêm xe tuần tra, mũ và áo giáp",
        "nhân dân bức xúc về rác thải ở chợ",
        "nên bảo đảm bí mật cho người góp ý",
        "mật ong giả bán tràn lan",
    ],
)
def test_opinions_about_matters_pass(said: str) -> None:
    seen = look(said)
    assert (seen.persons, seen.secrets, seen.accuses) == ((), (), False)
    assert seen.masked == said


def test_a_long_text_is_looked_at_quickly_enough_to_answer() -> None:
    assert look("đồng chí " * 60).masked.startswith("đồng chí")
