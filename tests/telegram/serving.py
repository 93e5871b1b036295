"""The double's HTTP side: each call read, checked, played or made to fail, and answered."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import orjson
from aiohttp import web

from tests.doubles.running import Running, reset
from tests.doubles.wire import Malformed, dumps, read
from tests.telegram import rules
from tests.telegram.faults import CONFLICT, Fault
from tests.telegram.hooks import Answer, Carrier, Hook
from tests.telegram.methods import METHODS, messages_in
from tests.telegram.pending import Update
from tests.telegram.schema import schema
from tests.telegram.world import MOST_DOWNLOAD, Refused, Thing

if TYPE_CHECKING:
    from tests.telegram.double import BotApi

LONGEST_POLL = 50  # seconds
WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete "
    "the webhook first"
)
OTHER_POLLER = CONFLICT.told
WEBHOOK_SET = "Conflict: terminated by setWebhook request"
NEVER_IN_A_REPLY = ("get", "setwebhook", "deletewebhook", "close", "logout")
NAMES = {name.lower(): name for name in schema().methods}


@dataclass
class Call:
    """One call as the journal keeps it. `status` is 0 where there was no answer."""

    method: str
    params: dict[str, Any]
    at: float
    executed: bool = False
    status: int = 0
    told: str = ""
    by: str = "http"
    result: Any = field(default=None, repr=False)

    @property
    def chat(self) -> int | None:
        id = self.params.get("chat_id")
        return id if isinstance(id, int) else None


@dataclass
class Serving:
    """Serves one double in the running loop. Locks it for moments only."""

    api: BotApi
    carrier: Carrier | None = None
    poller: asyncio.Future[str] | None = None
    last_poll: tuple[int, float] = (0, -10.0)
    next_webhook: float = 0

    def __post_init__(self) -> None:
        most = 2 * rules.MOST_UPLOAD
        self.running = Running(self._handle, self.api.port, most, self._end)

    async def _end(self) -> None:
        if self.carrier is not None:
            await self.carrier.stop()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = unquote(request.path)
        if path.startswith("/bot"):
            token, _, method = path[4:].partition("/")
            return await self._called(request, token, NAMES.get(method.lower(), method))
        if path.startswith("/file/bot"):
            token, _, file = path[9:].partition("/")
            return await self._download(request, token, file)
        if path in self.api.more:
            return await self.api.more[path](request)
        return _answer(404, {"ok": False, "error_code": 404, "description": "Not Found"})

    # -- one call -------------------------------------------------------------------------------

    async def _called(
        self, request: web.BaseRequest, token: str, method: str
    ) -> web.StreamResponse:
        api = self.api
        if api.next_fault(method, None, unread=True) is not None:
            api.enter(Call(method, {}, api.clock()))
            return reset(request)
        body = await request.read()
        kind = request.headers.get("Content-Type", "")
        try:
            given, as_text = read(kind, body, request.query_string)
        except Malformed as malformed:
            api.violate(method, f"a body that cannot be read: {malformed}")
            told = {"ok": False, "error_code": 400, "description": "Bad Request: malformed body"}
            return _answer(400, told)
        call = Call(method, given, api.clock())
        return await self._answered(call, token, as_text, request)

    async def _answered(
        self, call: Call, token: str, as_text: bool, request: web.BaseRequest | None
    ) -> web.StreamResponse:
        self.api.enter(call)
        try:
            fault = self._admitted(call, token, as_text)
            if fault is not None:
                return await self._faulty(call, fault, request)
            return self._told(call, 200, await self._play(call))
        except Refused as refused:
            return self._refused(call, refused)

    def _admitted(self, call: Call, token: str, as_text: bool) -> Fault | None:
        """Check a call; the fault that is written for it, if any. Raises Refused."""
        if token != self.api.token or self.api.revoked:
            raise Refused(401, "Unauthorized")
        if self.api.logged_out:
            raise Refused(400, "Logged out")
        if call.method not in schema().methods:
            self.api.violate(call.method, "no such method")
            raise Refused(404, "Not Found: method not found")
        try:
            call.params = rules.check(call.method, call.params, as_text)
        except rules.Wrong as wrong:
            self.api.violate(call.method, wrong.problem)
            raise Refused(400, wrong.told) from None
        return self.api.next_fault(call.method, call.chat)

    async def _faulty(
        self, call: Call, fault: Fault, request: web.BaseRequest | None
    ) -> web.StreamResponse:
        if fault.seconds:
            await self.running.wait(fault.seconds)
        answer = await self._play(call) if fault.executed else {}
        if fault.way == "reset" and request is not None:
            return reset(request)
        if fault.way == "hang":
            await self.running.wait(None)
        if fault.status == 200:
            return self._told(call, 200, answer)
        if fault.body is None:
            raise Refused(fault.status, fault.told, fault.parameters)
        call.status, call.told = fault.status, fault.told
        return web.Response(body=fault.body, status=fault.status, content_type="text/html")

    def _refused(self, call: Call, refused: Refused) -> web.Response:
        call.told = refused.told
        answer: Thing = {"ok": False, "error_code": refused.status, "description": refused.told}
        if refused.parameters:
            answer["parameters"] = refused.parameters
        told = self._told(call, refused.status, answer)
        if refused.status == 429 and refused.parameters:
            told.headers["Retry-After"] = str(refused.parameters["retry_after"])
        return told

    def _told(self, call: Call, status: int, answer: Thing) -> web.Response:
        with self.api.changed:
            call.status = status
            body = _answer(status, answer)
            self.api.changed.notify_all()
        return body

    async def _download(
        self, request: web.BaseRequest, token: str, path: str
    ) -> web.StreamResponse:
        api = self.api
        call = Call("download", {"path": path}, api.clock())
        api.enter(call)
        fault = api.next_fault("download", None, unread=True) or api.next_fault("download", None)
        if fault is not None and fault.way == "reset":
            return reset(request)
        if fault is not None and fault.status != 200:
            return self._refused(call, Refused(fault.status, fault.told, fault.parameters))
        if fault is not None:
            await self.running.wait(None if fault.way == "hang" else fault.seconds)
        if token != api.token or api.revoked:
            return self._refused(call, Refused(401, "Unauthorized"))
        file = api.world.by_path.get(path)
        if file is None or file.size > MOST_DOWNLOAD:
            return self._refused(call, Refused(404, "Not Found"))
        call.executed = True
        self._told(call, 200, {})
        return web.Response(body=file.content, content_type="application/octet-stream")

    # -- playing a method -----------------------------------------------------------------------

    async def _play(self, call: Call) -> Thing:
        """Do what a method does; the answer. Raises Refused."""
        if call.method == "getUpdates":
            return {"ok": True, "result": await self._get_updates(call)}
        if call.method in ("setWebhook", "deleteWebhook"):
            return {"ok": True, "result": True, "description": await self._set_webhook(call)}
        with self.api.changed:
            self._spend(call)
            call.result = self._result(call)
            call.executed = True
            self.api.changed.notify_all()
            # What was sent may be edited before the answer is written: it is written now.
            return {"ok": True, "result": orjson.Fragment(dumps(call.result))}

    def _spend(self, call: Call) -> None:
        count = messages_in(call.method, call.params)
        if self.api.pace is not None and count and call.chat is not None:
            self.api.pace.spend(call.chat, count)

    def _result(self, call: Call) -> Any:
        if call.method == "getWebhookInfo":
            return self._webhook_info()
        if call.method == "logOut":
            self.api.logged_out = True
        if call.method in METHODS:
            return METHODS[call.method](self.api.world, call.params)
        if schema().returns.get(call.method) == ("Boolean",):
            if call.chat is not None:
                self.api.world.chat(call.chat)
            return True
        self.api.violate(call.method, "the double does not play this method")
        raise Refused(400, "Bad Request: the double does not play this method")

    # -- long polling ---------------------------------------------------------------------------

    async def _get_updates(self, call: Call) -> list[orjson.Fragment]:
        api, params = self.api, call.params
        offset, most = params.get("offset", 0), params.get("limit", 100)
        timeout = min(params.get("timeout", 0), LONGEST_POLL)
        if api.hook is not None:
            raise Refused(409, WEBHOOK_ACTIVE)
        with api.changed:
            api.pending.allow(params.get("allowed_updates"))
            timeout, most = self._braked(offset, timeout, most)
            found = api.pending.take(offset, most)
            call.executed = True
            api.changed.notify_all()
        if not found and timeout:
            await self._poll(timeout)
            with api.changed:
                found = api.pending.take(offset, most)
        return [orjson.Fragment(update.body) for update in found]

    def _braked(self, offset: int, timeout: float, most: int) -> tuple[float, int]:
        """The server's own brake on who asks again at the same offset, where it is switched on."""
        (last, at), now = self.last_poll, self.api.clock()
        self.last_poll = (offset, now)
        if not self.api.polling_brake or offset != last:
            return timeout, most
        return max(timeout, 3) if now < at + 3 else timeout, 1 if now < at + 0.5 else most

    async def _poll(self, timeout: float) -> None:
        """Wait for an update. Raises Refused when another poller or a webhook ends the wait."""
        self._end_poll(OTHER_POLLER)
        mine = self.poller = asyncio.get_running_loop().create_future()
        try:
            ended = await asyncio.wait_for(mine, timeout)
        except TimeoutError:
            return
        if ended:
            raise Refused(409, ended)

    def _end_poll(self, why: str) -> None:
        if self.poller is not None and not self.poller.done():
            self.poller.set_result(why)

    def wake(self) -> None:
        """Hand on what is new: to the webhook, or to whoever waits."""
        fresh = self.api.take_fresh()
        if self.carrier is not None:
            self.carrier.carry(fresh)
        else:
            self._end_poll("")

    # -- webhooks -------------------------------------------------------------------------------

    async def _set_webhook(self, call: Call) -> str:
        api, params = self.api, call.params
        url = params.get("url", "") if call.method == "setWebhook" else ""
        self._check_url(url)
        if url and api.pace is not None and api.clock() < self.next_webhook:
            raise Refused(429, "Too Many Requests: retry after 1", {"retry_after": 1})
        self.next_webhook = api.clock() + 1
        with api.changed:
            api.pending.allow(params.get("allowed_updates"))
            call.executed = True
        hook = Hook(url, params.get("secret_token", ""), params.get("max_connections", 40))
        drop = bool(params.get("drop_pending_updates"))
        new = await self.hook_on(hook if url else None, drop)
        return f"Webhook {'was' if new else 'is already'} {'set' if url else 'deleted'}"

    def _check_url(self, url: str) -> None:
        if not url:
            return
        parts = urlsplit(url)
        if not parts.hostname or parts.scheme not in ("http", "https"):
            raise Refused(400, "Bad Request: invalid webhook URL specified")
        if _loopback(parts.hostname) and not self.api.https_only:
            return
        if parts.scheme != "https":
            told = "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"
            raise Refused(400, told)
        if (parts.port or 443) not in (80, 88, 443, 8443):
            told = "Webhook can be set up only on ports 80, 88, 443 or 8443"
            raise Refused(400, f"Bad Request: bad webhook: {told}")

    async def hook_on(self, hook: Hook | None, drop: bool = False) -> bool:
        """Deliver here from now on, or nowhere. False where nothing changes by it."""
        api = self.api
        if hook == api.hook and not drop:
            return False
        if hook is not None:
            self._end_poll(WEBHOOK_SET)
        old, self.carrier = self.carrier, None
        if old is not None:
            await old.stop()
        with api.changed:
            if drop:
                api.pending.drop()
            api.hook, api.last_error = hook, None
            api.take_fresh()
            if hook is not None:
                scale = api.retry_scale
                self.carrier = Carrier(hook, scale, self._delivered, self._failed, self._expired)
                self.carrier.pauses = api.pauses
                self.carrier.carry(api.pending.waiting.values())
            api.changed.notify_all()
        return True

    def _webhook_info(self) -> Thing:
        api = self.api
        info: Thing = {
            "url": api.hook.url if api.hook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(api.pending.waiting),
        }
        if api.last_error is not None:
            info["last_error_date"], info["last_error_message"] = api.last_error
        if api.hook is not None:
            info |= {"max_connections": api.hook.connections, "ip_address": "127.0.0.1"}
        if kinds := api.pending.wanted():
            info["allowed_updates"] = kinds
        return info

    async def _delivered(self, update: Update, answer: Answer) -> None:
        """Play the method a webhook answered with, then count the update as confirmed."""
        if answer.body:
            await self._method_in(answer)
        with self.api.changed:
            self.api.pending.done(update)
            self.api.changed.notify_all()

    async def _method_in(self, answer: Answer) -> None:
        try:
            given, as_text = read(answer.content_type, answer.body)
        except Malformed:
            return
        method = str(given.pop("method", "")).lower()
        if method and not method.startswith(NEVER_IN_A_REPLY):
            call = Call(NAMES.get(method, method), given, self.api.clock(), by="webhook")
            await self._answered(call, self.api.token, as_text, None)

    def _failed(self, update: Update, told: str) -> None:
        with self.api.changed:
            self.api.last_error = (self.api.world.today, told)
            self.api.changed.notify_all()

    def _expired(self, update: Update) -> bool:
        with self.api.changed:
            if update.until >= self.api.wall():
                return False
            self.api.pending.done(update)
            return True


More = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def _answer(status: int, answer: Thing) -> web.Response:
    return web.Response(body=dumps(answer), status=status, content_type="application/json")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
