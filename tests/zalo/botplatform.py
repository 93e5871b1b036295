"""A Zalo Bot Platform that stands in for Zalo's: one token, one update a poll, or a webhook.

with BotPlatform() as bot:                # in the test process, a thread of its own
    an = bot.person("An")
    an.say("xin chào")                    # the program under test runs against bot.url
    assert "Kính chào" in an.wait("Kính chào")[0].text
    assert bot.violations == []
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import aiohttp
import orjson
from aiohttp import web

from tests.doubles.faults import Fault
from tests.zalo import rules
from tests.zalo.double import Call, Double, Refused, json
from tests.zalo.hooks import AGENT, Event
from tests.zalo.official import fetched
from tests.zalo.payloads import filled
from tests.zalo.people import Heard, Person, Thing

TOKEN = "1000000001:LangNghe-thu-nghiem_0123456789abcdef"
HEADER = "X-Bot-Api-Secret-Token"
LOOKS_AT_A_PHOTO = 3  # how often the address of a photo is fetched
MESSAGES_A_MONTH, USERS = 3000, 50
# What each act is as an update, and where in it stands what was said.
UPDATES: dict[str, tuple[str, dict[str, str]]] = {
    "text": ("text", {"text": "message.text"}),
    "image": ("image", {"url": "message.photo_url", "text": "message.caption"}),
    "image, as documented": (
        "image.documented",
        {"url": "message.photo", "text": "message.caption"},
    ),
    "audio": ("voice", {"url": "message.voice_url"}),
    "sticker": ("sticker", {"id": "message.sticker", "url": "message.url"}),
    "sticker, as an object": (
        "sticker.object",
        {"id": "message.sticker.id", "url": "message.sticker.url"},
    ),
    "link": ("link", {"url": "message.link"}),
    "unsupported": ("unsupported", {}),
}
NOT_CARRIED = ("video", "file", "location", "card", "gif")


@dataclass
class BotPlatform(Double):
    """The double of the Bot Platform; `Double` tells of clocks and retries.

    `wrapped`: bodies stand in `{"ok": true, "result": ...}` (polls always do). `documented`: photos
    and stickers look as the documents say, not as they were seen. `seconds`: dates are seconds.
    `links`: a link comes as one, otherwise as unsupported. `errors`: with HTTP's status, or inside
    a 200. `replays`: a poll gives again what was given, at once. `https_only`: no webhook on plain
    http, not even to this machine. `retries`: whether a webhook is tried again at all.
    """

    token: str = TOKEN
    wrapped: bool = False
    documented: bool = False
    seconds: bool = False
    links: bool = False
    errors: Literal["status", "200"] = "status"
    replays: bool = False
    https_only: bool = False
    retries: bool = True
    secret: str = ""
    users: int | None = None
    messages: int | None = None
    card: Thing = field(
        default_factory=lambda: {
            "id": "1000000001",
            "account_name": "bot.LangNghe",
            "account_type": "BASIC",
            "can_join_groups": False,
            "display_name": "Bot Lắng Nghe",
        }
    )

    def __post_init__(self) -> None:
        if not self.retries:
            self.steps = ()
        super().__post_init__()
        self.queue: deque[Event] = deque()
        self.given: list[Event] = []
        self.under_way: list[Event] = []
        self.pollers: deque[asyncio.Future[None]] = deque()
        self.counted: Counter[str] = Counter()
        self.served: list[str] = []
        self.set_at = 0
        self.tested_at = -60.0

    # -- what people do -------------------------------------------------------------------------

    def new_id(self) -> str:
        return self.new_message()

    def plan(self, users: int = USERS, messages: int = MESSAGES_A_MONTH) -> None:
        """Hold the bot to the free plan."""
        self.users, self.messages = users, messages

    def happened(self, person: Person, kind: str, said: Thing) -> str:
        kind = "unsupported" if kind in NOT_CARRIED or self._unlinked(kind) else kind
        variant = {"image": "image, as documented", "sticker": "sticker, as an object"}
        kind = variant.get(kind, kind) if self.documented else kind
        assert kind in UPDATES, f"nobody can do this on the Bot Platform: {kind}"
        name, places = UPDATES[kind]
        group, message = said.get("group"), self.new_message()
        values = {places[name]: value for name, value in said.items() if name in places}
        now = self.wall()
        values |= {
            "message.message_id": message,
            "message.date": int(now) if self.seconds else int(now * 1000),
            "message.from.id": person.id,
            "message.from.display_name": person.name,
            "message.chat.id": group or person.id,
            "message.chat.chat_type": "GROUP" if group else "PRIVATE",
        }
        if self._serves(person):
            body = filled(f"bot.{name}", values)
            person.events.append(self.event(self._dressed(body), group or person.id, message))
        return message

    def _unlinked(self, kind: str) -> bool:
        return kind == "link" and not self.links

    def _dressed(self, body: Thing) -> Thing:
        return {"ok": True, "result": body} if self.wrapped else body

    def _serves(self, person: Person) -> bool:
        """Whether the plan has room for somebody; who came first keeps their place."""
        if person.id not in self.served and len(self.served) < (self.users or len(self.served) + 1):
            self.served.append(person.id)
        return person.id in self.served

    # -- polling --------------------------------------------------------------------------------

    def takes(self) -> bool:
        return True

    def _wake(self) -> None:
        with self.changed:
            if self._carrier is not None:
                super()._wake()
                return
            fresh, self._fresh = self._fresh, []
            self.queue.extend(fresh)
            waiting = len(self.queue)
            while waiting and self.pollers:
                poller = self.pollers.popleft()
                if not poller.done():
                    poller.set_result(None)
                    waiting -= 1

    def lose(self) -> None:
        """What was sent while nobody polled is not told any more."""
        with self.changed:
            self.queue.extend(self._fresh)
            self._fresh = []
            for event in self.queue:
                self.waiting.pop(event.id, None)
                self.lost.append(event)
            self.queue.clear()

    async def _polled(self, timeout: float) -> Thing:
        """One update. Raises Refused: 408 when there is none.

        Who asks again is done with what they were given; nobody else but the double minds.
        """
        self._done()
        self._wake()
        with self.changed:
            waits = not self.queue and not (self.replays and self.given)
        if waits or self.hook:
            await self._wait_for_one(timeout)
        with self.changed:
            if self.queue and not self.hook:
                event = self.queue.popleft()
                self.given.append(event)
                self.under_way.append(event)
                self.changed.notify_all()
            elif self.replays and self.given and not self.hook:
                event = self.given[0]
                self.given.append(self.given.pop(0))
            else:
                raise Refused(408, "Request timeout")
        body: Thing = orjson.loads(event.body)
        return body["result"] if body.get("ok") is True else body

    def _done(self) -> None:
        with self.changed:
            for event in self.under_way:
                self.waiting.pop(event.id, None)
            self.under_way = []
            self.changed.notify_all()

    async def _wait_for_one(self, timeout: float) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.pollers.append(mine)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(mine, timeout)
        with contextlib.suppress(ValueError):
            self.pollers.remove(mine)

    # -- the webhook ----------------------------------------------------------------------------

    def set_webhook(self, url: str, secret: str = "mat-khau_123") -> None:
        """As setWebhook would, without the program; an empty address deletes it."""
        self.secret = secret
        self.hook_on(url)

    async def hooked(self, url: str) -> None:
        """What the webhook did not take is there for who polls, and the other way round."""
        self._done()
        await super().hooked(url)
        with self.changed:
            self.queue = deque(() if url else self.waiting.values())

    def signed(self, event: Event) -> dict[str, str]:
        return {HEADER: self.secret}

    def gave_up(self) -> None:
        """Nothing is known to follow there: the bot stays as it is."""

    def probe(self) -> int:
        """A call with nothing in it, as was seen; HTTP's status."""
        return self.post(b"", {HEADER: self.secret})

    def forged(self, body: Thing, secret: str | None = None) -> int:
        """Call the webhook with a secret that is not ours, or none; HTTP's status."""
        headers = {} if secret is None else {HEADER: secret}
        return self.post(orjson.dumps(body), {"Content-Type": "application/json", **headers})

    async def _set_webhook(self, call: Call) -> Thing:
        url, secret = call.params["url"], call.params["secret_token"]
        self._check_url(url)
        self.secret, self.set_at = secret, int(self.wall() * 1000)
        await self.hooked(url)
        return {"url": url, "updated_at": self.set_at, "verification": await self._probe()}

    def _check_url(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        fits = parts.scheme == "https" and "." in host and not rules.loopback(host)
        if not fits and (self.https_only or not rules.loopback(host)):
            raise Refused(400, "Bad Request: invalid webhook url")

    async def _probe(self) -> Thing:
        """The platform's own look at the webhook: the address is kept whatever comes of it."""
        headers, status, began = {HEADER: self.secret, "User-Agent": AGENT}, 0, self.clock()
        timeout = aiohttp.ClientTimeout(total=self.patience)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self.hook, headers=headers) as answer,
            ):
                status = answer.status
        outcome = "webhook.ok" if status == 200 else f"webhook.http_{status or 'unreachable'}"
        took = int((self.clock() - began) * 1000)
        told: Thing = {"ok": status == 200, "outcome": outcome, "status_code": status}
        return {**told, "latency_ms": took, "hint": "" if status == 200 else "answer 200"}

    # -- one call -------------------------------------------------------------------------------

    def method_of(self, request: web.BaseRequest) -> str | None:
        if not request.path.startswith("/bot"):
            return None
        return request.path.rpartition("/")[2]

    def admit(self, call: Call, request: web.BaseRequest, as_text: bool) -> None:
        if request.path != f"/bot{self.token}/{call.method}":
            raise Refused(401, "Unauthorized")
        if call.method not in rules.METHODS:
            self.violate(call.method, "no such method")
            raise Refused(400, "Bad Request: wrong method")
        chat = call.params.get("chat_id")
        call.chat = chat if isinstance(chat, str) else None
        try:
            rules.bot_call(call.method, call.params)
        except rules.Wrong as wrong:
            self.violate(call.method, wrong.problem)
            raise Refused(400, f"Bad Request: {wrong.problem}") from None

    def refused_by(self, fault: Fault) -> Refused:
        return Refused(fault.status, fault.told)

    def answer(self, call: Call, result: Any) -> web.Response:
        return json({"ok": True, "result": result})

    def refusal(self, call: Call, refused: Refused) -> web.Response:
        name = "errorCode" if refused.code == 426 else "error_code"
        told = {"ok": False, "description": refused.told, name: refused.code}
        return json(told, 200 if self.errors == "200" else refused.code)

    # -- what each call does --------------------------------------------------------------------

    async def play(self, call: Call) -> Any:
        if call.method == "getUpdates":
            call.executed = True
            return await self._polled(float(call.params.get("timeout", 30)))
        if call.method == "setWebhook":
            call.result = await self._set_webhook(call)
        elif call.method == "deleteWebhook":
            self.secret, self.set_at = "", int(self.wall() * 1000)
            await self.hooked("")
            call.result = {"url": "", "updated_at": self.set_at}
        elif call.method == "testWebhook":
            call.result = await self._tested()
        elif call.method == "sendPhoto":
            call.result = self._sent(call, "photo", await self._seen(call.params["photo"]))
        else:
            call.result = self._played(call)
        with self.changed:
            call.executed = True
            self.changed.notify_all()
        return call.result

    def _played(self, call: Call) -> Any:
        if call.method == "getMe":
            return self.card
        if call.method == "getWebhookInfo":
            if not self.hook:
                raise Refused(404, "Not Found")
            return {"url": self.hook, "updated_at": self.set_at}
        if call.method == "sendChatAction":
            self._person(call)
            return True
        kinds = {"sendMessage": "text", "sendSticker": "sticker", "sendVoice": "voice"}
        return self._sent(call, kinds[call.method])

    async def _tested(self) -> Thing:
        now, last = self.clock(), self.tested_at
        self.tested_at = now
        if now - last < 60:
            raise Refused(426, "testWebhook is called too often")
        if not self.hook:
            raise Refused(404, "Not Found")
        return await self._probe()

    async def _seen(self, url: str) -> bytes:
        """A photo, fetched as often as the platform does. Raises Refused."""
        looks = [await fetched(url) for _ in range(LOOKS_AT_A_PHOTO)]
        contents = [look for look in looks if look is not None]
        if len(contents) < LOOKS_AT_A_PHOTO or len(set(contents)) > 1:
            raise Refused(400, "Bad Request: the photo cannot be fetched")
        return contents[0]

    def _person(self, call: Call) -> Person:
        """Who a message is for: somebody who has written. Raises Refused."""
        person = self.by_id(call.chat)
        if person is None or person.spoke is None or person.blocked:
            raise Refused(400, "Bad Request: chat not found")
        if self.users is not None and person.id not in self.served:
            raise Refused(429, "Quota exceeded")
        return person

    def _sent(self, call: Call, kind: str, content: bytes = b"") -> Thing:
        with self.changed:
            person = self._person(call)
            month = datetime.datetime.fromtimestamp(self.wall(), datetime.UTC).strftime("%Y-%m")
            if self.messages is not None and self.counted[month] >= self.messages:
                raise Refused(429, "Quota exceeded")
            self.counted[month] += 1
            text = call.params.get("text") or call.params.get("caption") or ""
            person.hear(Heard(self.new_message(), text, kind, content, raw=call.params))
            id = person.messages[-1].message_id
            return {"message_id": id, "date": int(self.wall() * 1000)}
