from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.fetching import CLAIMED, LATER, MOST_TRIES, Fetcher
from storage import attachments
from storage.attachments import Vault
from storage.sealing import CannotOpen, Keys, Seal
from storage.store import table
from storage.tables import Attachment
from storage.vocabulary import FileAt, Said
from tests.house import Talkers

TEXT = "Đơn trình báo của tổ dân phố".encode()
WELCOME = ("/start", "1", "1")


@dataclass
class Shelf:
    """A platform: where files lie, which are asked for, which are done with."""

    files: dict[str, bytes] = field(default_factory=dict)
    down: bool = False
    asked: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    async def fetch(self, locator: str) -> bytes:
        self.asked.append(locator)
        if self.down:
            raise ConnectionError
        return self.files[locator]

    async def fetched(self, locator: str) -> None:
        self.done.append(locator)


@dataclass
class Office:
    """People who send files, the platform they lie at, and who fetches them."""

    talkers: Talkers
    shelf: Shelf
    folder: Path
    fetcher: Fetcher

    def send(self, content: bytes, locator: str = "one", who: str = "an") -> None:
        self.shelf.files[locator] = content
        self.talkers.say(Said(files=(FileAt(locator, "document"),)), who)

    def round(self) -> int:
        return asyncio.run(self.fetcher.round())

    def rows(self) -> list[Any]:
        with self.talkers.store.read() as work:
            return list(work.connection.execute(select(table(Attachment))))

    def row(self) -> Any:
        (only,) = self.rows()
        return only

    def lying(self) -> list[Path]:
        return list(self.folder.iterdir())


@pytest.fixture
def office(talkers: Talkers, tmp_path: Path) -> Iterator[Office]:
    shelf = Shelf()
    vault = Vault(tmp_path / "attachments", talkers.store.seal)
    fetcher = Fetcher(talkers.store, vault, {"web": shelf}, lambda: talkers.now)
    opened = Office(talkers, shelf, tmp_path / "attachments", fetcher)
    for line in (*WELCOME, "/gopy", "1", "Thủ tục rất lâu", "không nhớ", "không nhớ"):
        talkers.say(line)
    yield opened


def test_a_file_is_kept_sealed_and_its_place_at_the_platform_is_forgotten(office: Office) -> None:
    office.send(TEXT)
    assert office.round() == 1
    row = office.row()
    assert (row.state, row.media, row.size) == ("kept", "text/plain", len(TEXT))
    assert row.locator is None
    assert office.fetcher.vault.get(row.stored) == TEXT
    assert office.shelf.done == ["one"]


def test_nothing_is_fetched_twice(office: Office) -> None:
    office.send(TEXT)
    assert (office.round(), office.round()) == (1, 0)
    assert office.shelf.asked == ["one"]


def test_the_bytes_in_the_vault_are_sealed_and_bound_to_their_name(office: Office) -> None:
    office.send(TEXT)
    office.round()
    (path,) = office.lying()
    assert TEXT not in path.read_bytes() and path.name == office.row().stored
    other = Vault(office.folder, Seal(Keys.new()))
    with pytest.raises(CannotOpen):
        other.get(path.name)
    path.rename(office.folder / "another")
    with pytest.raises(CannotOpen):
        office.fetcher.vault.get("another")


def test_the_vault_gives_nothing_that_lies_outside_it(office: Office) -> None:
    for name in ("../keys", "/etc/passwd", "", "no such", "gone"):
        with pytest.raises(LookupError):
            office.fetcher.vault.get(name)


def test_two_files_of_the_same_bytes_lie_once(office: Office) -> None:
    office.send(TEXT, "one")
    office.send(TEXT, "two")
    assert office.round() == 2
    assert len({row.stored for row in office.rows()}) == 1
    assert len(office.lying()) == 1


def test_the_name_of_a_file_in_the_vault_needs_the_key(office: Office, tmp_path: Path) -> None:
    elsewhere = Vault(tmp_path / "elsewhere", Seal(Keys.new()))
    assert office.fetcher.vault.put(TEXT) != elsewhere.put(TEXT)


@pytest.mark.parametrize("content", [b"", b"MZ\x90\x00" + bytes(99), b"\xff\xd8\xff\xe0 no photo"])
def test_a_file_that_is_not_taken_is_refused_and_the_sender_hears_of_it(
    office: Office, content: bytes
) -> None:
    office.send(content)
    assert office.round() == 1
    assert office.row().state == "refused" and office.row().locator is None
    assert office.shelf.done == ["one"] and office.lying() == []
    assert "tệp không mở được" in office.talkers.say("xong")[0].text
    assert "tệp không mở được" not in str(office.talkers.say("không"))


def test_a_file_that_is_gone_at_its_platform_is_refused(office: Office) -> None:
    office.send(TEXT)
    office.shelf.files.clear()
    office.round()
    assert office.row().state == "refused"


def test_a_file_of_a_channel_that_is_no_longer_served_is_refused(office: Office) -> None:
    office.send(TEXT)
    office.fetcher.platforms = {}
    office.round()
    assert office.row().state == "refused" and office.shelf.asked == []


def test_a_refused_file_after_sending_leads_nowhere(office: Office) -> None:
    office.send(b"MZ\x90\x00" + bytes(99))
    for line in ("xong", "không", "1", "gửi", "đã lưu"):
        office.talkers.say(line)
    office.round()
    assert office.row().state == "refused" and office.row().owner is None
    assert "tệp không mở được" not in str(office.talkers.say("/menu"))


def test_a_platform_that_is_down_is_asked_again_later_and_ever_later(office: Office) -> None:
    office.send(TEXT)
    office.shelf.down = True
    assert (office.round(), office.round()) == (1, 0)
    office.talkers.later(seconds=LATER.total_seconds())
    assert (office.round(), office.round()) == (1, 0)
    office.talkers.later(seconds=LATER.total_seconds())
    assert office.round() == 0
    office.shelf.down = False
    office.talkers.later(seconds=LATER.total_seconds())
    assert office.round() == 1
    assert office.row().state == "kept" and office.row().tries == 2
    assert office.shelf.asked == ["one"] * 3


def test_a_platform_that_stays_down_is_given_up(office: Office) -> None:
    office.send(TEXT)
    office.shelf.down = True
    for _ in range(MOST_TRIES + 3):
        office.round()
        office.talkers.later(hours=12)
    assert office.shelf.asked == ["one"] * MOST_TRIES == ["one"] * 12
    assert office.row().state == "refused"
    assert "tệp không mở được" in office.talkers.say("xong")[0].text


def test_a_vault_that_takes_nothing_costs_the_file_no_try(office: Office) -> None:
    office.send(TEXT)
    office.folder.rmdir()
    for _ in range(MOST_TRIES + 1):
        assert office.round() == 1
        office.talkers.later(seconds=CLAIMED.total_seconds())
    assert (office.row().state, office.row().tries) == ("waiting", 0)
    office.folder.mkdir()
    assert office.round() == 1
    assert office.row().state == "kept"


def test_one_file_that_cannot_be_had_holds_up_no_other(office: Office) -> None:
    office.send(b"", "bad")
    office.send(TEXT, "good")
    assert office.round() == 2
    assert sorted(row.state for row in office.rows()) == ["kept", "refused"]


def test_many_files_are_taken_over_in_several_rounds(office: Office) -> None:
    office.talkers.say("/quaylai")
    office.talkers.say("không nhớ")
    with office.talkers.store.write() as work:
        for number in range(25):
            one = attachments.Lying(f"f{number}", "web", "document", f"at{number}", None, 0)
            attachments.note(work, one, office.talkers.now.date())
            office.shelf.files[f"at{number}"] = b"text %d" % number
    assert [office.round() for _ in range(3)] == [20, 5, 0]
    assert len(office.lying()) == 25


def test_half_written_files_are_never_left_in_the_vault(office: Office) -> None:
    for number in range(5):
        office.fetcher.vault.put(b"content %d" % number)
    assert not [path for path in office.lying() if path.suffix]
    name = office.fetcher.vault.put(b"content 0")
    office.fetcher.vault.drop(name)
    office.fetcher.vault.drop(name)
    assert len(office.lying()) == 4
