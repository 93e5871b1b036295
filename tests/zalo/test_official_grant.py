from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.channels.zalo import granting
from bot.channels.zalo.granting import Keeper, NotNow, OAuthRefused, challenge, state_of
from bot.channels.zalo.line import Zalo
from bot.channels.zalo.office import Consent, code_in
from bot.channels.zalo.watching import hours_of_day, silence
from bot.finding import Refused
from bot.settings import Settings
from storage import grants
from storage.grants import Grant, Pair
from storage.sealing import Keys, Seal
from storage.store import Store, StoreDown, Work
from tests.doubles.faults import Fault
from tests.server import ROOT
from tests.zalo import faults
from tests.zalo.grants import challenge_of
from tests.zalo.official import OfficialAccount
from tests.zalo.standing import settings_of

ZONE = Settings().zone


@dataclass
class Office:
    """Keepers over one store, with a clock that is handed in."""

    oa: OfficialAccount
    store: Store
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def settings(self, **more: Any) -> Settings:
        given = {name.lower(): value for name, value in settings_of(self.oa).items()}
        return Settings(**{**given, **more})

    def keeper(self, store: Store | None = None) -> Keeper:
        return Keeper(self.settings(), store or self.store, lambda: self.now)

    def connect(self, life: float = 90_000) -> Pair:
        given = self.oa.pair()
        pair = Pair(given.access, given.refresh, self.now + timedelta(seconds=life))
        with self.store.write() as work:
            grants.renew(work, self.oa.app_id, pair, self.now)
        return pair

    def grant(self) -> Grant:
        with self.store.read() as work:
            found = grants.granted(work, self.oa.app_id)
        assert found is not None
        return found

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)
        self.oa.later += timedelta(**span).total_seconds()

    @property
    def newest(self) -> str:
        return self.oa.grants.pairs[-1].access


@pytest.fixture
def office(oa: OfficialAccount, store: Store) -> Office:
    return Office(oa, store)


@pytest.fixture
def small(oa: OfficialAccount, tmp_path: Path) -> Iterator[Office]:
    """The same over SQLite only, for what has nothing to do with the database."""
    from storage.migrating import migrate

    store = Store(f"sqlite:///{tmp_path}/l.db", Seal(Keys.new()))
    migrate(store.engine)
    yield Office(oa, store)
    store.close()


def look(keeper: Keeper) -> Grant | None:
    return asyncio.run(keeper.look())


# -- in time --------------------------------------------------------------------------------------


def test_a_pair_is_kept_under_seal_and_opened_again(office: Office) -> None:
    pair = office.connect()
    assert office.grant().pair == pair
    assert pair.access not in repr(office.grant()) and pair.refresh not in repr(pair)
    table = "SELECT sealed, quota, trouble FROM zalogrant"
    with office.store.read() as work:
        row = work.connection.exec_driver_sql(table).one()
    assert pair.access.encode() not in bytes(row[0]) and pair.refresh.encode() not in bytes(row[0])


def test_a_token_is_used_as_long_as_it_is_good_and_renewed_before_it_ends(small: Office) -> None:
    pair = small.connect()
    keeper = small.keeper()
    assert asyncio.run(keeper.token()) == pair.access
    small.later(hours=19)
    assert (look(keeper) or small.grant()).pair.access == pair.access
    small.later(hours=1)
    renewed = look(keeper)
    assert renewed is not None and renewed.pair.access == small.newest != pair.access
    assert asyncio.run(keeper.token()) == small.newest
    assert small.oa.grants.refreshed == 1 and small.oa.violations == []


def test_a_life_of_an_hour_is_obeyed(small: Office) -> None:
    small.oa.grants.lifetime = 3600
    small.connect(life=3600)
    keeper = small.keeper()
    for _ in range(3):
        small.later(minutes=50)
        look(keeper)
    assert small.oa.grants.refreshed == 3
    assert small.grant().pair.expires - small.now == timedelta(hours=1)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("90000", 90_000),
        (86_400, 86_400),
        ("7200.0", 7200),
        *((odd, 3600) for odd in ("", None, "nan", "-1", [], "1e400")),
    ],
)
def test_the_life_of_a_token_is_what_zalo_says(told: Any, seconds: float) -> None:
    assert granting._life({"expires_in": told}) == seconds


def test_without_a_grant_nothing_is_asked_of_zalo(small: Office) -> None:
    with pytest.raises(NotNow, match="zalo connect"):
        asyncio.run(small.keeper().token())
    assert look(small.keeper()) is None and small.oa.journal == []


# -- one for all ----------------------------------------------------------------------------------


def test_many_who_find_the_token_refused_renew_it_once(office: Office) -> None:
    pair = office.connect()
    office.oa.grants.die()
    keepers = [office.keeper() for _ in range(4)]
    with ThreadPoolExecutor(8) as many:
        found = list(many.map(lambda n: keepers[n % 4].renewed(pair.access), range(8)))
    assert {grant.pair.access for grant in found} == {office.newest}
    assert (office.oa.grants.refreshed, office.oa.grants.reused) == (1, 0)


def test_two_programs_that_race_renew_once_and_both_live(
    oa: OfficialAccount, url: str, tmp_path: Path
) -> None:
    from storage.migrating import migrate

    keys = Keys.new()
    keys.write(tmp_path / "keys.json")
    store = Store(url, Seal(keys))
    migrate(store.engine)
    pair = Office(oa, store).connect()
    oa.grants.die()
    oa.fail(faults.slow(0.3), method="token")  # time enough for the other to come too
    own = {"DATABASE_URL": url, "DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "tests.zalo.renewing", pair.access]
    programs = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **settings_of(oa), **own},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for program in programs:
        assert program.stdout is not None and program.stdout.readline() == b"ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write(b"go\n")
        program.stdin.flush()
    said = [program.communicate(timeout=60)[0].decode().strip() for program in programs]
    store.close()
    assert said == [oa.grants.pairs[-1].access] * 2
    assert (oa.grants.refreshed, oa.grants.reused) == (1, 0)


def test_who_comes_while_another_renews_waits_for_its_pair(small: Office) -> None:
    pair = small.connect()
    small.oa.grants.die()
    small.oa.fail(faults.slow(0.5), method="token")
    with ThreadPoolExecutor(2) as two:
        first = two.submit(small.keeper().renewed, pair.access)
        small.oa.wait(lambda: small.oa.calls("token"))
        second = two.submit(small.keeper().renewed, pair.access)
        assert first.result().pair == second.result().pair
    assert len(small.oa.calls("token")) == 1


def test_a_token_that_is_refused_again_at_once_is_not_renewed_forever(small: Office) -> None:
    pair = small.connect()
    keeper = small.keeper()
    renewed = keeper.renewed(pair.access)
    with pytest.raises(NotNow, match="gave just now"):
        keeper.renewed(renewed.pair.access)
    assert small.oa.grants.refreshed == 1


def test_an_account_that_is_connected_anew_meanwhile_keeps_its_new_pair(small: Office) -> None:
    pair = small.connect()
    small.oa.fail(faults.slow(0.5), method="token")
    with ThreadPoolExecutor(1) as one:
        renewing = one.submit(small.keeper().renewed, pair.access)
        small.oa.wait(lambda: small.oa.calls("token"))
        anew = small.connect()
        assert renewing.result().pair == anew
    assert small.grant().pair == anew


# -- nothing is lost ------------------------------------------------------------------------------


class Died(BaseException):
    """The program ends here."""


def test_a_program_that_dies_once_it_has_the_answer_has_kept_the_pair(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dies at the first thing that is done after the answer was read and the pair was written."""
    pair = office.connect()
    keeper = office.keeper()

    def dies(*_: Any) -> None:
        raise Died

    monkeypatch.setattr(granting.log, "info", dies)
    with pytest.raises(Died):
        keeper.renewed(pair.access)
    monkeypatch.undo()
    assert office.grant().pair.access == office.newest
    assert office.keeper().renewed(pair.access).pair.access == office.newest
    assert office.oa.grants.reused == 0


def test_nothing_but_the_commit_stands_between_the_answer_and_the_row(
    small: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the answer the very next thing that happens to the store is the writing of the pair."""
    pair, done = small.connect(), []
    renew, exchange = grants.renew, Keeper.exchange

    def noted(name: str, doing: Callable[..., Any]) -> Callable[..., Any]:
        def note(*given: Any) -> Any:
            result = doing(*given)
            done.append(name)
            return result

        return note

    monkeypatch.setattr(grants, "renew", noted("written", renew))
    monkeypatch.setattr(Keeper, "exchange", noted("answered", exchange))
    monkeypatch.setattr(Store, "read", noted("read", Store.read))
    small.keeper().renewed(pair.access)
    at = done.index("answered")
    assert done[at : at + 2] == ["answered", "written"]


def test_a_wait_that_is_cancelled_loses_no_pair(small: Office) -> None:
    pair = small.connect()
    keeper = small.keeper()
    small.oa.fail(faults.slow(0.3), method="token")

    async def give_up() -> None:
        waiting = asyncio.create_task(keeper.token(refused=pair.access))
        await asyncio.to_thread(small.oa.wait, lambda: small.oa.calls("token"))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(give_up())  # it ends when its threads have
    assert small.grant().pair.access == small.newest


def test_a_store_that_is_down_when_the_answer_comes_gets_the_pair_later(
    small: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, falls = small.connect(), itertools.count()
    renew = grants.renew

    def down_at_first(*given: Any) -> None:
        if next(falls) < 2:
            raise StoreDown("disk full")
        renew(*given)

    monkeypatch.setattr(grants, "renew", down_at_first)
    monkeypatch.setattr(granting.time, "sleep", lambda _: None)
    assert small.keeper().renewed(pair.access).pair.access == small.newest
    assert small.grant().pair.access == small.newest


def test_a_program_that_died_before_it_asked_leaves_the_renewing_to_the_next(
    office: Office,
) -> None:
    pair = office.connect()
    with office.store.write() as work:
        until = office.now + timedelta(seconds=60)
        assert grants.claim(work, office.oa.app_id, 1, office.now, until)
        assert not grants.claim(work, office.oa.app_id, 1, office.now, until)
    office.later(seconds=61)
    assert office.keeper().renewed(pair.access).pair.access == office.newest


def test_an_answer_that_is_lost_on_the_wire_is_told_plainly(small: Office) -> None:
    pair = small.connect()
    small.oa.fail(replace(faults.RESET_EXECUTED), method="token")
    keeper = small.keeper()
    with pytest.raises(NotNow):
        keeper.renewed(pair.access)
    assert small.grant().trouble == "gave no answer"
    with pytest.raises(NotNow, match="langnghe zalo connect"):
        keeper.renewed(pair.access)  # the refresh token was spent by the lost answer
    assert "langnghe zalo connect" in state_of(small.grant(), small.now)
    calls = len(small.oa.calls("token"))
    small.later(hours=30)
    look(keeper)
    assert len(small.oa.calls("token")) == calls  # nothing helps but to connect anew
    anew = small.connect()
    assert state_of(small.grant(), small.now) == "ok" and small.grant().pair == anew


@pytest.mark.parametrize(
    "fault",
    [faults.RESET_UNREAD, faults.broken(502), faults.broken(200, json=False), faults.error(-14002)],
    ids=["reset", "502", "no json", "inactive"],
)
def test_a_renewing_that_fails_is_tried_again_with_the_same_token(
    small: Office, fault: Fault
) -> None:
    pair = small.connect()
    small.oa.fail(fault, method="token")
    keeper = small.keeper()
    with pytest.raises(NotNow):
        keeper.renewed(pair.access)
    failing = small.grant()
    assert failing.trouble and failing.failing == small.now and failing.pair == pair
    assert state_of(failing, small.now) == "ok"  # a moment of it is no alarm
    assert "cannot be renewed" in state_of(failing, small.now + timedelta(minutes=16))
    small.later(minutes=2)
    assert keeper.renewed(pair.access).pair.access == small.newest
    assert small.grant().failing is None


def test_after_sixty_days_without_a_new_token_it_is_an_alarm(small: Office) -> None:
    small.connect()
    grant = replace(small.grant(), failing=small.now)
    assert "not renewed since" in state_of(grant, small.now + timedelta(days=61))


def test_no_token_gets_into_what_is_raised(small: Office) -> None:
    pair = small.connect()
    keeper = small.keeper()
    for fault in (faults.RESET_EXECUTED, faults.broken(500), faults.error(-14002)):
        small.oa.fail(fault, method="token")
        with pytest.raises(OAuthRefused) as raised:
            keeper.exchange({"grant_type": "refresh_token", "refresh_token": pair.refresh})
        told = repr(raised.value) + repr(raised.value.__cause__)
        assert pair.refresh not in told and "Bi-mat" not in told


# -- connecting -----------------------------------------------------------------------------------


def test_the_challenge_is_that_of_the_verifier() -> None:
    assert challenge("v" * 43) == challenge_of("v" * 43)


CONSENT = Consent("https://oauth.example", "v" * 43, "state-1")
BACK = "https://langnghe.example.vn/zalo/oa/callback?oa_id=142&code=abc-1&state=state-1"


def test_the_code_is_found_in_what_is_pasted() -> None:
    assert code_in(f" {BACK}\n", CONSENT, "142") == "abc-1"
    assert code_in("abc-1\n", CONSENT, "142") == "abc-1"


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        (BACK.replace("code=abc-1", "error=-14003"), "no code"),
        (BACK.replace("state-1", "state-2"), "another try"),
        (BACK.replace("oa_id=142", "oa_id=143"), "the account 143"),
    ],
)
def test_what_cannot_be_the_answer_is_refused(pasted: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        code_in(pasted, CONSENT, "142")


# -- silence --------------------------------------------------------------------------------------


def at(day: int, hour: float) -> datetime:
    return datetime(2026, 11, day, tzinfo=ZONE) + timedelta(hours=hour)


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        (at(10, 8), at(10, 12), 4),
        (at(10, 20), at(11, 8), 2),
        (at(10, 23), at(11, 5), 0),
        (at(10, 7), at(12, 7), 28),
        (at(10, 12), at(10, 11), 0),
    ],
)
def test_only_hours_of_day_are_counted(since: datetime, until: datetime, hours: float) -> None:
    assert hours_of_day(since.astimezone(UTC), until, ZONE, 7, 21) == hours


def test_a_day_may_reach_past_midnight_or_never_end() -> None:
    assert hours_of_day(at(10, 20), at(11, 8), ZONE, 20, 4) == 8
    assert hours_of_day(at(10, 20), at(11, 8), ZONE, 3, 3) == 12


def test_silence_is_told_after_the_hours_that_are_set() -> None:
    def told(heard: datetime | None, now: datetime, most: int = 14) -> str:
        return silence(heard, at(1, 8), now, ZONE, (7, 21), most)

    assert told(at(10, 8), at(10, 20)) == "ok"
    assert "10/11/2026 08:00" in told(at(10, 8), at(11, 8))
    assert told(at(10, 8), at(30, 8), most=0) == "ok"
    assert "01/11/2026 08:00" in told(None, at(3, 8))


def test_the_silence_is_said_by_one_of_all_who_notice(office: Office) -> None:
    office.connect()
    app = office.oa.app_id

    def first(writing: Callable[[Work, str], bool]) -> bool:
        with office.store.write() as work:
            return writing(work, app)

    assert [first(grants.alarm) for _ in range(3)] == [True, False, False]
    with office.store.write() as work:
        grants.heard(work, app, office.now)
    assert first(grants.alarm)


def test_the_channel_is_no_more_than_its_settings_when_unset() -> None:
    script = "import sys, bot.channels.zalo; print({'httpx', 'aiogram'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
    assert Zalo.name == "zalo"
