"""The message catalogues: every word a person reads, by key, Vietnamese first."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

from storage.vocabulary import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)


class WordMissing(Exception):
    """A key that no catalogue has: add it to vi.toml and en.toml."""


@dataclass(frozen=True, eq=False)
class Words:
    """One language's catalogue. `words("tip.what", name=…)` gives the sentence, filled in."""

    language: Language
    sentences: dict[str, str | tuple[str, ...]]

    @cached_property
    def _by_channel(self) -> dict[str, Words]:
        return {}

    def on(self, channel: str) -> Words:
        """The catalogue of a channel, where `on.zalobot.tip.what` takes the place of `tip.what`."""
        made = self._by_channel.get(channel)
        if made is None:
            prefix = f"on.{channel}."
            own = {key.removeprefix(prefix): self.sentences[key] for key in self.section(prefix)}
            made = Words(self.language, {**self.sentences, **own}) if own else self
            self._by_channel[channel] = made
        return made

    def __call__(self, key: str, **values: object) -> str:
        """The sentence under a key. Raises WordMissing, and KeyError for a value not given."""
        sentence = self.sentences.get(key)
        if not isinstance(sentence, str):
            raise WordMissing(f"{self.language}: {key}")
        return sentence.format(**values) if values else sentence

    def knows(self, key: str) -> bool:
        """Whether the catalogue knows this key."""
        return key in self.sentences

    def channel(self, name: str) -> str:
        """What people call a channel."""
        key = f"channel.{name}"
        return self(key) if self.knows(key) else name

    def section(self, prefix: str) -> tuple[str, ...]:
        """Every key that begins so."""
        return tuple(key for key in self.sentences if key.startswith(prefix))

    def all(self, key: str) -> tuple[str, ...]:
        """The list under a key: several ways to say one thing. Raises WordMissing."""
        several = self.sentences.get(key)
        if not isinstance(several, tuple):
            raise WordMissing(f"{self.language}: {key} (a list)")
        return several


def load(*folders: Path) -> dict[Language, Words]:
    """Read `vi.toml` and `en.toml` of each folder into one catalogue a language."""
    return {language: _language(language, folders) for language in LANGUAGES}


def _language(language: Language, folders: tuple[Path, ...]) -> Words:
    sentences: dict[str, str | tuple[str, ...]] = {}
    for folder in folders:
        with (folder / f"{language}.toml").open("rb") as source:
            _flatten("", tomllib.load(source), sentences)
    return Words(language, sentences)


def _flatten(prefix: str, tree: dict[str, Any], into: dict[str, str | tuple[str, ...]]) -> None:
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            _flatten(f"{key}.", value, into)
        elif isinstance(value, list):
            into[key] = tuple(str(each) for each in value)
        else:
            into[key] = str(value).strip("\n")
