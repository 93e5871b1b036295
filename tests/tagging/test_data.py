import tomllib
from collections import Counter
from pathlib import Path

import pytest

import tagging
from tagging import taxonomy
from tagging.corpus import BadMessage, Message, heldout_messages, messages, training_messages
from tagging.lexicon import phrases
from tagging.matcher import Matcher
from tagging.taxonomy import UnknownLabel
from tagging.words import read

HERE = Path(tagging.__file__).parent


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_label_has_a_name(language: str) -> None:
    labels = taxonomy.load()
    for axis in taxonomy.AXES:
        assert all(labels.label(axis, id, language) for id in labels.ids(axis))


def test_an_unknown_label_is_named() -> None:
    with pytest.raises(UnknownLabel, match="nonsense"):
        taxonomy.load().label("topic", "nonsense", "vi")


def _unknown(message: Message) -> bool:
    known = taxonomy.load()
    single = any(message.label(axis) not in known.ids(axis) for axis in taxonomy.AXES)
    return single or bool(set(message.also) - set(known.ids("topic")))


def test_every_message_bears_labels_of_the_taxonomy() -> None:
    assert [one for one in (*training_messages(), *heldout_messages()) if _unknown(one)] == []


def test_every_topic_has_messages_to_learn_from_and_to_measure_with() -> None:
    learned = Counter(message.topic for message in training_messages())
    measured = Counter(message.topic for message in heldout_messages())
    for topic in taxonomy.load().ids("topic"):
        assert learned[topic] >= 150
        assert measured[topic] >= 25


def test_no_heldout_message_is_learned_from() -> None:
    learned = {message.text for message in training_messages()}
    assert [one.text for one in heldout_messages() if one.text in learned] == []


def test_the_lexicon_speaks_for_labels_of_the_taxonomy_alone() -> None:
    for axis in taxonomy.AXES:
        assert {label for _, label, _ in phrases(axis)} <= set(taxonomy.load().ids(axis))


def test_the_emergency_words_are_listed_by_known_grades() -> None:
    grades = tomllib.loads((HERE / "emergency.toml").read_text(encoding="utf-8"))
    assert set(grades) == {"alone", "danger", "now", "urge", "over", "never", "calm"}


def test_a_broken_line_of_messages_is_named(tmp_path: Path) -> None:
    path = tmp_path / "drugs.jsonl"
    path.write_text('{"text": "a"}\n', encoding="utf-8")
    with pytest.raises(BadMessage, match=r"drugs\.jsonl:1"):
        list(messages(path))


@pytest.mark.parametrize(
    ("phrase", "text", "matches"),
    [
        ("chơi đá", "tối nào cũng choi da", True),
        ("chơi đá", "CHƠI ĐÁ", True),
        ("chơi đá", "chơi dạ tiệc", False),
        ("=máu", "đến mau", False),
        ("danh nhau", "đánh nhau", True),
        ("rút * dao", "rút ngay con dao", True),
        ("rút * dao", "rút tiền. Con dao", False),
        ("đánh tôi", "chưa đánh, tôi báo", False),
    ],
)
def test_phrases_match_by_their_marks(phrase: str, text: str, matches: bool) -> None:
    assert bool(Matcher([(phrase, 1)]).found(read(text))) is matches
