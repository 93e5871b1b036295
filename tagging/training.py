"""Training: from the messages and the lexicon of this folder to the model that `Tagger` loads."""

import os
import random
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import underthesea_core

from tagging import gazetteer, taxonomy, weights
from tagging.augment import bare, noisy
from tagging.calibration import Judged, calibrated
from tagging.corpus import Message, training_messages
from tagging.emergency import Emergency
from tagging.features import DANGER, Feature, features, written
from tagging.leaning import leaned
from tagging.lexicon import phrases
from tagging.model import BEFORE, FILE, Axis, Model, packed
from tagging.words import START, read

_SEED = 20250701
# C of the support vector machine, by axis: the best in cross-validation over our own messages.
_PENALTY = {"topic": 0.5, "sentiment": 1.0, "urgency": 1.0}
_LEANING = {
    "topic": 0.05,
    "sentiment": 0.2,
    "urgency": 0.2,
}  # see leaning.py; found in the same way
_RARE = 2  # documents; what stands in fewer is not learned
FOLDS = 3
_OFTEN = {1: 1, 2: 1, 3: 2}  # how many times a phrase of the lexicon is learned, by its weight
_CHECKED = 200  # documents on which the weights read are held against the classifier itself


@dataclass(frozen=True)
class TrainingResult:
    """What training made: how many messages went in, what came out, how long it took."""

    messages: int
    features: int
    bytes: int
    seconds: float


@dataclass(frozen=True)
class Document:
    """What is learned from: the features of a text and its label on one axis."""

    found: list[Feature]
    label: str


@dataclass(frozen=True)
class Sample:
    """A message to learn from: the features of its copies, the first two not typed in haste.

    Samples of one `fold` (0 to 2) are judged by a model that has seen none of them.
    """

    message: Message
    copies: list[list[Feature]]
    fold: int


@dataclass(frozen=True)
class Fitted:
    """A calibrated model, and what calibration has added to its biases, axis after axis."""

    model: Model
    shifts: tuple[tuple[float, ...], ...]


def train(folder: Path) -> TrainingResult:
    """Learn from the messages of the repository; write the model to `folder`.

    The files are written beside and renamed, so that who loads meanwhile gets old or new.
    """
    began = perf_counter()
    learned = samples(training_messages())
    model = fitted(learned).model
    folder.mkdir(parents=True, exist_ok=True)
    size = save(model, folder)
    gazetteer.build(folder)
    return TrainingResult(len(learned), model.size, size, perf_counter() - began)


def samples(messages: Sequence[Message]) -> list[Sample]:
    """The messages with their copies; the same ones give the same copies."""
    return [
        Sample(message, copies(message.text, at), at % FOLDS) for at, message in enumerate(messages)
    ]


def copies(text: str, number: int) -> list[list[Feature]]:
    """The features of a text as written, without marks, and both as typed in haste."""
    chance = random.Random(_SEED + number)
    texts = (text, bare(text), noisy(text, chance), bare(noisy(text, chance)))
    return [looked_at(copy) for copy in texts]


def spoken() -> dict[str, list[Document]]:
    """The lexicon as documents, by axis."""
    return {axis: list(_spoken_for(axis)) for axis in taxonomy.AXES}


def fitted(learned: Sequence[Sample]) -> Fitted:
    """The calibrated model of `learned`; the same samples give the same predictions."""
    lexicon = spoken()
    judged: dict[str, list[Judged]] = {axis: [] for axis in taxonomy.AXES}
    for fold in range(FOLDS):
        model = _fit([one for one in learned if one.fold != fold], lexicon)
        for one in learned:
            if one.fold == fold:
                _judge(judged, model, one)
    model = _fit(learned, lexicon)
    axes = tuple(calibrated(axis, judged[axis.name]) for axis in model.axes)
    shifts = tuple(map(_shift, model.axes, axes))
    return Fitted(model.calibrated(axes), shifts)


def fitted_as(other: Fitted, learned: Sequence[Sample]) -> Model:
    """The model of `learned` with the calibration of another: what it would be without some."""
    model = _fit(learned, spoken())
    axes = tuple(map(_with_calibration_of, other.model.axes, model.axes, other.shifts))
    return model.calibrated(axes)


def looked_at(text: str) -> list[Feature]:
    """The features of `text`, each once."""
    words = read(text)
    return list(dict.fromkeys(features(words, bool(Emergency.load().told(words)))))


def _judge(judged: dict[str, list[Judged]], model: Model, sample: Sample) -> None:
    looked = sample.copies[:2]
    for axis, scores in zip(model.axes, model.scores(model.read(looked)), strict=True):
        also = sample.message.also if axis.name == "topic" else ()
        if label := sample.message.label(axis.name):
            for own, found in zip(scores.tolist(), looked, strict=True):
                judged[axis.name].append(Judged(own, label, also, DANGER in found))


def _shift(before: Axis, after: Axis) -> tuple[float, ...]:
    return tuple(b - a for a, b in zip(before.bias, after.bias, strict=True))


def _with_calibration_of(other: Axis, own: Axis, shifts: Sequence[float]) -> Axis:
    bias = tuple(a + b for a, b in zip(own.bias, shifts, strict=True))
    return replace(other, scale=own.scale, bias=bias)


def _fit(learned: Sequence[Sample], lexicon: dict[str, list[Document]]) -> Model:
    """The model of all axes, not calibrated."""
    axes, order = {}, {}
    for axis in taxonomy.AXES:
        documents = [
            Document(found, label)
            for sample in learned
            if (label := sample.message.label(axis))
            for found in sample.copies
        ]
        documents += lexicon[axis]
        own = weights_of(documents, _PENALTY[axis])
        counted = ((document.found, document.label) for document in documents)
        axes[axis] = leaned(own, counted, _LEANING[axis])
        order[axis] = taxonomy.load().ids(axis)
    return packed(axes, order)


def _spoken_for(axis: str) -> Iterable[Document]:
    """The lexicon as the shortest of messages, with and without marks."""
    for phrase, label, weight in phrases(axis):
        for text in (phrase, bare(phrase)):
            found = [feature for feature in looked_at(text) if feature[0] != START]
            yield from [Document(found, label)] * _OFTEN[weight]


def weights_of(documents: Sequence[Document], penalty: float) -> weights.Weights:
    """The weights that underthesea's trained core finds for `documents`."""
    classifier = underthesea_core.TextClassifier(
        max_features=1 << 20, ngram_range=(1, 1), min_df=_RARE, c=penalty
    )
    texts = [" ".join(map(written, document.found)) for document in documents]
    classifier.fit(texts, [document.label for document in documents])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "classifier")
        classifier.save(str(path))
        read = weights.read(path)
    for text, document in list(zip(texts, documents, strict=True))[:_CHECKED]:
        read.check(document.found, *classifier.predict_with_score(text))
    return read


def save(model: Model, folder: Path) -> int:
    """Write beside, then rename; what was in use is kept. Gives the size in bytes."""
    path = folder / FILE
    beside = folder / f"{FILE}.{os.getpid()}"
    model.save(beside)
    if path.is_file():
        shutil.copyfile(path, folder / f"{BEFORE}.{os.getpid()}")
        (folder / f"{BEFORE}.{os.getpid()}").replace(folder / BEFORE)
    beside.replace(path)
    return path.stat().st_size
