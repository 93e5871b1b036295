"""The web chat: the page at `/` and its JSON API (docs/chat-api.md); it keeps no address."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import orjson
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.channel import Rim
from bot.cleaning import KINDS, NotTaken, judge
from bot.clerk import Busy, Clerk
from bot.installation import chance, now
from handlers.forgetting import forget_address
from handlers.reception import Taken
from storage import digests, outbox, people
from storage.attachments import LARGEST, Vault
from storage.sealing import Seal
from storage.store import Store, StoreDown
from storage.vocabulary import Event, FileAt, Person, Point, Pressed, Said, Waiting

CHANNEL = "web"
COOKIE = "langnghe"
MOST_BODY = 256 * 1024  # bytes of one event; what is too long a story still gets a sentence
LONGEST_WAIT = 30.0  # seconds one call may wait for a message
GLANCE = 2.0  # seconds between two looks at the store while somebody waits
KEPT = 400 * 24 * 3600  # seconds a browser keeps the cookie of somebody invited; its own limit
SHOWN_FOR = timedelta(days=400)  # longer than a letter waits: nobody else sends what was shown
REMEMBERED = 20_000  # sessions whose pace is remembered
PAGE = Path(__file__).parent.parent / "web"
LONGEST = 4096  # UTF-16 units of a message; a page could show more, a phone should not

Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Short = Annotated[str, StringConstraints(max_length=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Choice(_Strict):
    question: Short
    option: Short


class _Place(_Strict):
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class _Spoken(_Strict):
    """The body of `POST /events`."""

    id: Token
    text: str | None = None
    choice: _Choice | None = None
    place: _Place | None = None
    files: Annotated[
        list[Annotated[str, StringConstraints(max_length=200)]], Field(max_length=20)
    ] = []
    start: Short | None = None
    seen: Annotated[list[Short], Field(max_length=200)] = []

    @model_validator(mode="after")
    def _one_thing(self) -> _Spoken:
        said = (self.text, self.choice, self.place, self.files or None, self.start)
        if sum(each is not None for each in said) != 1:
            raise ValueError("exactly one of text, choice, place, files, start")
        return self


class Refused(Exception):
    """A call that cannot be served: status and code of docs/chat-api.md."""

    def __init__(self, status: int, code: str, after: int | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.after = status, code, after


@dataclass
class Pace:
    """How fast sessions may speak: a bucket each, kept in memory for those who spoke last."""

    per_minute: int
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def spend(self, session: str, now: float) -> None:
        """Take one message out of a session's bucket. Raises Refused when it is empty."""
        if not self.per_minute:
            return
        left, at = self._left.pop(session, (float(self.per_minute), now))
        left = min(float(self.per_minute), left + (now - at) * self.per_minute / 60)
        self._left[session] = (max(left - 1, 0), now) if left >= 1 else (left, now)
        while len(self._left) > REMEMBERED:
            self._left.popitem(last=False)
        if left < 1:
            raise Refused(429, "too_fast", after=max(1, 60 // self.per_minute))


def opened(rim: Rim) -> WebChat:
    """The web chat, which is always there."""
    installation = rim.installation
    return WebChat(
        installation.store,
        rim.clerk,
        installation.incoming,
        Seal(installation.keys).find("session", "web"),
        installation.settings.address,
        now,
        installation.catalogues["vi"],
        rim.changed,
        Pace(installation.settings.messages_per_minute),
        installation.settings.zalo_oa_site_verification,
    )


@dataclass
class WebChat:
    """The web channel: sessions, events in, messages out when their person comes for them."""

    store: Store
    clerk: Clerk
    incoming: Vault
    secret: bytes
    origin: str
    now: Callable[[], datetime]
    sentences: Callable[[str], str]
    changed: Callable[[Taken], None]
    pace: Pace
    verification: str = ""  # the code by which Zalo knows that this site is ours

    name = CHANNEL
    longest = LONGEST
    window = timedelta(0)  # nothing is pushed to a page: its person comes for what waits

    def routes(self) -> list[BaseRoute]:
        """What this channel answers to."""
        api = "/chat/api"
        return [
            Route("/", self._guarded(self._page), methods=["GET"]),
            Route("/web/{name}", self._guarded(self._asset), methods=["GET"]),
            Route(f"{api}/session", self._guarded(self._enter), methods=["POST"]),
            Route(f"{api}/session", self._guarded(self._leave), methods=["DELETE"]),
            Route(f"{api}/events", self._guarded(self._hear), methods=["POST"]),
            Route(f"{api}/messages", self._guarded(self._listen), methods=["GET"]),
            Route(f"{api}/files", self._guarded(self._receive), methods=["POST"]),
            Route(f"{api}/pictures/{{name}}", self._guarded(self._picture), methods=["GET"]),
        ]

    @property
    def state(self) -> str:
        """It depends on nobody."""
        return "ok"

    async def run(self) -> None:
        """There is nothing to do in the background: people come for what waits."""
        await asyncio.Event().wait()

    async def fetch(self, locator: str) -> bytes:
        """The bytes of an uploaded file. Raises LookupError when they are gone."""
        return await asyncio.to_thread(self.incoming.get, locator)

    async def fetched(self, locator: str) -> None:
        """The bytes were taken over; the upload goes."""
        await asyncio.to_thread(self.incoming.drop, locator)

    # -- calls ----------------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        page = (PAGE / "index.html").read_bytes()
        if self.verification:
            meta = f'<meta name="zalo-platform-site-verification" content="{self.verification}">'
            page = page.replace(b"<head>", b"<head>" + meta.encode(), 1)
        return Response(page, media_type="text/html; charset=utf-8")

    async def _asset(self, request: Request) -> Response:
        kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
        path = PAGE / request.path_params["name"]
        if path.parent != PAGE or path.suffix not in kinds or not path.is_file():
            raise Refused(404, "not_found")
        return Response(path.read_bytes(), media_type=f"{kinds[path.suffix]}; charset=utf-8")

    async def _enter(self, request: Request) -> Response:
        body = await _json(request)
        if not isinstance(body, dict) or set(body) - {"cookie"}:
            raise Refused(400, "malformed")
        session = self._new_session()
        if not body.get("cookie"):
            return _said({"session": session})
        answer = _said({"session": None})
        self._set_cookie(answer, session, None)
        return answer

    async def _leave(self, request: Request) -> Response:
        key = self._key(self._session(request))
        await asyncio.to_thread(self._destroy, key)
        answer = _said({})
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    async def _hear(self, request: Request) -> Response:
        session = self._session(request)
        try:
            spoken = _Spoken.model_validate(await _json(request))
        except ValidationError:
            raise Refused(400, "malformed") from None
        self.pace.spend(session, time.monotonic())
        person = Person(CHANNEL, session)
        said = self._said_by(session, spoken)
        event = Event(spoken.id, person, said, self.now(), tuple(spoken.seen))
        taken = await self.clerk.take(event)
        self.changed(taken)
        replies: list[Waiting] = list(taken.replies)
        if taken.repeated:
            replies = await asyncio.to_thread(self._waiting, taken.key, ())
        answer = _said({"messages": [_message(reply) for reply in replies]})
        if spoken.start and COOKIE in request.cookies:
            self._set_cookie(answer, session, KEPT)  # staff come back; citizens leave no trace
        return answer

    def _set_cookie(self, answer: Response, session: str, seconds: int | None) -> None:
        secure = self.origin.startswith("https:")
        answer.set_cookie(COOKIE, session, seconds, httponly=True, samesite="strict", secure=secure)

    async def _listen(self, request: Request) -> Response:
        key = self._key(self._session(request))
        try:
            wait = min(float(request.query_params.get("wait", "0")), LONGEST_WAIT)
        except ValueError:
            raise Refused(400, "malformed") from None
        seen = tuple(i for i in request.query_params.get("seen", "").split(",") if i)[:200]
        ends = time.monotonic() + (wait if wait > 0 else 0)
        waiting = await asyncio.to_thread(self._waiting, key, seen)
        while not waiting and (left := ends - time.monotonic()) > 0:
            await asyncio.sleep(min(left, GLANCE))
            waiting = await asyncio.to_thread(self._waiting, key, ())
        return _said({"messages": [_message(each) for each in waiting]})

    async def _receive(self, request: Request) -> Response:
        session = self._session(request)
        self.pace.spend(session, time.monotonic())
        content = await _body(request, LARGEST)
        try:
            media = await asyncio.to_thread(judge, content)
        except NotTaken:
            raise Refused(415, "file_kind") from None
        name = secrets.token_hex(16)
        await asyncio.to_thread(self.incoming.put, content, name)
        kind = KINDS[media]
        file = f"{name}.{kind}.{len(content)}"
        return _said(
            {"file": f"{file}.{self._tag(session, file)}", "kind": kind, "size": len(content)}
        )

    async def _picture(self, request: Request) -> Response:
        key = self._key(self._session(request))
        chart = await asyncio.to_thread(self._chart, key, request.path_params["name"])
        if chart is None:
            raise Refused(404, "not_found")
        return Response(chart, media_type="image/png")

    # -- the store ------------------------------------------------------------------------------

    def _waiting(self, key: bytes, seen: tuple[str, ...]) -> list[Waiting]:
        if seen:
            with self.store.write() as work:
                outbox.seen(work, key, seen)
        with self.store.read() as work:
            waiting = outbox.waiting(work, key, self.now())
        loose = [each.id for each in waiting if each.loose]
        if not loose:
            return waiting
        with self.store.write() as work:  # what is shown here goes nowhere else
            ours = outbox.claim(work, loose, self.now() + SHOWN_FOR)
        return [each for each in waiting if not each.loose or each.id in ours]

    def _destroy(self, key: bytes) -> None:
        with self.store.write() as work:
            forget_address(work, key, self.now().date(), chance().letters)

    def _chart(self, key: bytes, name: str) -> bytes | None:
        with self.store.read() as work:
            member = people.members(work, [key]).get(key)
            return digests.chart_for(work, name, member.id) if member else None

    # -- sessions -------------------------------------------------------------------------------

    def _new_session(self) -> str:
        name = secrets.token_urlsafe(24)
        return f"{name}.{self._tag('session', name)}"

    def _session(self, request: Request) -> str:
        given = request.headers.get("authorization", "")
        session = given[7:] if given.startswith("Bearer ") else request.cookies.get(COOKIE, "")
        name, _, tag = session.rpartition(".")
        if not name or not hmac.compare_digest(tag.encode(), self._tag("session", name).encode()):
            raise Refused(401, "no_session")
        return session

    def _key(self, session: str) -> bytes:
        return self.store.seal.find("address", f"{CHANNEL}:{session}")

    def _tag(self, purpose: str, value: str) -> str:
        message = f"{purpose}\0{value}".encode()
        return hmac.new(self.secret, message, hashlib.sha256).hexdigest()[:24]

    # -- what was said --------------------------------------------------------------------------

    def _said_by(self, session: str, spoken: _Spoken) -> Said:
        if spoken.choice is not None:
            return Said(pressed=Pressed(spoken.choice.question, spoken.choice.option))
        if spoken.place is not None:
            return Said(place=Point(spoken.place.lat, spoken.place.lon))
        files = tuple(self._file(session, token) for token in spoken.files)
        return Said(text=spoken.text, files=files, start=spoken.start)

    def _file(self, session: str, token: str) -> FileAt:
        file, _, tag = token.rpartition(".")
        if not hmac.compare_digest(tag.encode(), self._tag(session, file).encode()):
            raise Refused(400, "malformed")
        name, kind, size = file.split(".")
        return FileAt(name, kind, size=int(size))

    # -- errors ---------------------------------------------------------------------------------

    def _guarded(
        self, call: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                self._same_origin(request)
                return await call(request)
            except Refused as refused:
                return self._error(refused)
            except (Busy, StoreDown, OSError):  # OSError: no room on the disk for an upload
                return self._error(Refused(503, "busy", after=3))
            except ClientDisconnect:
                return Response(status_code=400)

        return guarded

    def _same_origin(self, request: Request) -> None:
        # A cookie is sent along from any page; another site's must not speak in its person's name.
        origin = request.headers.get("origin")
        if origin and request.method != "GET" and urlsplit(origin).netloc != request.url.netloc:
            raise Refused(403, "origin")

    def _error(self, refused: Refused) -> Response:
        sentence = self.sentences(f"error.{refused.code}")
        headers = {"Retry-After": str(refused.after)} if refused.after else None
        content = {"error": {"code": refused.code, "message": sentence}}
        return _said(content, refused.status, headers)


def _said(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json")


def _message(waiting: Waiting) -> dict[str, Any]:
    message = waiting.message
    return {
        "id": waiting.id,
        "text": message.text,
        "question": message.question,
        "choices": message.choices,
        "asks": message.asks,
        "picture": message.picture,
        "about": message.about,
    }


async def _body(request: Request, most: int) -> bytes:
    claimed = request.headers.get("content-length", "0")
    if not re.fullmatch(r"\d{1,12}", claimed) or int(claimed) > most:
        raise Refused(413, "too_large")
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > most:
            raise Refused(413, "too_large")
    return bytes(content)


async def _json(request: Request) -> Any:
    content = await _body(request, MOST_BODY)
    if not content:
        return {}
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refused(400, "malformed")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        raise Refused(400, "malformed") from None
