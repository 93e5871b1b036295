"""Zalo's Bot Platform: a bot without an organisation behind it, for pilots, staff, supervisors."""

from __future__ import annotations

from bot.channel import Channel, Rim


def opened(rim: Rim) -> Channel | None:
    """The channel, where ZALO_BOT_TOKEN is set."""
    if not rim.installation.settings.zalo_bot_token.get_secret_value():
        return None
    from bot.channels.zalobot.line import ZaloBot

    return ZaloBot(rim)
