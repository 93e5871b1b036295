"""The usual way, to compare with: aiogram's webhook handler, a SQLModel row and commit each."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2
from aiogram import Bot, Dispatcher, F, Router
from aiogram.filters import Command, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.types import Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web
from sqlalchemy import Engine, event
from sqlmodel import Field, Session, SQLModel, create_engine

from bench.platform import SECRET

router = Router()


class Told(SQLModel, table=True):
    """One message as it came."""

    id: int | None = Field(default=None, primary_key=True)
    chat: int = Field(index=True)
    message: int
    text: str
    at: datetime


@router.message(CommandStart())
@router.message(Command("tinbao", "menu", "huy"))
@router.message(F.text)
async def told(message: Message, state: FSMContext, engine: Engine) -> Any:
    """Store the message, note the step, answer in the webhook's own reply."""
    row = Told(
        chat=message.chat.id,
        message=message.message_id,
        text=message.text or "",
        at=datetime.now(UTC),
    )
    with Session(engine) as session:
        session.add(row)
        session.commit()
    steps = (await state.get_data()).get("steps", 0)
    await state.update_data(steps=steps + 1)
    return message.answer("Đã ghi. Xin cho biết tiếp: việc này ở đâu?")


def main(folder: Path, port: int) -> None:
    """Serve on a port, with a database in a folder."""
    engine = create_engine(f"sqlite:///{folder / 'usual.db'}", module=pysqlite3.dbapi2)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables["told"]])
    dispatcher = Dispatcher(engine=engine)
    dispatcher.include_router(router)
    app = web.Application()
    bot = Bot("1:bench")
    handler = SimpleRequestHandler(dispatcher, bot, handle_in_background=False, secret_token=SECRET)
    handler.register(app, "/telegram")
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


main(Path(sys.argv[1]), int(sys.argv[2]))
