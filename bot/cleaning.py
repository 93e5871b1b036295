"""Files judged by what is in them, and photos made anew without their hidden data, in a cell.

Run as `python -m bot.cleaning KIND` it reads a file on standard input and writes the cleaned one:
a picture that lies about its size can then only take down this process, not the program.
"""

from __future__ import annotations

import asyncio
import io
import resource
import sys
import zipfile
from dataclasses import dataclass

MOST_PIXELS = 50_000_000  # of one picture, decoded
MOST_UNPACKED = 200 * 1024 * 1024  # bytes a document may claim to hold
MOST_RATIO = 100  # times a document may claim to be larger than it is
CELL_MEMORY = 1 << 30  # bytes of address space
CELL_SECONDS = 20

KINDS = {
    "image/jpeg": "photo",
    "image/png": "photo",
    "image/webp": "photo",
    "image/gif": "photo",
    "video/mp4": "video",
    "video/quicktime": "video",
    "video/webm": "video",
    "video/3gpp": "video",
    "audio/ogg": "voice",
    "audio/mpeg": "voice",
    "audio/mp4": "voice",
    "audio/wav": "voice",
    "audio/amr": "voice",
    "audio/aac": "voice",
    "application/pdf": "document",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "document",
    "text/plain": "document",
}


class NotTaken(Exception):
    """A file that is empty, broken, too large inside, or of a kind that is not taken."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was kept of a file, and what it is."""

    content: bytes
    media: str


def judge(content: bytes) -> str:
    """The media type of a file by its content. Raises NotTaken when it is not one of ours."""
    if not content:
        raise NotTaken("empty")
    media = _by_head(content)
    if media is None and _is_text(content):
        media = "text/plain"
    if media not in KINDS:
        raise NotTaken("kind")
    return media


def _by_head(content: bytes) -> str | None:
    """The media type that the first bytes stand for; what they do not settle is looked into."""
    head = content[:16]
    if head[:4] == b"RIFF":
        return {b"WAVE": "audio/wav", b"WEBP": "image/webp"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _film(head[8:12])
    if head[:4] == b"PK\x03\x04":
        return _office(content)
    if head[0] == 0xFF and len(head) > 1 and head[1] & 0xE6 == 0xE2:
        return "audio/mpeg"  # frame sync, a version, layer III
    if _is_adts(head):
        return "audio/aac"  # a stream of frames without a box around: Zalo's voice messages
    return next((media for start, media in HEADS if head.startswith(start)), None)


def _is_adts(head: bytes) -> bool:
    """Whether it begins with the header of an AAC frame: sync, layer 0, a known rate, a length."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return False
    length = (head[3] & 0x03) << 11 | head[4] << 3 | head[5] >> 5
    return (head[2] >> 2) & 0x0F <= 12 and length > 7


HEADS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"OggS\0", "audio/ogg"),
    (b"ID3\x02", "audio/mpeg"),
    (b"ID3\x03", "audio/mpeg"),
    (b"ID3\x04", "audio/mpeg"),
    (b"#!AMR\n", "audio/amr"),
    (b"#!AMR-WB\n", "audio/amr"),
    (b"%PDF-", "application/pdf"),
)


def _film(brand: bytes) -> str | None:
    if brand[:2] == b"qt":
        return "video/quicktime"
    if brand[:2] == b"3g":
        return "video/3gpp"
    if brand[:3] in (b"M4A", b"M4B"):
        return "audio/mp4"
    known = brand[:3] in (b"iso", b"mp4", b"avc", b"M4V", b"f4v", b"MSN", b"das", b"mmp")
    return "video/mp4" if known else None


def _office(content: bytes) -> str | None:
    names = {entry.filename for entry in _entries(content)}
    if "[Content_Types].xml" not in names or any("vbaProject" in name for name in names):
        return None  # an archive, a program, or a document that brings a program along
    if "word/document.xml" in names:
        return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    if "xl/workbook.xml" in names:
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return None


def _entries(content: bytes) -> list[zipfile.ZipInfo]:
    try:
        return zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise NotTaken("broken") from None


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return text.lstrip()[:1] != "<" and all(c.isprintable() or c in "\r\n\t\ufeff" for c in text)


async def clean(content: bytes) -> Cleaned:
    """The file as it may be kept. Raises NotTaken."""
    media = judge(content)
    if KINDS[media] == "photo":
        return Cleaned(await _in_a_cell(content), "image/png" if media == "image/gif" else media)
    if media.startswith("application/vnd."):
        _must_be_modest(content)
    return Cleaned(content, media)


async def _in_a_cell(content: bytes) -> bytes:
    cell = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.cleaning",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        made, _ = await asyncio.wait_for(cell.communicate(content), CELL_SECONDS + 10)
    except TimeoutError:
        cell.kill()
        await cell.wait()
        raise NotTaken("slow") from None
    if cell.returncode != 0 or not made:
        raise NotTaken("broken")
    return made


def _must_be_modest(content: bytes) -> None:
    """A document is a ZIP; it is never unpacked, and one that claims to explode is refused."""
    claimed = sum(entry.file_size for entry in _entries(content))
    if claimed > min(MOST_UNPACKED, MOST_RATIO * len(content)):
        raise NotTaken("bomb")


def repaint(content: bytes) -> bytes:
    """A picture painted anew: upright, without EXIF, comment, thumbnail or profile."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP", "GIF")) as picture:
        kind = picture.format
        if picture.width * picture.height > MOST_PIXELS:
            raise NotTaken("bomb")
        upright = ImageOps.exif_transpose(picture)
        colours = "RGB" if kind == "JPEG" else "RGBA"
        bare = Image.new(colours, upright.size)
        bare.paste(upright.convert(colours))
    out = io.BytesIO()
    if kind == "JPEG":
        bare.save(out, "JPEG", quality=88)
    elif kind == "WEBP":
        bare.save(out, "WEBP", quality=88)
    else:
        bare.save(out, "PNG")
    return out.getvalue()


def _cell() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (CELL_MEMORY, CELL_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CELL_SECONDS, CELL_SECONDS))
    sys.stdout.buffer.write(repaint(sys.stdin.buffer.read()))


if __name__ == "__main__":
    _cell()
