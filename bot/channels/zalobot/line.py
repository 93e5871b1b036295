"""The Bot Platform's channel: updates in by webhook or polling, letters out, files fetched."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from starlette.routing import BaseRoute, Route

from bot.asked import Asked
from bot.channel import Rim
from bot.channels.zalobot.calling import Failed, NoAnswer, NotSent, Platform
from bot.channels.zalobot.charts import Charts
from bot.channels.zalobot.hearing import Body, heard, told_at
from bot.channels.zalobot.naming import CHANNEL, LONGEST
from bot.channels.zalobot.receiving import Poller, Webhook, webhook_of
from bot.channels.zalobot.speaking import ZaloBotVoice
from bot.downloading import download, downloads, read_hosts
from bot.gathering import Gathering
from bot.installation import now
from bot.sending import Sender
from storage.vocabulary import Event

HEALTH, SOON = 900.0, 60.0  # seconds between two looks at the webhook; the second while it is wrong
# What was taken is known for three days: what comes again after that would count twice.
STALE = timedelta(days=2)

log = logging.getLogger("langnghe.zalobot")


class ZaloBot:
    """One bot of the Bot Platform, in one event loop."""

    name = CHANNEL
    longest = LONGEST
    window: timedelta | None = None

    def __init__(self, rim: Rim) -> None:
        installation = rim.installation
        settings, store = installation.settings, installation.store
        self._rim, self._store = rim, store
        self._states = {"in": "starting", "out": "ok"}
        self._platform = Platform(
            settings.zalo_bot_token.get_secret_value(), settings.zalo_bot_api_url
        )
        self._hook = f"{settings.address}/zalo/bot"
        self._hosts = read_hosts(settings.zalo_media_hosts)
        self._downloads = downloads()
        self._charts = Charts(store, settings.address, now)
        self._asked = Asked(store, rim.clerk, CHANNEL, installation.today)
        trouble = partial(self._note, "out")
        voice = ZaloBotVoice(self._platform, self._asked, self._charts.link, trouble, now)
        self._sender = Sender(store, rim.clerk, voice, now)
        self._gathering = Gathering(store, CHANNEL, self._take, now)
        self._secrets = settings.zalo_bot_secrets

    @property
    def state(self) -> str:
        """ "ok", or what is wrong at Zalo."""
        return next((state for state in self._states.values() if state != "ok"), "ok")

    def routes(self) -> Sequence[BaseRoute]:
        """The webhook, where a secret for it is set; and where Zalo fetches charts."""
        found = [self._charts.route()] if self._charts.are_shown else []
        if self._secrets:
            hook = Webhook(self._secrets, self.take, partial(self._note, "in", "ok"))
            found.append(Route("/zalo/bot", hook.hear, methods=["POST"]))
        return found

    async def run(self) -> None:
        """Send, gather, and poll where there is no webhook, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._sender.run())
                group.create_task(self._gathering.run())
                group.create_task(self._watch() if self._secrets else self._poller().run())
        finally:
            await self._platform.close()
            await self._downloads.aclose()

    def _poller(self) -> Poller:
        trouble, holder = partial(self._note, "in"), secrets.token_hex(8)
        return Poller(self._platform, self._store, self.take, trouble, now, holder)

    # -- in -------------------------------------------------------------------------------------

    async def take(self, update: Body) -> None:
        """Take one update as it came. Raises Busy when it was not kept."""
        event = heard(update, now())
        if event is None:
            return
        at = told_at(update.get("message"))
        if at is not None and now().timestamp() * 1000 - at > STALE.total_seconds() * 1000:
            log.warning("an update of days ago is left alone: is this machine's clock right?")
            return
        await self._take(event, at)

    async def _take(self, event: Event, at: int | None = None) -> None:
        async with self._asked.turn(event.person.address):
            event = await self._asked.placed(event, at)
            taken = await self._sender.take(event)
            self._rim.changed(taken)
            if taken.held and event.part is not None:
                self._gathering.expect(event)

    async def _watch(self) -> None:
        """Look now and then whether Zalo still calls here: one that does not is silent."""
        self._note("in", "ok")
        await asyncio.sleep(SOON)  # whoever has just started the program may be about to set it
        while True:
            try:
                url = await webhook_of(self._platform)
            except Failed as failed:
                refused = "ZALO_BOT_TOKEN is refused"
                self._note("in", refused if failed.code == 401 else f"Zalo says {failed}")
            except (NotSent, NoAnswer):
                self._note("in", "cannot be reached")
            else:
                wrong = f"Zalo calls {url or 'nobody'}: run `langnghe zalobot set`"
                self._note("in", "ok" if url == self._hook else wrong)
            await asyncio.sleep(HEALTH if self._states["in"] == "ok" else SOON)

    # -- files ----------------------------------------------------------------------------------

    async def fetch(self, locator: str) -> bytes:
        """The bytes of a file. Raises LookupError when it cannot be had, OutOfReach for now."""
        return await download(self._downloads, locator, self._hosts)

    async def fetched(self, locator: str) -> None:
        """Zalo keeps its copy for a while; there is nothing of ours to delete."""

    # -- out ------------------------------------------------------------------------------------

    def _note(self, way: str, state: str) -> None:
        """Note how the way in or out of Zalo is, and say it once when that changes."""
        if state == self._states[way]:
            return
        self._states[way] = state
        log.log(logging.INFO if state == "ok" else logging.ERROR, "%s: %s", way, state)
