"""Watching over the line to Zalo: is the account well, and does Zalo still call us by day."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

FARTHEST = timedelta(days=60)  # longer silence need not be measured


def hours_of_day(since: datetime, until: datetime, zone: ZoneInfo, opens: int, shuts: int) -> float:
    """How many hours of day lie between two moments; a day lasts from `opens` to `shuts` o'clock.

    Where both are the same hour, every hour is of day.
    """
    at = max(since, until - FARTHEST)
    if opens == shuts:
        return max(0.0, (until - at).total_seconds() / 3600)
    seconds = 0.0
    day = at.astimezone(zone).date() - timedelta(days=1)
    while day <= until.astimezone(zone).date():
        begin = datetime(day.year, day.month, day.day, opens, tzinfo=zone)
        end = begin + timedelta(hours=(shuts - opens) % 24)
        seconds += max(0.0, (min(end, until) - max(begin, at)).total_seconds())
        day += timedelta(days=1)
    return seconds / 3600


def silence(
    heard: datetime | None,
    connected: datetime,
    now: datetime,
    zone: ZoneInfo,
    day: tuple[int, int],
    most: int,
) -> str:
    """ "ok", or how long Zalo has not called: an unsubscribed webhook is silent.

    `heard`: its last call; `connected`: since when it could; `most`: hours of day, 0 for never.
    """
    since = max(heard or connected, connected)
    if not most or hours_of_day(since, now, zone, *day) < most:
        return "ok"
    when = f"{since.astimezone(zone):%d/%m/%Y %H:%M}"
    return f"Zalo has not called since {when}: is the webhook still on in the console?"
