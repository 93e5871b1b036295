from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pysqlite3
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from storage import people
from storage.migrating import NewerDatabase, config, migrate, revision
from storage.migrations import HEAD
from storage.people import Office
from storage.sealing import Keys, Seal
from storage.store import OLDEST_SQLITE, BadDatabase, Store, StoreDown, Work, table
from storage.tables import Attempt, Unit

SINCE = date(2025, 7, 1)
NOW = datetime(2026, 11, 10, 5, tzinfo=UTC)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/a/new/folder/langnghe.db", Seal(Keys.new()))
    migrate(opened.engine)
    yield opened
    opened.close()


def unit(id: str, parent: str | None = None) -> Office:
    return Office(id, id, id, parent, None, False)


def units(store: Store) -> set[str]:
    with store.read() as work:
        return set(people.tree(work, SINCE).units)


# -- SQLite keeps what it promised --------------------------------------------------------------


@pytest.mark.parametrize("opens", ["write", "read"])
@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("busy_timeout", 10_000),
    ],
)
def test_a_connection_is_set_to_lose_nothing(
    embedded: Store, opens: str, pragma: str, value: Any
) -> None:
    with getattr(embedded, opens)() as work:
        assert work.connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_foreign_keys_are_in_force_again_after_a_migration(embedded: Store) -> None:
    migrate(embedded.engine)
    with embedded.write() as work:
        assert work.connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_the_embedded_library_has_no_wal_reset_fault(embedded: Store) -> None:
    assert pysqlite3.sqlite_version_info >= OLDEST_SQLITE >= (3, 51, 3)
    with embedded.read() as work:
        version = work.connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
    assert tuple(map(int, version.split("."))) >= (3, 51, 3)


def test_a_row_that_refers_to_nothing_is_refused(store: Store) -> None:
    with pytest.raises(StoreDown), store.write() as work:
        people.add_unit(work, unit("child", "no-such-parent"), SINCE)
    assert units(store) == set()


# -- what is no database ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["", "langnghe.db", "sqlite://", "sqlite:///:memory:", "mysql://root@localhost/x", "nonsense"],
)
def test_an_address_that_cannot_be_used_names_the_setting(url: str) -> None:
    with pytest.raises(BadDatabase, match="DATABASE_URL"):
        Store(url, Seal(Keys.new()))


# -- the schema ---------------------------------------------------------------------------------


def test_migrating_twice_does_the_work_once(url: str) -> None:
    opened = Store(url, Seal(Keys.new()))
    assert migrate(opened.engine) is True
    assert migrate(opened.engine) is False
    with opened.read() as work:
        assert revision(work.connection) == HEAD
    opened.close()


def test_a_fresh_database_stands_before_the_first_step(url: str) -> None:
    opened = Store(url, Seal(Keys.new()))
    with opened.read() as work:
        assert revision(work.connection) is None
    opened.close()


def test_the_head_is_the_newest_migration(embedded: Store) -> None:
    with embedded.read() as work:
        scripts = ScriptDirectory.from_config(config(work.connection))
    assert scripts.get_heads() == [HEAD]


def test_the_steps_are_numbered_in_their_order(embedded: Store) -> None:
    with embedded.read() as work:
        scripts = ScriptDirectory.from_config(config(work.connection))
    steps = [script.revision for script in scripts.walk_revisions()][::-1]
    assert steps == sorted(steps)


def test_the_models_and_the_migrated_schema_agree(store: Store) -> None:
    with store.read() as work:
        context = MigrationContext.configure(work.connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_every_table_that_could_tell_an_order_is_kept_by_a_random_key(embedded: Store) -> None:
    with embedded.read() as work:
        for model in ("report", "casefile", "talk", "tag", "attachment", "person", "consent"):
            with pytest.raises(StoreDown), embedded.read() as other:
                other.connection.exec_driver_sql(f"SELECT rowid FROM {model}")
        assert inspect(work.connection).has_table("report")


def test_a_newer_database_is_left_alone(store: Store) -> None:
    with store.write() as work:
        work.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabase, match="9999"):
        migrate(store.engine)
    with store.read() as work:
        assert revision(work.connection) == "9999"


def test_two_programs_that_migrate_at_once_do_it_once(url: str) -> None:
    stores = [Store(url, Seal(Keys.new())) for _ in range(2)]
    done: list[bool] = []
    threads = [threading.Thread(target=lambda s=s: done.append(migrate(s.engine))) for s in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, True]
    for opened in stores:
        opened.close()


# -- transactions -------------------------------------------------------------------------------


def test_what_a_block_wrote_is_there_when_it_ends(store: Store) -> None:
    with store.write() as work:
        people.add_unit(work, unit("a"), SINCE)
    assert units(store) == {"a"}


def test_a_block_that_raises_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as work:
        people.add_unit(work, unit("a"), SINCE)
        raise ZeroDivisionError
    assert units(store) == set()


def test_a_savepoint_is_undone_alone(store: Store) -> None:
    with store.write() as work:
        people.add_unit(work, unit("before"), SINCE)
        with pytest.raises(ZeroDivisionError), work.apart():
            people.add_unit(work, unit("inside"), SINCE)
            raise ZeroDivisionError
        people.add_unit(work, unit("after"), SINCE)
        with work.apart():
            people.add_unit(work, unit("kept"), SINCE)
    assert units(store) == {"before", "after", "kept"}


def test_a_savepoint_in_which_the_database_refused_a_row_is_undone_alone(store: Store) -> None:
    with store.write() as work:
        people.add_unit(work, unit("before"), SINCE)
        with pytest.raises(IntegrityError), work.apart():
            work.connection.execute(work.insert(Unit), {"id": "x", "name": None})
        people.add_unit(work, unit("after"), SINCE)
    assert units(store) == {"before", "after"}


def test_reading_does_not_see_what_is_not_committed(store: Store) -> None:
    with store.write() as work:
        people.add_unit(work, unit("a"), SINCE)
        assert units(store) == set()
    assert units(store) == {"a"}


def test_writers_in_two_threads_lose_nothing(store: Store) -> None:
    with store.write() as work:
        work.connection.execute(work.insert(Attempt), {"key": b"k", "since": NOW, "count": 0})
    threads = [threading.Thread(target=_count_up, args=(store, 400)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as work:
        assert work.connection.execute(select(table(Attempt).c.count)).scalar_one() == 800


def _count_up(store: Store, times: int) -> None:
    attempt = table(Attempt)
    for _ in range(times):
        with store.write() as work:
            one_more = update(attempt).values(count=attempt.c.count + 1)
            work.connection.execute(one_more)


def test_readers_and_a_writer_do_not_wait_for_each_other(store: Store) -> None:
    with store.read() as reading:
        before = set(people.tree(reading, SINCE).units)
        with store.write() as work:
            people.add_unit(work, unit("a"), SINCE)
    assert before == set() and units(store) == {"a"}


def test_what_is_deleted_is_gone_from_the_file(embedded: Store, tmp_path: Path) -> None:
    with embedded.write() as work:
        people.add_unit(work, unit("a-name-that-is-planted"), SINCE)
    with embedded.write() as work:
        work.connection.execute(table(Unit).delete())
    with embedded.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert files and not any(b"a-name-that-is-planted" in content for content in files)


# -- a few things that only a real database can show --------------------------------------------


def test_times_come_back_aware_and_in_utc(store: Store) -> None:
    with store.write() as work:
        people.wrong(work, "an", NOW, timedelta(minutes=15))
    with store.read() as work:
        since = work.connection.execute(select(table(Attempt).c.since)).scalar_one()
    assert since == NOW and since.utcoffset() == timedelta(0)


def test_a_unit_added_twice_stands_once(store: Store) -> None:
    for _ in range(2):
        with store.write() as work:
            people.add_unit(work, unit("a"), SINCE)
    assert units(store) == {"a"}


def test_a_unit_stands_from_its_first_day_on(store: Store) -> None:
    with store.write() as work:
        people.add_unit(work, unit("a"), SINCE)
        assert _tree(work, SINCE - timedelta(days=1)) == set()
        assert _tree(work, SINCE) == {"a"}


def _tree(work: Work, day: date) -> set[str]:
    return set(people.tree(work, day).units)
