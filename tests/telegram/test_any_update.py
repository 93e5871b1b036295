"""Ten thousand updates of every type: none raises, none is refused, everybody is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.doubles.wire import dumps
from tests.telegram.double import BotApi
from tests.telegram.line import SECRET, Line, on_line
from tests.telegram.updates import Thing, private_chat, some_updates
from tests.waiting import until

HOW_MANY = 10_000
AT_ONCE = 50
SILENT = {  # what the app writes into a chat by itself
    "pinned_message",
    "message_auto_delete_timer_changed",
    "chat_background_set",
    "write_access_allowed",
}


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp("any")
    with BotApi() as api, on_line(folder, models, "webhook", api) as running:
        yield running


def test_no_update_is_too_odd_to_be_taken(line: Line) -> None:
    wrote: dict[int, float] = {}
    updates = list(some_updates(2026, HOW_MANY))
    for chat in {private_chat(update) for update in updates} - {None}:
        line.api.person(f"x{chat}", chat).place.started = True
    statuses = asyncio.run(posted(line, updates, wrote))
    assert set(statuses) == {200} and len(statuses) == HOW_MANY
    assert "Traceback" not in line.server.log.read_text()
    line.api.person("Sau Cùng").start()
    line.api.person("Sau Cùng").wait("Kính chào")
    until(lambda: not line.held() and line.waiting() == len(line.doubts()), seconds=120)
    assert line.api.violations == []
    answered = {call.chat: call.at for call in line.api.calls("sendMessage") if call.executed}
    assert len(wrote) > 100
    assert [chat for chat, at in wrote.items() if answered.get(chat, 0) < at] == []


async def posted(line: Line, updates: list[Thing], wrote: dict[int, float]) -> list[int]:
    """Post them as Telegram would, those of one chat one after the other; their statuses.

    `wrote` is filled with when each person last said something that wants an answer.
    """
    queues: dict[int, list[Thing]] = {}
    for update in updates:
        queues.setdefault(hash(str(_id(_chat(update)))) % AT_ONCE, []).append(update)
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}

    async def one(queue: list[Thing]) -> list[int]:
        return [await post(update) for update in queue]

    seen: set[tuple[int, int]] = set()

    async def post(update: Thing) -> int:
        chat = private_chat(update)
        if "my_chat_member" in update:
            wrote.pop(_id(_chat(update)), None)  # who blocks the bot is not waited for
        if chat is not None and not SILENT & update["message"].keys():
            message = (chat, update["message"]["message_id"])
            if message not in seen:  # else it is the same message, come again
                wrote[chat] = time.monotonic()
            seen.add(message)
        async with client.post(line.hook, data=dumps(update)) as answer:
            return answer.status

    async with aiohttp.ClientSession(headers=headers) as client:
        return [s for each in await asyncio.gather(*map(one, queues.values())) for s in each]


def _id(chat: Any) -> Any:
    return chat.get("id") if isinstance(chat, dict) else None


def _chat(update: Thing) -> Any:
    content = next((v for k, v in update.items() if k != "update_id"), {})
    return content.get("chat", content.get("from")) if isinstance(content, dict) else None
