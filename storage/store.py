"""The store: one database, one writer at a time on SQLite, any number of them on PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlmodel import SQLModel

from storage.sealing import Seal

# sqlite.org/wal.html#walresetbug: with more than one connection, WAL can be corrupted before this.
OLDEST_SQLITE = (3, 51, 3)

# What a connection needs to lose nothing that was acknowledged (reliability: WAL + FULL only).
PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA journal_size_limit=33554432",
)


WAL_TRIES = 100  # of 50 ms
PATIENCE = 10_000  # milliseconds that one connection waits for another


class BadDatabase(Exception):
    """DATABASE_URL cannot be used: the message says why and what is expected."""


class StoreDown(Exception):
    """The database does not take the change now; nothing was kept, the same may be tried again."""


@dataclass(frozen=True)
class Work:
    """One open transaction: its connection, and the seal for what it writes and reads."""

    connection: Connection
    seal: Seal

    def insert(self, model: type[SQLModel]) -> Any:
        """An INSERT of this engine's dialect, which knows ON CONFLICT."""
        return _insert(model, self.shared)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """A savepoint: what happens inside is undone alone when it raises.

        Raises StoreDown where the fault is the database's and not that of what happened inside.
        """
        self._tell("SAVEPOINT apart")
        try:
            yield
        except OperationalError as error:
            raise StoreDown(type(error.orig).__name__) from error
        except BaseException:
            self._tell("ROLLBACK TO SAVEPOINT apart")
            self._tell("RELEASE SAVEPOINT apart")
            raise
        self._tell("RELEASE SAVEPOINT apart")

    def _tell(self, order: str) -> None:
        """Straight to the driver: this is done twice for every event."""
        driver: Any = self.connection.connection.driver_connection
        try:
            driver.execute(order)
        except self.connection.dialect.loaded_dbapi.Error as error:
            raise StoreDown(type(error).__name__) from error

    @property
    def shared(self) -> bool:
        """Whether other processes may be writing in this moment."""
        return self.connection.dialect.name != "sqlite"


@cache
def _insert(model: type[SQLModel], shared: bool) -> Any:
    return (postgresql if shared else sqlite).insert(table(model))


def table(model: type[SQLModel]) -> Any:
    """The Core table of a model: statements on it cost a tenth of the ORM's."""
    return model.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it


class Store:
    """Opens transactions on the database at `url`. Raises BadDatabase when it cannot be used."""

    def __init__(self, url: str, seal: Seal) -> None:
        self.seal = seal
        self._writer, self._reader = _engines(url)
        embedded = self._writer.dialect.name == "sqlite"
        self._turn: AbstractContextManager[Any] = threading.Lock() if embedded else nullcontext()

    @property
    def engine(self) -> Engine:
        """The engine that writes: for migrations and for `doctor`."""
        return self._writer

    @contextmanager
    def write(self) -> Iterator[Work]:
        """A transaction that is durable when the block ends. Raises StoreDown if it cannot be."""
        with self._turn:
            try:
                with self._writer.begin() as connection:
                    yield Work(connection, self.seal)
            except DBAPIError as error:
                raise StoreDown(type(error.orig).__name__) from error

    @contextmanager
    def read(self) -> Iterator[Work]:
        """A transaction that only reads and never waits for a writer."""
        try:
            with self._reader.begin() as connection:
                yield Work(connection, self.seal)
        except DBAPIError as error:
            raise StoreDown(type(error.orig).__name__) from error

    def fold_journal(self) -> None:
        """Cut SQLite's journal off, so that it shows no earlier state of a page any more.

        Does nothing while somebody reads from it; the next call does it.
        """
        if self._writer.dialect.name != "sqlite":
            return
        with self._turn, self._writer.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA busy_timeout=0")  # people wait for this writer
            try:
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                driver.execute(f"PRAGMA busy_timeout={PATIENCE}")

    def close(self) -> None:
        """Close every connection."""
        self._writer.dispose()
        self._reader.dispose()


def _engines(url: str) -> tuple[Engine, Engine]:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadDatabase(
            "DATABASE_URL is not a database address: use sqlite:///PATH or "
            "postgresql://USER:PASSWORD@HOST/NAME"
        ) from None
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise BadDatabase("DATABASE_URL: SQLite needs a file, as in sqlite:///data/langnghe.db")
        return _embedded(parsed.database, "BEGIN IMMEDIATE"), _embedded(parsed.database, "BEGIN")
    if kind == "postgresql":
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        return engine, engine
    raise BadDatabase(f"DATABASE_URL: {kind} is not spoken here; use sqlite or postgresql")


def _into_wal(connection: Any) -> None:
    """Switch to WAL. Two programs at their first start both try, and SQLite does not wait here."""
    for _ in range(WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except pysqlite3.dbapi2.OperationalError:
            time.sleep(0.05)
        else:
            return
    connection.execute("PRAGMA journal_mode=WAL")


def _embedded(path: str, begin: str) -> Engine:
    if pysqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise BadDatabase(f"SQLite {pysqlite3.sqlite_version} can lose data: run `make run` again")
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadDatabase(f"DATABASE_URL: {path} cannot be made ({error.strerror})") from None
    engine = create_engine(f"sqlite:///{path}", module=pysqlite3.dbapi2)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={PATIENCE}")
        _into_wal(connection)
        for pragma in PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
