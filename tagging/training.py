"""Training: from the messages and the lexicon of this folder to the model that `Tagger` loads."""

import os
import random
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import underthesea_core

from tagging import gazetteer, taxonomy, weights
from tagging.augment import bare, noisy
from tagging.calibration import Judged, calibrated
from tagging.corpus import Message, training_messages
from tagging.emergency import Emergency
from tagging.features import features
from tagging.lexicon import phrases
from tagging.model import FILE, Model, packed
from tagging.words import read

_SEED = 20250701
_PENALTY = 0.5  # C of the support vector machine
_RARE = 2  # documents; what stands in fewer is not learned
_FOLDS = 3
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

    found: list[str]
    label: str


def train(folder: Path, extra: Sequence[Message] = ()) -> TrainingResult:
    """Learn from the messages of the repository and from `extra`; write the model to `folder`.

    The files are written beside and renamed, so that who loads meanwhile gets old or new.
    """
    began = perf_counter()
    learned = [*training_messages(), *extra]
    model = fitted(learned)
    folder.mkdir(parents=True, exist_ok=True)
    size = _save(model, folder / FILE)
    gazetteer.build(folder)
    return TrainingResult(len(learned), model.size, size, perf_counter() - began)


def fitted(learned: Sequence[Message]) -> Model:
    """The calibrated model of `learned`; the same messages give the same predictions."""
    copies = [_copies(message, random.Random(_SEED + at)) for at, message in enumerate(learned)]
    spoken = {axis: list(_spoken_for(axis)) for axis in taxonomy.AXES}
    judged: dict[str, list[Judged]] = {axis: [] for axis in taxonomy.AXES}
    for fold in range(_FOLDS):
        kept = [at for at in range(len(learned)) if at % _FOLDS != fold]
        model = _fit([learned[at] for at in kept], [copies[at] for at in kept], spoken)
        for at in range(fold, len(learned), _FOLDS):
            for found in copies[at][:2]:
                _judge(judged, model, found, learned[at])
    model = _fit(learned, copies, spoken)
    return model.calibrated(tuple(calibrated(axis, judged[axis.name]) for axis in model.axes))


def _copies(message: Message, chance: random.Random) -> list[list[str]]:
    """The features of a message as written, without marks, and both as typed in haste."""
    text = message.text
    texts = (text, bare(text), noisy(text, chance), bare(noisy(text, chance)))
    return [looked_at(copy) for copy in texts]


def looked_at(text: str) -> list[str]:
    """The features of `text`."""
    words = read(text)
    return list(features(words, bool(Emergency.load().told(words))))


def _judge(
    judged: dict[str, list[Judged]], model: Model, found: list[str], message: Message
) -> None:
    scores = model.scores(model.read(found))
    for axis, own in zip(model.axes, scores, strict=True):
        also = message.also if axis.name == "topic" else ()
        judged[axis.name].append(Judged(own, message.label(axis.name), also))


def _fit(
    learned: Sequence[Message], copies: Sequence[list[list[str]]], spoken: dict[str, list[Document]]
) -> Model:
    """The model of all axes, not calibrated."""
    axes, order = {}, {}
    for axis in taxonomy.AXES:
        documents = [
            Document(found, message.label(axis))
            for message, ways in zip(learned, copies, strict=True)
            for found in ways
        ]
        axes[axis] = _weights([*documents, *spoken[axis]])
        order[axis] = taxonomy.load().ids(axis)
    return packed(axes, order)


def _spoken_for(axis: str) -> Iterable[Document]:
    """The lexicon as the shortest of messages, with and without marks."""
    for phrase, label, weight in phrases(axis):
        for text in (phrase, bare(phrase)):
            found = [name for name in looked_at(text) if not name.startswith("^")]
            yield from [Document(found, label)] * _OFTEN[weight]


def _weights(documents: Sequence[Document]) -> weights.Weights:
    """The weights that underthesea's trained core finds for `documents`."""
    classifier = underthesea_core.TextClassifier(
        max_features=1 << 20, ngram_range=(1, 1), min_df=_RARE, c=_PENALTY
    )
    texts = [" ".join(document.found) for document in documents]
    classifier.fit(texts, [document.label for document in documents])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "classifier")
        classifier.save(str(path))
        read = weights.read(path)
    for text, document in list(zip(texts, documents, strict=True))[:_CHECKED]:
        read.check(document.found, *classifier.predict_with_score(text))
    return read


def _save(model: Model, path: Path) -> int:
    """Write beside, then rename; gives the size in bytes."""
    beside = path.with_suffix(f".{os.getpid()}")
    model.save(beside)
    beside.replace(path)
    return path.stat().st_size
