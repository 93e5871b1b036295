"""The two libraries the double is driven with, behind the few words in which they differ."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiogram
import telegram
from aiogram import exceptions
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from telegram import error
from telegram.ext import ExtBot

from tests.telegram.double import BotApi

Play = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True)
class Library:
    """A bot library: how it runs a call, makes its objects and names its errors."""

    name: str
    run: Callable[[BotApi, Play], Any]
    types: Any
    file: Callable[[bytes, str], Any]
    attached: Callable[[bytes, str], Any]
    errors: dict[str, type[Exception]]

    def keyboard(self, *buttons: tuple[str, str]) -> Any:
        one = self.types.InlineKeyboardButton
        rows = [[one(text=label, callback_data=data)] for label, data in buttons]
        return self.types.InlineKeyboardMarkup(inline_keyboard=rows)


def _with_aiogram(api: BotApi, play: Play) -> Any:
    async def run() -> Any:
        session = AiohttpSession(api=TelegramAPIServer.from_base(api.url), timeout=5)
        async with aiogram.Bot(api.token, session=session) as bot:
            return await play(bot)

    return asyncio.run(run())


def _with_ptb(api: BotApi, play: Play) -> Any:
    async def run() -> Any:
        bot: Any = ExtBot(api.token, base_url=f"{api.url}/bot", base_file_url=f"{api.url}/file/bot")
        async with bot:
            return await play(bot)

    return asyncio.run(run())


AIOGRAM = Library(
    "aiogram",
    _with_aiogram,
    aiogram.types,
    lambda content, name: aiogram.types.BufferedInputFile(content, name),
    lambda content, name: aiogram.types.BufferedInputFile(content, name),
    {
        "flood": exceptions.TelegramRetryAfter,
        "forbidden": exceptions.TelegramForbiddenError,
        "bad request": exceptions.TelegramBadRequest,
        "unauthorized": exceptions.TelegramUnauthorizedError,
        "conflict": exceptions.TelegramConflictError,
        "server": exceptions.TelegramServerError,
        "restart": exceptions.RestartingTelegram,
        "unreadable": exceptions.ClientDecodeError,
        "network": exceptions.TelegramNetworkError,
        "migrated": exceptions.TelegramMigrateToChat,
    },
)
PTB = Library(
    "python-telegram-bot",
    _with_ptb,
    telegram,
    lambda content, name: telegram.InputFile(content, name),
    lambda content, name: telegram.InputFile(content, name, attach=True),
    {
        "flood": error.RetryAfter,
        "forbidden": error.Forbidden,
        "bad request": error.BadRequest,
        "unauthorized": error.InvalidToken,
        "conflict": error.Conflict,
        "server": error.NetworkError,
        "restart": error.NetworkError,
        "unreadable": error.NetworkError,
        "network": error.NetworkError,
        "migrated": error.ChatMigrated,
    },
)
LIBRARIES = (AIOGRAM, PTB)
