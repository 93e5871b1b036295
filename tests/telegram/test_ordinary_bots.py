"""Ordinary bots, as their libraries' pages show them, run against the double unchanged."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import aiogram
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import CommandObject, CommandStart
from aiogram.methods import TelegramMethod
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
)
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web
from telegram import Update
from telegram.ext import ApplicationBuilder, MessageHandler, filters

from tests.telegram.double import BotApi

Run = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


@contextmanager
def running(run: Run) -> Iterator[None]:
    """A coroutine in a thread with a loop of its own, until it is told to end."""
    loop, end = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run(end)))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(20)
        loop.close()


def aiogram_bot(api: BotApi) -> tuple[aiogram.Bot, aiogram.Dispatcher]:
    dispatcher = aiogram.Dispatcher()

    @dispatcher.message(CommandStart())
    async def start(message: Message, command: CommandObject) -> TelegramMethod[Any]:
        button = InlineKeyboardButton(text="Có", callback_data="ask|yes")
        keyboard = InlineKeyboardMarkup(inline_keyboard=[[button]])
        return message.answer(f"chào {command.args}", reply_markup=keyboard)

    @dispatcher.callback_query()
    async def pressed(query: CallbackQuery) -> TelegramMethod[Any]:
        await query.answer("đã bấm")
        assert isinstance(query.message, Message)
        return query.message.edit_text(f"bấm {query.data}")

    session = AiohttpSession(api=TelegramAPIServer.from_base(api.url))
    return aiogram.Bot(api.token, session=session), dispatcher


def talk(api: BotApi) -> None:
    an = api.person("An")
    an.start("moi-abc")
    assert an.wait()[0].text == "chào moi-abc"
    an.press("Có")
    assert an.wait("bấm")[0].edited and an.toasts() == ["đã bấm"]
    api.wait(an.confirmed)
    assert api.violations == []


def test_an_aiogram_bot_polls(api: BotApi) -> None:
    async def run(end: asyncio.Event) -> None:
        bot, dispatcher = aiogram_bot(api)
        polls = dispatcher.start_polling(bot, handle_signals=False, polling_timeout=50)
        task = asyncio.ensure_future(polls)
        await end.wait()
        await dispatcher.stop_polling()
        await task

    with running(run):
        talk(api)


def test_an_aiogram_bot_answers_within_its_webhook(api: BotApi) -> None:
    listening = threading.Event()

    async def run(end: asyncio.Event) -> None:
        bot, dispatcher = aiogram_bot(api)
        handler = SimpleRequestHandler(dispatcher, bot, False, secret_token="bi-mat")
        app = web.Application()
        handler.register(app, path="/telegram")
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/telegram"
        await bot.set_webhook(url, secret_token="bi-mat")
        listening.set()
        await end.wait()
        await runner.cleanup()

    with running(run):
        assert listening.wait(20)
        talk(api)
    assert {call.by for call in api.calls("sendMessage")} == {"webhook"}
    assert api.last_error is None


def test_a_python_telegram_bot_polls(api: BotApi) -> None:
    async def echo(update: Update, context: Any) -> None:
        assert update.message is not None
        await update.message.reply_text(f"nghe {update.message.text}")

    async def run(end: asyncio.Event) -> None:
        builder = ApplicationBuilder().token(api.token)
        builder.base_url(f"{api.url}/bot").base_file_url(f"{api.url}/file/bot")
        async with builder.build() as app:
            app.add_handler(MessageHandler(filters.TEXT, echo))
            assert app.updater is not None
            await app.updater.start_polling(timeout=50)
            await app.start()
            await end.wait()
            await app.updater.stop()
            await app.stop()

    with running(run):
        an = api.person("An")
        an.say("đây")
        assert an.wait()[0].text == "nghe đây"
    assert api.calls("deleteWebhook"), "its poller deletes the webhook, as the reference says"
    assert api.violations == []
