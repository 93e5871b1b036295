from __future__ import annotations

import pytest

from storage import rounds
from storage.store import Store
from tests.panel import Panel, open_panel, shipped, texts


@pytest.fixture
def panel(store: Store) -> Panel:
    return open_panel(store)


def test_a_pulse_goes_from_its_file_to_the_supervisor(panel: Panel) -> None:
    officers = [f"o{n}" for n in range(12)]
    panel.enrol(*officers)
    panel.enrol("chief", role="supervisor", unit="tinh")
    panel.start(shipped("monthly-pulse", when="once"))
    assert panel.tick()
    for number, who in enumerate(officers):
        said = panel.answer(who, str(1 + number % 2), "4", "5", "xong", "bỏ qua")
        assert "Xin xem lại" in texts(said)
        assert "Đã ghi nhận" in texts(panel.say(who, "gửi"))
    with panel.store.read() as work:
        assert rounds.results(work, panel.round().id) == {}
    panel.close()
    assert panel.round().state == "closed"
    panel.later(days=3)
    panel.tick()
    result = texts(panel.house.waiting("chief"))
    assert "KẾT QUẢ: Thăm dò tâm tư hằng tháng" in result
    assert "Số người trả lời: 12" in result
    assert "• 1: 6 (50 %)\n• 2–5 hoặc không trả lời: 6 (50 %)" in result
