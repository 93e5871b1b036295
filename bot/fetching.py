"""Fetching the files people sent, from their rows: cleaned, sealed, tried again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.channel import OutOfReach
from bot.cleaning import NotTaken, clean
from storage import attachments, talks
from storage.attachments import Lying, Vault
from storage.sealing import CannotOpen
from storage.store import Store, StoreDown

PAUSE = 2.0  # seconds between two looks when nobody nudges
MOST_TRIES = 12  # over some 23 hours: a platform that is away for an evening costs no file
AT_ONCE = 3  # files; each is held in memory, and in a cell where it is a picture
CLAIMED = timedelta(minutes=15)  # for one round; a process that dies leaves it to the next
LATER = timedelta(seconds=20)  # doubled with each try

log = logging.getLogger("langnghe.files")


class Platform(Protocol):
    """Where files lie until they are fetched."""

    async def fetch(self, locator: str) -> bytes: ...
    async def fetched(self, locator: str) -> None: ...


@dataclass
class Fetcher:
    """Takes files over from their platforms into the vault, a few at a time."""

    store: Store
    vault: Vault
    platforms: Mapping[str, Platform]
    now: Callable[[], datetime]
    nudged: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                while await self.round():
                    pass
            except StoreDown as down:
                log.warning("the store does not take files: %s", down)
            self.nudged.clear()
            try:
                async with asyncio.timeout(PAUSE):  # wait_for loses a cancellation now and then
                    await self.nudged.wait()
            except TimeoutError:
                continue

    async def round(self) -> int:
        """Take over what is due now. Returns how many files were looked at."""
        due = await asyncio.to_thread(self._due)
        at_once = asyncio.Semaphore(AT_ONCE)

        async def in_turn(lying: Lying) -> None:
            async with at_once:  # one that is slow holds up nobody, and memory is not endless
                await self._one(lying)

        await asyncio.gather(*map(in_turn, due))
        return len(due)

    def _due(self) -> list[Lying]:
        with self.store.read() as work:
            if not attachments.any_waiting(work):
                return []
        with self.store.write() as work:
            return attachments.claim(work, self.now(), self.now() + CLAIMED)

    async def _one(self, lying: Lying) -> None:
        platform = self.platforms.get(lying.channel)
        try:
            if platform is None:
                raise LookupError(lying.channel)
            content = await platform.fetch(lying.locator)
            cleaned = await clean(content)
        except (NotTaken, LookupError, CannotOpen):
            await asyncio.to_thread(self._refuse, lying)
        except OutOfReach as away:
            await asyncio.to_thread(self._later, lying, away.after)
            return
        except OSError as error:
            log.warning("a file could not be fetched this time: %s", type(error).__name__)
            await asyncio.to_thread(self._later, lying)
            return
        else:
            if not await asyncio.to_thread(self._keep, lying, cleaned.content, cleaned.media):
                return
        if platform is not None:
            await platform.fetched(lying.locator)

    def _keep(self, lying: Lying, content: bytes, media: str) -> bool:
        try:
            name = self.vault.put(content)
        except OSError as error:
            # Our own disk is full, which is no try of the file's: when its claim ends it is due.
            log.error("the vault takes no file: %s", type(error).__name__)
            return False
        with self.store.write() as work:
            attachments.keep(work, lying.id, name, media, len(content))
        return True

    def _refuse(self, lying: Lying) -> None:
        with self.store.write() as work:
            attachments.refuse(work, lying.id)
            # While its sender still talks the sentence finds them; later nothing leads there.
            if lying.owner is not None:
                talks.remark(work, lying.owner, "files.broken")

    def _later(self, lying: Lying, after: float = 0) -> None:
        if lying.tries + 1 >= MOST_TRIES:
            self._refuse(lying)
            return
        with self.store.write() as work:
            wait = timedelta(seconds=after) or LATER * 2**lying.tries
            attachments.later(work, lying.id, self.now() + wait)
