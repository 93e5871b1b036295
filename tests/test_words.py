from __future__ import annotations

import random
import re
import string
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from handlers.asking import Picked, Several
from handlers.dialogue import About, Dialogue, dialogues
from handlers.dialogues.campaign import Lines
from handlers.guarding import Guarded
from handlers.questions import (
    Choice,
    Digits,
    Files,
    Labelled,
    Narrative,
    Place,
    Question,
    Review,
    Saved,
    Telling,
    UnitName,
    Where,
)
from handlers.reading import plain
from handlers.replay import play
from handlers.scene import Scene
from storage import words
from storage.campaign_file import read_campaign
from storage.people import Tree
from storage.vocabulary import ROLES, Language, Role
from storage.words import Words
from tests.house import CATALOGUES, ROOT, UNITS, SmallGazetteer

HANDLERS = ROOT / "handlers" / "catalogues"
ZALO = 2_000  # characters a message may have there
LONGEST_LABEL = 60
TREE = Tree({unit.id: unit for unit in UNITS})
RECEIPT = "1234567890123456"
CAMPAIGN = read_campaign(ROOT / "campaigns" / "opinion-round.toml")
PULSE = read_campaign(ROOT / "campaigns" / "nine-months.toml")
GIVEN = [
    {},
    {"receipt": RECEIPT, "shown": True},
    {
        "code": "abcd-efgh-2345",
        "role": "officer",
        "unit": "Thanh tra",
        "channel": "Telegram",
    },
    {"text": "lời", "files": []},
    {"listed": [["one", "Một"], ["two", "Hai"]], "ask": "Tổ chức nào?"},
    {"saying": "one", "text": "Lời viết"},
    {"draft": CAMPAIGN.kept()},
    {
        "standing": [["one", "Một"]],
        "templates": [["one", "Một"]],
        "organisations": [["-", "Không"]],
        "unit": "",
        "id": "chat-one",
    },
    *(
        {"round": "r", "campaign": c.kept(), "floor": 10, "heard": [["a", "Ý"]], "preview": False}
        for c in (CAMPAIGN, PULSE)
    ),
]
EVERYBODY: tuple[Role, ...] = ("citizen", *ROLES)
both = pytest.mark.parametrize("language", ["vi", "en"])


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


# -- the two languages say the same -------------------------------------------------------------


def test_both_languages_have_the_same_keys() -> None:
    vi, en = CATALOGUES["vi"].sentences, CATALOGUES["en"].sentences
    assert sorted(vi) == sorted(en)


def test_both_languages_have_the_same_places_to_fill_in() -> None:
    for key, vi in CATALOGUES["vi"].sentences.items():
        en = CATALOGUES["en"].sentences[key]
        assert type(vi) is type(en), key
        if isinstance(vi, str) and isinstance(en, str):
            assert fields(vi) == fields(en), key
            assert all(name.isidentifier() for name in fields(vi)), key
            assert vi.strip() and en.strip(), key


def test_what_a_channel_says_otherwise_takes_the_place_of_words_that_there_are() -> None:
    for spoken in CATALOGUES.values():
        for key in spoken.section("on."):
            _, channel, instead = key.split(".", 2)
            assert fields(spoken(key)) == fields(spoken(instead)), key
            assert spoken.on(channel)(instead) == spoken(key) != spoken(instead)
        assert spoken.on("web")("unclear.kind") == spoken("unclear.kind")


@both
def test_every_text_is_composed_and_clean(language: Language) -> None:
    for key, text in _texts(CATALOGUES[language]):
        assert unicodedata.is_normalized("NFC", text), key
        assert text == text.strip(), key
        assert all(letter.isprintable() or letter == "\n" for letter in text), key


@both
def test_no_text_is_longer_than_zalo_takes(language: Language) -> None:
    assert [key for key, text in _texts(CATALOGUES[language]) if len(text) > ZALO] == []


def _texts(catalogue: Words) -> Iterator[tuple[str, str]]:
    for key, text in catalogue.sentences.items():
        for each in (text,) if isinstance(text, str) else text:
            yield key, each


def test_the_words_of_the_clock_stand_beside_ours_without_clashing() -> None:
    folders = [path.parent for path in ROOT.glob("*/catalogues/vi.toml")]
    assert HANDLERS in folders
    for language in words.LANGUAGES:
        keys = [key for folder in folders for key in words.load(folder)[language].sentences]
        assert len(keys) == len(set(keys))


def test_an_office_replaces_single_sentences(tmp_path: Path) -> None:
    for language in words.LANGUAGES:
        content = '[welcome]\nthanks = "Thanks from {place}"\n'
        (tmp_path / f"{language}.toml").write_text(content)
    replaced = words.load(HANDLERS, tmp_path)["vi"]
    assert replaced("welcome.thanks", place="Huế") == "Thanks from Huế"
    assert replaced("talk.cancelled") == CATALOGUES["vi"]("talk.cancelled")


def test_a_word_that_is_missing_is_named() -> None:
    with pytest.raises(words.WordMissing, match=r"vi: no\.such\.key"):
        CATALOGUES["vi"]("no.such.key")
    with pytest.raises(words.WordMissing, match="a list"):
        CATALOGUES["vi"].all("welcome.thanks")


def test_braces_in_what_a_person_wrote_fill_nothing_in() -> None:
    filled = CATALOGUES["vi"]("place.which", typed="{typed} {0} {x.__class__}")
    assert "{typed} {0} {x.__class__}" in filled


# -- every dialogue has its words ---------------------------------------------------------------


Answered = tuple[tuple[Question[Any], Any], ...]


@cache
def asked() -> dict[tuple[str, str, tuple[str, ...]], tuple[Question[Any], Answered]]:
    """Every question that any dialogue can ask, found by answering at random."""
    dice = random.Random(11)
    found = {}
    for dialogue in dialogues().values():
        for _ in range(300):
            for question, path in _walk(dialogue, dice):
                offered = question.ids if isinstance(question, Choice) else ()
                found[dialogue.name, question.key, offered] = (question, path)
    return found


def _walk(dialogue: Dialogue, dice: random.Random) -> Iterator[tuple[Question[Any], Answered]]:
    answers: dict[str, Any] = {}
    about = About(dice.choice(EVERYBODY), "vi", dice.choice(GIVEN) | {"receipt": RECEIPT})
    while True:
        turn = play(dialogue.script, about, answers)
        if turn.asking is None:
            return
        yield turn.asking, turn.path
        answers[turn.asking.key] = turn.asking.keep(_answer(turn.asking, dice))


def _answer(question: Question[Any], dice: random.Random) -> Any:
    if isinstance(question, Choice):
        return dice.choice(question.ids)
    if isinstance(question, Labelled):
        return dice.choice([one for one, _ in question.listed])
    if isinstance(question, Picked):
        return dice.choice([*question.asked.ids(), "-"])
    if isinstance(question, Several):
        return [one for one, _ in question.listed if dice.random() < 0.5]
    if isinstance(question, Lines):
        return ["Một", "Hai"]
    if isinstance(question, Narrative):
        return Telling("Có nhóm thanh niên", ())
    if isinstance(question, Files):
        return Telling("", ())
    if isinstance(question, Place):
        return Where(words="chợ")
    if isinstance(question, UnitName):
        return dice.choice(["?", *TREE.units])
    if isinstance(question, Digits):
        return RECEIPT
    return dice.choice(["send", "drop"]) if isinstance(question, Review) else "0901 234 567"


@both
def test_every_question_of_every_dialogue_has_its_words(language: Language) -> None:
    assert {name for name, *_ in asked()} == set(dialogues())
    for question, path in asked().values():
        for so_far in (None, _halfway(question)):
            scene = Scene(CATALOGUES[language], SmallGazetteer(), lambda: TREE, so_far, (), path)
            message = question.message(scene)
            assert message.text and len(message.text) <= ZALO
            assert len({option.id for option in message.choices}) == len(message.choices)
            labels = [plain(option.label) for option in message.choices]
            assert len(set(labels)) == len(labels), question.key


def _halfway(question: Question[Any]) -> Any:
    if isinstance(question, Place):
        return {"typed": "ben", "offered": ["79.benthanh", "01.bendo"]}
    if isinstance(question, UnitName):
        return ["ben-thanh"]
    if isinstance(question, Several):
        return [question.listed[0][0]]
    if isinstance(question, Guarded):
        return {"why": "persons", "persons": ["Nguyễn Văn A"], "masked": "[tên]"}
    return ["file-a"] if isinstance(question, Files | Narrative) else None


@both
def test_no_label_is_too_long_for_a_button(language: Language) -> None:
    for question, path in asked().values():
        scene = Scene(CATALOGUES[language], SmallGazetteer(), lambda: TREE, None, (), path)
        for option in question.options(scene):
            assert 0 < len(option.label) <= LONGEST_LABEL, option.label
            assert "\n" not in option.label


@both
def test_every_answer_a_dialogue_keeps_can_be_shown(language: Language) -> None:
    dice = random.Random(3)
    for question, path in asked().values():
        scene = Scene(CATALOGUES[language], SmallGazetteer(), lambda: TREE, None, (), path)
        for _ in range(8):
            assert isinstance(question.show(_answer(question, dice), scene), str)


@both
def test_every_reason_why_not_has_its_words(language: Language) -> None:
    source = (ROOT / "handlers" / "questions.py").read_text()
    reasons = re.findall(r'Unclear\("([a-z_.]+)"', source)
    assert len(reasons) > 10
    assert all(CATALOGUES[language].knows(reason) for reason in reasons)


def test_a_saved_receipt_is_asked_for_with_one_button() -> None:
    question, _ = asked()["receipt", "saved", ("saved",)]
    assert isinstance(question, Saved) and question.ids == ("saved",)


# -- every word is used -------------------------------------------------------------------------

SAID_BY_THE_CODE = (
    (r"commands\.\w+", "handlers/commands.py reads the whole section"),
    (r"ways\.\w+", "handlers/reading.py asks by option or meaning"),
    (r"role\.\w+", "by role"),
    (r"channel\.\w+", "by the name of a channel"),
    (r"case\.state_\w+", "by state"),
    (r"enrol\.joined_\w+", "by role"),
    (r"sent\.\w+", "by legal kind"),
    (r"rights\.purpose_\w+", "by purpose"),
    (r"error\.\w+", "by code, in bot/channels"),
    (r"telegram\.command_\w+", "by command, in handlers/menu.py"),
    (r"round\.(kept|kept_between|twice|closed|not_asked|changed)", "by what became of an answer"),
    (r"guard\.\w+", "by what was seen in a text"),
    (r"passing\.(passed|held)", "by the verdict"),
    (r"prompt\.\w+", "storage/prompting.py says them for two rooms"),
    (r"on\.\w+\..*", "instead of the words they are named after, on one channel"),
    (r"by_number\.\w+", "by how many there are, in handlers/numbering.py"),
)


def test_every_word_of_the_catalogue_is_used_somewhere() -> None:
    source = "\n".join(
        path.read_text()
        for room in ("handlers", "bot", "scheduler")
        for path in (ROOT / room).rglob("*.py")
    )
    options = {
        f"{question.ask}.{part}"
        for question, path in asked().values()
        for part in (*_ids(question, path), "ask", "edit", "name", "send", "drop", "none", "done")
    }
    options |= {"lookup.unclear"}
    unused = [
        key
        for key in CATALOGUES["vi"].sentences
        if key not in options
        and not re.search(f"[\"']{re.escape(key)}[\"']", source)
        and not any(re.fullmatch(pattern, key) for pattern, _ in SAID_BY_THE_CODE)
    ]
    assert unused == []


def _ids(question: Question[Any], path: Answered) -> list[str]:
    scene = Scene(CATALOGUES["vi"], SmallGazetteer(), lambda: TREE, None, (), path)
    return [option.id for option in question.options(scene)]


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("role.", EVERYBODY),
        ("enrol.joined_", ROLES),
        ("case.state_", ("new", "sorting", "passed", "checking", "reopened", "answered", "closed")),
        ("rights.purpose_", ("handle", "machine")),
        (
            "sent.",
            (
                "crime",
                "denunciation",
                "criticism",
                "praise",
                "proposal",
                "difficulty",
                "reflection",
            ),
        ),
    ],
)
def test_every_name_the_code_fills_in_has_its_word_and_no_other(
    prefix: str, names: tuple[str, ...]
) -> None:
    known = {key.removeprefix(prefix) for key in CATALOGUES["vi"].section(prefix)}
    assert known == set(names)


def test_every_error_of_the_web_api_has_its_sentence() -> None:
    documented = re.findall(r"^\| \d{3} \| `(\w+)`", (ROOT / "docs/chat-api.md").read_text(), re.M)
    known = {key.removeprefix("error.") for key in CATALOGUES["vi"].section("error.")}
    assert known == set(documented)


# -- commands -----------------------------------------------------------------------------------


def test_no_command_is_typed_like_another() -> None:
    said: dict[str, str] = {}
    for catalogue in CATALOGUES.values():
        for key in catalogue.section("commands."):
            for way in catalogue.all(key):
                typed = way if way.startswith("/") else plain(way)
                assert said.setdefault(typed, key) == key, way


@both
def test_every_command_named_in_a_sentence_is_known(language: Language) -> None:
    known = {
        way
        for catalogue in CATALOGUES.values()
        for key in catalogue.section("commands.")
        for way in catalogue.all(key)
    }
    for key, text in _texts(CATALOGUES[language]):
        for slashed in re.findall(r"(?<![\w/])/[a-z]{2,}", text):
            assert slashed in known, (key, slashed)
