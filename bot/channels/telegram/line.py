"""The Telegram channel: updates in by webhook or polling, letters out, files fetched."""

from __future__ import annotations

import asyncio
import io
import logging
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from aiogram import exceptions as a
from aiogram.types import CallbackQuery, Update
from aiohttp import ClientError
from pydantic import ValidationError
from starlette.routing import BaseRoute, Route

from bot.channel import OutOfReach, Rim
from bot.channels.telegram.hearing import added_to_a_group, essence, heard
from bot.channels.telegram.naming import CHANNEL
from bot.channels.telegram.receiving import Poller, Webhook
from bot.channels.telegram.speaking import TelegramVoice, aiogram_bot, bulk_bot
from bot.channels.telegram.writing import LONGEST
from bot.gathering import Gathering
from bot.installation import now
from bot.sending import Sender
from storage import digests, people
from storage.outbox import Letter
from storage.vocabulary import Event

TAPPED_TWICE = 5.0  # seconds in which the same tap on the same message is one tap
REMEMBERED = 10_000  # taps
FETCHING = 120  # seconds for one file

log = logging.getLogger("langnghe.telegram")


class Telegram:
    """One bot on Telegram, in one event loop."""

    name = CHANNEL
    longest = LONGEST
    window: timedelta | None = None

    def __init__(self, rim: Rim) -> None:
        settings, store = rim.installation.settings, rim.installation.store
        token = settings.telegram_token.get_secret_value()
        self._rim = rim
        self._states = {"in": "starting", "out": "ok"}
        self._bot = aiogram_bot(token, settings.telegram_api_url)
        self._bulk = bulk_bot(token, settings.telegram_api_url)
        voice = TelegramVoice(self._bot, self._bulk, self._picture, partial(self._note, "out"))
        self._sender = Sender(store, rim.clerk, voice, now)
        self._gathering = Gathering(store, CHANNEL, self._take, now)
        self._taps: OrderedDict[tuple[int, int, str], float] = OrderedDict()
        self._asides: set[asyncio.Task[None]] = set()
        self._secrets = settings.webhook_secrets

    @property
    def state(self) -> str:
        """ "ok", or what is wrong at Telegram."""
        return next((state for state in self._states.values() if state != "ok"), "ok")

    def routes(self) -> Sequence[BaseRoute]:
        """The webhook, where a secret for it is set."""
        if not self._secrets:
            return []
        return [Route("/telegram", Webhook(self._secrets, self.take).hear, methods=["POST"])]

    async def run(self) -> None:
        """Send, gather, and poll where there is no webhook, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._sender.run())
                group.create_task(self._gathering.run())
                if self._secrets:
                    self._note("in", "ok")
                else:
                    poller = Poller(self._bot, self.take, partial(self._note, "in"))
                    group.create_task(poller.run())
        finally:
            await self._bot.session.close()
            await self._bulk.request.shutdown()

    # -- in -------------------------------------------------------------------------------------

    async def take(self, raw: dict[str, Any]) -> None:
        """Take one update as it came. Raises Busy when it was not kept."""
        update = self._read(raw) or self._read(essence(raw))
        if update is None:
            log.error("an update cannot be read; it is kept as a dead letter")
            await self._rim.clerk.write(self._bury, raw)
            return
        if update.callback_query is not None:
            self._aside(self._acknowledge(update.callback_query))
            if self._is_second_tap(update.callback_query):
                return
        if update.my_chat_member is not None and added_to_a_group(update.my_chat_member):
            self._aside(self._leave(update.my_chat_member.chat.id))
        event = heard(update, now())
        if event is not None:
            await self._take(event)

    def _read(self, raw: dict[str, Any]) -> Update | None:
        try:
            return Update.model_validate(raw, context={"bot": self._bot})
        except ValidationError:
            return None

    async def _take(self, event: Event) -> None:
        taken = await self._sender.take(event)
        self._rim.changed(taken)
        if taken.held and event.part is not None:
            self._gathering.expect(event)
        if event.said.reachable:
            self._sender.nudged.set()

    def _bury(self, work: Any, raws: Sequence[dict[str, Any]]) -> None:
        self._rim.installation.bury(work, raws, "unreadable update")

    async def _acknowledge(self, query: CallbackQuery) -> None:
        """Stop the button's waiting sign at once; a query that is too old needs none."""
        try:
            await query.answer()
        except (a.TelegramAPIError, a.ClientDecodeError):
            log.debug("a tap was not acknowledged")

    async def _leave(self, chat: int) -> None:
        """Groups and channels are no place for what people say here."""
        try:
            await self._bot.leave_chat(chat)
        except (a.TelegramAPIError, a.ClientDecodeError):
            log.debug("a group was not left")

    def _is_second_tap(self, query: CallbackQuery) -> bool:
        message = query.message.message_id if query.message else 0
        tap, at = (query.from_user.id, message, query.data or ""), time.monotonic()
        before = self._taps.pop(tap, None)
        self._taps[tap] = at
        while len(self._taps) > REMEMBERED:
            self._taps.popitem(last=False)
        return before is not None and at - before < TAPPED_TWICE

    def _aside(self, doing: Any) -> None:
        task = asyncio.create_task(doing)
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)

    # -- files ----------------------------------------------------------------------------------

    async def fetch(self, locator: str) -> bytes:
        """The bytes of a file. Raises LookupError when it cannot be had, OutOfReach for now."""
        try:
            file = await self._bot.get_file(locator)
            out = io.BytesIO()
            await self._bot.download_file(file.file_path or "", out, timeout=FETCHING)
        except a.TelegramRetryAfter as wait:
            raise OutOfReach(wait.retry_after) from None
        except a.TelegramBadRequest:
            raise LookupError("the file is too large, or gone") from None
        except (a.TelegramAPIError, a.ClientDecodeError, ClientError, TimeoutError):
            raise OutOfReach from None
        return out.getvalue()

    async def fetched(self, locator: str) -> None:
        """Telegram keeps its copy; there is nothing of ours to delete."""

    # -- out ------------------------------------------------------------------------------------

    def _picture(self, letter: Letter) -> bytes | None:
        with self._rim.installation.store.read() as work:
            member = people.members(work, [letter.key]).get(letter.key)
            if member is None or letter.message.picture is None:
                return None
            return digests.chart_for(work, letter.message.picture, member.id)

    def _note(self, way: str, state: str) -> None:
        """Note how the way in or out of Telegram is, and say it once when that changes."""
        if state == self._states[way]:
            return
        self._states[way] = state
        log.log(logging.INFO if state == "ok" else logging.ERROR, "%s: %s", way, state)
