"""What all of Zalo's side calls things: the channel, its addresses, how long a message may be."""

from __future__ import annotations

import re
from datetime import timedelta

CHANNEL = "zalo"
LONGEST = 2000  # characters of a message; we count UTF-16 units, which are never fewer
FREE = timedelta(hours=48)  # after somebody's last word
PAID = timedelta(days=7)
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # ids are longer than 2^53, so they stay text
ANONYMOUS = "anonymous:"  # then the id and the conversation that a reply has to name


def anonymous(sender: str, conversation: str) -> str:
    """The address of somebody who writes from a web page without an account."""
    return f"{ANONYMOUS}{sender}:{conversation}"


def recipient(address: str) -> dict[str, str]:
    """An address as Zalo's calls name it."""
    if not address.startswith(ANONYMOUS):
        return {"user_id": address}
    sender, _, conversation = address.removeprefix(ANONYMOUS).partition(":")
    return {"anonymous_id": sender, "conversation_id": conversation}
