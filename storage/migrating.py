"""Bringing a database to the newest schema, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from storage.migrations import HEAD
from storage.store import StoreDown

SCRIPTS = Path(__file__).parent / "migrations"
ONE_AT_A_TIME = 7_316_401  # any number; who holds this advisory lock migrates


class NewerDatabase(Exception):
    """The database was written by a newer version of the program: start that one."""


def revision(connection: Connection) -> str | None:
    """The step the database stands at; None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(found) if found else None


def migrate(engine: Engine) -> bool:
    """Bring the schema to HEAD in one transaction; False when it stood there already.

    Raises NewerDatabase when the database is ahead of this program, StoreDown when it cannot
    be reached or written.
    """
    try:
        return _migrate(engine)
    except DBAPIError as error:
        raise StoreDown(type(error.orig).__name__) from error


def _migrate(engine: Engine) -> bool:
    with engine.connect() as connection:
        embedded = connection.dialect.name == "sqlite"
        if embedded:
            # A table is changed by copying it; with foreign keys on, dropping the old one
            # would delete every row that refers to it.
            _pragma(connection, "foreign_keys=OFF")
        try:
            with connection.begin():
                if not embedded:
                    lock = text("SELECT pg_advisory_xact_lock(:n)")
                    connection.execute(lock, {"n": ONE_AT_A_TIME})
                return _upgrade(connection, embedded)
        finally:
            if embedded:
                _pragma(connection, "foreign_keys=ON")


def _upgrade(connection: Connection, embedded: bool) -> bool:
    stands = revision(connection)
    if stands == HEAD:
        return False
    if stands is not None and stands > HEAD:
        raise NewerDatabase(stands)
    from alembic import command  # half a second to import, so only when there is work

    command.upgrade(config(connection), "head")
    if embedded and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise RuntimeError("the migration left rows that refer to nothing")
    return True


def config(connection: Connection) -> Any:
    """Alembic's configuration for one connection."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(SCRIPTS))
    made.attributes["connection"] = connection
    return made


def _pragma(connection: Connection, pragma: str) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA {pragma}")
