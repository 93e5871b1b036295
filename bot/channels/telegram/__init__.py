"""Telegram: by aiogram in and out to who waits, by python-telegram-bot out to the many."""

from __future__ import annotations

from bot.channel import Channel, Rim


def opened(rim: Rim) -> Channel | None:
    """The channel, where TELEGRAM_TOKEN is set; aiogram is imported only then."""
    if not rim.installation.settings.telegram_token.get_secret_value():
        return None
    from bot.channels.telegram.line import Telegram

    return Telegram(rim)
