"""What an operator asks of Telegram: is all as the settings say, make it so, undo it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from telegram import Bot, BotCommand, WebhookInfo
from telegram import error as p

from bot.channels.telegram.naming import ALLOWED
from bot.finding import Finding, Refused
from bot.settings import Settings
from handlers.menu import offered
from storage.vocabulary import Language
from storage.words import Words

LEFT = 300  # updates that wait; more mean that nobody takes them
CODES: Mapping[Language, str | None] = {"vi": None, "en": "en"}  # None: for every other language


@dataclass(frozen=True)
class Front:
    """What people see of the bot before they speak, in one language."""

    commands: tuple[tuple[str, str], ...]
    description: str
    about: str


def front(words: Words) -> Front:
    """Commands with what they do, the text of an empty chat, and of the profile."""
    return Front(offered(words), words("telegram.description"), words("telegram.about"))


def check(settings: Settings, catalogues: Mapping[Language, Words]) -> list[Finding]:
    """Hold Telegram against the settings; the first finding says whether it answers at all."""
    return asyncio.run(_check(settings, catalogues))


def introduce(settings: Settings, catalogues: Mapping[Language, Words]) -> None:
    """Tell Telegram the webhook (or that there is none), commands and descriptions.

    Raises Refused.
    """
    asyncio.run(_introduce(settings, catalogues))


def withdraw(settings: Settings) -> None:
    """Take webhook and commands back; what waits stays. Raises Refused."""
    asyncio.run(_withdraw(settings))


def username(settings: Settings) -> str:
    """The bot's name on Telegram, for links. Raises Refused."""
    return asyncio.run(_username(settings))


def webhook_url(settings: Settings) -> str:
    """Where Telegram is to call."""
    return f"{settings.address}/telegram"


@asynccontextmanager
async def _bot(settings: Settings) -> AsyncIterator[Bot]:
    # python-telegram-bot's, because an operator should not wait three seconds for aiogram.
    address = settings.telegram_api_url
    try:
        async with Bot(settings.telegram_token.get_secret_value(), f"{address}/bot") as bot:
            yield bot
    except (p.InvalidToken, p.Forbidden):
        raise Refused("TELEGRAM_TOKEN is refused: ask @BotFather for the token") from None
    except p.BadRequest as error:
        raise Refused(error.message) from None
    except p.NetworkError:
        raise Refused(f"TELEGRAM_API_URL={address} cannot be reached from here") from None
    except p.TelegramError as error:
        raise Refused(error.message) from None


async def _username(settings: Settings) -> str:
    async with _bot(settings) as bot:
        return (await bot.get_me()).username or ""


async def _introduce(settings: Settings, catalogues: Mapping[Language, Words]) -> None:
    async with _bot(settings) as bot:
        if settings.webhook_secrets:
            await bot.set_webhook(
                webhook_url(settings),
                secret_token=settings.webhook_secrets[0],
                allowed_updates=ALLOWED,
                max_connections=100,
                drop_pending_updates=False,
            )
        else:
            await bot.delete_webhook(drop_pending_updates=False)
        for language, code in CODES.items():
            shown = front(catalogues[language])
            commands = [BotCommand(name, does) for name, does in shown.commands]
            await bot.set_my_commands(commands, language_code=code)
            await bot.set_my_description(shown.description, language_code=code)
            await bot.set_my_short_description(shown.about, language_code=code)


async def _withdraw(settings: Settings) -> None:
    async with _bot(settings) as bot:
        await bot.delete_webhook(drop_pending_updates=False)
        for code in CODES.values():
            await bot.delete_my_commands(language_code=code)


async def _check(settings: Settings, catalogues: Mapping[Language, Words]) -> list[Finding]:
    try:
        async with _bot(settings) as bot:
            me = await bot.get_me()
            name = f"{me.first_name} (@{me.username}) answers."
            found = [Finding("telegram token", True, name)]
            found += _receiving(settings, await bot.get_webhook_info())
            for language, code in CODES.items():
                found.append(await _shown(bot, front(catalogues[language]), language, code))
            return found
    except Refused as no:
        return [Finding("telegram token", False, f"{no}.")]


def _receiving(settings: Settings, info: WebhookInfo) -> list[Finding]:
    found = [_way(settings, info)]
    if settings.webhook_secrets and info.url:
        missing = sorted(set(ALLOWED) - set(info.allowed_updates or ALLOWED))
        if missing:
            said = f"{', '.join(missing)} are not sent: run `langnghe telegram set`."
            found.append(Finding("telegram updates", False, said))
    few = info.pending_update_count < LEFT
    waits = f"{info.pending_update_count} updates wait at Telegram."
    found.append(Finding("telegram updates", few, waits))
    if info.last_error_message and info.last_error_date:
        when = info.last_error_date.astimezone(settings.zone)
        said = f"the last call failed at {when:%d/%m/%Y %H:%M}: {info.last_error_message}."
        found.append(Finding("telegram webhook", few, said))
    return found


def _way(settings: Settings, info: WebhookInfo) -> Finding:
    remedy = "run `langnghe telegram set`."
    if not settings.webhook_secrets:
        if info.url:
            said = f"a webhook is set, so polling gets nothing: {remedy}"
            return Finding("telegram webhook", False, said)
        return Finding("telegram webhook", True, "none is set: the program polls.")
    if info.url != webhook_url(settings):
        stands = info.url or "nothing"
        said = f"Telegram calls {stands}, not {webhook_url(settings)}: {remedy}"
        return Finding("telegram webhook", False, said)
    return Finding("telegram webhook", True, f"Telegram calls {info.url}.")


async def _shown(bot: Bot, wanted: Front, language: Language, code: str | None) -> Finding:
    commands = await bot.get_my_commands(language_code=code)
    stands = Front(
        tuple((each.command, each.description) for each in commands),
        (await bot.get_my_description(language_code=code)).description,
        (await bot.get_my_short_description(language_code=code)).short_description,
    )
    part = f"telegram words ({language})"
    if stands != wanted:
        said = "commands or descriptions are not ours: run `langnghe telegram set`."
        return Finding(part, False, said)
    return Finding(part, True, f"{len(commands)} commands and both descriptions are there.")
