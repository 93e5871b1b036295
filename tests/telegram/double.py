"""A Telegram Bot API server that stands in for Telegram's: the true wire, people, faults, limits.

    with BotApi() as api:                      # in the test process, a thread of its own
        an = api.person("An")
        an.start("moi-abc")                    # the bot under test runs against api.url
        assert "Kính chào" in an.wait("Kính chào")[0].text
        assert api.violations == []

Alone, for a bench: `python -m tests.telegram.double --port 8081`; see `standalone.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
import uvloop
from aiohttp import web

from tests.telegram import rules
from tests.telegram.faults import Fault, Pace, Script
from tests.telegram.hooks import Answer, Carrier, Hook
from tests.telegram.methods import METHODS, messages_in
from tests.telegram.pending import Pending, Update, queue_of
from tests.telegram.people import Person
from tests.telegram.schema import schema
from tests.telegram.wire import Given, Malformed, dumps, read
from tests.telegram.world import MOST_DOWNLOAD, Chat, Refused, Thing, World

LONGEST_POLL = 50  # seconds
TOKEN = "7000000001:AAE-langnghe-thu-nghiem-0123456789"
BOT: Thing = {
    "id": 7_000_000_001,
    "is_bot": True,
    "first_name": "Lắng Nghe (thử)",
    "username": "langnghe_thu_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
    "can_connect_to_business": False,
    "has_main_web_app": False,
}
WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete "
    "the webhook first"
)
OTHER_POLLER = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is "
    "running"
)
WEBHOOK_SET = "Conflict: terminated by setWebhook request"
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
class BotApi:
    """The double. Every public method may be called from any thread; nothing here blocks long.

    `clock` (seconds, monotonic) dates calls and rates; `now` (seconds, epoch) dates messages.
    `retry_scale` shortens the pauses between tries of a webhook; `https_only` refuses plain http.
    """

    port: int = 0
    token: str = TOKEN
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    retry_scale: float = 1.0
    https_only: bool = False
    pace: Pace | None = None
    polling_brake: bool = False
    bot: Thing = field(default_factory=lambda: dict(BOT))
    journal: list[Call] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.bot["id"] = int(self.token.partition(":")[0])
        self.world = World(self.bot, self._wall)
        self.pending = Pending(self._wall)
        self.script = Script()
        self.people: dict[str, Person] = {}
        self.delivered: dict[int, Update] = {}
        self.later = 0.0
        self.revoked = self.logged_out = False
        self.hook: Hook | None = None
        self.last_error: tuple[int, str] | None = None
        self._carrier: Carrier | None = None
        self._held: list[Thing] | None = None
        self._poller: asyncio.Future[str] | None = None
        self._last_poll = (0, -10.0)
        self._fresh: list[Update] = []
        self._ids = iter(range(5_000_000_001, 6_000_000_000, 37))

    def _wall(self) -> float:
        return self.now() + self.later

    # -- running --------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """What TELEGRAM_API_URL is set to; aiogram: TelegramAPIServer.from_base(url)."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> BotApi:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(20), "the double does not start"
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(20)

    def __enter__(self) -> BotApi:
        return self.start()

    def __exit__(self, *raised: object) -> None:
        self.stop()

    def _run(self, ready: threading.Event) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        server = web.Server(
            self._handle, request_factory=_large, handler_cancellation=True, access_log=None
        )
        runner = web.ServerRunner(server, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, backlog=1024)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        ready.set()
        await self._closing.wait()
        if self._carrier is not None:
            await self._carrier.stop()
        await runner.cleanup()

    # -- one request ----------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = unquote(request.path)
        if path.startswith("/bot"):
            token, _, method = path[4:].partition("/")
            return await self._called(request, token, NAMES.get(method.lower(), method))
        if path.startswith("/file/bot"):
            token, _, file = path[9:].partition("/")
            return await self._download(request, token, file)
        return _error(404, "Not Found")

    async def _called(
        self, request: web.BaseRequest, token: str, method: str
    ) -> web.StreamResponse:
        fault = self._fault(method, None, unread=True)
        if fault is not None:
            self._enter(Call(method, {}, self.clock()))
            return self._reset(request)
        body = await request.read()
        try:
            given, as_text = read(
                request.headers.get("Content-Type", ""), body, request.query_string
            )
        except Malformed as malformed:
            self.violate(method, f"a body that cannot be read: {malformed}")
            return _error(400, "Bad Request: can't parse the body")
        call, answer = await self._answered(token, method, given, as_text, "http", request)
        return answer

    async def _answered(
        self,
        token: str,
        method: str,
        given: Given,
        as_text: bool,
        by: str,
        request: web.BaseRequest | None,
    ) -> tuple[Call, web.StreamResponse]:
        call = Call(method, given, self.clock(), by=by)
        self._enter(call)
        try:
            fault = self._admitted(call, token, as_text)
            if fault is None:
                result = await self._play(call)
                return call, self._told(call, 200, {"ok": True, "result": result})
            return call, await self._faulty(call, fault, request)
        except Refused as refused:
            return call, self._refused(call, refused)

    def _admitted(self, call: Call, token: str, as_text: bool) -> Fault | None:
        """Check a call; the fault that is written for it, if any. Raises Refused."""
        if token != self.token or self.revoked:
            raise Refused(401, "Unauthorized")
        if self.logged_out:
            raise Refused(400, "Logged out")
        if call.method not in schema().methods:
            self.violate(call.method, "no such method")
            raise Refused(404, "Not Found: method not found")
        try:
            call.params = rules.check(call.method, call.params, as_text)
        except rules.Wrong as wrong:
            self.violate(call.method, wrong.problem)
            raise Refused(400, wrong.told) from None
        return self._fault(call.method, call.chat)

    async def _faulty(
        self, call: Call, fault: Fault, request: web.BaseRequest | None
    ) -> web.StreamResponse:
        if fault.seconds:
            await self._wait(fault.seconds)
        result = await self._play(call) if fault.executed else None
        if fault.way == "reset" and request is not None:
            return self._reset(request)
        if fault.way == "hang":
            await self._wait(None)
        if fault.status == 200:
            return self._told(call, 200, {"ok": True, "result": result})
        call.told = fault.told
        if fault.body is not None:
            call.status = fault.status
            return web.Response(body=fault.body, status=fault.status, content_type="text/html")
        return self._refused(call, Refused(fault.status, fault.told, fault.parameters))

    def _refused(self, call: Call, refused: Refused) -> web.Response:
        call.told = refused.told
        answer: Thing = {
            "ok": False,
            "error_code": refused.status,
            "description": refused.told,
        }
        if refused.parameters:
            answer["parameters"] = refused.parameters
        told = self._told(call, refused.status, answer)
        if refused.status == 429 and refused.parameters:
            told.headers["Retry-After"] = str(refused.parameters["retry_after"])
        return told

    def _told(self, call: Call, status: int, answer: Thing) -> web.Response:
        with self.changed:
            call.status = status
            body = dumps(answer)
            self.changed.notify_all()
        return web.Response(body=body, status=status, content_type="application/json")

    async def _wait(self, seconds: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    @staticmethod
    def _reset(request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        return web.Response(status=500)

    def _enter(self, call: Call) -> None:
        with self.changed:
            self.journal.append(call)
            self.changed.notify_all()

    def _fault(self, method: str, chat: int | None, unread: bool = False) -> Fault | None:
        with self.changed:
            return self.script.next(method, chat, unread)

    async def _download(
        self, request: web.BaseRequest, token: str, path: str
    ) -> web.StreamResponse:
        call = Call("download", {"path": path}, self.clock())
        self._enter(call)
        fault = self._fault("download", None, unread=True) or self._fault("download", None)
        file = self.world.by_path.get(path)
        if fault is not None and fault.way == "reset":
            return self._reset(request)
        if fault is not None and fault.status != 200:
            return self._refused(call, Refused(fault.status, fault.told, fault.parameters))
        if fault is not None:
            await self._wait(None if fault.way == "hang" else fault.seconds)
        if token != self.token or self.revoked:
            return self._refused(call, Refused(401, "Unauthorized"))
        if file is None or file.size > MOST_DOWNLOAD:
            return self._refused(call, Refused(404, "Not Found"))
        call.status, call.executed = 200, True
        return web.Response(body=file.content, content_type="application/octet-stream")

    # -- playing methods ------------------------------------------------------------------------

    async def _play(self, call: Call) -> Any:
        if call.method == "getUpdates":
            return await self._get_updates(call)
        if call.method in ("setWebhook", "deleteWebhook"):
            return await self._set_webhook(call)
        with self.changed:
            self._spend(call)
            own = self._own_method(call.method)
            result = own(call.params) if own else self._general(call)
            call.executed, call.result = True, result
            self.changed.notify_all()
            return result

    def _spend(self, call: Call) -> None:
        count = messages_in(call.method, call.params)
        if self.pace is not None and count and call.chat is not None:
            self.pace.spend(call.chat, count)

    def _own_method(self, method: str) -> Callable[[Thing], Any] | None:
        own = {"getWebhookInfo": self._webhook_info, "logOut": self._log_out}
        return own.get(method)

    def _general(self, call: Call) -> Any:
        if call.method in METHODS:
            return METHODS[call.method](self.world, call.params)
        if schema().returns.get(call.method) == ("Boolean",):
            if call.chat is not None:
                self.world.chat(call.chat)
            return True
        self.violate(call.method, "the double does not play this method")
        raise Refused(400, "Bad Request: the double does not play this method")

    def _log_out(self, params: Thing) -> bool:
        self.logged_out = True
        return True

    async def _get_updates(self, call: Call) -> list[orjson.Fragment]:
        params = call.params
        offset, most = params.get("offset", 0), params.get("limit", 100)
        timeout = min(params.get("timeout", 0), LONGEST_POLL)
        if self.hook is not None:
            raise Refused(409, WEBHOOK_ACTIVE)
        with self.changed:
            self.pending.allow(params.get("allowed_updates"))
            timeout, most = self._braked(offset, timeout, most)
            found = self.pending.take(offset, most)
            call.executed = True
            self.changed.notify_all()
        if not found and timeout:
            await self._poll(timeout)
            with self.changed:
                found = self.pending.take(offset, most)
        return [orjson.Fragment(update.body) for update in found]

    def _braked(self, offset: int, timeout: float, most: int) -> tuple[float, int]:
        """The server's own brake on who asks again at the same offset, where it is switched on."""
        last, at = self._last_poll
        self._last_poll = (offset, self.clock())
        if not self.polling_brake or offset != last:
            return timeout, most
        since = self.clock() - at
        return max(timeout, 3) if since < 3 else timeout, 1 if since < 0.5 else most

    async def _poll(self, timeout: float) -> None:
        """Wait for an update. Raises Refused when another poller or a webhook ends the wait."""
        if self._poller is not None and not self._poller.done():
            self._poller.set_result(OTHER_POLLER)
        mine = self._poller = self._loop.create_future()
        try:
            ended = await asyncio.wait_for(mine, timeout)
        except TimeoutError:
            return
        finally:
            if self._poller is mine:
                self._poller = None
        if ended:
            raise Refused(409, ended)

    # -- webhooks -------------------------------------------------------------------------------

    async def _set_webhook(self, call: Call) -> bool:
        params = call.params
        url = params.get("url", "") if call.method == "setWebhook" else ""
        self._check_url(url)
        if url and self._poller is not None and not self._poller.done():
            self._poller.set_result(WEBHOOK_SET)
        hook = Hook(url, params.get("secret_token", ""), params.get("max_connections", 40))
        with self.changed:
            self.pending.allow(params.get("allowed_updates"))
            call.executed = True
        await self._hook_on(hook if url else None, bool(params.get("drop_pending_updates")))
        return True

    def _check_url(self, url: str) -> None:
        if not url:
            return
        parts = urlsplit(url)
        if not parts.hostname or parts.scheme not in ("http", "https"):
            raise Refused(400, "Bad Request: invalid webhook URL specified")
        if _loopback(parts.hostname) and not self.https_only:
            return
        if parts.scheme != "https":
            told = "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"
            raise Refused(400, told)
        if (parts.port or 443) not in (80, 88, 443, 8443):
            told = "Webhook can be set up only on ports 80, 88, 443 or 8443"
            raise Refused(400, f"Bad Request: bad webhook: {told}")

    async def _hook_on(self, hook: Hook | None, drop: bool = False) -> None:
        if hook == self.hook and not drop:
            return
        old, self._carrier = self._carrier, None
        if old is not None:
            await old.stop()
        with self.changed:
            if drop:
                self.pending.drop()
            self.hook, self.last_error, self._fresh = hook, None, []
            if hook is not None:
                self._carrier = Carrier(
                    hook, self.retry_scale, self._delivered, self._failed, self._expired
                )
                self._carrier.carry(self.pending.waiting.values())
            self.changed.notify_all()

    def _webhook_info(self, params: Thing) -> Thing:
        info: Thing = {
            "url": self.hook.url if self.hook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self.pending.waiting),
        }
        if self.last_error is not None:
            info["last_error_date"], info["last_error_message"] = self.last_error
        if self.hook is not None:
            info |= {"max_connections": self.hook.connections, "ip_address": "127.0.0.1"}
        if kinds := self.pending.wanted():
            info["allowed_updates"] = kinds
        return info

    async def _delivered(self, update: Update, answer: Answer) -> None:
        """Play the method a webhook answered with, then count the update as confirmed."""
        if answer.body:
            await self._method_in(answer)
        with self.changed:
            self.pending.done(update)
            self.changed.notify_all()

    async def _method_in(self, answer: Answer) -> None:
        try:
            given, as_text = read(answer.content_type, answer.body)
        except Malformed:
            return
        method = str(given.pop("method", "")).lower()
        if method and not method.startswith(("get", *_NEVER_IN_A_REPLY)):
            name = NAMES.get(method, method)
            await self._answered(self.token, name, given, as_text, "webhook", None)

    def _failed(self, update: Update, told: str) -> None:
        with self.changed:
            self.last_error = (self.world.today, told)
            self.changed.notify_all()

    def _expired(self, update: Update) -> bool:
        with self.changed:
            if update.until >= self._wall():
                return False
            self.pending.done(update)
            return True

    # -- the people's side ----------------------------------------------------------------------

    def person(self, name: str, id: int | None = None, language: str = "vi") -> Person:
        """Somebody of this name: the one who is there already, or somebody new."""
        with self.changed:
            if name not in self.people:
                own = id or next(self._ids)
                card: Thing = {"id": own, "is_bot": False, "first_name": name}
                known: Thing = {"id": own, "first_name": name, "type": "private"}
                chat = self.world.chats.setdefault(own, Chat(known))
                instance = str(-8_000_000_000_000_000_000 + own)
                card["language_code"] = language
                self.people[name] = Person(self, card, chat, instance)
            return self.people[name]

    def update(self, update: Thing, anyway: bool = False) -> int:
        """Any update at all, numbered unless it brings a number; its number, 0 where not wanted.

        `anyway`: deliver it even if the bot did not ask for its kind.
        """
        with self.changed:
            self._get_to_know(update)
            if self._held is not None:
                self._held.append(update)
                return 0
            added = self.pending.add(update, anyway)
            if added is None:
                return 0
            self.delivered[added.id] = added
            self._let_go(added)
            return added.id

    def _let_go(self, update: Update) -> None:
        self._fresh.append(update)
        if len(self._fresh) == 1:
            self._loop.call_soon_threadsafe(self._wake)
        self.changed.notify_all()

    def _get_to_know(self, update: Thing) -> None:
        for content in update.values():
            chat = content.get("chat") if isinstance(content, dict) else None
            if isinstance(chat, dict) and isinstance(chat.get("id"), int):
                known = self.world.chats.setdefault(chat["id"], Chat(chat))
                known.started = True

    def _wake(self) -> None:
        with self.changed:
            fresh, self._fresh = self._fresh, []
        if self._carrier is not None:
            self._carrier.carry(fresh)
        elif self._poller is not None and not self._poller.done():
            self._poller.set_result("")

    def repeat(self, update_id: int) -> None:
        """Deliver an update once more under its own number, as after a lost confirmation.

        By webhook it is posted again, behind what waits in its queue; to a poller it is given
        once more before what is new, whatever the offset says.
        """
        with self.changed:
            update = self.delivered[update_id]
            if self.hook is None:
                self.pending.repeats.append(update)
            else:
                self.pending.waiting[update.id] = update
            self._let_go(update)

    def set_webhook(self, url: str, secret: str = "", connections: int = 40) -> None:
        """As setWebhook would, without the bot; an empty address deletes it."""
        hook = Hook(url, secret, connections) if url else None
        asyncio.run_coroutine_threadsafe(self._hook_on(hook), self._loop).result(20)

    @contextlib.contextmanager
    def reordered(self, seed: int = 0) -> Iterator[None]:
        """Hold the updates made meanwhile; then let them go shuffled across chats, each in order."""
        with self.changed:
            self._held = []
        try:
            yield
        finally:
            with self.changed:
                held, self._held = self._held, None
                for update in _shuffled(held or [], random.Random(seed)):
                    self.update(update)

    # -- script, limits, looking ----------------------------------------------------------------

    def fail(
        self, fault: Fault, times: int = 1, method: str | None = None, chat: int | None = None
    ) -> None:
        """Let the next calls (of a method, to a chat) go wrong; see `faults`."""
        with self.changed:
            self.script.add(fault, times, method, chat)

    def limits(self, on: bool = True, **rates: Any) -> None:
        """Switch Telegram's rates on or off: overall, per_chat, burst, per_group, penalty."""
        with self.changed:
            self.pace = Pace(self.clock, **rates) if on else None

    def violate(self, method: str, problem: str) -> None:
        with self.changed:
            self.violations.append(f"{method}: {problem}")

    def calls(self, method: str | None = None, chat: int | None = None) -> list[Call]:
        """The journal so far, of one method or to one chat."""
        with self.changed:
            return [
                call
                for call in self.journal
                if method in (None, call.method) and chat in (None, call.chat)
            ]

    def wait(self, until: Callable[[], Any], seconds: float = 20) -> None:
        """Wait until something holds. Raises AssertionError when it does not in time."""
        with self.changed:
            assert self.changed.wait_for(until, seconds), "it did not come to that in time"

    def confirmed(self, update_id: int) -> bool:
        with self.changed:
            return update_id not in self.pending.waiting

    def idle(self) -> bool:
        """Whether nothing waits to be confirmed."""
        with self.changed:
            return not self.pending.waiting


_NEVER_IN_A_REPLY = ("setwebhook", "deletewebhook", "close", "logout")


def _large(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """A request whose body may be as large as Telegram lets uploads be."""
    loop = asyncio.get_running_loop()
    most = 2 * rules.MOST_UPLOAD
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=most)


def _error(status: int, told: str) -> web.Response:
    body = dumps({"ok": False, "error_code": status, "description": told})
    return web.Response(body=body, status=status, content_type="application/json")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shuffled(updates: list[Thing], dice: random.Random) -> Iterator[Thing]:
    """The updates in an order that keeps each queue's own."""
    queues: dict[int, list[Thing]] = {}
    for number, update in enumerate(updates):
        kind = next(name for name in update if name != "update_id")
        queues.setdefault(queue_of(kind, update[kind], -number), []).append(update)
    while queues:
        chosen = dice.choice(list(queues))
        yield queues[chosen].pop(0)
        if not queues[chosen]:
            del queues[chosen]


if __name__ == "__main__":
    from tests.telegram.standalone import main

    main()
