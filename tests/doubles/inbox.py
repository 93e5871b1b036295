"""A webhook's other end for the double's own tests: takes what comes, answers what it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answering = Callable[[dict[str, Any]], tuple[int, bytes, dict[str, str]]]


def fine(update: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
    return 200, b"", {}


@dataclass
class Inbox:
    """What was posted: `got`, each with the header that shows whose it is; `raw`, as it came.

    Each is answered by `answering`.
    """

    answering: Answering = fine
    header: str = "X-Telegram-Bot-Api-Secret-Token"
    got: list[tuple[dict[str, Any], str | None]] = field(default_factory=list)
    raw: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                update = json.loads(body or "{}")
                with inbox.lock:
                    inbox.got.append((update, self.headers.get(inbox.header)))
                    inbox.raw.append((body, dict(self.headers)))
                status, body, headers = inbox.answering(update)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def ids(self) -> list[int]:
        with self.lock:
            return [update["update_id"] for update, _ in self.got]

    def __enter__(self) -> Inbox:
        self.thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
