"""The command line as an operator meets it: wrong settings, nonsense, a first start, a rotation."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.server import LANGNGHE, ROOT, Server, Visitor


def run(folder: Path, *words: str, said: str = "", **settings: str) -> tuple[int, str, str]:
    environment = {**os.environ, "DATA_DIR": str(folder / "data"), **settings}
    done = subprocess.run(
        [*LANGNGHE, *words],
        cwd=ROOT,
        env=environment,
        input=said.encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def folder(tmp_path: Path, models: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "models").symlink_to(models)
    return tmp_path


WRONG = (
    ("PORT", "eighty", "integer"),
    ("PORT", "70000", "65535"),
    ("TIMEZONE", "Mars/Olympus", "Asia/Ho_Chi_Minh"),
    ("PUBLIC_URL", "langnghe.vn", "https://"),
    ("DIGEST_DAY", "31", "28"),
    ("SMALLEST_GROUP", "3", "5"),
    ("DIGEST_KIND", "weekly", "month"),
    ("DATABASE_URL", "mysql://a/b", "sqlite or postgresql"),
    ("DATABASE_URL", "nonsense", "sqlite:///"),
    ("DATABASE_URL", "sqlite://", "needs a file"),
    ("DATABASE_URL", "postgresql://127.0.0.1:1/none", "DATABASE_URL"),
    ("WORDS_DIR", "/nowhere", "vi.toml"),
    ("UNITS_FILE", "/nowhere.toml", "UNITS_FILE"),
    ("HOLIDAYS_FILE", "/nowhere.toml", "HOLIDAYS_FILE"),
    ("ORGANISATIONS_FILE", "/nowhere.toml", "ORGANISATIONS_FILE"),
    ("MEETING_DAY", "29", "28"),
    ("SMALLEST_PANEL", "4", "5"),
    ("DATA_DIR", "/proc/none", "DATA_DIR"),
)


@pytest.mark.parametrize(("name", "value", "expected"), WRONG)
def test_a_wrong_setting_stops_the_start_with_its_name(
    folder: Path, name: str, value: str, expected: str
) -> None:
    code, _, said = run(folder, "run", **{name: value})
    assert code == 2, said
    assert name in said
    assert expected in said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_named(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        code, _, said = run(folder, "run", PORT=str(other.getsockname()[1]))
    assert code == 2
    assert "cannot listen there" in said


def test_units_that_contradict_themselves_are_named(folder: Path) -> None:
    units = folder / "units.toml"
    units.write_text('[[unit]]\nid = "a"\nname = "A"\nparent = "b"\n')
    code, _, said = run(folder, "units", UNITS_FILE=str(units))
    assert code == 2
    assert "its parent b must stand before it" in said


def test_lost_keys_are_named_and_no_new_ones_made(folder: Path) -> None:
    assert run(folder, "migrate")[0] == 0
    (folder / "data" / "keys.json").unlink()
    code, _, said = run(folder, "run")
    assert code == 2
    assert "Put its back-up there" in said
    assert not (folder / "data" / "keys.json").exists()


def test_the_first_start_makes_keys_that_only_the_owner_reads(folder: Path) -> None:
    assert run(folder, "migrate")[0] == 0
    mode = stat.S_IMODE((folder / "data" / "keys.json").stat().st_mode)
    assert mode == 0o600


NONSENSE = (
    "dance",
    "invite king --unit tinh",
    "invite supervisor --unit nowhere",
    "digest --period soon",
    "digest --period 2026-10 --unit nowhere",
    "digest --period soon --reached",
    "campaign reached none",
    "import /nowhere.jsonl",
    "case show none-0000",
)


@pytest.mark.parametrize("words", NONSENSE)
def test_nonsense_gets_a_sentence_and_a_status(folder: Path, words: str) -> None:
    code, _, said = run(folder, *words.split())
    assert code == 2, said
    assert said.strip()
    assert "Traceback" not in said


def test_who_received_a_digest_is_a_table_without_any_word_of_it(folder: Path) -> None:
    code, out, _ = run(folder, "digest", "--period", "2026-10", "--reached")
    assert code == 0
    assert "heard on" in out and "last word" in out and "BẢN TIN" not in out


def test_help_reads_well(folder: Path) -> None:
    code, out, _ = run(folder, "--help")
    assert code == 0
    for command in ("run", "migrate", "invite", "digest", "doctor", "import", "tag"):
        assert command in out


def test_the_doctor_names_what_is_missing_and_ends_with_1(folder: Path) -> None:
    code, out, _ = run(folder, "doctor")
    assert code == 1
    assert "no administrator yet" in out
    assert "sqlite 3." in out


def test_the_doctor_names_keys_that_others_may_read(folder: Path) -> None:
    run(folder, "migrate")
    (folder / "data" / "keys.json").chmod(0o644)
    assert "chmod 600" in run(folder, "doctor")[1]


def test_lines_are_labelled_in_order(folder: Path) -> None:
    lines = [{"text": "thanh niên bán ma túy đá ở hẻm", "id": n} for n in range(3)]
    said = "\n".join(json.dumps(line) for line in [*lines, {"text": ""}])
    code, out, err = run(folder, "tag", said=said)
    assert (code, err) == (0, "")
    labelled = [json.loads(line) for line in out.splitlines()]
    assert [row.get("id") for row in labelled] == [0, 1, 2, None]
    assert labelled[0]["topic"] == "drugs"
    assert set(labelled[0]) >= {"also", "sentiment", "urgency", "confidence", "sure", "reasons"}
    assert labelled[3]["sure"] is False


def test_a_line_without_text_is_named_by_its_number(folder: Path) -> None:
    code, _, said = run(folder, "tag", said='{"text": "a"}\n{"words": "b"}\n')
    assert code == 2
    assert "line 2" in said


def test_a_new_key_leaves_running_talks_and_cases_readable(tmp_path: Path, models: Path) -> None:
    server = Server(tmp_path, models).start()
    visitor = Visitor(server.url)
    for words in ("/start", "1", "1", "/gopy", "3", "xin lắp đèn ở ngã ba", "không nhớ"):
        heard = visitor.say(words)
    server.stop()
    server.run("keys", "rotate")
    server.start()
    again = Visitor(server.url, session=visitor.session)
    again.numbers = 500
    heard = again.say("hôm qua")
    assert heard[-1].question == "evidence"
    server.stop()


def test_a_campaign_is_checked_put_in_force_listed_and_ended(folder: Path) -> None:
    bad = folder / "mine.toml"
    good = (ROOT / "campaigns" / "hot-topic.toml").read_text()
    bad.write_text(
        good.replace(
            'roles = ["collaborator", "officer"]', 'roles = ["officer"]\nunits = ["no-such"]'
        )
    )
    code, _, said = run(folder, "campaign", "check", str(bad))
    assert code == 2 and "line 15: who: there is no unit no-such" in said
    bad.write_text(good.replace('when = "once"', 'when = "sometime"'))
    code, _, said = run(folder, "campaign", "add", str(bad))
    assert code == 2 and "mine.toml: line 4: when: expected is a cron rule" in said
    code, said, _ = run(folder, "campaign", "add", "monthly-pulse")
    assert code == 0 and "monthly-pulse is in force: 0 8 10 * *" in said
    code, said, _ = run(folder, "campaign", "list")
    assert code == 0 and "monthly-pulse" in said
    code, said, _ = run(folder, "campaign", "attendance", "--months", "3")
    assert code == 0 and "Chưa có đợt hỏi nào kết thúc" in said
    code, _, said = run(folder, "campaign", "result", "none")
    assert code == 2 and "no round none that is over" in said
    assert run(folder, "campaign", "end", "monthly-pulse")[0] == 0
    code, _, said = run(folder, "campaign", "add", "monthly-pulse")
    assert code == 2 and "stays as it is" in said
    assert run(folder, "campaign", "end", "none")[0] == 2
