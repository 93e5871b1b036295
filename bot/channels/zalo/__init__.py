"""Zalo's Official Account: webhooks in, OpenAPI v3 out, under a grant that is renewed here."""

from __future__ import annotations

from bot.channel import Channel, Rim


def opened(rim: Rim) -> Channel | None:
    """The channel, where ZALO_OA_APP_ID is set; what it needs is imported only then."""
    if not rim.installation.settings.zalo_oa_app_id:
        return None
    from bot.channels.zalo.line import Zalo

    return Zalo(rim)
