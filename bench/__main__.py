"""`make bench`: the ear, then what an event costs on the web, Telegram and Zalo; a broadcast."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from bench import alike, ears, zalo
from bench.broadcast import broadcast
from bench.crowd import Figures, talk_all
from bench.platform import SECRET, drive
from tests.server import ROOT, Server, free_port

PEOPLE = 64
SECONDS = 12.0
RUNS = 3
PACE = 800.0  # events a second


def main() -> None:
    """Print every figure the README quotes."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    named = os.environ.get("PUBLIC_SETS")
    data = Path(named) if named else None
    ears.report(data)
    alike.report(data)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        models = home / "models"
        models.mkdir()
        _train(models)
        for number in range(RUNS):
            _whole(home / f"run{number}", models, number)
        _bare(home)
        for number in range(RUNS):
            _telegram(home / f"telegram{number}", models, number)
        for number in range(RUNS):
            print(f"zalo run {number + 1}: {zalo.report(home / f'zalo{number}', models)}")
        _usual(home)
        (home / "many").mkdir()
        print(broadcast(home / "many", models))
        for number in range(RUNS):
            _queue(home, number)


def _telegram(folder: Path, models: Path, number: int) -> None:
    """The webhook: as quickly as people are answered, then at a pace that leaves some room."""
    folder.mkdir()
    api = free_port()
    extra = {
        "TELEGRAM_TOKEN": "1:bench",
        "TELEGRAM_API_URL": f"http://127.0.0.1:{api}",
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
    }
    server = Server(folder, models, extra)
    began = time.perf_counter()
    server.start()
    ready = time.perf_counter() - began
    assert server.process is not None
    idle = _resident(server.process.pid)
    full = drive(server.port, api, PEOPLE, SECONDS)
    paced = drive(server.port, api, PEOPLE, SECONDS, PACE)
    server.stop()
    print(f"telegram run {number + 1}: ready in {ready:.1f} s, idle {idle:.0f} MB; {_said(full)}")
    print(f"  at {PACE:.0f}/s: {_said(paced)}")


def _usual(home: Path) -> None:
    """aiogram's handler with a SQLModel commit each, in the same run."""
    port = free_port()
    command = [sys.executable, "-m", "bench.usual", str(home), str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        _await(port)
        full = drive(port, free_port(), PEOPLE, 6.0)
        paced = drive(port, free_port(), PEOPLE, 6.0, PACE)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)
    print(f"usual aiogram + SQLModel handler: {_said(full)}")
    print(f"  at {PACE:.0f}/s: {_said(paced)}")


def _queue(home: Path, number: int) -> None:
    folder = home / f"queue{number}"
    folder.mkdir()
    command = [sys.executable, "-m", "bench.queueing", str(folder), "10000"]
    subprocess.run(command, cwd=ROOT, check=True)


def _train(models: Path) -> None:
    from tagging.training import train

    began = time.perf_counter()
    train(models)
    size = sum(f.stat().st_size for f in models.iterdir()) / 1e6
    print(f"tagger trained in {time.perf_counter() - began:.1f} s, {size:.1f} MB")


def _whole(folder: Path, models: Path, number: int) -> None:
    folder.mkdir()
    server = Server(folder, models)
    began = time.perf_counter()
    server.start()
    ready = time.perf_counter() - began
    assert server.process is not None
    idle = _resident(server.process.pid)
    figures = talk_all(server.port, PEOPLE, SECONDS)
    server.stop()
    print(f"run {number + 1}: ready in {ready:.1f} s, idle {idle:.0f} MB; {_said(figures)}")


def _bare(home: Path) -> None:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.bare", str(home), str(port)], cwd=ROOT)
    try:
        _await(port)
        print(f"bare server that only commits the same bytes: {_said(talk_all(port, PEOPLE, 6.0))}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


def _await(port: int) -> None:
    for _ in range(200):
        try:
            httpx.get(f"http://127.0.0.1:{port}/")
            return
        except httpx.TransportError:
            time.sleep(0.05)


def _resident(pid: int) -> float:
    time.sleep(3)
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _said(figures: Figures) -> str:
    return (
        f"{PEOPLE} people, {figures.events} events, {figures.rate:.0f}/s, "
        f"p50 {figures.p50:.1f} ms, p99 {figures.p99:.1f} ms"
    )


main()
