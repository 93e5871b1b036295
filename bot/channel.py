"""What a channel is, and what it is handed; each module of `bot/channels/` opens one, or none."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from starlette.routing import BaseRoute

from bot.clerk import Clerk
from bot.installation import Installation
from handlers.reception import Taken


@dataclass(frozen=True)
class Rim:
    """What every channel works with. `changed`: a file or a wish waits since this was taken."""

    installation: Installation
    clerk: Clerk
    changed: Callable[[Taken], None]


class Channel(Protocol):
    """A platform: it receives events and sends messages.

    `longest`: UTF-16 units of one message. `window`: for how long after a person's last word
    letters may be pushed to them; None: always, no span at all: never. `run` is what it does in
    the background until it is cancelled. `state` is "ok", or in a few words what is
    wrong at the platform.
    """

    @property
    def name(self) -> str: ...
    @property
    def longest(self) -> int: ...
    @property
    def window(self) -> timedelta | None: ...
    @property
    def state(self) -> str: ...
    def routes(self) -> Sequence[BaseRoute]: ...
    async def run(self) -> None: ...
    async def fetch(self, locator: str) -> bytes: ...
    async def fetched(self, locator: str) -> None: ...


class OutOfReach(Exception):
    """The platform does not give the file now; ask again, after `after` seconds if it said so."""

    def __init__(self, after: float = 0) -> None:
        super().__init__(f"after {after:.0f} s")
        self.after = after


def open_channels(rim: Rim) -> Iterator[Channel]:
    """The channels whose settings are there. Raises WrongSetting."""
    package = importlib.import_module("bot.channels")
    for found in pkgutil.iter_modules(package.__path__):
        channel: Channel | None = importlib.import_module(f"bot.channels.{found.name}").opened(rim)
        if channel is not None:
            yield channel
