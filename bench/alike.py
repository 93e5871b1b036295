"""Near-copies: how many pairs are found, how many are right, and how long 100,000 texts take."""

from __future__ import annotations

import gzip
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tagging.alike import grouped
from tagging.corpus import training_messages
from tests.tagging.copies import crowd, right_pairs

LEAST, MOST = 15, 60  # words of a text that is copied


def sentences(data: Path | None) -> Iterator[str]:
    """Texts that were never copied from one another: public ones where they are, else ours."""
    if data is None:
        yield from (one.text for one in training_messages())
        return
    seen = set()
    for path in sorted(data.glob("*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).decode().strip().split("\n"):
            words = json.loads(line)["text"].split()
            key = " ".join(words[:6]).lower()
            if len(words) >= LEAST and key not in seen:
                seen.add(key)
                yield " ".join(words[:MOST])


def report(data: Path | None) -> None:
    """Print the figures, in three runs with different copies."""
    sources = list(sentences(data))
    for seed in range(3):
        random.Random(seed).shuffle(sources)
        texts, origin = crowd(_drawn_out(sources, 100_000), 100_000, seed)
        began = time.perf_counter()
        groups = grouped(texts)
        seconds = time.perf_counter() - began
        precision, recall = right_pairs(groups, origin)
        print(
            f"alike: {len(texts)} texts in {seconds:.1f} s, "
            f"precision {precision:.3f}, recall {recall:.3f}"
        )


def _drawn_out(sources: Sequence[str], count: int) -> list[str]:
    """Enough originals: where there are too few, shuffled words of two make one."""
    chance = random.Random(1)
    more = list(sources)
    while len(more) < count:
        one, other = chance.sample(sources, 2)
        left, right = one.split(), other.split()
        chance.shuffle(left)
        chance.shuffle(right)
        more.append(" ".join((*left[:20], *right[-20:])))
    return more
