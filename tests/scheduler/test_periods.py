from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import periods
from scheduler.periods import BadPeriod, Cut, Kind, Period

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
kinds = st.sampled_from(periods.KINDS)
cuts: st.SearchStrategy[Cut] = st.sampled_from(get_args(Cut))
days = st.dates(date(1980, 1, 1), date(2090, 12, 31))  # UTC+7 since 1975


@pytest.mark.parametrize(
    ("key", "cut", "kind", "first", "last"),
    [
        ("2026-10", "1", "month", date(2026, 10, 1), date(2026, 10, 31)),
        ("2026-10", "15", "month", date(2026, 9, 15), date(2026, 10, 14)),
        ("2026-01", "15", "month", date(2025, 12, 15), date(2026, 1, 14)),
        ("2026-Q1", "15", "quarter", date(2025, 12, 15), date(2026, 3, 14)),
        ("2026-Q4", "1", "quarter", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026-H1", "15", "half", date(2025, 12, 15), date(2026, 6, 14)),
        ("2026-H2", "1", "half", date(2026, 7, 1), date(2026, 12, 31)),
        ("2026-9M", "15", "nine", date(2025, 12, 15), date(2026, 9, 14)),
        (" 2026-9m", "1", "nine", date(2026, 1, 1), date(2026, 9, 30)),
        ("2026", "15", "year", date(2025, 12, 15), date(2026, 12, 14)),
    ],
)
def test_a_key_names_the_days_of_the_decree(
    key: str, cut: Cut, kind: Kind, first: date, last: date
) -> None:
    found = periods.parse(key, cut)
    until = last + timedelta(days=1)
    assert found == Period(kind, key.strip().upper(), first, until)
    assert found.cut == cut


@pytest.mark.parametrize("key", ["", "2026-13", "2026-Q5", "2026-H3", "10/2026", "20261", "0001"])
def test_a_wrong_key_is_told_what_is_expected(key: str) -> None:
    with pytest.raises(BadPeriod, match="use 2026-10"):
        periods.parse(key, "1")


@given(kinds, cuts, days)
def test_periods_follow_one_another_without_gap_or_overlap(kind: Kind, cut: Cut, day: date) -> None:
    now = periods.running(kind, cut, day)
    earlier = periods.before(now)
    assert earlier.first < earlier.until <= now.first
    if kind != "nine":
        assert now.first <= day < now.until
        assert earlier.until == now.first
    assert periods.parse(now.key, cut) == now
    assert now.cut == earlier.cut == cut


@given(kinds, cuts, days)
def test_the_last_closed_period_is_over_and_the_next_is_not(
    kind: Kind, cut: Cut, day: date
) -> None:
    last = periods.last_closed(kind, cut, day)
    assert last.closed(day)
    following = periods.running(kind, cut, last.until)
    assert following == last or not following.closed(day)


@given(kinds, cuts, days, st.integers(1, 28), st.integers(0, 23))
def test_a_digest_is_due_at_the_day_and_hour_within_a_month_of_the_end(
    kind: Kind, cut: Cut, day: date, on: int, hour: int
) -> None:
    period = periods.running(kind, cut, day)
    due = periods.due(period, on, hour, ZONE)
    assert (due.day, due.hour, due.utcoffset()) == (on, hour, timedelta(hours=7))
    end = datetime.combine(period.until, datetime.min.time(), ZONE)
    assert end <= due < end + timedelta(days=31)
