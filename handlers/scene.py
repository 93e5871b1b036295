"""What a question may look at: words, wards, units, and what came before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from storage.people import Tree
from storage.words import Words


class Ward(Protocol):
    """A commune, ward or special zone as the gazetteer knows it."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def province(self) -> str: ...
    @property
    def old(self) -> tuple[str, ...]: ...


class Gazetteer(Protocol):
    """Finds wards by what people type of their names, and the one a description names."""

    def search(self, text: str, most: int = 6) -> Sequence[Ward]: ...
    def find(self, text: str) -> Ward | None: ...
    def ward(self, id: str) -> Ward | None: ...


class Asked(Protocol):
    """A question that was answered already, as a summary looks at it."""

    @property
    def key(self) -> str: ...
    def name(self, scene: Scene) -> str | None: ...
    def edit(self, scene: Scene) -> str | None: ...
    def show(self, answer: Any, scene: Scene) -> str: ...


@dataclass(frozen=True)
class Scene:
    """Where a question stands. `so_far` is the part of its answer that was heard already."""

    words: Words
    places: Gazetteer
    tree: Callable[[], Tree]
    so_far: Any = None
    files: tuple[str, ...] = ()
    path: tuple[tuple[Asked, Any], ...] = field(default=())

    def ward_label(self, ward: str) -> str:
        """A ward as people read it: its name and its province. An unknown id stands for itself."""
        found = self.places.ward(ward)
        return f"{found.name}, {found.province}" if found else ward
