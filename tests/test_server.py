"""The running program over its real wire: every transcript, statuses, pushed digests, restarts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from storage.vocabulary import Said
from tests.server import Server, Visitor, Wire, a_file
from tests.transcript import Player, every

UNITS = """
[[unit]]
id = "tinh"
name = "Công an tỉnh"
name_en = "Provincial police"
[[unit]]
id = "thanh-tra"
name = "Thanh tra"
name_en = "Inspectorate"
inspects = true
[[unit]]
id = "ben-thanh"
name = "Công an phường Bến Thành"
parent = "tinh"
ward = "79.phuongbenthanh"
[[unit]]
id = "tan-dinh"
name = "Công an phường Tân Định"
parent = "tinh"
ward = "79.phuongtandinh"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    units = folder / "units.toml"
    units.write_text(UNITS, encoding="utf-8")
    running = Server(folder, models, {"UNITS_FILE": str(units)}).start()
    yield running
    running.stop()


@pytest.mark.parametrize("name", every())
def test_a_conversation_goes_as_written_over_the_wire(server: Server, name: str) -> None:
    Player(Wire(server)).play(name)


def test_the_program_says_how_it_is(server: Server) -> None:
    answer = httpx.get(f"{server.url}/healthz")
    assert answer.status_code == 200
    assert answer.json()["parts"]["database"] == "ok"


def test_the_page_comes_with_a_policy_that_lets_nothing_else_in(server: Server) -> None:
    page = httpx.get(f"{server.url}/")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "set-cookie" not in page.headers
    for name in re.findall(r'(?:src|href)="/?(web/[^"]+)"', page.text):
        assert httpx.get(f"{server.url}/{name}").status_code == 200
    assert not re.search(r"https?://(?!www\.w3\.org)", page.text)


def test_a_forged_host_is_refused(server: Server) -> None:
    assert httpx.get(f"{server.url}/", headers={"Host": "evil.example"}).status_code == 400


def test_the_first_administrator_is_invited_once(server: Server) -> None:
    printed = server.log.read_text()
    code = re.findall(r"\?moi=([a-z2-7-]{14})", printed)[-1]
    visitor = Visitor(server.url)
    assert "quản trị viên" in visitor.say(Said(start=code))[0].text
    assert "Đã ghi danh quản trị viên" in visitor.say("1")[0].text
    assert "không đúng" in Visitor(server.url).say(Said(start=code))[0].text


BAD_BODIES = (
    (b"{", 400),
    (b"[]", 400),
    (b'"x"', 400),
    (b'{"id":"12345678"}', 400),
    (b'{"id":"12345678","text":"a","start":"b"}', 400),
    (b'{"id":"short","text":"a"}', 400),
    (b'{"id":"12345678","text":1}', 400),
    (b'{"id":"12345678","text":"a","more":1}', 400),
    (b'{"id":"12345678","place":{"lat":91,"lon":0}}', 400),
    (b'{"id":"12345678","place":{"lat":1e999,"lon":0}}', 400),
    (b'{"id":"12345678","files":["no.such.1.token"]}', 400),
    (b'{"id":"12345678","text":"\\ud800"}', 400),
    (b'{"id":"12345678","text":"\xff"}', 400),
    (b'{"id":"12345678","text":"' + b"a" * 1_000_000 + b'"}', 413),
)


@pytest.mark.parametrize(("body", "status"), BAD_BODIES)
def test_a_body_that_does_not_fit_gets_its_status_and_a_sentence(
    server: Server, body: bytes, status: int
) -> None:
    visitor = Visitor(server.url)
    json = {"content-type": "application/json"}
    answer = visitor.api.post("/events", content=body, headers=json)
    assert answer.status_code == status, answer.text
    assert len(answer.json()["error"]["message"]) > 10
    assert visitor.waiting() == []


def test_without_a_session_or_with_a_forged_one_nothing_is_served(server: Server) -> None:
    visitor = Visitor(server.url)
    for session in ("x", visitor.session[:-1] + "0", visitor.session + "0", "é.é"):
        headers = {"Authorization": f"Bearer {session}".encode()}
        answer = httpx.get(f"{server.url}/chat/api/messages", headers=headers)
        assert answer.status_code == 401 or session == visitor.session, session


def test_another_site_cannot_speak_with_a_persons_cookie(server: Server) -> None:
    visitor = Visitor(server.url)
    answer = visitor.api.post(
        "/events",
        json={"id": "12345678", "text": "/start"},
        headers={"Origin": "https://evil.example"},
    )
    assert answer.status_code == 403


def test_a_repeated_event_has_one_effect_and_the_same_answer(server: Server) -> None:
    visitor = Visitor(server.url)
    first = visitor.send({"text": "/start"}, "the-same-event").json()
    again = visitor.send({"text": "/start"}, "the-same-event").json()
    assert first == again


def test_ten_thousand_lines_and_bidi_overrides_are_taken_as_a_story(server: Server) -> None:
    visitor = Visitor(server.url)
    for words in ("/start", "1", "1", "/tinbao", "1"):
        visitor.say(words)
    assert "Dài quá 8000" in visitor.say("dòng\n" * 10_000)[0].text
    reply = visitor.say("\u202eđảo chiều\u202c\u0000\u0007 cô gái bán vé số bị giật dây chuyền")
    assert "ở đâu" in reply[-1].text


FILES = (
    (b"", 415),
    (b"MZ\x90\x00" + bytes(200), 415),
    (b"<html><script>alert(1)</script></html>", 415),
    (b"PK\x05\x06" + bytes(18), 415),
    (bytes(range(256)) * 4, 415),
)


@pytest.mark.parametrize(("content", "status"), FILES)
def test_a_file_is_judged_by_what_is_in_it(server: Server, content: bytes, status: int) -> None:
    answer = Visitor(server.url).upload(content)
    assert answer.status_code == status
    assert "Tệp" in answer.json()["error"]["message"]


def test_a_truncated_photo_is_told_at_the_next_reply(server: Server) -> None:
    visitor = Visitor(server.url)
    for words in ("/start", "1", "1", "/tinbao", "1"):
        visitor.say(words)
    whole = a_file("photo", 1)
    sent = visitor.upload(whole[: len(whole) // 2]).json()["file"]
    assert "Đã nhận 1 tệp" in str(visitor.send({"files": [sent]}).json())
    server.wait_for_files()
    assert "không mở được" in visitor.say("?")[0].text


def test_a_file_of_another_session_cannot_be_sent(server: Server) -> None:
    token = Visitor(server.url).upload(a_file("photo", 2)).json()["file"]
    answer = Visitor(server.url).send({"files": [token]})
    assert answer.status_code == 400


def test_too_large_a_file_is_refused_before_it_is_read(server: Server) -> None:
    assert Visitor(server.url).upload(bytes(21 * 1024 * 1024)).status_code == 413


def test_whoever_speaks_too_fast_is_asked_to_wait(tmp_path: Path, models: Path) -> None:
    running = Server(tmp_path, models, {"MESSAGES_PER_MINUTE": "5"}).start()
    try:
        visitor = Visitor(running.url)
        answers = [visitor.send({"text": "/start"}) for _ in range(7)]
    finally:
        running.stop()
    assert [answer.status_code for answer in answers[:5]] == [200] * 5
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_session_that_is_left_leaves_nothing(server: Server) -> None:
    visitor = Visitor(server.url)
    for words in ("/start", "1", "1", "/tinbao", "1"):
        visitor.say(words)
    visitor.send({"files": [visitor.upload(a_file("photo", 9)).json()["file"]]})
    assert visitor.api.delete("/session").status_code == 200
    assert visitor.waiting() == []
    assert "hộp thư tự động" in visitor.say("/tieptuc")[-1].text


def test_a_supervisor_gets_the_digest_of_what_citizens_told(tmp_path: Path, models: Path) -> None:
    server = Server(tmp_path, models).start()
    supervisor = Visitor(server.url)
    supervisor.say(Said(start=Wire(server).invite("supervisor", "tinh")))
    supervisor.say("1")
    for number in range(6):
        citizen = Visitor(server.url)
        for words in ("/start", "1", "1", "/tinbao", "1"):
            citizen.say(words)
        citizen.say(f"thanh niên số nhà {number} bán ma túy đá cho học sinh mỗi tối")
        for words in ("không nhớ", "thường xuyên", "không có", "không", "1", "gửi", "đã lưu"):
            citizen.say(words)
    supervisor.say("/baocao")
    supervisor.say("2")
    found = [m for _ in range(10) for m in supervisor.waiting(wait=3) if m.picture]
    assert found, "no digest came"
    assert "Ma túy: 6" in found[0].text
    picture = supervisor.api.get(f"/pictures/{found[0].picture}")
    assert picture.content.startswith(b"\x89PNG")
    assert Visitor(server.url).api.get(f"/pictures/{found[0].picture}").status_code == 404
    period = datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).strftime("%Y-%m")
    once, again = (server.run("digest", "--period", period, "--format", "json") for _ in range(2))
    assert once == again
    assert json.loads(once)
    server.stop()
