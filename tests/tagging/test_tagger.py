from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagging import taxonomy
from tagging.corpus import training_messages
from tagging.model import FILE, BrokenModel, Model, NoModel
from tagging.tagger import UNREADABLE, Tagger
from tagging.training import TrainingResult, fitted, samples

RUBBISH = [
    "",
    "   \n\t ",
    "😀😀😀🔥",
    "aGVsbG8gd29ybGQgdGhpcyBpcyBhIHRlc3QgYmFzZTY0IHRleHQ=",
    "你好我想报警这里有人打架",
    "a " * 500_000,
    "x" * 1_000_000,
    "\u202e\u200b\x00\ud800",
]


@pytest.mark.parametrize("text", RUBBISH, ids=range(len(RUBBISH)))
def test_rubbish_is_other_and_never_sure(tagger: Tagger, text: str) -> None:
    tags = tagger.tag(text)
    assert (tags.topic, tags.sure) == ("other", False)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("co nhom thanh nien hut chich ma tuy sau cho", "drugs"),
        ("đêm qua nhà tôi bị trộm bẻ khóa lấy mất xe máy", "theft"),
        ("toi bi goi dien lua chuyen tien", "fraud"),
        ("karaoke loa kẹo kéo ồn quá không ngủ được", "disorder"),
        ("cho hỏi làm căn cước cần mang giấy tờ gì", "paperwork"),
        ("csgt doi tien khong lap bien ban", "misconduct"),
    ],
)
def test_plain_matters_are_told_apart(tagger: Tagger, text: str, topic: str) -> None:
    assert tagger.tag(text).topic == topic


def test_reasons_are_words_of_the_message_as_they_stand_there(tagger: Tagger) -> None:
    text = "Tối nào TỤI NÓ cũng   hút chích,\nbơm kim tiêm vứt đầy đường"
    tags = tagger.tag(text)
    assert tags.topic == "drugs"
    assert tags.reasons["topic"]
    assert all(reason in text for reasons in tags.reasons.values() for reason in reasons)


def test_danger_makes_an_emergency_and_says_why(tagger: Tagger) -> None:
    tags = tagger.tag("chay nha roi co nguoi mac ket cuu voi")
    assert tags.urgency == "emergency"
    assert "cuu voi" in tags.reasons["urgency"]


def test_thanks_are_praise_and_anger_is_criticism(tagger: Tagger) -> None:
    assert tagger.tag("cảm ơn các anh công an rất nhiệt tình").sentiment == "praise"
    assert tagger.tag("cán bộ hách dịch, quá bức xúc, không ai xử lý").sentiment == "criticism"


def test_a_batch_gets_the_tags_of_its_messages_in_order(tagger: Tagger) -> None:
    texts = ["mất xe máy", "", "cảm ơn", "đá gà ăn tiền", "?!", "qwrtp zzz", "x" * 5000]
    texts += [message.text for message in training_messages()[::15]]  # more than one block
    assert tagger.tag_many(texts) == [tagger.tag(text) for text in texts]
    assert tagger.tag_many(texts)[1] == UNREADABLE


def test_training_writes_a_small_model(trained: TrainingResult, model_folder: Path) -> None:
    written = sum(path.stat().st_size for path in model_folder.iterdir())
    assert written < 20_000_000
    assert trained.messages == len(training_messages())
    assert {path.name for path in model_folder.iterdir()} == {FILE, "places.json"}


def test_the_same_messages_give_the_same_predictions() -> None:
    some = samples(training_messages()[::20])
    texts = [message.text for message in training_messages()[1::40]]
    once, again = (Tagger(fitted(some).model).tag_many(texts) for _ in range(2))
    for one, other in zip(once, again, strict=True):
        assert replace(one, confidence={}) == replace(other, confidence={})
        assert one.confidence == pytest.approx(other.confidence, abs=0.01)


def test_the_model_knows_every_label_of_the_taxonomy(tagger: Tagger, model_folder: Path) -> None:
    for axis in Model.load(model_folder).axes:
        assert axis.labels == taxonomy.load().ids(axis.name)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoModel, match=str(tmp_path)):
        Tagger.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}\n", b'{"shape": 99}\nabc', b"\xff\xfe\n"])
def test_a_damaged_model_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(BrokenModel):
        Tagger.load(tmp_path)


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=()), max_size=400))
def test_every_text_gets_tags(tagger: Tagger, text: str) -> None:
    tags = tagger.tag(text)
    assert tags.topic in taxonomy.load().ids("topic")
    assert all(0 <= one <= 1 for one in tags.confidence.values())
    assert tags.topic not in tags.also
