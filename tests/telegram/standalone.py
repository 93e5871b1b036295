"""The double as a program of its own, for a bench; its people are steered over HTTP.

`POST /people {"count": 2000}` makes people who have started the bot: their chat ids.
`POST /say {"chat": id, "text": "..."}` and `POST /update {...}`: the number of the update.
`POST /limits {"on": true, ...}`, `POST /webhook {"url": ..., "secret": ...}`.
`GET /calls?from=0`: the journal from there on, a call a line: [at, method, chat, status, by].
`at` is CLOCK_MONOTONIC in seconds, so that processes of one machine can compare.
`GET /state`: how many updates wait, how many calls there were, the violations.
"""

from __future__ import annotations

import argparse
import sys
import threading
from typing import Any

from aiohttp import web

from tests.doubles.wire import dumps
from tests.telegram.double import BotApi
from tests.telegram.schema import missing


def main() -> None:
    """Serve until interrupted."""
    words = argparse.ArgumentParser(prog="python -m tests.telegram.double")
    words.add_argument("--port", type=int, default=8081)
    words.add_argument("--token", default=BotApi.token)
    words.add_argument("--limits", action="store_true", help="Telegram's own rates")
    chosen = words.parse_args()
    if told := missing():
        sys.stderr.write(f"*** {told} ***\n")
    api = BotApi(port=chosen.port, token=chosen.token)
    if chosen.limits:
        api.limits()
    steer(api)
    with api:
        sys.stdout.write(f"TELEGRAM_API_URL={api.url} TELEGRAM_TOKEN={api.token}\n")
        sys.stdout.flush()
        threading.Event().wait()


def steer(api: BotApi) -> None:
    """Let the double be steered over HTTP; before it is started."""
    Steering(api).open()


class Steering:
    """What another process may ask of a double."""

    def __init__(self, api: BotApi) -> None:
        self.api = api

    def open(self) -> None:
        for call in (self.people, self.say, self.update, self.limits, self.webhook):
            self.api.more[f"/{call.__name__}"] = call
        self.api.more |= {"/calls": self.calls, "/state": self.state}

    async def people(self, request: web.BaseRequest) -> web.Response:
        api, count = self.api, (await request.json())["count"]
        with api.changed:
            born = [api.person(f"P{len(api.people)}") for _ in range(count)]
            for each in born:
                each.place.started = True
        return _said([each.id for each in born])

    async def say(self, request: web.BaseRequest) -> web.Response:
        asked = await request.json()
        with self.api.changed:
            who = next(p for p in self.api.people.values() if p.id == asked["chat"])
            who.say(asked["text"])
            return _said(who.updates[-1])

    async def update(self, request: web.BaseRequest) -> web.Response:
        return _said(self.api.update(await request.json(), anyway=True))

    async def limits(self, request: web.BaseRequest) -> web.Response:
        self.api.limits(**(await request.json()))
        return _said(True)

    async def webhook(self, request: web.BaseRequest) -> web.Response:
        await self.api.hook_on(**(await request.json()))
        return _said(True)

    async def calls(self, request: web.BaseRequest) -> web.Response:
        first = int(request.query.get("from", "0"))
        with self.api.changed:
            known = self.api.journal[first:]
        lines = (dumps([c.at, c.method, c.chat, c.status, c.by]) for c in known)
        return web.Response(body=b"\n".join(lines), content_type="application/x-ndjson")

    async def state(self, request: web.BaseRequest) -> web.Response:
        with self.api.changed:
            waits, count = len(self.api.pending.waiting), len(self.api.journal)
            return _said({"waiting": waits, "calls": count, "violations": self.api.violations})


def _said(value: Any) -> web.Response:
    return web.Response(body=dumps(value), content_type="application/json")
