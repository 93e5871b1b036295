"""Labels corrected on the command line: what counts, what is learned, and the way back."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from storage import alike, people, reports
from storage.sealing import Keys, Seal
from storage.store import Store
from tests.house import SomeTags
from tests.test_program import run

TOLD = "bọn vịtquayxòe tụ tập bán hàng ở bến sông tối qua lúc 22h30, xe 29-B1 567.89"


@pytest.fixture
def folder(tmp_path: Path, models: Path) -> Path:
    """An installation with a model of its own and some cases of the same words."""
    shutil.copytree(models, tmp_path / "data" / "models")
    assert run(tmp_path, "migrate")[0] == 0
    store = opened(tmp_path)
    with store.write() as work:
        root = people.tree(work, date.max).root.id
        for number in range(3):
            add(work, f"case{number}", root, SomeTags("other") if number < 2 else None)
    store.close()
    return tmp_path


def opened(folder: Path) -> Store:
    keys = Keys.read(folder / "data" / "keys.json")
    return Store(f"sqlite:///{folder}/data/langnghe.db", Seal(keys))


def add(work: object, one: str, unit: str, tags: SomeTags | None) -> None:
    told = reports.Told(
        one, "tip", "crime", "citizen", "web", "vi", date(2026, 11, 4), unit, None, None,
        {"what": TOLD}, tags,
    )  # fmt: skip
    reports.add(work, told)  # type: ignore[arg-type]
    case = reports.Opened(one, f"{one}-alias", one * 4, date(2026, 11, 4), None)
    reports.open_case(work, case)  # type: ignore[arg-type]


def test_a_corrected_label_counts_and_the_machine_s_is_still_shown(folder: Path) -> None:
    labels = ("--topic", "drugs", "--urgency", "pressing")
    code, said, _ = run(folder, "case", "label", "case0-alias", *labels)
    assert (code, said.strip()) == (0, "case0-alias: drugs, pressing")
    _, shown, _ = run(folder, "case", "show", "case0-alias")
    assert "[machine] topic: other" in shown
    assert "[people] topic: drugs" in shown
    assert "[machine] time: 22h30 = 22:30" in shown
    assert "[machine] plate: 29-B1 567.89" in shown
    _, listed, _ = run(folder, "case", "list")
    assert "Ma túy" in listed


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("case0-alias", "--topic", "nonsense"), "There is no topic nonsense. One of: drugs"),
        (("case0-alias",), "--topic, --sentiment, --urgency"),
        (("nobody", "--topic", "drugs"), "There is no case nobody"),
    ],
)
def test_a_wrong_label_is_named(folder: Path, words: tuple[str, ...], expected: str) -> None:
    code, _, said = run(folder, "case", "label", *words)
    assert code == 2
    assert expected in said


def test_the_cases_alike_are_listed_and_those_no_machine_may_read_are_not(folder: Path) -> None:
    store = opened(folder)
    with store.read() as work:
        (corner,) = alike.waiting(work)
    with store.write() as work:
        assert alike.group(work, corner, {"case0": "case0", "case1": "case0"})
    store.close()
    _, listed, _ = run(folder, "case", "alike", "case0-alias")
    assert "case1-alias" in listed
    assert "case2-alias" not in listed
    assert "case0-alias" not in listed


def test_what_was_corrected_is_learned_kept_here_and_can_be_taken_back(folder: Path) -> None:
    model = folder / "data" / "models" / "tagger.model"
    before = model.read_bytes()
    assert "Nobody has corrected" in run(folder, "tagger", "learn")[1]
    for one in ("case0-alias", "case2-alias"):
        run(folder, "case", "label", one, "--topic", "drugs")
    code, said, _ = run(folder, "tagger", "learn")
    assert code == 0
    assert "1 corrected reports" in said  # the other's sender let no machine read it
    assert "vitquayxoe" not in model.read_bytes().decode(errors="replace")
    if "in use" in said:
        assert run(folder, "tagger", "rollback")[0] == 0
        assert model.read_bytes() == before
    _, listed, _ = run(folder, "tagger", "history")
    assert "by hand" in listed
