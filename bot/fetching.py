"""Fetching the files people sent, from their rows: cleaned, sealed, tried again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.cleaning import NotTaken, clean
from storage import attachments, talks
from storage.attachments import Lying, Vault
from storage.sealing import CannotOpen
from storage.store import Store, StoreDown

PAUSE = 2.0  # seconds between two looks when nobody nudges
MOST_TRIES = 6
CLAIMED = timedelta(minutes=5)  # for one round; a process that dies leaves it to the next
LATER = timedelta(seconds=20)  # doubled with each try

log = logging.getLogger("langnghe.files")


class Platform(Protocol):
    """Where files lie until they are fetched."""

    def fetch(self, locator: str) -> bytes: ...
    def fetched(self, locator: str) -> None: ...


@dataclass
class Fetcher:
    """Takes files over from their platforms into the vault, one after the other."""

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
                await asyncio.wait_for(self.nudged.wait(), PAUSE)
            except TimeoutError:
                continue

    async def round(self) -> int:
        """Take over what is due now. Returns how many files were looked at."""
        due = await asyncio.to_thread(self._due)
        for lying in due:
            await self._one(lying)
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
            content = await asyncio.to_thread(platform.fetch, lying.locator)
            cleaned = await clean(content)
        except (NotTaken, LookupError, CannotOpen):
            await asyncio.to_thread(self._refuse, lying)
        except OSError as error:
            log.warning("a file could not be fetched this time: %s", type(error).__name__)
            await asyncio.to_thread(self._later, lying)
            return
        else:
            if not await asyncio.to_thread(self._keep, lying, cleaned.content, cleaned.media):
                return
        if platform is not None:
            await asyncio.to_thread(platform.fetched, lying.locator)

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

    def _later(self, lying: Lying) -> None:
        if lying.tries + 1 >= MOST_TRIES:
            self._refuse(lying)
            return
        with self.store.write() as work:
            attachments.later(work, lying.id, self.now() + LATER * 2**lying.tries)
