"""The double as a program of its own, steered over HTTP as a bench does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.doubles.inbox import Inbox
from tests.server import ROOT


@pytest.fixture
def running() -> Iterator[tuple[httpx.Client, str]]:
    command = [sys.executable, "-m", "tests.telegram.double", "--port", "0", "--limits"]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = dict(word.split("=", 1) for word in process.stdout.readline().split())
        with httpx.Client(base_url=told["TELEGRAM_API_URL"]) as http:
            yield http, told["TELEGRAM_TOKEN"]
        process.terminate()


def test_a_bench_can_steer_it_and_read_its_journal(
    running: tuple[httpx.Client, str], inbox: Inbox
) -> None:
    http, token = running
    people = http.post("/people", json={"count": 3}).json()
    assert len(set(people)) == 3
    said = http.post("/say", json={"chat": people[0], "text": "chào"}).json()
    other = http.post("/update", json={"poll": {"id": "1"}}).json()
    assert http.get("/state").json() == {"waiting": 2, "calls": 0, "violations": []}
    for _ in range(4):
        http.post(f"/bot{token}/sendMessage", json={"chat_id": people[1], "text": "đáp"})
    assert http.post("/limits", json={"on": False}).json() is True
    http.post(f"/bot{token}/sendMessage", json={"chat_id": people[1], "text": "đáp"})
    lines = [json.loads(line) for line in http.get("/calls?from=2").text.splitlines()]
    assert [line[1:] for line in lines] == [
        ["sendMessage", people[1], status, "http"] for status in (200, 429, 200)
    ]
    http.post("/webhook", json={"url": inbox.url, "secret": "s"})
    http.post("/say", json={"chat": people[0], "text": "cuối"})
    while http.get("/state").json()["waiting"]:
        pass
    assert sorted(inbox.ids()) == [said, other, other + 1]
