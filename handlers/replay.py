"""Playing a dialogue from its start: answered questions fly by, the first open one is asked."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from handlers.questions import Gone, Question

A = TypeVar("A")
O = TypeVar("O")  # noqa: E741  # an outcome; the letter stands alone only here


@dataclass(frozen=True, slots=True)
class Turn(Generic[O]):
    """Where a dialogue stands: the question it asks, or the outcome it came to."""

    asking: Question[Any] | None
    outcome: O | None
    path: tuple[tuple[Question[Any], Any], ...]


def play(
    script: Callable[[A], Coroutine[Any, Any, O]], about: A, answers: Mapping[str, Any]
) -> Turn[O]:
    """Run a script over the answers kept by question key, until one is missing or it ends.

    Raises TypeError when the script awaits anything but a question, or asks one key twice.
    """
    running = script(about)
    path: list[tuple[Question[Any], Any]] = []
    answer: Any = None
    try:
        while True:
            asked = running.send(answer)
            _must_be_new(asked, path)
            try:
                answer = asked.recall(answers[asked.key])
            except (KeyError, Gone):
                return Turn(asked, None, tuple(path))
            path.append((asked, answer))
    except StopIteration as end:
        return Turn(None, end.value, tuple(path))
    finally:
        running.close()


def _must_be_new(asked: object, path: list[tuple[Question[Any], Any]]) -> None:
    if not isinstance(asked, Question):
        raise TypeError(f"a dialogue awaits questions only, not {type(asked).__name__}")
    if any(question.key == asked.key for question, _ in path):
        raise TypeError(f"a dialogue asks {asked.key!r} twice: a new meaning wants a new key")
