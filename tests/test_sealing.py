from __future__ import annotations

import json
import os
import stat
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.sealing import PADDED_TO, CannotOpen, Keys, KeysMissing, Seal

KEYS = Keys(b"f" * 32, ((1, b"s" * 32),))
SEAL = Seal(KEYS)


def test_what_was_sealed_opens_at_its_place() -> None:
    assert SEAL.open(SEAL.close(b"plain", "report|body|a"), "report|body|a") == b"plain"


@pytest.mark.parametrize("where", ["report|body|b", "report|what|a", "talk|state|a", ""])
def test_what_was_sealed_does_not_open_elsewhere(where: str) -> None:
    sealed = SEAL.close(b"plain", "report|body|a")
    with pytest.raises(CannotOpen):
        SEAL.open(sealed, where)


def test_no_changed_byte_goes_unnoticed() -> None:
    sealed = SEAL.close(b"plain", "here")
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(CannotOpen):
            SEAL.open(bytes(changed), "here")


def test_no_missing_or_added_byte_goes_unnoticed() -> None:
    sealed = SEAL.close(b"plain", "here")
    for length in range(len(sealed)):
        with pytest.raises(CannotOpen):
            SEAL.open(sealed[:length], "here")
    with pytest.raises(CannotOpen):
        SEAL.open(sealed + b"\0", "here")


def test_an_unknown_key_number_cannot_be_opened() -> None:
    sealed = SEAL.close(b"plain", "here")
    with pytest.raises(CannotOpen):
        SEAL.open(b"\x09" + sealed[1:], "here")


def test_other_keys_open_nothing() -> None:
    with pytest.raises(CannotOpen):
        Seal(Keys.new()).open(SEAL.close(b"plain", "here"), "here")


def test_after_a_rotation_the_old_opens_and_the_new_seals() -> None:
    rotated = KEYS.rotated()
    after = Seal(rotated)
    old = SEAL.close(b"old", "here")
    assert after.open(old, "here") == b"old"
    new = after.close(b"new", "here")
    assert (old[:2], new[:2]) == (b"\x00\x01", b"\x00\x02")
    with pytest.raises(CannotOpen):
        SEAL.open(new, "here")
    only_new = Seal(Keys(rotated.finding, rotated.sealing[:1]))
    assert only_new.open(new, "here") == b"new"
    with pytest.raises(CannotOpen):
        only_new.open(old, "here")


def test_after_a_rotation_addresses_are_still_found() -> None:
    assert Seal(KEYS.rotated()).find("address", "web:an") == SEAL.find("address", "web:an")


def test_padding_hides_the_length_to_the_next_multiple() -> None:
    lengths = {len(SEAL.close(b"x" * size, "here")) for size in range(PADDED_TO)}
    assert len(lengths) == 1
    assert len(SEAL.close(b"x" * PADDED_TO, "here")) == lengths.pop() + PADDED_TO


def test_what_ends_like_padding_comes_back_whole() -> None:
    for plain in (b"", b"\x80", b"\x80\x00\x00", b"\x00" * 70, b"a\x80" * 40):
        assert SEAL.open(SEAL.close(plain, "here"), "here") == plain


def test_the_same_words_are_sealed_differently_each_time() -> None:
    assert len({SEAL.close(b"plain", "here") for _ in range(50)}) == 50


def test_nothing_of_the_words_stands_in_what_is_sealed() -> None:
    assert b"plain" not in SEAL.close(b"plain words, quite many of them", "here")


def test_a_value_is_found_by_its_purpose_and_key_only() -> None:
    found = SEAL.find("receipt", "1234")
    assert found == SEAL.find("receipt", "1234") and len(found) == 16
    assert found != SEAL.find("invitation", "1234")
    assert found != SEAL.find("receipt", "1235")
    assert found != Seal(Keys.new()).find("receipt", "1234")
    assert SEAL.find("a", "b\0c") != SEAL.find("a\0b", "d")


def test_a_value_with_a_lone_surrogate_is_still_found() -> None:
    assert SEAL.find("address", "web:\ud800") != SEAL.find("address", "web:?")


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(plain=st.binary(max_size=300), where=st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_was_sealed_comes_back(plain: bytes, where: str) -> None:
    assert SEAL.open(SEAL.close(plain, where), where) == plain


# -- the key file -------------------------------------------------------------------------------


def test_the_key_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    before = os.umask(0)
    try:
        KEYS.write(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]


def test_keys_come_back_from_their_file_newest_first(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = KEYS
    for _ in range(11):
        keys = keys.rotated()
    keys.write(path)
    assert Keys.read(path) == keys
    assert [number for number, _ in Keys.read(path).sealing] == list(range(12, 0, -1))


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeysMissing, match=r"keys\.json"):
        Keys.read(tmp_path / "keys.json")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "{}",
        "\x00",
        json.dumps({"finding": "AAAA"}),
        json.dumps({"finding": "A", "sealing": {"1": b64encode(b"k" * 32).decode()}}),
        json.dumps({"finding": "AAAA", "sealing": {"one": "AAAA"}}),
    ],
)
def test_a_damaged_key_file_is_not_taken_for_keys(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises((ValueError, KeyError)):
        Keys.read(path)


def test_new_keys_are_never_the_same() -> None:
    assert Keys.new() != Keys.new()
