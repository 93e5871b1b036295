"""The running program as its users have it: a process, a port, people with sessions."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from storage import attachments, reports
from storage.prompting import round_in
from storage.sealing import Keys, Seal
from storage.store import Store
from storage.vocabulary import FileAt, Message, Option, Said
from tests.panel import open_now

ROOT = Path(__file__).parent.parent
LANGNGHE = [sys.executable, "-m", "bot"]


OPEN: list[httpx.Client] = []  # closed after each test (conftest.py)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """`langnghe run` on a folder and a port of its own."""

    folder: Path
    models: Path
    extra: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        own = {"DATA_DIR": str(self.folder / "data"), "PORT": str(self.port), "HOST": "127.0.0.1"}
        return {**os.environ, "MESSAGES_PER_MINUTE": "0", **own, **self.extra}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "program.log"

    def start(self) -> Server:
        target = self.folder / "data" / "models"
        if not target.exists():
            shutil.copytree(self.models, target)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*LANGNGHE, "run"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        self._wait_until_ready()
        return self

    def _wait_until_ready(self) -> None:
        for _ in range(1800):
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            try:
                if httpx.get(f"{self.url}/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"not ready after 90 s:\n{self.log.read_text()}")

    def wait_for_files(self) -> None:
        """Until every file that was sent has been looked at; 60 s at most."""
        data = self.folder / "data"
        store = Store(f"sqlite:///{data}/langnghe.db", Seal(Keys.read(data / "keys.json")))
        for _ in range(600):
            with store.read() as work:
                waits = attachments.any_waiting(work)
            if not waits:
                break
            time.sleep(0.1)
        store.close()
        assert not waits, "files still wait"

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=60)

    def run(self, *words: str, said: str = "") -> str:
        """A command of the program; its standard output. Raises AssertionError when it fails."""
        done = subprocess.run(
            [*LANGNGHE, *words],
            cwd=ROOT,
            env=self.environment,
            input=said.encode(),
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        return done.stdout.decode()


@dataclass
class Visitor:
    """Somebody at the web chat's API, with a session."""

    url: str
    numbers: int = 0
    session: str = ""
    seen: list[str] = field(default_factory=list)
    api: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.api = httpx.Client(base_url=f"{self.url}/chat/api", timeout=40)
        OPEN.append(self.api)
        self.session = self.session or self.api.post("/session", json={}).json()["session"]
        self.api.headers["Authorization"] = f"Bearer {self.session}"

    def send(self, body: dict[str, Any], event: str | None = None) -> httpx.Response:
        self.numbers += 1
        event = event or f"event-{self.numbers:06d}-{self.session[:8]}"
        seen, self.seen = self.seen, []
        return self.api.post("/events", json={"id": event, "seen": seen, **body})

    def say(self, said: Said | str) -> list[Message]:
        answer = self.send(as_body(Said(text=said) if isinstance(said, str) else said))
        assert answer.status_code == 200, answer.text
        return self._heard(answer)

    def waiting(self, wait: float = 0) -> list[Message]:
        seen, self.seen = ",".join(self.seen), []
        return self._heard(self.api.get("/messages", params={"wait": wait, "seen": seen}))

    def _heard(self, answer: httpx.Response) -> list[Message]:
        messages = answer.json()["messages"]
        self.seen += [message["id"] for message in messages]
        return [as_message(message) for message in messages]

    def upload(self, content: bytes) -> httpx.Response:
        return self.api.post("/files", content=content)


def as_body(said: Said) -> dict[str, Any]:
    if said.pressed is not None:
        return {"choice": {"question": said.pressed.question, "option": said.pressed.option}}
    if said.place is not None:
        return {"place": {"lat": said.place.lat, "lon": said.place.lon}}
    if said.files:
        return {"files": [file.locator for file in said.files]}
    return {"start": said.start} if said.start is not None else {"text": said.text}


def as_message(told: dict[str, Any]) -> Message:
    choices = tuple(Option(**choice) for choice in told["choices"])
    return Message(
        told["text"], told["question"], choices, told["asks"], told["picture"], told["about"]
    )


@dataclass
class Wire:
    """A server as a stage for transcripts: everything over HTTP and the command line."""

    server: Server
    people: dict[str, Visitor] = field(default_factory=dict)
    files_sent: Sequence[bytes] = ()
    campaigns: Sequence[str] = ()

    def visitor(self, who: str) -> Visitor:
        if who not in self.people:
            self.people[who] = Visitor(self.server.url)
        return self.people[who]

    def say(self, said: Said | str, who: str) -> list[Message]:
        visitor = self.visitor(who)
        before = [m for m in visitor.waiting() if m.question is None or round_in(m.question)]
        return [*before, *visitor.say(said)]

    def restart(self) -> None:
        self.server.stop()
        self.server.start()

    def invite(self, role: str, unit: str) -> str:
        printed = self.server.run("invite", role, "--unit", unit)
        found = re.search(r"Code: (\S+)", printed)
        assert found, printed
        return found[1]

    def answer(self, receipt: str, text: str) -> None:
        data = self.server.folder / "data"
        store = Store(f"sqlite:///{data}/langnghe.db", Seal(Keys.read(data / "keys.json")))
        with store.read() as work:
            known = reports.by_receipt(work, receipt.replace(" ", ""))
        store.close()
        assert known is not None
        self.server.run("case", "answer", known.alias, said=text)

    def campaign(self, name: str) -> None:
        self.campaigns = [*self.campaigns, name]

    def clock(self, minutes: int) -> None:
        """Open the rounds from beside the server, so that it does not matter when the test runs."""
        data = self.server.folder / "data"
        store = Store(f"sqlite:///{data}/langnghe.db", Seal(Keys.read(data / "keys.json")))
        open_now(store, self.campaigns, datetime.now(UTC) + timedelta(minutes=minutes))
        store.close()

    def files(self, kind: str, count: int, who: str) -> tuple[FileAt, ...]:
        visitor = self.visitor(who)
        sent = [visitor.upload(a_file(kind, number)) for number in range(count)]
        return tuple(FileAt(answer.json()["file"], answer.json()["kind"]) for answer in sent)


def a_file(kind: str, number: int) -> bytes:
    """A small real file: a photo, or a voice message (an Ogg page)."""
    if kind == "voice":
        return b"OggS\x00\x02" + bytes(8) + b"\x01\x00\x00\x00" + bytes(8) + b"\x01\x13OpusHead"
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (16, 16), (number * 40 % 256, 20, 20)).save(out, "JPEG")
    return out.getvalue()
