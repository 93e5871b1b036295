from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from scheduler import edition, press, snapshot
from scheduler.drift import drift
from scheduler.snapshot import Drift, Part, Row, Snapshot
from storage.store import Store
from tests.scheduler.station import DUE, WORDS, Station, office
from tests.scheduler.test_edition import busy


def part(**counts: int) -> Part:
    return Part(rows=tuple(Row(label=label, count=n) for label, n in counts.items()))


def before(total: int = 100, unsure: int | None = 10, **topics: int) -> Snapshot:
    sure = part(unsure=unsure) if unsure is not None else Part()
    return busy(total=total, axes={"topic": part(**topics), "sure": sure})


def test_shares_are_laid_beside_those_of_the_bulletins_before() -> None:
    parts = {"topic": part(drugs=60, fraud=20), "sure": part(unsure=30)}
    found = drift(100, parts, [before(drugs=40, fraud=40), before(200, 30, drugs=80, fraud=80)])
    assert found == Drift(periods=2, unsure=300, unsure_before=133, mix=200)


def test_the_same_shares_are_no_drift() -> None:
    parts = {"topic": part(drugs=40, fraud=40), "sure": part(unsure=10)}
    assert drift(100, parts, [before(drugs=40, fraud=40)]) == Drift(
        periods=1, unsure=100, unsure_before=100, mix=0
    )


@pytest.mark.parametrize(
    "none_before", [[], [busy(state="few", total=None, axes={})], [busy(total=0, axes={})]]
)
def test_without_a_bulletin_before_there_is_no_drift(none_before: list[Snapshot]) -> None:
    assert drift(100, {"topic": part(drugs=60)}, none_before) is None


def test_what_a_bulletin_did_not_show_is_not_told_by_its_drift() -> None:
    """A topic that one of them hid is weighed with the rest, an unsure share that it hid not."""
    parts = {"topic": part(drugs=50, fraud=50), "sure": Part()}
    found = drift(100, parts, [before(unsure=None, drugs=50, fraud=10), before(drugs=50)])
    assert found == Drift(periods=2, unsure=None, unsure_before=100, mix=0)


def said(taken: Snapshot, language: Any = "vi") -> str:
    return edition.text(taken, WORDS[language], office().taxonomy)


def test_the_annex_says_it_last_and_is_the_first_to_go() -> None:
    taken = busy(drift=Drift(periods=3, unsure=125, unsure_before=80, mix=140))
    assert said(taken).endswith(
        "PHỤ LỤC: ĐỘ TIN CẬY CỦA PHÂN LOẠI\n"
        "• Tỷ lệ máy chưa chắc: 12,5 %; 3 kỳ trước: 8,0 %\n"
        "• Cơ cấu lĩnh vực khác 14,0 % so với 3 kỳ trước"
    )
    assert "differs by 14.0% from the 3 before" in said(taken, "en")
    short = edition.text(taken, WORDS["vi"], office().taxonomy, longest=len(said(busy())) - 40)
    assert "PHỤ LỤC" not in short


def test_a_bulletin_without_drift_has_the_bytes_it_always_had() -> None:
    assert b"drift" not in snapshot.freeze(busy())
    assert b"drift" in snapshot.freeze(busy(drift=Drift(periods=1)))


def test_a_digest_is_laid_beside_the_months_before_it(store: Store) -> None:
    station = Station(store)
    for month in (8, 9, 10):
        station.tell(20 if month < 10 else 5, on=date(2026, month, 5), topic="drugs")
        station.tell(20 if month < 10 else 35, on=date(2026, month, 5), topic="fraud")
    taken = snapshot.thaw(press.ask(store, "tinh", "2026-10", DUE, office()).snapshot)
    assert taken.drift is not None
    assert taken.drift.mix == 375
