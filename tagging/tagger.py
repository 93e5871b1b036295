"""Topic, sentiment and urgency of a message, how sure that is, and the words that say so."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tagging.emergency import Emergency
from tagging.features import features, origin
from tagging.model import FILE, Axis, Model, Reading, Scores
from tagging.words import PAUSES, Words, read

_AT_ONCE = 128  # messages; numpy is worth its calls from some dozens on
_MOST_REASONS = 4
_NEXT_TO_BEST = 0.25  # a reason weighs at least this part of the weightiest one
_VARIETY = 20  # words; a message as long as this has more than two different ones


@dataclass(frozen=True)
class Tags:
    """The tags of one message. `sure` is false where people should see "chưa rõ".

    `confidence` is, by axis, the probability (0 to 1) that the tag is right; `reasons` are, by
    axis, the words that caused the tag, as they stand in the message, weightiest first.
    """

    topic: str
    also: tuple[str, ...]
    sentiment: str
    urgency: str
    confidence: dict[str, float]
    sure: bool
    reasons: dict[str, tuple[str, ...]]


UNREADABLE = Tags(
    topic="other",
    also=(),
    sentiment="neutral",
    urgency="routine",
    confidence={"topic": 0.0, "sentiment": 0.0, "urgency": 0.0},
    sure=False,
    reasons={"topic": (), "sentiment": (), "urgency": ()},
)


class _Choice(NamedTuple):
    """What was chosen on one axis; `best` is the place of the label among its labels."""

    axis: Axis
    best: int
    label: str
    confidence: float
    also: tuple[str, ...]


class Tagger:
    """The trained model and the emergency rules together; loaded once, safe to share."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._emergency = Emergency.load()

    @classmethod
    def load(cls, folder: Path) -> "Tagger":
        """The tagger whose model lies in `folder`; raises `model.NoModel`, `model.BrokenModel`."""
        tagger = cls(Model.load(folder))
        tagger.tag("warm up")
        return tagger

    @property
    def until(self) -> str:
        """Before which day's corrections it has learned (ISO); empty where from none."""
        return self._model.until

    @property
    def best(self) -> float:
        """The best mean F1 on held-out messages of the models it was learned after, or 0."""
        return self._model.best

    def tag(self, text: str) -> Tags:
        """The tags of `text`, whatever it holds; of a long one the first 4,000 characters count."""
        (tags,) = self._tagged([text])
        return tags

    def tag_many(self, texts: Iterable[str]) -> list[Tags]:
        """The tags of each text, in order."""
        rest, tags = iter(texts), list[Tags]()
        while block := list(islice(rest, _AT_ONCE)):
            tags += self._tagged(block)
        return tags

    def _tagged(self, texts: list[str]) -> list[Tags]:
        """The tags of each text, reckoned for all of them at once."""
        words = list(map(read, texts))
        told = list(map(self._emergency.told, words))
        danger = list(map(bool, told))
        reading = self._model.read(map(features, words, danger))
        scores = zip(self._model.axes, self._model.scores(reading), strict=True)
        chosen = list(zip(*(_choices(*each, danger) for each in scores), strict=True))
        whole = zip(words, told, chosen, self._heaviest(reading, chosen), strict=True)
        return [_tags(*each) if self._readable(each[0]) else UNREADABLE for each in whole]

    def _heaviest(
        self, reading: Reading, chosen: list[tuple[_Choice, ...]]
    ) -> list[list[list[int]]]:
        """For each message and axis the places of what says most for the label chosen."""
        first = [self._model.column(axis, 0) for axis in range(len(self._model.axes))]
        columns = np.array([[one.best for one in own] for own in chosen]) + np.array(first)
        return self._model.weightiest(reading, columns, 2 * _MOST_REASONS, _NEXT_TO_BEST)

    def _readable(self, words: Words) -> bool:
        """Whether `words` are language the model has met, and not one word over and over."""
        different = set(words.folded)
        different -= PAUSES
        known = self._model.known(different)
        wall = len(different) < 3 and len(words.folded) >= _VARIETY
        return known > 0 and known * 4 >= len(different) and not wall


class TaggerInUse:
    """The tagger of a running program: `look` picks up a model that was put into the folder.

    Raises `model.NoModel`, `model.BrokenModel` when it is made; later the old model stays.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._stamp = self._stamped()
        self._tagger = Tagger.load(folder)

    def tag(self, text: str) -> Tags:
        """The tags of `text` by the model in use now."""
        return self._tagger.tag(text)

    def look(self) -> bool:
        """Whether another model lies there; then it is in use from now on.

        Raises `model.NoModel`, `model.BrokenModel`, and tries no more until the file changes.
        """
        stamp = self._stamped()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        self._tagger = Tagger.load(self._path.parent)
        return True

    def _stamped(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return 0, 0, 0
        return found.st_ino, found.st_mtime_ns, found.st_size


def _choices(axis: Axis, scores: Scores, danger: list[bool]) -> list[_Choice]:
    """What is chosen for each message on an axis; in some, danger was heard."""
    chances, numbers = axis.confidence(scores), np.arange(len(scores))
    best = chances.argmax(axis=1)
    if "emergency" in axis.labels:
        at = axis.labels.index("emergency")
        alarm = np.where(danger, min(axis.alarm, axis.heard), axis.alarm)
        best[(alarm < 1) & (chances[:, at] >= alarm)] = at
    confidence = chances[numbers, best].tolist()
    likely = chances >= axis.also
    likely[numbers, best] = False
    also: list[tuple[str, ...]] = [()] * len(scores)
    messages, labels = np.nonzero(likely)
    ranked = np.lexsort((-chances[messages, labels], messages))
    for message, label in zip(messages[ranked].tolist(), labels[ranked].tolist(), strict=True):
        also[message] += (axis.labels[label],)
    return [
        _Choice(axis, at, axis.labels[at], round(chance, 3), others)
        for at, chance, others in zip(best.tolist(), confidence, also, strict=True)
    ]


def _tags(
    words: Words, told: tuple[str, ...], chosen: tuple[_Choice, ...], why: Sequence[list[int]]
) -> Tags:
    """The tags of a message: what the word rules heard, and what the model chose by what words."""
    topic, sentiment, urgency = chosen
    reasons = {one.axis.name: _said(words, own) for one, own in zip(chosen, why, strict=True)}
    if urgency.label == "emergency" and told:
        reasons["urgency"] = told
    return Tags(
        topic=topic.label,
        also=topic.also,
        sentiment=sentiment.label,
        urgency=urgency.label,
        confidence={one.axis.name: one.confidence for one in chosen},
        sure=topic.confidence >= topic.axis.sure,
        reasons=reasons,
    )


def _said(words: Words, places: list[int]) -> tuple[str, ...]:
    """The words that these features came from, as they stand in the message."""
    said: list[str] = []
    whole = ""
    for place in places:
        if (came := origin(place, words)) and (text := words.between(*came)) not in whole:
            said = [one for one in said if one not in text]
            said.append(text)
            if len(said) == _MOST_REASONS:
                break
            whole = " ".join(said)
    return tuple(said)
