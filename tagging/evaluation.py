"""How good the tagger is: precision, recall, F1, calibration, confusions and worst errors."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tagging import taxonomy
from tagging.augment import bare as without_marks
from tagging.corpus import Message
from tagging.tagger import Tagger, Tags

_BINS = 10
_WORST = 20
_SHOWN = 110  # characters of a message in the list of worst errors


@dataclass(frozen=True)
class Score:
    """One label: how many messages bear it, and how well it is found (all 0 to 1)."""

    label: str
    support: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Error:
    """A message tagged wrongly, with the confidence of the wrong tag."""

    text: str
    truth: str
    said: str
    confidence: float


@dataclass(frozen=True)
class AxisEvaluation:
    """One axis. `calibration` is the expected calibration error: mean of |confidence - right|.

    `confusions` counts (truth, said), right ones too; `styles` gives the share right by style.
    """

    axis: str
    scores: tuple[Score, ...]
    accuracy: float
    macro_f1: float
    calibration: float
    confusions: dict[tuple[str, str], int]
    styles: dict[str, tuple[int, float]]
    worst: tuple[Error, ...]


@dataclass(frozen=True)
class Evaluation:
    """All axes over the same messages, and what concerns the topic alone.

    `sure` is the share of messages tagged surely, `right_when_sure` how many of those are right;
    `also_precision` and `also_recall` are of the secondary topics.
    """

    messages: int
    bare: bool
    axes: dict[str, AxisEvaluation]
    sure: float
    right_when_sure: float
    also_precision: float
    also_recall: float


def evaluate(folder: Path, messages: Sequence[Message], bare: bool = False) -> Evaluation:
    """The model in `folder` on `messages`, with their marks taken off when `bare`."""
    return evaluated(Tagger.load(folder), messages, bare)


def evaluated(tagger: Tagger, messages: Sequence[Message], bare: bool = False) -> Evaluation:
    """A tagger on `messages`, with their marks taken off when `bare`."""
    texts = [without_marks(message.text) if bare else message.text for message in messages]
    return judged(messages, tagger.tag_many(texts), bare)


def judged(messages: Sequence[Message], tags: Sequence[Tags], bare: bool = False) -> Evaluation:
    """What `tags` are worth, given for `messages` in the same order."""
    pairs = list(zip(messages, tags, strict=True))
    sure = [(message, own) for message, own in pairs if own.sure]
    named = sum(len(own.also) for own in tags)
    wanted = sum(len(message.also) for message in messages)
    hits = sum(len({message.topic, *message.also} & set(own.also)) for message, own in pairs)
    found = sum(len(set(message.also) & {own.topic, *own.also}) for message, own in pairs)
    return Evaluation(
        messages=len(pairs),
        bare=bare,
        axes={axis: _axis(axis, pairs) for axis in taxonomy.AXES},
        sure=_share(len(sure), len(pairs)),
        right_when_sure=_share(sum(m.topic == own.topic for m, own in sure), len(sure)),
        also_precision=_share(hits, named),
        also_recall=_share(found, wanted),
    )


def _axis(axis: str, pairs: Sequence[tuple[Message, Tags]]) -> AxisEvaluation:
    said = [(message, _said(tags, axis), tags.confidence[axis]) for message, tags in pairs]
    confusions = Counter((message.label(axis), label) for message, label, _ in said)
    scores = tuple(_score(label, confusions) for label in taxonomy.load().ids(axis))
    met = [score for score in scores if score.support]
    styles: dict[str, list[bool]] = defaultdict(list)
    for message, label, _ in said:
        styles[message.style].append(label == message.label(axis))
    wrong = [
        Error(message.text, message.label(axis), label, confidence)
        for message, label, confidence in said
        if label != message.label(axis)
    ]
    return AxisEvaluation(
        axis=axis,
        scores=scores,
        accuracy=1 - _share(len(wrong), len(said)),
        macro_f1=_share(sum(score.f1 for score in met), len(met)),
        calibration=_calibration([(c, label == m.label(axis)) for m, label, c in said]),
        confusions=dict(confusions),
        styles={style: (len(hits), _share(sum(hits), len(hits))) for style, hits in styles.items()},
        worst=tuple(sorted(wrong, key=lambda error: -error.confidence)[:_WORST]),
    )


def _said(tags: Tags, axis: str) -> str:
    return {"topic": tags.topic, "sentiment": tags.sentiment, "urgency": tags.urgency}[axis]


def _score(label: str, confusions: Counter[tuple[str, str]]) -> Score:
    right = confusions[label, label]
    support = sum(n for (truth, _), n in confusions.items() if truth == label)
    said = sum(n for (_, other), n in confusions.items() if other == label)
    return Score(
        label,
        support,
        _share(right, said),
        _share(right, support),
        _share(2 * right, said + support),
    )


def _calibration(judged: Sequence[tuple[float, bool]]) -> float:
    """The expected calibration error over ten equal ranges of confidence."""
    ranges: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, right in judged:
        ranges[min(int(confidence * _BINS), _BINS - 1)].append((confidence, right))
    gaps = (
        abs(sum(c for c, _ in part) - sum(right for _, right in part)) for part in ranges.values()
    )
    return _share(sum(gaps), len(judged))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def rendered(evaluation: Evaluation) -> str:
    """`evaluation` as text for a terminal."""
    return "\n".join(_lines(evaluation))


def _lines(evaluation: Evaluation) -> Iterator[str]:
    spelled = "without marks" if evaluation.bare else "as typed"
    yield f"{evaluation.messages} messages, {spelled}"
    yield (
        f"sure {evaluation.sure:.1%}, right when sure {evaluation.right_when_sure:.1%}; secondary "
        f"topics: precision {evaluation.also_precision:.2f}, recall {evaluation.also_recall:.2f}"
    )
    for axis in evaluation.axes.values():
        yield from ("", *_axis_lines(axis))


def _axis_lines(axis: AxisEvaluation) -> Iterator[str]:
    yield (
        f"{axis.axis}: macro-F1 {axis.macro_f1:.3f}, accuracy {axis.accuracy:.3f}, "
        f"calibration error {axis.calibration:.3f}"
    )
    yield f"  {'':14}{'messages':>9}{'precision':>10}{'recall':>8}{'F1':>6}"
    for score in axis.scores:
        yield (
            f"  {score.label:14}{score.support:9}{score.precision:10.2f}{score.recall:8.2f}"
            f"{score.f1:6.2f}"
        )
    yield "  by style: " + ", ".join(
        f"{style} {right:.2f} ({count})" for style, (count, right) in sorted(axis.styles.items())
    )
    yield from _confusion_lines(axis)
    yield "  worst errors:"
    for error in axis.worst:
        text = " ".join(error.text.split())[:_SHOWN]
        yield f"    {error.confidence:.2f} {error.truth} taken for {error.said}: {text}"


def _confusion_lines(axis: AxisEvaluation) -> Iterator[str]:
    labels = [score.label for score in axis.scores]
    yield "  truth \\ said  " + "".join(f"{label[:5]:>6}" for label in labels)
    for truth in labels:
        counts = (axis.confusions.get((truth, said), 0) for said in labels)
        yield f"  {truth:14}" + "".join(f"{count or '.':>6}" for count in counts)
