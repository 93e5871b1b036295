"""The files both surfaces give by address: photos, voices, papers, on the double's own server."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

CHUNK = 1 << 16
MEDIA = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "aac": "audio/aac",
    "amr": "audio/amr",
    "mp4": "video/mp4",
    "pdf": "application/pdf",
    "webp": "image/webp",
}


@dataclass(frozen=True)
class File:
    """A file and whose it is. `size` may be more than the content: zeros follow."""

    path: str
    content: bytes = field(repr=False)
    name: str
    size: int
    owner: str

    @property
    def media(self) -> str:
        return MEDIA.get(self.name.rpartition(".")[2].lower(), "application/octet-stream")

    @property
    def checksum(self) -> str:
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """All of it, in pieces."""
        yield self.content
        for left in range(self.size - len(self.content), 0, -CHUNK):
            yield bytes(min(left, CHUNK))


@dataclass
class Shelf:
    """All files. Its owner locks."""

    files: dict[str, File] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def put(self, content: bytes, name: str, owner: str, size: int = 0) -> File:
        """Keep a file; it is fetched at its path."""
        suffix = name.rpartition(".")[2] or "bin"
        path = f"/media/{next(self.numbers)}-{hashlib.sha256(content).hexdigest()[:16]}.{suffix}"
        self.files[path] = File(path, content, name, max(size, len(content)), owner)
        return self.files[path]
