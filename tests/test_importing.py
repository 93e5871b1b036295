"""Bringing in existing feedback: lines, columns, times, repeats, and files that do not do."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from bot.importing import BadFile, Result, bring_in
from bot.installation import Installation, open_installation
from bot.settings import Settings
from storage import reports

SILENT = Console(file=io.StringIO())
LINES = (
    {"text": "công an phường làm căn cước nhanh", "time": "2026-10-03", "channel": "forum"},
    {"text": "công an phường làm căn cước nhanh", "time": "2026-10-03", "channel": "forum"},
    {"text": "đèn đường hỏng cả tháng", "time": "03/10/2026", "unit": "thanh-tra"},
    {"text": "  "},
    {"text": "không có đơn vị này", "unit": "nowhere"},
    {"text": "không có ngày này", "time": "2026-02-31"},
)


@pytest.fixture
def opened(tmp_path: Path, models: Path) -> Installation:
    data = tmp_path / "data"
    data.mkdir()
    (data / "models").symlink_to(models)
    return open_installation(Settings(data_dir=data))


def told(opened: Installation) -> int:
    with opened.store.read() as work:
        return reports.count(work)


def written(path: Path, *rows: dict[str, str]) -> Path:
    content = b"\n".join(orjson.dumps(row) for row in rows)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def test_every_good_line_comes_in_and_the_others_are_counted(
    opened: Installation, tmp_path: Path
) -> None:
    result = bring_in(opened, written(tmp_path / "a.jsonl", *LINES), None, None, SILENT)
    assert result == Result(new=3, known=0, left_out=3)
    assert told(opened) == 3


def test_the_same_file_again_brings_nothing_new(opened: Installation, tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl.gz", *LINES)
    bring_in(opened, path, None, None, SILENT)
    again = bring_in(opened, path, None, None, SILENT)
    assert (again.new, told(opened)) == (0, 3)


def test_an_interrupted_import_is_finished_by_the_next(
    opened: Installation, tmp_path: Path
) -> None:
    half = written(tmp_path / "a.jsonl", *LINES[:1])
    bring_in(opened, half, None, "2026-10-03", SILENT)
    whole = written(tmp_path / "a.jsonl", *LINES[:3])
    result = bring_in(opened, whole, None, "2026-10-03", SILENT)
    assert (result.new, result.known, told(opened)) == (2, 1, 3)


def test_csv_with_a_byte_order_mark_is_read(opened: Installation, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\ufefftext,time\n"vướng mắc, đăng ký xe",2026-10-01\n', encoding="utf-8")
    assert bring_in(opened, path, None, None, SILENT).new == 1


BAD = (
    ("a.jsonl", b"{", "line 1: not JSON"),
    ("a.jsonl", b'{"words": "a"}', "an object with `text`"),
    ("a.csv", b"words\na\n", "`text` among them"),
    ("a.jsonl", b'{"text": "\xff"}', "UTF-8"),
    ("a.jsonl.gz", b"not gzip", "cannot be read"),
)


@pytest.mark.parametrize(("name", "content", "why"), BAD)
def test_a_file_that_does_not_do_is_named_with_its_reason(
    opened: Installation, tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadFile, match=why):
        bring_in(opened, path, None, None, SILENT)
    assert told(opened) == 0


def test_a_missing_file_and_a_wrong_time_are_named(opened: Installation, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="No such file"):
        bring_in(opened, tmp_path / "none.jsonl", None, None, SILENT)
    with pytest.raises(BadFile, match="--time soon"):
        bring_in(opened, written(tmp_path / "a.jsonl", *LINES), None, "soon", SILENT)
