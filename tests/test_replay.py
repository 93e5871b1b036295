from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence

import pytest

from handlers.questions import Choice, Narrative, Telling, Words
from handlers.replay import play
from handlers.scene import Scene
from storage.people import Tree
from storage.vocabulary import Pressed, Said
from storage.words import Words as Catalogue
from tests.house import CATALOGUES, SmallGazetteer


async def two_questions(about: str) -> tuple[str, str, str]:
    colour = await Choice("colour", ask="colour", options=("red", "blue"))
    name = await Words("name", ask="name", shortest=1, longest=9)
    return about, colour, name


async def name_only(about: str) -> str:
    return await Words("name", ask="name", shortest=1, longest=9)


async def with_a_later_question(about: str) -> tuple[str, ...]:
    colour = await Choice("colour", ask="colour", options=("red", "blue"))
    size = await Choice("size", ask="size", options=("small", "large"))
    name = await Words("name", ask="name", shortest=1, longest=9)
    return colour, size, name


def test_the_first_question_is_asked_when_nothing_was_answered() -> None:
    turn = play(two_questions, "an", {})
    assert turn.asking is not None and turn.asking.key == "colour"
    assert turn.outcome is None and turn.path == ()


def test_answered_questions_fly_by_and_the_first_open_one_is_asked() -> None:
    turn = play(two_questions, "an", {"colour": "red"})
    assert turn.asking is not None and turn.asking.key == "name"
    assert [(question.key, answer) for question, answer in turn.path] == [("colour", "red")]


def test_the_outcome_stands_at_the_end_with_the_whole_path() -> None:
    turn = play(two_questions, "an", {"colour": "red", "name": "Lan"})
    assert turn.asking is None
    assert turn.outcome == ("an", "red", "Lan")
    assert [question.key for question, _ in turn.path] == ["colour", "name"]


def test_an_answer_is_recalled_in_its_type() -> None:
    async def story(about: None) -> Telling:
        return await Narrative("what", ask="tip.what")

    assert play(story, None, {"what": ["lời", ["file-a"]]}).outcome == Telling("lời", ("file-a",))


def test_a_question_added_by_a_newer_version_is_asked_next_and_later_answers_stay() -> None:
    answers = {"colour": "red", "name": "Lan"}
    turn = play(with_a_later_question, "an", answers)
    assert turn.asking is not None and turn.asking.key == "size"
    assert play(with_a_later_question, "an", answers | {"size": "small"}).outcome == (
        "red",
        "small",
        "Lan",
    )


def test_the_answer_of_a_question_removed_by_a_newer_version_is_ignored() -> None:
    assert play(name_only, "an", {"colour": "red", "size": "small", "name": "Lan"}).outcome == "Lan"


def test_an_answer_whose_option_is_gone_is_asked_anew() -> None:
    turn = play(two_questions, "an", {"colour": "green", "name": "Lan"})
    assert turn.asking is not None and turn.asking.key == "colour"


def test_an_option_of_an_older_keyboard_does_no_harm() -> None:
    turn = play(two_questions, "an", {})
    assert turn.asking is not None
    scene = Scene(_with_labels(), SmallGazetteer(), lambda: Tree({}))
    assert turn.asking.pressed(Said(pressed=Pressed("colour", "green")), scene) is None
    assert turn.asking.pressed(Said(pressed=Pressed("colour", "red")), scene) == "red"


def _with_labels() -> Catalogue:
    known = CATALOGUES["vi"]
    return Catalogue("vi", known.sentences | {"colour.red": "Đỏ", "colour.blue": "Xanh"})


def test_a_dialogue_may_be_made_of_smaller_ones() -> None:
    async def outer(about: str) -> tuple[str, str]:
        first = await name_only(about)
        return first, (await Choice("colour", ask="colour", options=("red",)))

    turn = play(outer, "an", {"name": "Lan"})
    assert turn.asking is not None and turn.asking.key == "colour"
    assert play(outer, "an", {"name": "Lan", "colour": "red"}).outcome == ("Lan", "red")


def test_a_dialogue_that_sleeps_is_a_type_error() -> None:
    async def sleepy(about: None) -> str:
        await asyncio.sleep(0)
        return "awake"

    with pytest.raises(TypeError, match="questions only, not NoneType"):
        play(sleepy, None, {})


def test_a_dialogue_that_awaits_something_else_is_a_type_error() -> None:
    class Elsewhere:
        def __await__(self) -> Generator[str, None, None]:
            yield "a socket"

    async def curious(about: None) -> None:
        await Elsewhere()

    with pytest.raises(TypeError, match="questions only, not str"):
        play(curious, None, {})


def test_one_key_asked_twice_is_a_type_error() -> None:
    async def forgetful(about: None) -> Sequence[str]:
        return [await name_only(""), await name_only("")]

    with pytest.raises(TypeError, match="asks 'name' twice"):
        play(forgetful, None, {"name": "Lan"})


@pytest.mark.parametrize("answers", [{}, {"name": "Lan"}])
def test_the_running_coroutine_is_always_closed(answers: dict[str, str]) -> None:
    ended = []

    async def watched(about: None) -> str:
        try:
            return await name_only("")
        finally:
            ended.append(True)

    play(watched, None, answers)
    assert ended == [True]


def test_the_running_coroutine_is_closed_even_when_it_awaits_what_it_must_not() -> None:
    ended = []

    async def watched(about: None) -> None:
        try:
            await asyncio.sleep(0)
        finally:
            ended.append(True)

    with pytest.raises(TypeError):
        play(watched, None, {})
    assert ended == [True]


def test_playing_twice_over_the_same_answers_comes_to_the_same() -> None:
    answers = {"colour": "blue", "name": "Lan"}
    assert play(two_questions, "an", answers).outcome == play(two_questions, "an", answers).outcome
