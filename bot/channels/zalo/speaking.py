"""Speaking to Zalo: OpenAPI v3 by httpx, its errors classed by what the outbox should do."""

from __future__ import annotations

import asyncio
import hmac
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx

from bot.asked import Asked
from bot.channels.zalo.granting import NOT_SENT, Keeper, NotNow
from bot.channels.zalo.hearing import told_at
from bot.channels.zalo.naming import ANONYMOUS, CHANNEL, FREE, LONGEST, PAID, recipient
from bot.numbered import is_prompt, written
from bot.reading import loads
from bot.sending import Closed, Doubtful, Later, Rejected, Unreachable
from bot.settings import Settings
from bot.splitting import split
from storage.outbox import Letter
from storage.store import StoreDown
from storage.vocabulary import Message

TIMES = httpx.Timeout(20, connect=5, pool=10)  # seconds
AT_ONCE = 48  # connections: live and bulk lane together, and the checks
MOST_BUTTONS = 5
LONGEST_LABEL = 100  # characters of a button
LARGEST_PICTURE = 1 << 20  # bytes
SEND = "/v3.0/oa/message/cs"
SEND_ANONYMOUSLY = "/v2.0/oa/message"
UPLOAD = "/v2.0/oa/upload/image"
ACCOUNT = "/v2.0/oa/getoa"

TOKEN = frozenset((-216, -220, -124))
RATE = frozenset((-32,))
AGAIN = frozenset((-200, -100))
GONE = frozenset((-213, -217, -227, -244))
SHUT = frozenset((-230, -232, -218))
NIGHT = frozenset((-234,))
QUOTA = frozenset((-211,))
OFFICE = frozenset(
    (*range(-209, -203), -212, -219, -221, -223, -224, -235, -240, -242, *range(-329, -319))
)
MEANING: Mapping[int, str] = {
    -204: "the Official Account was deleted",
    -205: "the Official Account does not exist",
    -209: "the app is not active",
    -211: "the quota is used up",
    -212: "the account is not registered for this call",
    -219: "the app was removed from the account",
    -221: "the account is not verified",
    -223: "the account did not grant this call",
    -224: "the account needs a paid package",
    -240: "Zalo has shut this call down: update the program",
    -242: "ZALO_OA_APP_SECRET is not this app's",
    -320: "no Zalo Cloud Account is connected",
    -321: "the Zalo Cloud Account is empty",
}
A_MINUTE, A_WHILE, AN_HOUR = 60.0, 300.0, 3600.0  # seconds to wait before the next try
RATE_PAUSE = 15.0


class Failed(Exception):
    """Zalo answered with an error: its code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass(frozen=True, slots=True)
class Piece:
    """What goes out in one call: a text with its buttons, or a PNG picture with a caption.

    `question`: what the person has been asked when this piece has arrived.
    """

    text: str
    buttons: tuple[str, ...] = ()
    picture: bytes | None = field(default=None, repr=False)
    question: str | None = None


def pieces(message: Message, picture: bytes | None, buttons: bool) -> list[Piece]:
    """A message in as few pieces as Zalo takes: the picture first, the options numbered last.

    Where a picture cannot be given, what it shows is said.
    """
    fits = picture is not None and len(picture) <= LARGEST_PICTURE
    if message.picture is not None and message.about and not fits:
        message = replace(message, text=f"{message.text}\n\n{message.about}")
    texts = written(message, LONGEST)
    question = None if is_prompt(message) else message.question
    shown = buttons and question is not None and len(message.choices) <= MOST_BUTTONS
    labels = tuple(option.label for option in message.choices) if shown else ()
    found = [*map(Piece, texts[:-1]), Piece(texts[-1], labels, question=question)]
    if not fits:
        return found
    caption = split(message.about, LONGEST)[0] if message.about else ""
    return [Piece(caption, picture=picture), *found]


class Api:
    """Calls OpenAPI under the grant's token; one that is refused is renewed, once."""

    def __init__(self, settings: Settings, keeper: Keeper) -> None:
        self._keeper, address = keeper, settings.zalo_oa_api_url
        self._secret = settings.zalo_oa_app_secret.get_secret_value().encode()
        limits = httpx.Limits(max_connections=AT_ONCE)
        self._client = httpx.AsyncClient(base_url=address, timeout=TIMES, limits=limits)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def call(self, method: str, path: str, **what: Any) -> dict[str, Any]:
        """The `data` of an answer. Raises Failed, NotNow, StoreDown, Later, Rejected, Doubtful."""
        token = await self._keeper.token()
        try:
            return await self._once(method, path, token, what)
        except Failed as failed:
            if failed.code not in TOKEN:
                raise
        return await self._once(method, path, await self._keeper.token(refused=token), what)

    async def _once(
        self, method: str, path: str, token: str, what: Mapping[str, Any]
    ) -> dict[str, Any]:
        # Wanted where the console says so, ignored elsewhere.
        proof = hmac.new(self._secret, token.encode(), "sha256").hexdigest()
        headers = {"access_token": token, "appsecret_proof": proof}
        try:
            answer = await self._client.request(method, path, headers=headers, **what)
        except NOT_SENT:
            raise NotNow("cannot be reached") from None
        except httpx.HTTPError:
            raise Doubtful from None
        if answer.status_code == 429:
            raise Failed(-32)
        if answer.status_code >= 500:
            raise Later
        return _data(answer)


def _data(answer: httpx.Response) -> dict[str, Any]:
    """What an answer brings; errors come with HTTP 200 too."""
    try:
        told = loads(answer.content)
        code = int(told["error"])
    except (ValueError, TypeError, KeyError, OverflowError):
        if answer.status_code >= 400:
            raise Rejected(f"HTTP {answer.status_code}") from None
        raise Doubtful from None  # a proxy's page: nobody knows what became of it
    if code:
        raise Failed(code)
    data = told.get("data")
    return data if isinstance(data, dict) else {}


class ZaloVoice:
    """Says letters on Zalo.

    `picture` finds the picture of a letter, `trouble` hears how it goes, `quota` what Zalo says
    is left.
    """

    name = CHANNEL

    def __init__(
        self,
        api: Api,
        asked: Asked,
        buttons: bool,
        paid: bool,
        picture: Callable[[Letter], bytes | None],
        trouble: Callable[[str], None],
        quota: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._api, self._asked = api, asked
        self._buttons, self._picture = buttons, picture
        self._trouble, self._quota = trouble, quota
        self._window = PAID if paid else FREE

    @property
    def window(self) -> timedelta | None:
        """For how long after somebody's last word Zalo takes letters."""
        return self._window

    async def pieces(self, letter: Letter) -> Sequence[Piece]:
        """What goes out, in order."""
        picture = None
        if letter.message.picture is not None:
            picture = await asyncio.to_thread(self._picture, letter)
        return pieces(letter.message, picture, self._buttons)

    async def say(self, address: str, piece: Piece, bulk: bool) -> None:
        """Say one piece. Raises Later, Unreachable, Closed, Rejected, Doubtful."""
        async with self._asked.telling(address):
            at = await self._said(address, piece)
            if piece.question is not None:
                await self._asked.shown(address, piece.question, at)
        self._trouble("ok")

    async def _said(self, address: str, piece: Piece) -> int | None:
        """Say it; when it was said by Zalo's clock, in milliseconds, if Zalo tells."""
        try:
            return await self._sent(address, piece)
        except NotNow as without:
            self._trouble(str(without))
            raise Later(0, everybody=True) from None
        except StoreDown:
            raise Later from None
        except Failed as failed:
            raise self._classed(failed.code) from None

    async def _sent(self, address: str, piece: Piece) -> int | None:
        message = _worded(piece)
        if piece.picture is not None:
            message |= {"attachment": _media(await self._uploaded(piece.picture))}
        path = SEND_ANONYMOUSLY if address.startswith(ANONYMOUS) else SEND
        body = {"recipient": recipient(address), "message": message}
        data = await self._api.call("POST", path, json=body)
        quota = data.get("quota")
        if isinstance(quota, dict):
            self._quota(quota)
        at = told_at({"timestamp": data.get("sent_time")})
        return None if at is None else round(at * 1000)

    async def _uploaded(self, picture: bytes) -> str:
        """The id of a picture at Zalo. Nothing was said to anybody when this fails."""
        file = {"file": ("ban-tin.png", picture, "image/png")}
        try:
            data = await self._api.call("POST", UPLOAD, files=file)
        except Doubtful:
            raise Later from None
        found = data.get("attachment_id")
        if not isinstance(found, str) or not found:
            raise Later
        return found

    def _classed(self, code: int) -> Exception:
        """What the outbox should do about an error."""
        if code in GONE:
            return Unreachable()
        if code in SHUT:
            return Closed()
        if code in AGAIN:
            return Later()
        if code in RATE:
            return Later(RATE_PAUSE, everybody=True)
        if code in NIGHT:
            return Later(AN_HOUR)
        if code in TOKEN:
            self._trouble("the access token is refused")
            return Later(A_MINUTE, everybody=True)
        if code in QUOTA:
            self._trouble(f"{MEANING[code]} ({code})")
            return Later(AN_HOUR)  # what goes free to somebody who just spoke is not held up
        if code in OFFICE:
            self._trouble(f"{MEANING.get(code, 'the account or the app is not set up')} ({code})")
            return Later(A_WHILE, everybody=True)
        return Rejected(str(code))


def _worded(piece: Piece) -> dict[str, Any]:
    message: dict[str, Any] = {"text": piece.text} if piece.text else {}
    if piece.buttons:
        buttons = [
            {"title": label[:LONGEST_LABEL], "type": "oa.query.show", "payload": label}
            for label in piece.buttons
        ]
        payload = {"buttons": buttons}
        message["attachment"] = {"type": "template", "payload": payload}
    return message


def _media(picture: str) -> dict[str, Any]:
    element = {"media_type": "image", "attachment_id": picture}
    payload = {"template_type": "media", "elements": [element]}
    return {"type": "template", "payload": payload}


def nearly_used_up(quota: Mapping[str, Any]) -> bool:
    """Whether less than a tenth of a quota is left; `remain` and `total` come as texts."""
    try:
        remain, total = float(quota["remain"]), float(quota["total"])
    except (KeyError, TypeError, ValueError):
        return False
    return math.isfinite(total) and total > 0 and remain < total / 10
