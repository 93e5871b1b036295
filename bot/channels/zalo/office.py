"""What an operator asks of Zalo: connect the account, and is all as it should be."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.channels.zalo.granting import MEANING as MEANINGS
from bot.channels.zalo.granting import Keeper, NotNow, OAuthRefused, consent_url, state_of
from bot.channels.zalo.speaking import ACCOUNT, MEANING, Api, Failed, nearly_used_up
from bot.channels.zalo.watching import silence
from bot.finding import Finding, Refused
from bot.installation import Installation, now
from bot.sending import Doubtful, Later, Rejected
from bot.settings import Settings
from storage.grants import Grant, Pair
from storage.store import StoreDown


@dataclass(frozen=True)
class Consent:
    """One try to connect: where an administrator agrees, and what only we know of it."""

    url: str
    verifier: str
    state: str


def consent(settings: Settings) -> Consent:
    """Begin to connect. The code that comes back is good for 10 minutes, once, with this only."""
    verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(16)  # 43 and 22 characters
    return Consent(consent_url(settings, verifier, state), verifier, state)


def code_in(pasted: str, consent: Consent, account: str) -> str:
    """The code of what was pasted: the whole address one was led to, or the bare code.

    `account`: which Official Account it has to be, if that is set. Raises Refused.
    """
    pasted = pasted.strip()
    if "=" not in pasted:
        return pasted
    told = parse_qs(urlsplit(pasted).query)
    code, state, of = (told.get(name, [""])[0] for name in ("code", "state", "oa_id"))
    if not code:
        raise Refused("There is no code in that address")
    if state and state != consent.state:
        raise Refused("That address belongs to another try: open the address printed just now")
    if account and of and of != account:
        raise Refused(f"That is the account {of}, not ZALO_OA_ID={account}")
    return code


def connect(opened: Installation, code: str, verifier: str) -> None:
    """Exchange the code of a consent for the pair of tokens, and keep it. Raises Refused."""
    asked = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    _keep(opened, lambda keeper: keeper.exchange(asked))


def bring(opened: Installation, refresh: str) -> None:
    """Take over a refresh token, by renewing it at once: it is used up by that. Raises Refused."""
    asked = {"grant_type": "refresh_token", "refresh_token": refresh.strip()}
    _keep(opened, lambda keeper: keeper.exchange(asked))


def _keep(opened: Installation, exchange: Callable[[Keeper], Pair]) -> None:
    keeper = Keeper(opened.settings, opened.store, now)
    try:
        keeper.keep(exchange(keeper))
    except OAuthRefused as refused:
        why = MEANINGS.get(str(refused), str(refused))
        raise Refused(f"Zalo gives no token: {why}") from None


def check(opened: Installation) -> list[Finding]:
    """Hold the line to Zalo against the settings; the first finding says whether it stands."""
    return asyncio.run(_check(opened))


async def _check(opened: Installation) -> list[Finding]:
    settings, keeper = opened.settings, Keeper(opened.settings, opened.store, now)
    try:
        grant = await keeper.look()
    except StoreDown as down:
        return [Finding("zalo token", False, f"the database fails: {down}.")]
    found = [_token(grant)]
    if grant is not None:
        found.append(await _account(settings, keeper))
        found += _quotas(grant)
        found.append(_webhook(settings, grant, now()))
    found += _settings(settings)
    return found


def _token(grant: Grant | None) -> Finding:
    state = state_of(grant, now())
    if grant is None or state != "ok":
        return Finding("zalo token", False, f"{state}.")
    renewed, until = f"{grant.renewed:%d/%m %H:%M}", f"{grant.pair.expires:%d/%m %H:%M}"
    return Finding("zalo token", True, f"renewed {renewed}, good until {until} UTC.")


async def _account(settings: Settings, keeper: Keeper) -> Finding:
    api, part = Api(settings, keeper), "zalo account"
    try:
        told = await api.call("GET", ACCOUNT)
    except Failed as failed:
        said = MEANING.get(failed.code, "Zalo answers with an error")
        return Finding(part, False, f"{said} ({failed.code}).")
    except (NotNow, StoreDown) as why:
        return Finding(part, False, f"{why}.")
    except (Later, Rejected, Doubtful):
        return Finding(
            part, False, f"ZALO_OA_API_URL={settings.zalo_oa_api_url} cannot be reached."
        )
    finally:
        await api.close()
    return _named(settings, told)


def _named(settings: Settings, told: dict[str, Any]) -> Finding:
    part, name = "zalo account", told.get("name") or "?"
    known = str(told.get("oa_id") or told.get("oaid") or "")
    if settings.zalo_oa_id and known and known != settings.zalo_oa_id:
        return Finding(part, False, f"{name} is {known}, not ZALO_OA_ID={settings.zalo_oa_id}.")
    if told.get("is_verified") is False:
        return Finding(part, False, f"{name} answers, but is not verified: most calls want that.")
    package = told.get("package_name") or "no package is named"
    return Finding(part, True, f"{name} answers; package: {package}.")


def _quotas(grant: Grant) -> list[Finding]:
    return [
        Finding(
            "zalo quota",
            not nearly_used_up(quota),
            f"{kind}: {quota.get('remain')} of {quota.get('total')} messages are left.",
        )
        for kind, quota in sorted(grant.quota.items())
    ]


def _webhook(settings: Settings, grant: Grant, at: datetime) -> Finding:
    day = (settings.quiet_until, settings.quiet_from)
    hours = settings.zalo_oa_silent_hours
    told = silence(grant.heard, grant.since, at, settings.zone, day, hours)
    if told != "ok":
        return Finding("zalo webhook", False, f"{told}")
    if grant.heard is None:
        return Finding("zalo webhook", True, "Zalo has not called yet: write to the account once.")
    when = f"{grant.heard.astimezone(settings.zone):%d/%m/%Y %H:%M}"
    return Finding("zalo webhook", True, f"Zalo called last at {when}.")


def _settings(settings: Settings) -> list[Finding]:
    found = []
    if settings.zalo_oa_signature == "log":
        said = "ZALO_OA_SIGNATURE=log lets anybody write here: set enforce after two days."
        found.append(Finding("zalo webhook", False, said))
    if not settings.address.startswith("https://"):
        said = f"PUBLIC_URL: Zalo calls https only, {settings.address}/zalo/oa is not."
        found.append(Finding("zalo webhook", False, said))
    return found
