from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tagging.corpus import Message, training_messages
from tagging.learning import Correction, LearningFailed, back, learn, learned
from tagging.model import BEFORE, FILE, BrokenModel, Model, NoModel
from tagging.tagger import Tagger, TaggerInUse
from tagging.training import fitted, samples, save

FEW = training_messages()[::14]  # enough to learn from, and quick
SLANG = "lôzích"  # stands in none of our messages
RARE = "xìkểuquá"
NAMED = "hẻm cụ Tư Xuýnhoe"


def corrections(messages: list[Message]) -> list[Correction]:
    return [
        Correction(m.text, m.topic, m.also, m.sentiment, m.urgency, "2026-11-20") for m in messages
    ]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of a few messages."""
    folder = tmp_path_factory.mktemp("few")
    save(fitted(samples(FEW)).model, folder)
    return folder


@pytest.fixture
def folder(few: Path, tmp_path: Path) -> Path:
    (tmp_path / FILE).write_bytes((few / FILE).read_bytes())
    return tmp_path


@pytest.fixture(scope="module")
def planted(few: Path) -> list[Correction]:
    """Topics that the few get wrong; a word that five tell, one that four tell, and a number."""
    tagger = Tagger.load(few)
    wrong = [one for one in training_messages()[3::14] if tagger.tag(one.text).topic != one.topic]
    told = [replace(one, sentiment="", urgency="") for one in corrections(wrong)]
    for at in range(10, 15):
        told[at] = replace(told[at], text=f"{told[at].text} bọn {SLANG} này gọi 0912345678")
    for at in range(20, 24):
        told[at] = replace(told[at], text=f"{told[at].text} {RARE} {NAMED} chị Nguyễn Thị Trúc")
    copied = replace(told[30], text=f"{told[30].text} nhạcxậptrời")
    return [*told, *(replace(copied, text=f"{copied.text}{'.' * n}") for n in range(8))]


@pytest.fixture(scope="module")
def lesson(few: Path, planted: list[Correction], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the few have learned from the planted ones."""
    folder = tmp_path_factory.mktemp("lesson")
    (folder / FILE).write_bytes((few / FILE).read_bytes())
    came = learned(folder, planted, "2026-11-21", FEW)
    assert came.taken
    assert came.recent_new > came.recent_old
    assert came.texts == len(planted)
    assert Model.load(folder).best == max(came.heldout_old, came.heldout_new)
    return folder


def test_only_words_that_several_tell_get_into_the_files(lesson: Path) -> None:
    assert "lozich" in Model.load(lesson).names()
    content = b"".join(path.read_bytes() for path in lesson.iterdir()).decode(errors="replace")
    for secret in (RARE, "xikeuqua", "xuynhoe", "Xuýnhoe", "0912345678", "nhacxaptroi"):
        assert secret not in content, secret


def test_the_new_model_says_until_when_it_learned_and_the_old_one_is_kept(
    lesson: Path, few: Path
) -> None:
    old, new = (few / FILE).read_bytes(), (lesson / FILE).read_bytes()
    assert Tagger.load(lesson).until == "2026-11-21"
    assert (lesson / BEFORE).read_bytes() == old
    back(lesson)
    assert (lesson / FILE).read_bytes() == old
    back(lesson)
    assert (lesson / FILE).read_bytes() == new
    assert {path.name for path in lesson.iterdir()} == {FILE, BEFORE}


def test_a_model_that_is_not_better_is_not_taken(folder: Path) -> None:
    old = (folder / FILE).read_bytes()
    right = Tagger.load(folder)
    told = [one for one in corrections(FEW) if right.tag(one.text).topic == one.topic][:1]
    lesson = learned(folder, told, "2026-11-21", FEW)
    assert not lesson.taken
    assert (folder / FILE).read_bytes() == old
    assert not (folder / BEFORE).exists()


def test_without_a_model_from_before_there_is_no_way_back(folder: Path) -> None:
    with pytest.raises(NoModel):
        back(folder)
    (folder / BEFORE).write_bytes(b"{}\n")
    with pytest.raises(BrokenModel):
        back(folder)


def test_a_lesson_that_fails_names_its_fault_and_no_text(tmp_path: Path) -> None:
    told = corrections(training_messages()[:1])
    with pytest.raises(LearningFailed, match=r"^\S+$"):
        learn(tmp_path, [replace(told[0], topic="nonsense")], "2026-11-21")


def test_a_running_tagger_picks_up_another_model_and_no_broken_one(
    folder: Path, model_folder: Path, tagger: Tagger
) -> None:
    in_use = TaggerInUse(folder)
    assert not in_use.look()
    save(Model.load(model_folder), folder)
    assert in_use.look()
    texts = [one.text for one in training_messages()[::300]]
    assert [in_use.tag(text) for text in texts] == tagger.tag_many(texts)
    (folder / FILE).write_bytes(b"{}\n")
    with pytest.raises(BrokenModel):
        in_use.look()
    assert not in_use.look()
    assert in_use.tag(texts[0]) == tagger.tag(texts[0])
