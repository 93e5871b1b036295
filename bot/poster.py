"""Links that begin a talk, and their QR codes for a wall, a forum, an invitation."""

from __future__ import annotations

from pathlib import Path

import segno

from bot.installation import Installation

SCALE = 12  # pixels of a module: sharp on paper the size of a hand


def ways_in(opened: Installation, payload: str) -> dict[str, str]:
    """The links by channel that open the chat with a payload (64 of A-Z, a-z, 0-9, _, -).

    Raises Refused where Telegram is set up and does not answer.
    """
    links = {"web": opened.link(payload)}
    if opened.settings.telegram_token.get_secret_value():
        from bot.channels.telegram.office import username

        links["telegram"] = f"https://t.me/{username(opened.settings)}?start={payload}"
    return links


def draw(links: dict[str, str], path: Path) -> list[Path]:
    """Write a PNG a link, beside each other: NAME-web.png, NAME-telegram.png."""
    drawn = []
    for channel, link in links.items():
        to = path.with_name(f"{path.stem}-{channel}.png")
        segno.make(link, error="m", micro=False).save(str(to), scale=SCALE, border=4)
        drawn.append(to)
    return drawn
