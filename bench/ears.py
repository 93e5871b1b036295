"""The ear in figures: speed and size, beside the usual recipe, on our data and on public sets."""

from __future__ import annotations

import gc
import gzip
import json
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.svm import LinearSVC

from tagging import taxonomy
from tagging.augment import bare, noisy
from tagging.corpus import Message, heldout_messages, training_messages
from tagging.evaluation import evaluated
from tagging.leaning import leaned
from tagging.learning import Correction, learn
from tagging.model import packed
from tagging.tagger import Tagger
from tagging.training import Document, copies, looked_at, train, weights_of

RUNS = 3
Change = Callable[[str], str]


@dataclass(frozen=True)
class Published:
    """A public set: which label, and what others reached on its official test split."""

    file: str
    label: str
    figure: str


SETS = (
    Published("vsfc", "sentiment", "weighted F1: MaxEnt .879, BiLSTM .920, PhoBERT .933"),
    Published("vsfc", "topic", "weighted F1: MaxEnt .840, BiLSTM .896"),
    Published("victsd", "constructive", "macro F1: PhoBERT .786"),
    Published("victsd", "toxic", "macro F1: PhoBERT .594"),
    Published("victsd", "topic", "none"),
    Published("vntc40", "topic", "none for the first 40 words"),
)


def _slips(text: str) -> str:
    return noisy(text, random.Random(len(text)))


CHANGES: dict[str, Change] = {
    "as typed": lambda text: text,
    "no marks": bare,
    "slips": _slips,
    "both": lambda text: bare(_slips(text)),
}


def speed(folder: Path) -> Tagger:
    """Train, load, label: print how long each takes and how large the model is."""
    for _ in range(RUNS):
        began = time.perf_counter()
        done = train(folder)
        print(f"trained on {done.messages} messages in {time.perf_counter() - began:.1f} s")
    size = sum(path.stat().st_size for path in folder.iterdir() if "before" not in path.name)
    began = time.perf_counter()
    tagger = Tagger.load(folder)
    print(f"model and places {size / 1e6:.1f} MB, loaded in {time.perf_counter() - began:.3f} s")
    texts = [message.text for message in (*training_messages(), *heldout_messages())] * 3
    for _ in range(RUNS):
        began = time.process_time()
        tagger.tag_many(texts)
        spent = time.process_time() - began
        print(f"{len(texts)} messages, {len(texts) / spent:.0f} a second of one core")
    spans = sorted(_single(tagger, text) for text in texts[:4000])
    print(f"one message: p50 {spans[2000] * 1e3:.2f} ms, p99 {spans[3960] * 1e3:.2f} ms")
    print(f"memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000} MB")
    return tagger


def _single(tagger: Tagger, text: str) -> float:
    began = time.process_time()
    tagger.tag(text)
    return time.process_time() - began


def beside_the_usual(tagger: Tagger) -> None:
    """Held-out macro-F1 of our tagger and of word_tokenize, TF-IDF and LinearSVC, same data."""
    from underthesea import word_tokenize

    def cut(text: str) -> str:
        return str(word_tokenize(text.lower(), format="text"))

    messages, learned = heldout_messages(), training_messages()
    words = [cut(message.text) for message in learned]
    vectors = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+", sublinear_tf=True)
    table = vectors.fit_transform(words)
    machines = {
        axis: LinearSVC(class_weight="balanced").fit(table, [m.label(axis) for m in learned])
        for axis in taxonomy.AXES
    }
    for name, change in CHANGES.items():
        texts = [change(message.text) for message in messages]
        gc.collect()  # neither pays for sweeping up what the other left
        began = time.process_time()
        given = vectors.transform([cut(text) for text in texts])
        usual = {axis: machine.predict(given) for axis, machine in machines.items()}
        theirs = len(texts) / (time.process_time() - began)
        gc.collect()
        began = time.process_time()
        tagger.tag_many(texts)
        ours = len(texts) / (time.process_time() - began)
        own = evaluated(tagger, [_typed(m, t) for m, t in zip(messages, texts, strict=True)])
        figures = ", ".join(
            f"{axis} {own.axes[axis].macro_f1:.3f} / {_macro(messages, axis, usual[axis]):.3f}"
            for axis in taxonomy.AXES
        )
        rates = f"{ours:.0f} / {theirs:.0f}, {ours / theirs:.1f} times"
        print(f"{name:9} ours / usual: {figures}; a second {rates}")


def _typed(message: Message, text: str) -> Message:
    return Message(
        text, message.topic, message.also, message.sentiment, message.urgency, message.style
    )


def _macro(messages: Sequence[Message], axis: str, said: Sequence[str]) -> float:
    return float(f1_score([m.label(axis) for m in messages], list(said), average="macro"))


def learning(folder: Path) -> None:
    """What corrections are worth: the errors in half of the held-out messages are corrected."""
    tagger, asked = Tagger.load(folder), heldout_messages()[1::2]
    given = [one for m in heldout_messages()[::2] if (one := _corrected(tagger, m))]
    before = evaluated(tagger, asked)
    began = time.perf_counter()
    lesson = learn(folder, given, "2026-11-02")
    seconds = time.perf_counter() - began
    after = evaluated(Tagger.load(folder), asked)
    figures = ", ".join(
        f"{axis} {before.axes[axis].macro_f1:.3f} to {after.axes[axis].macro_f1:.3f}"
        for axis in taxonomy.AXES
    )
    taken = "taken" if lesson.taken else "not taken"
    print(
        f"{len(given)} corrections, {taken}, in {seconds:.1f} s; on {len(asked)} others: {figures}"
    )


def _corrected(tagger: Tagger, message: Message) -> Correction | None:
    """What a person would correct: the wrong labels, and nothing where all are right."""
    tags = tagger.tag(message.text)
    said = {"topic": tags.topic, "sentiment": tags.sentiment, "urgency": tags.urgency}
    wrong = {axis: message.label(axis) for axis in said if said[axis] != message.label(axis)}
    labels = (wrong.get(axis, "") for axis in ("topic", "sentiment", "urgency"))
    topic, sentiment, urgency = labels
    if not wrong:
        return None
    return Correction(message.text, topic, message.also, sentiment, urgency, "2026-11-01")


def public_sets(data: Path | None) -> None:
    """Our recipe on the public sets, accented and not, beside what was published."""
    if data is None:
        print("public sets: not here (name their folder in PUBLIC_SETS)")
        return
    for one in SETS:
        rows = _rows(data / f"{one.file}.jsonl.gz")
        learned = [row for row in rows if row["split"] in ("train", "dev")]
        asked = [row for row in rows if row["split"] == "test"]
        model, seconds = _fitted(learned, one.label)
        truth = [str(row[one.label]) for row in asked]
        scores = []
        for change in (CHANGES["as typed"], bare):
            said = [model(change(str(row["text"]))) for row in asked]
            scores += [f1_score(truth, said, average=how) for how in ("weighted", "macro")]
        print(
            f"{one.file} {one.label}: weighted/macro F1 {scores[0]:.3f}/{scores[1]:.3f}, without "
            f"marks {scores[2]:.3f}/{scores[3]:.3f} ({seconds:.0f} s); published {one.figure}"
        )


def _rows(path: Path) -> list[dict[str, object]]:
    return [
        json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().split("\n") if line
    ]


def _fitted(rows: Sequence[dict[str, object]], label: str) -> tuple[Callable[[str], str], float]:
    """The recipe of our tagger for one label: four copies a text, rarer labels more often."""
    began = time.perf_counter()
    counts = Counter(str(row[label]) for row in rows)
    documents = [
        Document(found, str(row[label]))
        for at, row in enumerate(rows)
        for found in copies(str(row["text"]), at)
        for _ in range(min(3, round((max(counts.values()) / counts[str(row[label])]) ** 0.5)))
    ]
    labels = tuple(sorted(counts))
    counted = ((document.found, document.label) for document in documents)
    own = leaned(weights_of(documents, 0.5), counted, 0.05 if label == "topic" else 0.2)
    model = packed({label: own}, {label: labels})

    def said(text: str) -> str:
        (scores,) = model.scores(model.read([looked_at(text)]))
        return labels[int(scores.argmax())]

    return said, time.perf_counter() - began


def report(data: Path | None) -> None:
    """Print everything about the ear."""
    with tempfile.TemporaryDirectory() as folder:
        tagger = speed(Path(folder))
        for without in (False, True):
            own = evaluated(tagger, heldout_messages(), bare=without)
            print(
                f"held-out{' without marks' if without else ''}: "
                + ", ".join(f"{name} {axis.macro_f1:.3f}" for name, axis in own.axes.items())
            )
        learning(Path(folder))
    beside_the_usual(tagger)
    public_sets(data)
