"""Speaking to the Bot Platform: plain texts, numbered menus, and the chart of a digest by link."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.asked import Asked
from bot.channels.zalobot.calling import Failed, NoAnswer, NotSent, Platform
from bot.channels.zalobot.hearing import told_at
from bot.channels.zalobot.naming import CHANNEL, LONGEST, MESSAGES, USERS
from bot.numbered import is_prompt, written
from bot.sending import Doubtful, Later, Rejected, Unreachable
from bot.splitting import split
from storage.outbox import Letter
from storage.vocabulary import Message

REFUSED = 60.0  # seconds of waiting while the token is not accepted
FLOOD, LONGEST_FLOOD = 4.0, 3600.0  # seconds of the first wait after a 429; doubled with each
LONG = 3600.0  # seconds; a 429 that lasts longer is no matter of pace
ALONE = 1000  # addresses remembered whose messages alone are refused
AGAIN = (403, 408, 425)  # 403 is "internal server error" there
GONE = ("chat not found", "user not found", "blocked", "deactivated")

log = logging.getLogger("langnghe.zalobot")


@dataclass(frozen=True, slots=True)
class Piece:
    """What goes out in one call: a text, or a picture by its address with a caption.

    `question`: what the person has been asked when this piece has arrived.
    """

    text: str
    picture: str | None = field(default=None, repr=False)
    question: str | None = None


def pieces(message: Message, picture: str | None) -> list[Piece]:
    """A message in as few pieces as the platform takes; the picture first.

    Where a picture cannot be given, what it shows is said.
    """
    if picture is None and message.picture is not None and message.about:
        message = replace(message, text=f"{message.text}\n\n{message.about}")
    texts = written(message, LONGEST)
    question = None if is_prompt(message) else message.question
    found = [*map(Piece, texts[:-1]), Piece(texts[-1], question=question)]
    if picture is None:
        return found
    caption = split(message.about, LONGEST)[0] if message.about else ""
    return [Piece(caption, picture), *found]


class Pace:
    """What to do after a 429: it may be one person's (beyond the plan's), or everybody's."""

    def __init__(self) -> None:
        self._faults = 0
        self._since = 0.0
        self._flooded: set[str] = set()
        self._alone: set[str] = set()

    def flooded(self, address: str) -> Later:
        """The wait after a message to somebody was refused."""
        if address in self._alone:
            return Later()  # others get theirs: this one waits longer each time
        if not self._faults:
            self._since = time.monotonic()
        self._flooded.add(address)
        self._faults += 1
        return Later(min(FLOOD * 2 ** min(self._faults - 1, 10), LONGEST_FLOOD), everybody=True)

    def went(self, address: str) -> None:
        """A message to somebody went out: whoever was refused before was refused alone."""
        if self._flooded or self._alone:
            self._alone |= self._flooded
            self._alone.discard(address)
            self._flooded.clear()
            if len(self._alone) > ALONE:
                self._alone.clear()
        self._faults = 0

    @property
    def state(self) -> str:
        """What an operator is told while it lasts."""
        if time.monotonic() - self._since > LONG:
            return f"429 for hours: the plan's {MESSAGES} messages a month seem to be used up"
        return f"429: too fast, more than {USERS} people, or {MESSAGES} messages a month used up"


class ZaloBotVoice:
    """Says letters on the Bot Platform.

    `picture` finds the address of a letter's picture, `trouble` hears how it goes.
    """

    name = CHANNEL
    window: timedelta | None = None

    def __init__(
        self,
        platform: Platform,
        asked: Asked,
        picture: Callable[[Letter], str | None],
        trouble: Callable[[str], None],
        now: Callable[[], datetime],
    ) -> None:
        self._platform, self._asked = platform, asked
        self._picture, self._trouble, self._now = picture, trouble, now
        self._pace = Pace()

    async def pieces(self, letter: Letter) -> Sequence[Piece]:
        """What goes out, in order."""
        if letter.message.picture is None:
            return pieces(letter.message, None)
        return pieces(letter.message, await asyncio.to_thread(self._picture, letter))

    async def say(self, address: str, piece: Piece, bulk: bool) -> None:
        """Say one piece. Raises Later, Unreachable, Rejected, Doubtful."""
        async with self._asked.telling(address):
            try:
                at = told_at(await self._said(address, piece))
            except Doubtful:
                # Whether they have seen it is not known; if they answer from now on, they have.
                await self._noted(address, piece, int(self._now().timestamp() * 1000))
                raise
            await self._noted(address, piece, at)

    async def _noted(self, address: str, piece: Piece, at: int | None) -> None:
        if piece.question is not None:
            await self._asked.shown(address, piece.question, at)

    async def _said(self, address: str, piece: Piece) -> Any:
        try:
            if piece.picture is None:
                return await self._called(address, "sendMessage", text=piece.text)
            return await self._shown(address, piece)
        except Failed as failed:
            raise self._classed(address, failed) from None
        except NotSent:
            self._trouble("cannot be reached")
            raise Later from None
        except NoAnswer:
            raise Doubtful from None

    async def _shown(self, address: str, piece: Piece) -> Any:
        """A picture; where the platform does not take it, what it shows is said instead."""
        caption = {"caption": piece.text} if piece.text else {}
        try:
            return await self._called(address, "sendPhoto", photo=piece.picture, **caption)
        except Failed as failed:
            if failed.code not in (400, 404) or _is_gone(failed):
                raise
            log.warning("a picture is not taken: can PUBLIC_URL be reached from outside?")
        return await self._called(address, "sendMessage", text=piece.text) if piece.text else None

    async def _called(self, address: str, method: str, **what: Any) -> Any:
        result = await self._platform.call(method, {"chat_id": address, **what})
        self._pace.went(address)
        self._trouble("ok")
        return result

    def _classed(self, address: str, failed: Failed) -> Exception:
        """What the outbox should do about an error."""
        code = failed.code
        if code == 401:
            self._trouble("ZALO_BOT_TOKEN is refused")
            return Later(REFUSED, everybody=True)
        if code == 429:
            wait = self._pace.flooded(address)
            if wait.everybody:
                self._trouble(self._pace.state)
            return wait
        if code in AGAIN or code >= 500:
            self._trouble(f"Zalo has trouble of its own ({code})")
            return Later()
        if failed.plain:
            self._trouble(f"ZALO_BOT_API_URL answers {code}: is it right?")
            return Later(REFUSED, everybody=True)
        return Unreachable() if _is_gone(failed) else Rejected(str(failed))


def _is_gone(failed: Failed) -> bool:
    return any(gone in failed.said.lower() for gone in GONE)
