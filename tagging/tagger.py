"""Topic, sentiment and urgency of a message, how sure that is, and the words that say so."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tagging.emergency import Emergency
from tagging.features import features, origin
from tagging.model import FILE, Axis, Model, Reading
from tagging.words import PAUSES, Words, read

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
        words = read(text)
        told = self._emergency.told(words)
        reading = self._model.read(features(words, bool(told)))
        if not self._readable(words):
            return UNREADABLE
        scores = self._model.scores(reading)
        chosen = [_choice(*each, bool(told)) for each in zip(self._model.axes, scores, strict=True)]
        reasons = {
            one.axis.name: _reasons(words, reading, self._model.column(at, one.best))
            for at, one in enumerate(chosen)
        }
        topic, sentiment, urgency = chosen
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

    def tag_many(self, texts: Iterable[str]) -> list[Tags]:
        """The tags of each text, in order."""
        return [self.tag(text) for text in texts]

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


class _Choice(NamedTuple):
    """What was chosen on one axis; `best` is the place of the label among its labels."""

    axis: Axis
    best: int
    label: str
    confidence: float
    also: tuple[str, ...]


def _choice(axis: Axis, scores: list[float], told: bool) -> _Choice:
    chances = axis.confidence(scores)
    best = chances.index(max(chances))
    alarm = min(axis.alarm, axis.heard) if told else axis.alarm
    if alarm < 1 and chances[axis.labels.index("emergency")] >= alarm:
        best = axis.labels.index("emergency")
    likely = [(-chance, at) for at, chance in enumerate(chances) if chance >= axis.also]
    also = tuple([axis.labels[at] for _, at in sorted(likely) if at != best]) if likely else ()
    return _Choice(axis, best, axis.labels[best], round(chances[best], 3), also)


def _reasons(words: Words, reading: Reading, column: int) -> tuple[str, ...]:
    """The words that say most for the label whose weights stand in `column`."""
    said: list[str] = []
    for feature in reading.weightiest(column, 2 * _MOST_REASONS, _NEXT_TO_BEST):
        if not (came := origin(feature, words)):
            continue
        text = words.between(*came)
        if text not in " ".join(said):
            said = [one for one in said if one not in text]
            said.append(text)
            if len(said) == _MOST_REASONS:
                break
    return tuple(said)
