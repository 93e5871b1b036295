from __future__ import annotations

import ast
import importlib
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from bot.settings import Settings
from handlers.dialogue import Dialogue, dialogues
from tests.house import CATALOGUES, ROOT

ROOMS = ("bot", "handlers", "scheduler", "storage", "tagging", "tests", "bench")
MODULES = sorted(
    path.relative_to(ROOT)
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
    if "versions" not in path.parts
)
PROGRAM = [path for path in MODULES if path.parts[0] != "tests"]
NO_NOUNS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "tools"}
# An address of a registry, or of anything between us and it; the files here must work anywhere.
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted|npmjs|(--(extra-)?index-url|--find-links|--trusted-host)[ =]|"
    r"https?://[^\s)\"'`]*/simple\b|artifactory|devpi|nexus",
    re.IGNORECASE,
)
# Where somebody's machine keeps things. /tmp alone may be named as a place.
MACHINE = re.compile(r"(?<![\w.~}])/(root|home|work|Users|tmp/probe)/[\w.-]+|[A-Z]:\\\\Users")


@cache
def tracked() -> list[Path]:
    """Every text file of the repository, tracked or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file() and _is_text(path)]


def _is_text(path: Path) -> bool:
    return b"\0" not in path.read_bytes()[:4096]


def project() -> dict[str, object]:
    found: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!~; ]", requirement, maxsplit=1)[0]


# -- modules ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PROGRAM, ids=str)
def test_a_module_says_in_its_first_line_what_it_is(path: Path) -> None:
    source = (ROOT / path).read_text()
    told = ast.get_docstring(ast.parse(source))
    assert told, "no docstring"
    first = told.splitlines()[0]
    assert source.startswith('"""') and (first[0].isupper() or first[0] == "`")
    assert first.endswith((".", "?", "!")), first


def test_no_module_is_named_after_nothing() -> None:
    assert [path for path in PROGRAM if path.stem in NO_NOUNS] == []


def test_asynchronous_code_stands_in_the_rim_only() -> None:
    def is_coroutine(node: ast.AST) -> bool:
        return isinstance(node, ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith)

    rooms = {
        path.parts[0]
        for path in PROGRAM
        if path.parts[:2] != ("handlers", "dialogues")
        and path.name not in ("telling.py", "asking.py")
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if is_coroutine(node)
    }
    assert rooms <= {"bot", "bench"}


# -- settings -----------------------------------------------------------------------------------


def test_every_setting_stands_in_the_example_and_nothing_else_does() -> None:
    example = (ROOT / ".env.example").read_text()
    listed = re.findall(r"^#? ?([A-Z][A-Z_]+)=", example, re.MULTILINE)
    assert sorted(listed) == sorted(name.upper() for name in Settings.model_fields)


def test_the_example_shows_what_holds_when_nothing_is_set() -> None:
    example = (ROOT / ".env.example").read_text()
    for name, shown in re.findall(r"^([A-Z][A-Z_]+)=(.*)$", example, re.MULTILINE):
        holds = Settings.model_fields[name.lower()].default
        assert shown == ("" if holds is None else str(holds)), name


def test_every_setting_of_the_example_is_explained() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert lines[0].startswith("#")
    explained = False
    for line in lines:
        explained = line.startswith("#") or (explained and bool(line))
        assert explained or not line, line


# -- dependencies -------------------------------------------------------------------------------


def test_every_dependency_is_explained_and_no_other() -> None:
    told = (ROOT / "docs" / "dependencies.md").read_text()
    listed = re.findall(r"^\| `([\w.\[\]-]+)` \|", told, re.MULTILINE)
    declared = project()
    optional = declared["optional-dependencies"]
    assert isinstance(optional, dict) and isinstance(declared["dependencies"], list)
    named = [*declared["dependencies"], *(one for group in optional.values() for one in group)]
    assert sorted(listed) == sorted(name_of(requirement) for requirement in named)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_package_of_a_lock_is_pinned_with_hashes(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())
    assert len(entries) > 20
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._\[\]-]+==\S+", entry), entry[:60]
        assert "--hash=sha256:" in entry, entry[:60]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_dependency_is_in_the_lock(lock: str) -> None:
    pinned = set(re.findall(r"^([A-Za-z0-9._-]+)(?:\[\w+\])?==", (ROOT / lock).read_text(), re.M))
    dependencies = project()["dependencies"]
    assert isinstance(dependencies, list)
    assert {re.sub(r"\[.*\]", "", name_of(each)) for each in dependencies} <= pinned


def test_both_locks_pin_the_same_versions() -> None:
    runs, tests = (
        dict(re.findall(r"^(\S+)==([^\s;]+)", (ROOT / lock).read_text(), re.MULTILINE))
        for lock in ("requirements.lock", "requirements-dev.lock")
    )
    assert runs.items() <= tests.items()


# -- nothing of anybody's machine ---------------------------------------------------------------


def test_no_file_names_a_registry() -> None:
    assert [str(path) for path in _others() if REGISTRY.search(path.read_text())] == []


def test_no_file_names_a_path_of_somebody_s_machine() -> None:
    found = [f"{path}: {m[0]}" for path in _others() if (m := MACHINE.search(path.read_text()))]
    assert found == []


def _others() -> list[Path]:
    """All but this file, which has to name what it looks for."""
    return [path for path in tracked() if path != Path(__file__)]


# -- one place per extension --------------------------------------------------------------------

FOLDER = ROOT / "handlers" / "dialogues"
DIALOGUES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("name", DIALOGUES)
def test_a_dialogue_is_one_file_of_its_name(name: str) -> None:
    defined = importlib.import_module(f"handlers.dialogues.{name}").DIALOGUE
    assert isinstance(defined, Dialogue) and defined.name == name
    assert dialogues()[name] is defined


@pytest.mark.parametrize("name", DIALOGUES)
def test_a_dialogue_is_begun_by_a_command_or_by_another_dialogue(name: str) -> None:
    commands = {key.removeprefix("commands.") for key in CATALOGUES["vi"].section("commands.")}
    begun = re.findall(r'Begin\(\s*"(\w+)"', "\n".join(_sources()))
    assert name in commands or name in begun


def _sources() -> list[str]:
    return [path.read_text() for path in (ROOT / "handlers").rglob("*.py")]


def test_every_dialogue_that_is_begun_is_there() -> None:
    begun = re.findall(r'Begin\(\s*"(\w+)"', "\n".join(_sources()))
    assert set(begun) <= set(dialogues())


def test_every_command_steers_or_begins_a_dialogue() -> None:
    steering = {"start", "menu", "cancel", "resume", "back"}
    commands = {key.removeprefix("commands.") for key in CATALOGUES["vi"].section("commands.")}
    assert commands <= steering | set(dialogues())


def test_every_place_in_the_menu_is_taken_once() -> None:
    places = [dialogue.menu for dialogue in dialogues().values() if dialogue.menu]
    assert len(places) == len(set(places))
