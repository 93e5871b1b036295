"""What only one program may do at a time: a row says who does it, and until when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, or_

from storage.store import Work, table
from storage.tables import Turn

_turn = table(Turn)


def take(work: Work, name: str, holder: str, now: datetime, until: datetime) -> bool:
    """Have the turn until a moment: it was free, ours, or its holder let the time pass."""
    put = work.insert(Turn)
    free = or_(_turn.c.holder == holder, _turn.c.until < now)
    changed = {"holder": put.excluded.holder, "until": put.excluded.until}
    put = put.on_conflict_do_update(index_elements=["name"], set_=changed, where=free)
    row = {"name": name, "holder": holder, "until": until}
    done = work.connection.execute(put.returning(_turn.c.holder), row).scalar()
    return bool(done == holder)


def leave(work: Work, name: str, holder: str) -> None:
    """Give the turn back, if it is ours."""
    mine = _turn.c.name == name, _turn.c.holder == holder
    work.connection.execute(delete(_turn).where(*mine))
