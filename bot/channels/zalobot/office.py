"""What an operator asks of the Bot Platform: is all as the settings say, make it so, undo it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from bot.channels.zalobot.calling import Failed, NoAnswer, NotSent, Platform
from bot.channels.zalobot.naming import MESSAGES, USERS
from bot.channels.zalobot.receiving import webhook_of
from bot.finding import Finding, Refused
from bot.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check(settings: Settings) -> list[Finding]:
    """Hold Zalo against the settings; the first finding says whether it answers at all."""
    return asyncio.run(_check(settings))


def introduce(settings: Settings) -> None:
    """Tell Zalo the webhook, or that there is none. Raises Refused."""
    asyncio.run(_introduce(settings))


def withdraw(settings: Settings) -> None:
    """Take the webhook back. Raises Refused."""
    asyncio.run(_withdraw(settings))


def webhook_url(settings: Settings) -> str:
    """Where Zalo is to call."""
    return f"{settings.address}/zalo/bot"


@asynccontextmanager
async def _bot(settings: Settings) -> AsyncIterator[Platform]:
    platform = Platform(settings.zalo_bot_token.get_secret_value(), settings.zalo_bot_api_url)
    try:
        yield platform
    except Failed as failed:
        raise Refused(_meaning(settings, failed)) from None
    except (NotSent, NoAnswer):
        address = settings.zalo_bot_api_url
        raise Refused(f"ZALO_BOT_API_URL={address} cannot be reached from here") from None
    finally:
        await platform.close()


def _meaning(settings: Settings, failed: Failed) -> str:
    if failed.code == 401:
        return "ZALO_BOT_TOKEN is refused: Zalo Bot Creator shows the token"
    if failed.plain:
        return f"ZALO_BOT_API_URL={settings.zalo_bot_api_url} answers {failed.code}: is it right?"
    return f"Zalo says {failed}"


async def _introduce(settings: Settings) -> None:
    if not settings.zalo_bot_secrets:
        await _withdraw(settings)
        return
    url = webhook_url(settings)
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise Refused(f"PUBLIC_URL={settings.public_url}: Zalo calls https addresses only")
    async with _bot(settings) as bot:
        what = {"url": url, "secret_token": settings.zalo_bot_secrets[0]}
        told = await bot.call("setWebhook", what)
    probe = told.get("verification") if isinstance(told, dict) else None
    if isinstance(probe, dict) and probe.get("ok") is False:
        # The address is kept all the same, so nothing but this would tell.
        raise Refused(f"Zalo keeps {url}, but its call there fails: {_outcome(probe)}")


def _outcome(probe: Mapping[str, Any]) -> str:
    said = (probe.get(name) for name in ("outcome", "status_code", "hint"))
    return ", ".join(str(each)[:100] for each in said if each)


async def _withdraw(settings: Settings) -> None:
    async with _bot(settings) as bot:
        await bot.call("deleteWebhook")


async def _check(settings: Settings) -> list[Finding]:
    try:
        async with _bot(settings) as bot:
            me = await bot.call("getMe")
            url = await webhook_of(bot)
    except Refused as no:
        return [Finding("zalobot token", False, f"{no}.")]
    me = me if isinstance(me, dict) else {}
    name, kind = me.get("display_name") or me.get("account_name") or "?", me.get("account_type")
    return [
        Finding("zalobot token", True, f"{name} answers."),
        _way(settings, url),
        Finding("zalobot plan", True, _plan(kind)),
        Finding("zalobot charts", True, _charts(settings)),
    ]


def _way(settings: Settings, url: str) -> Finding:
    part, remedy = "zalobot webhook", "run `langnghe zalobot set`."
    if not settings.zalo_bot_secrets:
        if url:
            said = f"a webhook is set, so polling gets nothing: {remedy}"
            return Finding(part, False, said)
        return Finding(part, True, "none is set: the program polls, which is for trying out only.")
    if url != webhook_url(settings):
        said = f"Zalo calls {url or 'nothing'}, not {webhook_url(settings)}: {remedy}"
        return Finding(part, False, said)
    return Finding(part, True, f"Zalo calls {url}.")


def _plan(kind: object) -> str:
    return (
        f"{kind or 'unknown'}; the free one serves {USERS} people and {MESSAGES:,} messages a "
        "month, and writes to nobody who has not written first."
    )


def _charts(settings: Settings) -> str:
    if settings.address.startswith("https://"):
        return f"Zalo fetches them from {settings.address}/zalo/bot/charts."
    return "none is sent, only their words: Zalo fetches by https, which PUBLIC_URL is not."
