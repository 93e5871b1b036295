"""Speaking to Telegram: aiogram to whoever waits, python-telegram-bot to the many."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar, cast

import aiohttp
import httpx
import orjson
from aiogram import Bot
from aiogram import exceptions as a
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import Response, TelegramMethod
from aiogram.types import BufferedInputFile, Message
from telegram import InlineKeyboardButton as BulkButton
from telegram import InlineKeyboardMarkup as BulkMarkup
from telegram import error as p
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest

from bot.channels.telegram.naming import CHANNEL
from bot.channels.telegram.writing import Button, Piece, pieces
from bot.reading import loads
from bot.sending import Doubtful, Later, Rejected, Unreachable
from storage.outbox import Letter

# aiogram asks for these types at every call, and pydantic builds them anew unless somebody keeps
# them: a third of the cost of sending a message.
ANSWERS = (Response[Message], Response[bool], Response[dict[str, Any]])
SECONDS = 20  # for one call
BULK_EVERY = 0.04  # seconds between two bulk messages: 25 a second, as AIORateLimiter paces evenly
REFUSED = 60.0  # seconds of waiting while the token is not accepted
GONE = ("chat not found", "user is deactivated", "user not found", "peer_id_invalid")
JSON = {"Content-Type": "application/json"}
NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
NOT_SENT_IN_BULK = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
T = TypeVar("T")


def aiogram_bot(token: str, api: str) -> Bot:
    """aiogram's bot against the API at an address. Raises TokenValidationError."""
    session = Session(
        api=TelegramAPIServer.from_base(api),
        json_loads=loads,
        timeout=SECONDS,
    )
    return Bot(token, session)


def bulk_bot(token: str, api: str) -> ExtBot[int]:
    """python-telegram-bot's bot with its rate limiter, which paces evenly only in this form."""
    os.environ.setdefault("PTB_TIMEDELTA", "true")  # its coming way of telling spans; the old warns
    pace = AIORateLimiter(overall_max_rate=1, overall_time_period=BULK_EVERY, max_retries=0)
    request = HTTPXRequest(
        connection_pool_size=16,
        read_timeout=SECONDS,
        write_timeout=SECONDS,
        connect_timeout=SECONDS,
        media_write_timeout=SECONDS,
    )
    return ExtBot(
        token,
        base_url=f"{api}/bot",
        base_file_url=f"{api}/file/bot",
        request=request,
        get_updates_request=HTTPXRequest(),
        rate_limiter=pace,
    )


class Session(AiohttpSession):
    """aiogram's session, which sends a plain text as JSON: a third of the cost of its form."""

    async def make_request(
        self, bot: Bot, method: TelegramMethod[T], timeout: int | None = None
    ) -> T:
        """Call a method; raises as aiogram does."""
        if not isinstance(method, SendText):
            return await super().make_request(bot, method, timeout)
        session = await self.create_session()
        url = self.api.api_url(bot.token, method.__api_method__)
        body = orjson.dumps(method.model_dump(exclude_none=True))
        try:
            async with session.post(url, data=body, headers=JSON, timeout=self._within) as response:
                told = await response.read()
        except TimeoutError as late:
            raise a.TelegramNetworkError(method, "no answer in time") from late
        except aiohttp.ClientError as error:
            raise a.TelegramNetworkError(method, type(error).__name__) from error
        found = self.check_response(bot, method, response.status, told.decode("utf-8", "replace"))
        return cast(T, found.result)

    @property
    def _within(self) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(self.timeout)


class SendText(TelegramMethod[dict[str, Any]]):
    """sendMessage with what we say and nothing more: half the cost of aiogram's, 18 fields wide."""

    __returning__ = dict[str, Any]
    __api_method__ = "sendMessage"

    chat_id: int
    text: str
    reply_markup: dict[str, Any] | None = None
    protect_content: bool | None = None


class TelegramVoice:
    """Says letters on Telegram. `picture` finds the picture of a letter, `trouble` hears of it."""

    name = CHANNEL
    window: timedelta | None = None

    def __init__(
        self,
        live: Bot,
        bulk: ExtBot[int],
        picture: Callable[[Letter], bytes | None],
        trouble: Callable[[str], None],
    ) -> None:
        self._live, self._bulk, self._picture, self._trouble = live, bulk, picture, trouble

    async def pieces(self, letter: Letter) -> Sequence[Piece]:
        """What goes out, in order."""
        if letter.message.picture is None:
            return pieces(letter.message, None)
        return pieces(letter.message, await asyncio.to_thread(self._picture, letter))

    async def say(self, address: str, piece: Piece, bulk: bool) -> None:
        """Say one piece. Raises Later, Unreachable, Rejected, Doubtful."""
        if bulk:
            await self._say_in_bulk(int(address), piece)
        else:
            await self._say_now(int(address), piece)
        self._trouble("ok")

    async def _say_now(self, chat: int, piece: Piece) -> None:
        try:
            if piece.picture is not None:
                await self._live.send_photo(
                    chat,
                    BufferedInputFile(piece.picture, "ban-tin.png"),
                    caption=piece.text or None,
                    protect_content=piece.protect or None,
                )
            else:
                await self._live(
                    SendText(
                        chat_id=chat,
                        text=piece.text,
                        reply_markup=_keyboard(piece.buttons),
                        protect_content=piece.protect or None,
                    )
                )
        except a.TelegramRetryAfter as wait:
            raise Later(wait.retry_after, everybody=True) from None
        except a.TelegramForbiddenError:
            raise Unreachable from None
        except (a.TelegramUnauthorizedError, a.TelegramNotFound):
            raise self._refused() from None
        except a.TelegramBadRequest as bad:
            raise _rejected(bad.message) from None
        except (a.TelegramServerError, a.RestartingTelegram, a.TelegramConflictError):
            raise Later from None
        except a.TelegramNetworkError as error:
            if isinstance(error.__cause__, NOT_SENT):
                self._trouble("cannot be reached")
                raise Later from None
            raise Doubtful from None
        except a.ClientDecodeError as odd:
            if not (isinstance(odd.data, dict) and odd.data.get("ok")):
                raise Doubtful from None  # a proxy's page; it was said all the same where it is ok
        except a.TelegramAPIError as other:
            raise Rejected(type(other).__name__) from None

    async def _say_in_bulk(self, chat: int, piece: Piece) -> None:
        try:
            if piece.picture is not None:
                await self._bulk.send_photo(
                    chat,
                    piece.picture,
                    caption=piece.text or None,
                    filename="ban-tin.png",
                    protect_content=piece.protect or None,
                )
            else:
                await self._bulk.send_message(
                    chat,
                    piece.text,
                    reply_markup=_bulk_keyboard(piece.buttons),
                    protect_content=piece.protect or None,
                )
        except p.RetryAfter as wait:
            raise Later(_seconds(wait), everybody=True) from None
        except p.Forbidden:
            raise Unreachable from None
        except p.InvalidToken:
            raise self._refused() from None
        except p.BadRequest as bad:
            raise _rejected(bad.message) from None
        except p.NetworkError as error:  # TimedOut is one
            if isinstance(error.__cause__, NOT_SENT_IN_BULK):
                self._trouble("cannot be reached")
                raise Later from None
            raise (Doubtful if error.__cause__ is not None else Later) from None
        except p.Conflict:
            raise Later from None
        except p.TelegramError:
            raise Doubtful from None

    def _refused(self) -> Later:
        self._trouble("TELEGRAM_TOKEN is refused")
        return Later(REFUSED, everybody=True)


def _rejected(said: str) -> Exception:
    if any(gone in said.lower() for gone in GONE):
        return Unreachable()
    return Rejected(said[:80])


def _seconds(wait: p.RetryAfter) -> float:
    given = wait.retry_after
    return given.total_seconds() if isinstance(given, timedelta) else float(given)


def _keyboard(buttons: Sequence[Button]) -> dict[str, Any] | None:
    rows = [[{"text": one.label, "callback_data": one.data}] for one in buttons]
    return {"inline_keyboard": rows} if rows else None


def _bulk_keyboard(buttons: Sequence[Button]) -> BulkMarkup | None:
    rows = [[BulkButton(one.label, callback_data=one.data)] for one in buttons]
    return BulkMarkup(rows) if rows else None
