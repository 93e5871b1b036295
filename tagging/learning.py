"""Learning from corrections: a new model beside the one in use, taken only if it does better.

It happens in a process of its own, which is nice to all others: `learn` starts `python -m
tagging.learning`, hands it the corrected texts as JSON on standard input and reads from its output
what came of it. The texts are never written; of their words only those get into the model's file
that stand in our own messages too, or in several different reports (see `_shared`).
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tagging import taxonomy
from tagging.alike import grouped
from tagging.corpus import Message, heldout_messages, training_messages
from tagging.evaluation import Evaluation, evaluated
from tagging.features import Feature, written
from tagging.masks import found
from tagging.model import BEFORE, FILE, Model
from tagging.tagger import Tagger
from tagging.training import (
    FOLDS,
    Fitted,
    Sample,
    copies,
    fitted,
    fitted_as,
    samples,
    save,
    spoken,
)

SEVERAL = 5  # different reports in which a word stands before it may be kept in the model's file
_SLACK = 0.005  # of the mean F1 on held-out messages; less is chance
_SLACK_OF_EMERGENCIES = 0.02  # of their recall; about two messages
_EMERGENCIES = 0.93  # the recall under which none may fall that was above it
_PATIENCE = 900  # seconds
_NICE = 15


class LearningFailed(RuntimeError):
    """The process that learns did not end well; its last line is given, never a text."""


@dataclass(frozen=True)
class Correction:
    """A text with the labels people gave it; an axis nobody spoke of has the label "".

    `on` is the day of the newest correction, ISO.
    """

    text: str
    topic: str
    also: tuple[str, ...]
    sentiment: str
    urgency: str
    on: str


@dataclass(frozen=True)
class Lesson:
    """What came of learning: whether the new model was taken, and how both did (0 to 1).

    `heldout_*` is the mean of the macro-F1 of the three axes over the held-out messages, with
    and without marks; `recent_*` the share of right labels on the corrections that the model in
    use has not learned from, judged by models that have not seen them. `texts` were learned.
    """

    taken: bool
    texts: int
    heldout_old: float
    heldout_new: float
    recent_old: float
    recent_new: float


def learn(
    folder: Path, corrections: Sequence[Correction], until: str, several: int = SEVERAL
) -> Lesson:
    """Learn from `corrections`, all those made before the day `until`, and take what is better.

    The model that was in use stays in the folder for `back`. `several` is never less than 5.
    Raises `LearningFailed`.
    """
    asked = {
        "folder": str(folder),
        "corrections": [asdict(one) for one in corrections],
        "until": until,
        "several": max(several, SEVERAL),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tagging.learning"],
            input=json.dumps(asked).encode("ascii"),
            capture_output=True,
            cwd=Path(__file__).parent.parent,
            timeout=_PATIENCE,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines() or ["no word of why"]
        raise LearningFailed(said[-1].partition(":")[0]) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LearningFailed(type(error).__name__) from None
    return Lesson(**json.loads(done.stdout))


@dataclass(frozen=True)
class School:
    """Where the model of an installation lies, and how it learns (for those who hand it on)."""

    folder: Path

    def learn(self, corrections: Sequence[Correction], until: str, several: int) -> Lesson:
        """See `learn`."""
        return learn(self.folder, corrections, until, several)


def back(folder: Path) -> None:
    """Put the model that was in use before back into use; the other one takes its place.

    Raises `NoModel` where there is none, `BrokenModel` where it cannot be read.
    """
    Model.load(folder, BEFORE)
    aside = folder / f"{FILE}.{os.getpid()}"
    shutil.copyfile(folder / FILE, aside)
    (folder / BEFORE).replace(folder / FILE)
    aside.replace(folder / BEFORE)


def learned(
    folder: Path,
    corrections: Sequence[Correction],
    until: str,
    messages: Sequence[Message],
    several: int = SEVERAL,
) -> Lesson:
    """`learn`, in this process: the work of the child; `messages` are our own."""
    used, own = Tagger.load(folder), samples(messages)
    theirs = _samples(corrections, own, several)
    new = fitted([*own, *theirs])
    recent = [one for one in corrections if not used.until or one.on >= used.until]
    old_score, new_score = _heldout(used), _heldout(Tagger(new.model))
    best = max(used.best, _mean(old_score))
    recent_old = _right(_said(used, one) for one in recent)
    recent_new = _right(_unseen(new, own, corrections, theirs, recent))
    taken = _as_good(old_score, new_score, best) and recent_new > recent_old
    if taken:
        save(new.model.taught(until, max(best, _mean(new_score))), folder)
    return Lesson(
        taken, len(corrections), _mean(old_score), _mean(new_score), recent_old, recent_new
    )


def _unseen(
    new: Fitted,
    own: Sequence[Sample],
    corrections: Sequence[Correction],
    theirs: Sequence[Sample],
    recent: Sequence[Correction],
) -> Iterator[list[bool]]:
    """How recent corrections are labelled by models that are as the new one, but without them."""
    wanted = set(recent)
    for fold in range(FOLDS):
        part = [one for one, at in zip(corrections, theirs, strict=True) if at.fold == fold]
        asked = [one for one in part if one in wanted]
        if asked:
            others = [each for each in theirs if each.fold != fold]
            tagger = Tagger(fitted_as(new, [*own, *others]))
            yield from (_said(tagger, one) for one in asked)


def _samples(
    corrections: Sequence[Correction], own: Sequence[Sample], several: int
) -> list[Sample]:
    """The corrections as samples, of their features only those that may be kept."""
    texts = [_unnamed(one.text) for one in corrections]
    groups = grouped(texts)  # near-copies: one voice, and judged by a model that saw none of them
    looks = [copies(text, len(own) + at) for at, text in enumerate(texts)]
    kept = _ours(own) | _shared(looks, groups, several)
    return [
        Sample(
            Message("", one.topic, one.also, one.sentiment, one.urgency, "corrected"),
            [[name for name in look if name in kept] for look in looks[at]],
            groups[at] % FOLDS,
        )
        for at, one in enumerate(corrections)
    ]


def _unnamed(text: str) -> str:
    """`text` without what points to a person: it must not be learned, however often it is said."""
    for hit in reversed(found(text)):
        text = f"{text[: hit.start]}, {text[hit.end :]}"
    return text


def _ours(own: Iterable[Sample]) -> set[Feature]:
    """The features that our own messages and the lexicon have."""
    known = {feature for one in own for look in one.copies for feature in look}
    known.update(one for axis in spoken().values() for each in axis for one in each.found)
    return known


def _shared(
    looks: Sequence[list[list[Feature]]], groups: Sequence[int], several: int
) -> set[Feature]:
    """The features that stand in several different reports, and hold no digit."""
    voices: dict[int, set[Feature]] = {}
    for look, group in zip(looks, groups, strict=True):
        voices.setdefault(group, set()).update(*look[:2])
    counts = Counter(feature for features in voices.values() for feature in features)
    often = (feature for feature, n in counts.items() if n >= several)
    return {feature for feature in often if not any(map(str.isdigit, written(feature)))}


def _heldout(tagger: Tagger) -> tuple[Evaluation, Evaluation]:
    messages = heldout_messages()
    return evaluated(tagger, messages), evaluated(tagger, messages, bare=True)


def _mean(both: Iterable[Evaluation]) -> float:
    figures = [axis.macro_f1 for one in both for axis in one.axes.values()]
    return sum(figures) / len(figures)


def _as_good(
    old: tuple[Evaluation, Evaluation], new: tuple[Evaluation, Evaluation], best: float
) -> bool:
    """Whether nothing is lost on the held-out messages, least of all an emergency.

    `best` is what any model before has reached, so that small losses do not add up.
    """
    before, after = (sum(_emergencies(one) for one in both) / 2 for both in (old, new))
    caught = after >= min(before, _EMERGENCIES) and after >= before - _SLACK_OF_EMERGENCIES
    return caught and _mean(new) >= best - _SLACK


def _emergencies(evaluation: Evaluation) -> float:
    scores = evaluation.axes["urgency"].scores
    return next(score.recall for score in scores if score.label == "emergency")


def _said(tagger: Tagger, one: Correction) -> list[bool]:
    tags = tagger.tag(one.text)
    said = {"topic": tags.topic, "sentiment": tags.sentiment, "urgency": tags.urgency}
    return [said[axis] == label for axis, label in _labels(one).items()]


def _labels(one: Correction) -> dict[str, str]:
    labels = {"topic": one.topic, "sentiment": one.sentiment, "urgency": one.urgency}
    return {axis: labels[axis] for axis in taxonomy.AXES if labels[axis]}


def _right(answers: Iterable[list[bool]]) -> float:
    flat = [answer for one in answers for answer in one]
    return sum(flat) / len(flat) if flat else 0.0


def _main() -> None:
    os.nice(_NICE)
    asked: dict[str, Any] = json.load(sys.stdin.buffer)
    given = [Correction(**{**one, "also": tuple(one["also"])}) for one in asked["corrections"]]
    lesson = learned(
        Path(asked["folder"]), given, asked["until"], training_messages(), asked["several"]
    )
    json.dump(asdict(lesson), sys.stdout)


if __name__ == "__main__":
    _main()
