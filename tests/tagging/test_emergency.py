import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagging.augment import bare
from tagging.corpus import heldout_messages
from tagging.emergency import Emergency

DANGER = [
    "dang danh nhau",
    "chay nha roi",
    "co nguoi dam dao",
    "sap tu tu",
    "cuu voi",
    "ddang ddanhs nhau",
    "Cháy! cháy nhà rồi các anh ơi",
    "co nguoi chet duoi o cau",
    "chồng tôi đang cầm dao rượt tôi",
    "nó đang phá cửa xông vào nhà em",
    "em không muốn sống nữa",
    "hôm qua nó dọa, bây giờ nó đang cầm dao đứng trước cửa, tới ngay giúp tôi",
]
NO_DANGER = [
    "hôm qua có vụ đánh nhau ở chợ",
    "nóng như cháy nhà",
    "cho hỏi thủ tục nghiệm thu phòng cháy chữa cháy",
    "xã tổ chức diễn tập chữa cháy ở chợ",
    "cảm ơn các anh đã cứu con tôi khỏi đuối nước",
    "cháy túi rồi",
    "làm căn cước mất bao lâu",
    "tháng trước ở đây có người đuối nước, đề nghị cắm biển",
    "quán này chặt chém khách du lịch",
    "",
]


@pytest.mark.parametrize("text", DANGER)
def test_danger_now_is_heard(text: str) -> None:
    assert Emergency.load().tells(text)


@pytest.mark.parametrize("text", NO_DANGER)
def test_what_only_sounds_like_danger_is_passed_over(text: str) -> None:
    assert Emergency.load().tells(text) == ()


def test_the_words_are_given_as_they_stand_in_the_message() -> None:
    assert Emergency.load().tells("Trời ơi, ĐÁNH  nhau rồi!") == ("ĐÁNH  nhau rồi",)


def test_most_emergencies_of_the_heldout_messages_are_heard_by_rules_alone() -> None:
    rules = Emergency.load()
    urgent = [one.text for one in heldout_messages() if one.urgency == "emergency"]
    assert sum(bool(rules.tells(text)) for text in urgent) >= 0.82 * len(urgent)
    assert sum(bool(rules.tells(bare(text))) for text in urgent) >= 0.75 * len(urgent)


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_no_text_upsets_the_rules(text: str) -> None:
    Emergency.load().tells(text)
