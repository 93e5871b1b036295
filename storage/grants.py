"""What a Zalo Official Account granted: the pair of tokens under seal, and who may renew it now."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import func, or_, select, update

from storage.sealing import CannotOpen
from storage.store import Work, table
from storage.tables import ZaloGrant

_grant = table(ZaloGrant)


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token with the single-use refresh token that renews it, and until when it holds."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """The row of an app, opened; the fields are those of storage.tables.ZaloGrant."""

    version: int
    pair: Pair
    since: datetime
    renewed: datetime
    failing: datetime | None
    trouble: str | None
    heard: datetime | None
    alarmed: bool
    quota: dict[str, Any]


def granted(work: Work, app: str) -> Grant | None:
    """The grant of an app; None where there is none, or its key was taken out of use."""
    row = work.connection.execute(select(_grant).where(_grant.c.app == app)).first()
    try:
        plain = orjson.loads(work.seal.open(row.sealed, f"zalogrant|sealed|{app}")) if row else None
    except CannotOpen:
        return None
    if row is None or plain is None:
        return None
    pair = Pair(plain["access"], plain["refresh"], row.expires)
    quota = orjson.loads(row.quota or "{}")
    return Grant(
        row.version,
        pair,
        row.since,
        row.renewed,
        row.failing,
        row.trouble,
        row.heard,
        row.alarmed,
        quota,
    )


def claim(work: Work, app: str, version: int, now: datetime, until: datetime) -> bool:
    """Own the renewing of this pair until a moment; False when somebody else does, or did."""
    free = or_(_grant.c.claimed.is_(None), _grant.c.claimed < now)
    mine = _grant.c.app == app, _grant.c.version == version, free
    done = work.connection.execute(update(_grant).where(*mine).values(claimed=until))
    return bool(done.rowcount)


def renew(work: Work, app: str, pair: Pair, now: datetime, version: int | None = None) -> None:
    """Put a new pair in the place of the old one, or of none. All that failed is over.

    `version`: the one it came of; it is dropped where somebody has connected the account anew.
    """
    plain = orjson.dumps({"access": pair.access, "refresh": pair.refresh})
    row = {
        "app": app,
        "version": 1,
        "sealed": work.seal.close(plain, f"zalogrant|sealed|{app}"),
        "since": now,
        "renewed": now,
        "expires": pair.expires,
        "claimed": None,
        "failing": None,
        "trouble": None,
        "alarmed": False,
    }
    put = work.insert(ZaloGrant)
    stays = {"app", "alarmed"} if version is None else {"app", "alarmed", "since"}
    changed = {name: put.excluded[name] for name in row if name not in stays}
    changed["version"] = _grant.c.version + 1
    its = None if version is None else _grant.c.version == version
    put = put.on_conflict_do_update(index_elements=["app"], set_=changed, where=its)
    work.connection.execute(put, row)


def failed(work: Work, app: str, version: int, trouble: str, now: datetime) -> None:
    """Note that this pair could not be renewed, and let go of it."""
    mine = _grant.c.app == app, _grant.c.version == version
    since = func.coalesce(_grant.c.failing, now)
    values = {"claimed": None, "failing": since, "trouble": trouble}
    work.connection.execute(update(_grant).where(*mine).values(values))


def heard(work: Work, app: str, now: datetime) -> None:
    """Note that a webhook came: whatever was said about silence is over."""
    values = {"heard": now, "alarmed": False}
    work.connection.execute(update(_grant).where(_grant.c.app == app).values(values))


def alarm(work: Work, app: str) -> bool:
    """Own the saying that no webhook has come for long; False when it was said."""
    mine = _grant.c.app == app, _grant.c.alarmed.is_(False)
    return bool(work.connection.execute(update(_grant).where(*mine).values(alarmed=True)).rowcount)


def left(work: Work, app: str, quota: dict[str, Any]) -> None:
    """Note what Zalo said last of the quota."""
    values = {"quota": orjson.dumps(quota).decode()}
    work.connection.execute(update(_grant).where(_grant.c.app == app).values(values))
