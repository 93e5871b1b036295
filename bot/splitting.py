"""Cutting a text into as few messages as a platform takes, where it hurts least."""

from __future__ import annotations

import re
from collections.abc import Sequence

BREAKS = (r"\n\s*\n", r"\n", r"(?<=[.!?…:;])\s", r"\s")  # where a text may be cut, best first


def split(text: str, longest: int) -> list[str]:
    """A text in parts of at most so many UTF-16 units, cut where it hurts least; never empty."""
    parts = []
    rest = text
    while units(rest) > longest:
        part, rest = _cut(rest, longest)
        parts.append(part)
    return [*parts, rest]


def _cut(text: str, longest: int) -> tuple[str, str]:
    head = text.encode("utf-16-le")[: 2 * longest].decode("utf-16-le", "ignore")
    for pattern in BREAKS:
        ends: Sequence[re.Match[str]] = list(re.finditer(pattern, head))
        if ends and ends[-1].start() > len(head) // 3:
            at = ends[-1]
            return head[: at.start()].rstrip(), text[at.end() :].lstrip()
    return head, text[len(head) :]


def units(text: str) -> int:
    """How long a text is as platforms count: in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
