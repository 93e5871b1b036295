"""The grant of an Official Account: one program renews it for all, and no pair is used unkept."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from bot.reading import loads
from bot.settings import Settings
from storage import grants
from storage.grants import Grant, Pair
from storage.store import Store, StoreDown

DAILY = timedelta(hours=20)  # at the latest so long after the last time
SHARE = 0.8  # of a token's life, after which it is renewed
USUAL_LIFE = 3600  # seconds, where Zalo names none
LEASE = timedelta(seconds=60)  # for one renewing; longer than its call may take
SECONDS = 20.0  # for one call
PATIENCE = 25.0  # seconds to wait for another program that renews
GLANCE = 0.2  # seconds between two looks whether it has
ONCE_A = 60.0  # seconds: so often a token that is refused at once is renewed
AWAY = timedelta(minutes=15)  # of failing before it is worth an alarm
ALARM_AFTER = timedelta(days=60)  # without renewing; Zalo takes a refresh token for 90 days
LOST = "lost"  # the refresh token is dead: used elsewhere, or its successor never arrived
DEAD = "-14020"  # what Zalo says of such a token
MEANING = {
    "-14002": "the app is not active",
    "-14003": "the callback address is not the one in the console",
    "-14004": "ZALO_OA_APP_ID is refused",
    "-14006": "ZALO_OA_APP_SECRET is refused",
    "-14010": "the code is too old, was used, or belongs to another try",
    "-14020": "the refresh token is too old, or was used",
}
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
REMEDY = "run `langnghe zalo connect`"

log = logging.getLogger("langnghe.zalo")


class NotNow(Exception):
    """Nothing can be asked of Zalo now: the message says why, in a few words."""


class OAuthRefused(Exception):
    """Zalo gives no pair: its code, or a few words where it said nothing we know."""


def challenge(verifier: str) -> str:
    """What the consent page is given of a verifier (PKCE, RFC 7636 S256)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def consent_url(settings: Settings, verifier: str, state: str) -> str:
    """Where an administrator of the Official Account agrees."""
    asked = {
        "app_id": settings.zalo_oa_app_id,
        "redirect_uri": f"{settings.address}/zalo/oa/callback",
        "code_challenge": challenge(verifier),
        "state": state,
    }
    return f"{settings.zalo_oauth_url}/v4/oa/permission?{urlencode(asked)}"


class Keeper:
    """Keeps the pair of tokens. What renews it runs in a thread, so nothing cancels it halfway."""

    def __init__(self, settings: Settings, store: Store, now: Callable[[], datetime]) -> None:
        self._settings, self._store, self._now = settings, store, now
        self._app = settings.zalo_oa_app_id
        self._grant: Grant | None = None
        self._turn = asyncio.Lock()
        self._gained = ("", -ONCE_A)  # the last token got for a refused one, and when

    async def token(self, refused: str = "") -> str:
        """An access token that was not just `refused`. Raises NotNow, StoreDown."""
        known = self._grant
        if known and known.pair.access != refused and known.pair.expires > self._now():
            return known.pair.access
        async with self._turn:
            known = self._grant
            if known is None or known.pair.access == refused or known.pair.expires <= self._now():
                self._grant = await asyncio.to_thread(self.renewed, refused)
            assert self._grant is not None
            return self._grant.pair.access

    async def look(self) -> Grant | None:
        """The grant as it stands, renewed if it is time. Raises StoreDown."""
        async with self._turn:
            self._grant = await asyncio.to_thread(self._looked)
            return self._grant

    # -- in a thread ----------------------------------------------------------------------------

    def _looked(self) -> Grant | None:
        grant = self.read()
        if grant is None or grant.trouble == LOST or not self.is_due(grant):
            return grant
        try:
            return self.renewed(grant.pair.access)
        except NotNow:
            return self.read()

    def read(self) -> Grant | None:
        """The grant as it stands. Raises StoreDown."""
        with self._store.read() as work:
            return grants.granted(work, self._app)

    def is_due(self, grant: Grant) -> bool:
        """Whether it is time to renew: long before the end of a token, and once a day."""
        life = (grant.pair.expires - grant.renewed) * SHARE
        return self._now() >= grant.renewed + min(life, DAILY)

    def renewed(self, refused: str = "") -> Grant:
        """A grant whose token is good and is not `refused`, renewed by whoever claims it first.

        Raises NotNow, StoreDown.
        """
        ends = time.monotonic() + PATIENCE
        while True:
            grant = self.read()
            if grant is None:
                raise NotNow(f"not connected: {REMEDY}")
            if grant.pair.access != refused and grant.pair.expires > self._now():
                return grant
            if grant.trouble == LOST:
                raise NotNow(state_of(grant, self._now()))
            gained, at = self._gained
            if refused == gained and time.monotonic() - at < ONCE_A and not self.is_due(grant):
                raise NotNow("Zalo refuses a token that it gave just now")
            if self._claimed(grant):
                return self._renew(grant)
            if time.monotonic() > ends:
                raise NotNow("another program renews the token")
            time.sleep(GLANCE)

    def _claimed(self, grant: Grant) -> bool:
        now = self._now()
        with self._store.write() as work:
            return grants.claim(work, self._app, grant.version, now, now + LEASE)

    def _renew(self, grant: Grant) -> Grant:
        """Exchange the single-use refresh token; the claim is ours.

        Between Zalo's answer and the commit stands nothing, and nobody uses the pair before it.
        """
        asked = {"grant_type": "refresh_token", "refresh_token": grant.pair.refresh}
        try:
            self.keep(pair := self.exchange(asked), grant.version)
        except OAuthRefused as refused:
            return self._not_renewed(grant, refused)
        self._gained = (pair.access, time.monotonic())
        log.info("the access token was renewed")
        kept = self.read()
        assert kept is not None
        return kept

    def _not_renewed(self, grant: Grant, refused: OAuthRefused) -> Grant:
        said = str(refused)
        trouble = LOST if said == DEAD else MEANING.get(said, said)
        stands = self.read()
        if stands is not None and stands.version != grant.version:
            return stands  # somebody else was quicker after all
        log.warning("the access token was not renewed: %s", trouble)
        with self._store.write() as work:
            grants.failed(work, self._app, grant.version, trouble, self._now())
        raise NotNow(self._state()) from None

    def _state(self) -> str:
        return state_of(self.read(), self._now())

    def keep(self, pair: Pair, version: int | None = None) -> None:
        """Write a pair, durably, before anything uses it; again and again while the store is down.

        There is no other copy of it: without this row the account has to be connected anew.
        `version`: the one it came of; without it whatever stands there is replaced.
        """
        while True:
            try:
                with self._store.write() as work:
                    grants.renew(work, self._app, pair, self._now(), version)
            except StoreDown as down:
                log.error("the new token is not stored yet: %s; do not stop the program", down)
                time.sleep(1)
            else:
                return

    def exchange(self, asked: Mapping[str, str]) -> Pair:
        """A new pair for a code or a refresh token. Raises OAuthRefused."""
        settings = self._settings
        headers = {"secret_key": settings.zalo_oa_app_secret.get_secret_value()}
        url = f"{settings.zalo_oauth_url}/v4/oa/access_token"
        try:
            with httpx.Client(timeout=SECONDS) as client:
                body = {**asked, "app_id": self._app}
                answer = client.post(url, data=body, headers=headers).content
        except NOT_SENT:
            raise OAuthRefused("cannot be reached") from None
        except httpx.HTTPError:
            raise OAuthRefused("gave no answer") from None
        return self._pair(answer)

    def _pair(self, answer: bytes) -> Pair:
        try:
            told = loads(answer)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise OAuthRefused("gave no answer that can be read")
        access, refresh = told.get("access_token"), told.get("refresh_token")
        if not (isinstance(access, str) and access and isinstance(refresh, str) and refresh):
            raise OAuthRefused(str(_code(told)))
        return Pair(access, refresh, self._now() + timedelta(seconds=_life(told)))


def _code(told: Mapping[str, Any]) -> int | str:
    try:
        return int(told["error"])
    except (KeyError, TypeError, ValueError):
        return "gave neither a pair nor an error"


def _life(told: Mapping[str, Any]) -> float:
    """For how many seconds a token holds, as told: a number, or a text that is one."""
    try:
        life = float(told["expires_in"])
    except (KeyError, TypeError, ValueError):
        return USUAL_LIFE
    return min(life, 1e8) if math.isfinite(life) and life > 0 else USUAL_LIFE


def state_of(grant: Grant | None, now: datetime) -> str:
    """ "ok", or in a few words what is wrong with a grant and what to do."""
    if grant is None:
        return f"not connected: {REMEDY}"
    if grant.trouble == LOST:
        return f"the refresh token was used elsewhere, or its successor was lost: {REMEDY}"
    if now - grant.renewed > ALARM_AFTER:
        return f"the token was not renewed since {grant.renewed:%d/%m/%Y}, soon it cannot: {REMEDY}"
    if grant.failing is not None and (now - grant.failing > AWAY or grant.pair.expires <= now):
        return f"the token cannot be renewed since {grant.failing:%d/%m %H:%M} UTC: {grant.trouble}"
    return "ok"
