"""What both of Zalo's doubles are: a server, people, files, faults, a journal, a webhook."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import unquote

import httpx
from aiohttp import web

from tests.doubles.faults import Fault, Script
from tests.doubles.running import Running, reset
from tests.doubles.wire import Malformed, dumps, read
from tests.zalo.hooks import STEPS, Carrier, Delivery, Event
from tests.zalo.people import Person, Thing
from tests.zalo.shelf import Shelf


class Refused(Exception):
    """A call that is refused: the platform's code, its words, what else its answer holds."""

    def __init__(self, code: int, told: str, more: Thing | None = None) -> None:
        super().__init__(told)
        self.code, self.told, self.more = code, told, more or {}


@dataclass
class Call:
    """One call as the journal keeps it. `code`: the platform's, 0 is fine; `status`: HTTP's,
    0 where there was no answer; `chat`: the id of the person it is for."""

    method: str
    params: Thing
    at: float
    chat: str | None = None
    executed: bool = False
    status: int = 0
    code: int = 0
    told: str = ""
    result: Any = field(default=None, repr=False)


@dataclass
class Double(ABC):
    """Every public method may be called from any thread; nothing here blocks long.

    `clock` (seconds, monotonic) dates calls and rates; `now` (seconds, epoch) dates messages, and
    `later` moves it on. `retry_scale` shortens the pauses between tries of a webhook; `patience`
    (seconds) is how long an answer may take: at Zalo 2, here more, since tests have no hurry.
    """

    port: int = 0
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    retry_scale: float = 1.0
    patience: float = 30.0
    steps: Sequence[float] = STEPS
    journal: list[Call] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    shelf: Shelf = field(default_factory=Shelf)
    later: float = 0.0
    hook: str = ""
    subscribed: bool = True

    def __post_init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.script = Script()
        self.known: dict[str, Person] = {}
        self.sent: dict[int, Event] = {}
        self.waiting: dict[int, Event] = {}
        self.lost: list[Event] = []
        self.serials = itertools.count(1)
        self._held: list[Event] | None = None
        self._fresh: list[Event] = []
        self._carrier: Carrier | None = None
        self._running = Running(self._handle, self.port, last=self._end)

    def wall(self) -> float:
        """The time of day here, in seconds since the epoch."""
        return self.now() + self.later

    # -- running --------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """What the settings name as the platform's address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        self._running.start()
        self.port = self._running.port
        return self

    def stop(self) -> None:
        self._running.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *raised: object) -> None:
        self.stop()

    async def _end(self) -> None:
        if self._carrier is not None:
            await self._carrier.stop()

    # -- people and what happens ----------------------------------------------------------------

    def person(self, name: str, id: str | None = None) -> Person:
        """Somebody of this name: the one who is there already, or somebody new."""
        with self.changed:
            if name not in self.people:
                self.people[name] = Person(self, name, id or self.new_id())
                self.known[self.people[name].id] = self.people[name]
            return self.people[name]

    def by_id(self, id: object) -> Person | None:
        """Somebody by their id, though their name may be somebody else's by now."""
        with self.changed:
            return self.known.get(str(id))

    @abstractmethod
    def new_id(self) -> str:
        """An id as this surface gives them."""

    def new_message(self) -> str:
        """A message's id: opaque letters."""
        return hashlib.sha256(f"message {next(self.serials)}".encode()).hexdigest()[:20]

    @abstractmethod
    def happened(self, person: Person, kind: str, said: Thing) -> str:
        """Somebody did something: tell the program; the id of the message, "" where it has none."""

    def event(self, body: Thing | bytes, queue: str = "", message: str = "") -> int:
        """Any event at all; its number. What nobody is there to take is in `lost`."""
        with self.changed:
            raw = body if isinstance(body, bytes) else dumps(body)
            number = next(self.serials)
            made = Event(number, raw, queue or str(number), message)
            self.sent[number] = made
            if self._held is None:
                self._let_go(made)
            else:
                self._held.append(made)
            return number

    def _let_go(self, event: Event) -> None:
        if not self.takes():
            self.lost.append(event)
            return
        self.waiting[event.id] = event
        self._fresh.append(event)
        if len(self._fresh) == 1:
            self._running.soon(self._wake)
        self.changed.notify_all()

    def takes(self) -> bool:
        """Whether there is anybody an event can go to."""
        return bool(self.hook) and self.subscribed

    def _wake(self) -> None:
        with self.changed:
            fresh, self._fresh = self._fresh, []
            if self._carrier is not None:
                self._carrier.carry(fresh)

    def repeat(self, event: int) -> None:
        """Deliver an event once more, as after a lost confirmation."""
        with self.changed:
            self._let_go(self.sent[event])

    @contextlib.contextmanager
    def reordered(self, seed: int = 0) -> Iterator[None]:
        """Hold the events made meanwhile; then let them go in any order."""
        with self.changed:
            self._held = []
        try:
            yield
        finally:
            with self.changed:
                held, self._held = self._held or [], None
                random.Random(seed).shuffle(held)
                for event in held:
                    self._let_go(event)

    # -- the webhook ----------------------------------------------------------------------------

    def hook_on(self, url: str) -> None:
        """Deliver here from now on, or nowhere; what waits is tried anew."""
        self._running.finish(self.hooked(url))

    async def hooked(self, url: str) -> None:
        """The same in the double's own loop."""
        old, self._carrier = self._carrier, None
        if old is not None:
            await old.stop()
        with self.changed:
            self.hook, self.subscribed, self._fresh = url, True, []
            if url:
                self._carrier = Carrier(
                    url,
                    self.signed,
                    self.steps,
                    self.retry_scale,
                    self.patience,
                    self._tried,
                    self._given_up,
                )
                self._carrier.carry(self.waiting.values())
            self.changed.notify_all()

    @abstractmethod
    def signed(self, event: Event) -> dict[str, str]:
        """The headers that show whose call it is."""

    def _tried(self, event: Event, delivery: Delivery) -> None:
        with self.changed:
            self.deliveries.append(delivery)
            if delivery.status == 200:
                self.waiting.pop(event.id, None)
            self.changed.notify_all()

    def _given_up(self, event: Event) -> None:
        with self.changed:
            self.waiting.pop(event.id, None)
            self.lost.append(event)
            self.gave_up()
            self.changed.notify_all()

    @abstractmethod
    def gave_up(self) -> None:
        """What follows when an event was tried for the last time."""

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> int:
        """Call the webhook as anybody can, with whatever headers; HTTP's status."""
        return httpx.post(self.hook, content=body, headers=headers, timeout=60).status_code

    # -- what goes wrong ------------------------------------------------------------------------

    def fail(
        self, fault: Fault, times: int = 1, method: str | None = None, chat: str | None = None
    ) -> None:
        """Let the next calls (of a method, for a person) go wrong; `download` is a method here."""
        with self.changed:
            self.script.add(fault, times, method, chat)

    def mend(self) -> None:
        """Forget the faults that have not struck yet."""
        with self.changed:
            self.script.lines.clear()

    # -- looking --------------------------------------------------------------------------------

    def violate(self, method: str, problem: str) -> None:
        with self.changed:
            self.violations.append(f"{method}: {problem}")

    def calls(self, method: str | None = None, chat: str | None = None) -> list[Call]:
        """The journal so far, of one method or for one person."""
        with self.changed:
            return [
                call
                for call in self.journal
                if method in (None, call.method) and chat in (None, call.chat)
            ]

    def wait(self, until: Callable[[], Any], seconds: float = 60) -> None:
        """Wait until something holds. Raises AssertionError when it does not in time."""
        with self.changed:
            assert self.changed.wait_for(until, seconds), "it did not come to that in time"

    def confirmed(self, event: int) -> bool:
        with self.changed:
            return event not in self.waiting

    def idle(self) -> bool:
        """Whether nothing waits to be confirmed."""
        with self.changed:
            return not self.waiting

    # -- serving --------------------------------------------------------------------------------

    @abstractmethod
    def method_of(self, request: web.BaseRequest) -> str | None:
        """The method that a path names."""

    @abstractmethod
    def admit(self, call: Call, request: web.BaseRequest, as_text: bool) -> None:
        """Check a call and name its chat. Raises Refused; tells violations."""

    @abstractmethod
    async def play(self, call: Call) -> Any:
        """Do what the call asks; its result. Raises Refused."""

    @abstractmethod
    def answer(self, call: Call, result: Any) -> web.Response: ...

    @abstractmethod
    def refusal(self, call: Call, refused: Refused) -> web.Response: ...

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = unquote(request.path)
        if path.startswith("/media/"):
            return await self._download(request, path)
        method = self.method_of(request)
        if method is None:
            self.violate(path, "no such address")
            return web.Response(status=404)
        return await self._called(request, method)

    async def _called(self, request: web.BaseRequest, method: str) -> web.StreamResponse:
        if self._fault(method, None, unread=True) is not None:
            self._enter(Call(method, {}, self.clock()))
            return reset(request)
        body, kind = await request.read(), request.headers.get("Content-Type", "")
        call = Call(method, {}, self.clock())
        try:
            call.params, as_text = read(kind, body, request.query_string)
        except Malformed as malformed:
            self.violate(method, f"a body that cannot be read: {malformed}")
            return web.Response(status=400)
        self._enter(call)
        try:
            self.admit(call, request, as_text)
            fault = self._fault(method, call.chat)
            if fault is not None:
                return await self._faulty(call, fault, request)
            return self._told(call, self.answer(call, await self.play(call)))
        except Refused as refused:
            return self._refuse(call, refused)

    async def _faulty(
        self, call: Call, fault: Fault, request: web.BaseRequest
    ) -> web.StreamResponse:
        if fault.seconds:
            await self._running.wait(fault.seconds)
        result = await self.play(call) if fault.executed else None
        if fault.way == "reset":
            return reset(request)
        if fault.way == "hang":
            await self._running.wait(None)
        if fault.body is not None:
            made = web.Response(body=fault.body, status=fault.status, content_type="text/html")
            return self._told(call, made)
        if fault.status == 200 and not fault.parameters:
            return self._told(call, self.answer(call, result))
        raise self.refused_by(fault)

    @abstractmethod
    def refused_by(self, fault: Fault) -> Refused:
        """What a scripted error is at this platform."""

    def _refuse(self, call: Call, refused: Refused) -> web.Response:
        call.code, call.told = refused.code, refused.told
        return self._told(call, self.refusal(call, refused))

    def _told(self, call: Call, response: web.Response) -> web.Response:
        with self.changed:
            call.status = response.status
            self.changed.notify_all()
        return response

    def _enter(self, call: Call) -> None:
        with self.changed:
            self.journal.append(call)
            self.changed.notify_all()

    def _fault(self, method: str, chat: str | None, unread: bool = False) -> Fault | None:
        with self.changed:
            return self.script.next(method, chat, unread)

    async def _download(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        file = self.shelf.files.get(path)
        call = Call("download", {"path": path}, self.clock(), file.owner if file else None)
        self._enter(call)
        fault = self._fault("download", call.chat, True) or self._fault("download", call.chat)
        if fault is not None:
            await self._running.wait(None if fault.way == "hang" else fault.seconds)
            if fault.way != "answer":
                return reset(request)
            if fault.status != 200:
                told = web.Response(status=fault.status, body=fault.body or b"")
                told.headers.update(fault.headers or {})
                return self._told(call, told)
        if file is None:
            return self._told(call, web.Response(status=404))
        response = web.StreamResponse()
        response.content_type, response.content_length = file.media, file.size
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for chunk in file.chunks():
                await response.write(chunk)
            await response.write_eof()
        with self.changed:
            call.executed, call.status = True, 200
            self.changed.notify_all()
        return response


def json(answer: Thing, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """An answer as JSON."""
    body = dumps(answer)
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)
