"""The Zalo channel: webhooks in, letters out, files fetched, the grant kept, the line watched."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.asked import Asked
from bot.channel import Rim
from bot.channels.zalo.granting import LOST, Keeper, NotNow, state_of
from bot.channels.zalo.naming import CHANNEL, LONGEST
from bot.channels.zalo.receiving import Signature, Webhook
from bot.channels.zalo.speaking import ACCOUNT, Api, Failed, ZaloVoice, nearly_used_up
from bot.channels.zalo.watching import silence
from bot.clerk import Busy
from bot.downloading import download, downloads, read_hosts
from bot.gathering import Gathering
from bot.installation import now
from bot.sending import Doubtful, Later, Rejected, Sender
from storage import digests, grants, people
from storage.grants import Grant
from storage.outbox import Letter
from storage.store import StoreDown, Work
from storage.vocabulary import Event

GLANCE = 5.0  # seconds between two looks at the grant
AGAIN_AFTER = 30.0  # seconds after a renewing that failed; doubled with each, up to:
AGAIN_AT_MOST = 600.0
HEALTH = 900.0  # seconds between two looks at the account
NOTED = 60.0  # seconds in which one call of Zalo's is noted for all
LISTENING = 1.0  # seconds that a call waits for what is being said; Zalo waits for two
COUNTED = ("sub_quota", "purchase_quota", "reward_quota")  # those that can be used up for all

log = logging.getLogger("langnghe.zalo")


class Zalo:
    """One Official Account, in one event loop."""

    name = CHANNEL
    longest = LONGEST

    def __init__(self, rim: Rim) -> None:
        self._settings = settings = rim.installation.settings
        self._store = store = rim.installation.store
        self._rim = rim
        self._hosts = read_hosts(settings.zalo_media_hosts)
        self._states = {"in": "starting", "token": "ok", "account": "ok", "out": "ok"}
        self._states |= {"quota": "ok", "silence": "ok"}
        self.keeper = Keeper(settings, store, now)
        self._api = Api(settings, self.keeper)
        self._downloads = downloads()
        self._asked = Asked(store, rim.clerk, CHANNEL, rim.installation.today, LISTENING)
        self._voice = ZaloVoice(
            self._api,
            self._asked,
            settings.zalo_oa_buttons,
            settings.zalo_oa_paid,
            self._picture,
            partial(self._note, "out"),
            self._left,
        )
        self._sender = Sender(store, rim.clerk, self._voice, now)
        self._gathering = Gathering(store, CHANNEL, self._take, now)
        self._asides: set[asyncio.Task[None]] = set()
        self._noted = -NOTED
        self._quotas: dict[str, Any] = {}
        secret = settings.zalo_oa_secret_key.get_secret_value()
        self._webhook = Webhook(
            Signature(settings.zalo_oa_app_id, secret),
            settings.zalo_oa_signature == "enforce",
            self.take,
            now,
            partial(self._note, "in"),
        )

    @property
    def state(self) -> str:
        """ "ok", or what is wrong with the line to Zalo."""
        return next((state for state in self._states.values() if state != "ok"), "ok")

    @property
    def window(self) -> timedelta | None:
        """For how long after somebody's last word Zalo takes letters."""
        return self._voice.window

    def routes(self) -> Sequence[BaseRoute]:
        """The webhook, the page one comes back to after the consent, the proof of the site."""
        found = [
            Route("/zalo/oa", self._webhook.hear, methods=["POST"]),
            Route("/zalo/oa/callback", _called_back, methods=["GET"]),
        ]
        code = self._settings.zalo_oa_site_verification
        if code:
            page = partial(_verification, code)
            found.append(Route(f"/zalo_verifier{code}.html", page, methods=["GET"]))
        return found

    async def run(self) -> None:
        """Send, gather, keep the grant and watch, until cancelled."""
        self._note("in", "ok")
        if self._settings.zalo_oa_signature == "log":
            self._states["signature"] = "ZALO_OA_SIGNATURE=log: anybody may write here"
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._sender.run())
                group.create_task(self._gathering.run())
                group.create_task(self._keep_the_grant())
                group.create_task(self._watch_the_account())
        finally:
            await self._api.close()
            await self._downloads.aclose()

    # -- in -------------------------------------------------------------------------------------

    async def take(self, events: Sequence[Event]) -> None:
        """Take the events of one call. Raises Busy when one was not kept."""
        self._aside_heard()
        for event in events:
            await self._take(event)

    async def _take(self, event: Event) -> None:
        async with self._asked.turn(event.person.address):
            event = await self._asked.placed(event, round(event.at.timestamp() * 1000))
            taken = await self._sender.take(event)
            self._rim.changed(taken)
            if taken.held and event.part is not None:
                self._gathering.expect(event)
            if event.said.reachable:
                self._sender.nudged.set()

    def _aside_heard(self) -> None:
        """Note now and then that Zalo calls: one that stops is found out by that."""
        if time.monotonic() - self._noted >= NOTED:
            self._noted = time.monotonic()
            self._aside(self._rim.clerk.write(self._heard, now()))

    def _heard(self, work: Work, times: Sequence[datetime]) -> None:
        grants.heard(work, self._settings.zalo_oa_app_id, max(times))

    def _aside(self, doing: Any) -> None:
        task = asyncio.create_task(_in_peace(doing))
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)

    # -- files ----------------------------------------------------------------------------------

    async def fetch(self, locator: str) -> bytes:
        """The bytes of a file. Raises LookupError when it cannot be had, OutOfReach for now."""
        return await download(self._downloads, locator, self._hosts)

    async def fetched(self, locator: str) -> None:
        """Zalo keeps its copy for a while; there is nothing of ours to delete."""

    # -- the grant and the account ---------------------------------------------------------------

    async def _keep_the_grant(self) -> None:
        """Renew in time, and see whether somebody connected the account anew."""
        fails = 0
        while True:
            grant = await self._look()
            tried = grant is not None and grant.failing is not None and grant.trouble != LOST
            fails = fails + 1 if tried else 0
            pause = min(AGAIN_AFTER * 2 ** min(fails - 1, 10), AGAIN_AT_MOST) if fails else GLANCE
            await asyncio.sleep(pause)

    async def _look(self) -> Grant | None:
        try:
            grant = await self.keeper.look()
            self._note("token", state_of(grant, now()))
            if grant is not None:
                await self._listen_for_silence(grant)
        except (StoreDown, Busy):
            return None
        return grant

    async def _listen_for_silence(self, grant: Grant) -> None:
        settings = self._settings
        day = (settings.quiet_until, settings.quiet_from)
        hours = settings.zalo_oa_silent_hours
        told = silence(grant.heard, grant.since, now(), settings.zone, day, hours)
        self._states["silence"] = told
        if told != "ok" and not grant.alarmed and await self._rim.clerk.write(self._alarm, None):
            log.error("%s", told)

    def _alarm(self, work: Work, _: Sequence[None]) -> bool:
        return grants.alarm(work, self._settings.zalo_oa_app_id)

    async def _watch_the_account(self) -> None:
        while True:
            try:
                await self._api.call("GET", ACCOUNT)
            except Failed as failed:
                self._note("account", f"the account does not answer as it should ({failed.code})")
            except (NotNow, StoreDown):
                await asyncio.sleep(AGAIN_AFTER)  # no token: that is told already
                continue
            except (Later, Rejected, Doubtful):
                self._note("account", "cannot be reached")
            else:
                self._note("account", "ok")
            await asyncio.sleep(HEALTH)

    # -- out ------------------------------------------------------------------------------------

    def _picture(self, letter: Letter) -> bytes | None:
        with self._store.read() as work:
            member = people.members(work, [letter.key]).get(letter.key)
            if member is None or letter.message.picture is None:
                return None
            return digests.chart_for(work, letter.message.picture, member.id)

    def _left(self, quota: Mapping[str, Any]) -> None:
        """Keep what Zalo says is left; only what can be used up for all is worth a row."""
        kind = quota.get("quota_type")
        known = {name: str(quota.get(name, ""))[:20] for name in ("remain", "total")}
        if kind not in COUNTED or self._quotas.get(kind) == known:
            return
        self._quotas[kind] = known
        short = nearly_used_up(known)
        told = f"of {kind} only {known['remain']} of {known['total']} messages are left"
        self._note("quota", told if short else "ok")
        self._aside(self._rim.clerk.write(self._keep_quotas, dict(self._quotas)))

    def _keep_quotas(self, work: Work, quotas: Sequence[dict[str, Any]]) -> None:
        grants.left(work, self._settings.zalo_oa_app_id, quotas[-1])

    def _note(self, way: str, state: str) -> None:
        """Note how a part of the line is, and say it once when that changes."""
        if state == self._states[way]:
            return
        self._states[way] = state
        log.log(logging.INFO if state == "ok" else logging.ERROR, "%s: %s", way, state)


async def _in_peace(doing: Any) -> None:
    """A note that is lost while the store is down comes again with the next call."""
    try:
        await doing
    except (Busy, StoreDown):
        log.debug("a note was not kept")


async def _called_back(request: Request) -> Response:
    """Where Zalo leads an administrator after the consent: what to do with the address."""
    told = "Copy the whole address of this page into the waiting `langnghe zalo connect`."
    return Response(told, media_type="text/plain; charset=utf-8")


async def _verification(code: str, request: Request) -> Response:
    meta = f'<meta name="zalo-platform-site-verification" content="{code}">'
    page = f"<!doctype html><html><head>{meta}</head><body>{code}</body></html>"
    return Response(page, media_type="text/html; charset=utf-8")
