"""A server of files on this machine, which can pass on, refuse, say nothing or never end."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class _Page:
    content: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    endless: bool = False
    silent: bool = False


class FileServer:
    """Serves what is put there; used as a context manager."""

    def __init__(self) -> None:
        self._pages: dict[str, _Page] = {}
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def put(
        self,
        path: str,
        content: bytes,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        endless: bool = False,
        silent: bool = False,
    ) -> str:
        self._pages[path] = _Page(content, status, headers or {}, endless, silent)
        return self.url + path

    def pass_on(self, path: str, to: str) -> None:
        self.put(path, b"", 302, {"location": to})

    def __enter__(self) -> FileServer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        pages, over = self._pages, self._over

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = pages.get(self.path, _Page(b"", 404))
                if page.silent:
                    over.wait(30)
                    return
                self.send_response(page.status)
                for name, value in page.headers.items():
                    self.send_header(name, value)
                if not page.endless:
                    self.send_header("content-length", str(len(page.content)))
                self.end_headers()
                try:
                    self.wfile.write(page.content)
                    while page.endless and not over.is_set():
                        self.wfile.write(page.content)
                except OSError:
                    return

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        return Handler
