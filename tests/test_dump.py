"""What a thief of the disk finds: nothing that anyone wrote, no address, no name."""

from __future__ import annotations

from pathlib import Path

from storage.vocabulary import Said
from tests.server import Server, Visitor, Wire, a_file

STORY = "Ông Trăn Văn Khỉ chở mười hai thùng pháo lậu bằng xe bảy chỗ màu xanh lá"
PLACE = "ngõ sau đình làng Cổ Vịt"
WHEN = "rằm tháng giêng năm ngoái"
CONTACT = "lien-he-bi-mat@example.vn"
MORE = "Bổ sung: biển số xe bốn chín tám"
ANSWER = "Cơ quan đã thu giữ toàn bộ số pháo lậu ấy"
PLANTED = (STORY, PLACE, WHEN, CONTACT, MORE, ANSWER, "Trăn Văn Khỉ", "Cổ Vịt", "example.vn")


def spellings(text: str) -> list[bytes]:
    return [text.encode(), text.encode("utf-16-le"), text.upper().encode(), text.lower().encode()]


def test_nothing_planted_is_found_in_any_byte(tmp_path: Path, models: Path) -> None:
    server = Server(tmp_path, models, {"LOG_LEVEL": "debug"}).start()
    wire = Wire(server)
    sender = wire.visitor("người gửi")
    photo = a_file("photo", 3)
    receipt = tell(sender, photo)
    sender.say(receipt)
    for words in ("1", MORE, "2", "/tinbao", "1", STORY):
        sender.say(words)
    wire.answer(receipt, ANSWER)
    sender.waiting()
    halfway = [sender.session, receipt, receipt.replace(" ", "")]
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    server.stop()
    stopped = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert any(path.suffix == ".db-wal" for path in files)
    for found in (files, stopped):
        for path, content in found.items():
            if "models" in path.parts:
                continue
            for secret in (*PLANTED, *halfway):
                for spelling in spellings(secret):
                    assert spelling not in content, f"{secret!r} is in {path.name}"
            assert photo[20:120] not in content, f"the photo is in {path.name}"


def tell(sender: Visitor, photo: bytes) -> str:
    for words in ("/start", "1", "1", "/tinbao", "1", STORY, PLACE):
        heard = sender.say(words)
    if heard[-1].question == "where":
        sender.say(str(len(heard[-1].choices) - 1))
    sender.say(WHEN)
    sent = sender.upload(photo).json()["file"]
    sender.send({"files": [sent]})
    for words in ("xong", "không", "3", CONTACT, "gửi"):
        heard = sender.say(words)
    receipt = heard[-1].text.split("\n")[1]
    sender.say(receipt[-4:])
    return receipt


def test_the_planted_words_would_be_found(tmp_path: Path, models: Path) -> None:
    server = Server(tmp_path, models).start()
    visitor = Visitor(server.url)
    visitor.say(Said(text="/start"))
    server.stop()
    data = tmp_path / "data"
    database = b"".join(path.read_bytes() for path in data.glob("langnghe.db*"))
    assert "Công an tỉnh".encode() in database  # what is not secret is there in plain bytes
