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
    """Updates as they were posted: body and secret; each answered by `answering`."""

    answering: Answering = fine
    got: list[tuple[dict[str, Any], str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                update = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                secret = self.headers.get("X-Telegram-Bot-Api-Secret-Token")
                with inbox.lock:
                    inbox.got.append((update, secret))
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
        return f"http://127.0.0.1:{self.server.server_port}/telegram"

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
