from __future__ import annotations

import tomllib
from datetime import date
from string import Formatter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler import edition, snapshot
from scheduler.snapshot import Part, Row, Snapshot
from storage.vocabulary import Language
from tests.house import ROOT
from tests.scheduler.station import WORDS, office

TAXONOMY = office().taxonomy
TOPICS = (("fraud", 412, 366), ("drugs", 288, 300), ("weapons", 31, None), ("conduct", 12, 12))


def busy(**changes: Any) -> Snapshot:
    usual: dict[str, Any] = {
        "kind": "month",
        "period": "2026-10",
        "cut": "1",
        "first": date(2026, 10, 1),
        "until": date(2026, 11, 1),
        "closed": True,
        "unit": "tinh",
        "names": {"vi": "Công an tỉnh Bình An", "en": "Binh An provincial police"},
        "floor": 5,
        "state": "shown",
        "since": date(2026, 1, 5),
        "total": 1234,
        "before": 1097,
        "axes": {
            "topic": part(TOPICS, 491),
            "sentiment": part((("neutral", 800, 700), ("criticism", 400, 390)), 34),
            "urgency": part((("routine", 1234, None),), 0),
            "place": part((("79.ben", 1000, None), ("none", 200, None)), 34),
            "kind": part((("tip", 1234, 1097),), 0),
            "answer": part((("answered", 1025, None), ("waiting", 209, None)), 0),
            "sure": part((("sure", 1080, None), ("unsure", 154, None)), 0),
        },
        "new": ("weapons",),
        "rising": (Row(label="fraud", count=412, before=366),),
        "falling": (Row(label="drugs", count=288, before=300),),
        "oldest": 23,
        "phrases": ("giả danh công an", "chuyển tiền"),
        "places": {"79.ben": "Phường Bến Thành"},
    }
    return Snapshot(**usual | changes)


def part(rows: tuple[tuple[str, int, int | None], ...], rest: int) -> Part:
    made = tuple(Row(label=label, count=n, before=before) for label, n, before in rows)
    return Part(rows=made, rest=rest)


def said(taken: Snapshot, language: Language = "vi", longest: int = 4096) -> str:
    return edition.text(taken, WORDS[language], TAXONOMY, longest)


VIETNAMESE = """\
BẢN TIN DƯ LUẬN THÁNG 10/2026 — Công an tỉnh Bình An
Kỳ báo cáo: 01/10/2026 – 31/10/2026, đã chốt

Tổng số: 1.234 ý kiến (+12,5 % so với tháng 9/2026)

LĨNH VỰC
• Lừa đảo: 412 (33,4 %), +12,6 %
• Ma túy: 288 (23,3 %), −4,0 %
• Vũ khí, pháo nổ: 31 (2,5 %)
• Tác phong, thái độ cán bộ: 12 (1,0 %), không đổi
• Gộp các mục còn lại: 491 (39,8 %)
Mới xuất hiện so với tháng 9/2026: Vũ khí, pháo nổ
Tăng nhiều: Lừa đảo (366 → 412)
Giảm nhiều: Ma túy (300 → 288)

SẮC THÁI
• Trung lập: 800 (64,8 %), +14,3 %
• Phê bình, bức xúc: 400 (32,4 %), +2,6 %
• Gộp các mục còn lại: 34 (2,8 %)

MỨC ĐỘ
• Thường xuyên: 1.234 (100,0 %)

ĐỊA BÀN
• Phường Bến Thành: 1.000 (81,0 %)
• Không rõ địa bàn: 200 (16,2 %)
• Gộp các mục còn lại: 34 (2,8 %)

TRẢ LỜI
Đã trả lời: 1.025 (83,1 %)
Chưa trả lời: 209 (16,9 %), lâu nhất 23 ngày

Cụm từ nhiều người cùng nói: “giả danh công an”, “chuyển tiền”

Máy chưa chắc khi phân loại: 12,5 % số ý kiến
Phân loại do máy gợi ý. Nhóm dưới 5 ý kiến được gộp lại để bảo vệ người góp ý."""


def test_the_vietnamese_bulletin_reads_so() -> None:
    assert said(busy()) == VIETNAMESE


def test_the_english_bulletin_says_the_same() -> None:
    text = said(busy(), "en")
    assert text.startswith("PUBLIC OPINION BULLETIN, OCTOBER 2026 — Binh An provincial police\n")
    assert "Total: 1,234 reports (+12.5% on September 2026)" in text
    assert "• Drugs: 288 (23.3%), −4.0%" in text
    assert "Not answered: 209 (16.9%), the oldest for 23 days" in text
    assert len(text.splitlines()) == len(VIETNAMESE.splitlines())


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("key", ["2026-10", "2026-Q4", "2026-H1", "2026-H2", "2026-9M", "2026"])
def test_every_kind_of_period_has_a_name(language: Language, key: str) -> None:
    kinds = {"Q": "quarter", "H": "half", "9": "nine", "1": "month"}
    taken = busy(period=key, kind=kinds.get(key[5:6], "year"))
    assert "2026" in said(taken, language).splitlines()[0]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"state": "few"}, "Tổng số: ít hơn 5 ý kiến."),
        ({"state": "hidden"}, "Không nêu số liệu kỳ này:"),
        ({"state": "empty"}, "Kỳ này không có ý kiến nào gửi đến."),
        ({"state": "empty", "since": date(2026, 11, 3)}, "đầu tiên ngày 03/11/2026."),
        ({"state": "empty", "since": None}, "Chưa có ý kiến nào gửi đến hệ thống."),
    ],
)
def test_what_cannot_be_shown_says_why_and_shows_nothing_else(
    changes: dict[str, Any], sentence: str
) -> None:
    text = said(busy(**changes))
    assert sentence in text
    assert "LĨNH VỰC" not in text
    assert len(text.splitlines()) == 4


def test_a_running_period_says_it_is_not_closed() -> None:
    text = said(busy(closed=False, until=date(2026, 10, 21), before=None))
    assert "Từ 01/10/2026, tính đến 20/10/2026, chưa chốt" in text
    assert "Tổng số: 1.234 ý kiến\n" in text


def test_a_picture_is_told_in_words() -> None:
    about = edition.about(busy(), WORDS["vi"], TAXONOMY)
    assert about.endswith("Nhiều nhất: Lừa đảo 412, Ma túy 288, Vũ khí, pháo nổ 31.")


labels = st.sampled_from(TAXONOMY.ids("topic"))
rows = st.lists(st.tuples(labels, st.integers(5, 10**7), st.integers(5, 10**7)), max_size=19)


@settings(max_examples=60, deadline=None)
@given(
    rows,
    st.lists(st.text("ạbc 😀", max_size=120), max_size=5),
    st.text("Công 😀", min_size=1, max_size=3000),
    st.sampled_from([2000, 4096]),
)
def test_no_bulletin_is_longer_than_its_channel_takes(
    topics: list[tuple[str, int, int]], phrases: list[str], name: str, longest: int
) -> None:
    taken = busy(
        axes={a: part(tuple(topics), 7) for a in ("topic", "sentiment", "place", "kind")},
        phrases=tuple(phrases),
        names={"vi": name, "en": name},
    )
    for language in WORDS:
        text = said(taken, language, longest)
        assert edition.units(text) <= longest
        if len(name) < 80:
            assert WORDS[language]("bulletin.note", floor=5) in text


def test_a_snapshot_survives_its_bytes_and_they_are_canonical() -> None:
    frozen = snapshot.freeze(busy())
    assert snapshot.thaw(frozen) == busy()
    assert snapshot.freeze(snapshot.thaw(frozen)) == frozen
    assert snapshot.sha256(frozen) == (
        "f4f5bfe4b539ec635cea7ac1becbd16811766d598ba5a2ac1d724f3f06b72241"
    )


def test_both_languages_have_the_same_keys_and_places_to_fill() -> None:
    assert WORDS["vi"].sentences.keys() == WORDS["en"].sentences.keys()
    for key, sentence in WORDS["vi"].sentences.items():
        other = WORDS["en"].sentences[key]
        if isinstance(sentence, str):
            assert isinstance(other, str)
            assert fields(sentence) == fields(other), key
        else:
            assert len(sentence) == len(other)
    for language in WORDS:
        path = ROOT / "scheduler" / "catalogues" / f"{language}.toml"
        assert tomllib.loads(path.read_text()).keys() == {"bulletin", "panel", "account"}


def fields(sentence: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}
