"""Sealing what people wrote: authenticated encryption under keys that lie outside the database."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PADDED_TO = 64  # bytes; a sealed text tells its length only to the next multiple
NONCE = 12  # bytes, NIST SP 800-38D
TAG = 16


class KeysMissing(Exception):
    """There is a database but no keys: give the file back, or start with an empty DATA_DIR."""


class CannotOpen(Exception):
    """The sealed value was changed, moved to another row, or its key is gone."""


def _derived(secret: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"langnghe:" + purpose.encode()).derive(secret)


@dataclass(frozen=True)
class Keys:
    """The secrets of an installation: one for finding, and the sealing keys, newest first."""

    finding: bytes
    sealing: tuple[tuple[int, bytes], ...]

    @classmethod
    def new(cls) -> Keys:
        return cls(secrets.token_bytes(32), ((1, secrets.token_bytes(32)),))

    @classmethod
    def read(cls, path: Path) -> Keys:
        """Read the key file. Raises KeysMissing when it is not there."""
        try:
            found = json.loads(path.read_text())
        except FileNotFoundError:
            raise KeysMissing(str(path)) from None
        sealing = tuple((int(k), b64decode(v)) for k, v in found["sealing"].items())
        return cls(b64decode(found["finding"]), tuple(sorted(sealing, reverse=True)))

    def write(self, path: Path) -> None:
        """Write the key file readable by its owner only, and durably, before anything uses it."""
        content = {
            "finding": b64encode(self.finding).decode(),
            "sealing": {str(number): b64encode(key).decode() for number, key in self.sealing},
        }
        beside = path.with_suffix(".new")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as out:
            json.dump(content, out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)

    def rotated(self) -> Keys:
        """The same keys with a new one in front: what is sealed from now on uses it."""
        newest = self.sealing[0][0] + 1
        return Keys(self.finding, ((newest, secrets.token_bytes(32)), *self.sealing))


class Seal:
    """Seals, opens and finds. `where` binds a sealed value to its place: `table|column|row`."""

    def __init__(self, keys: Keys) -> None:
        self._ciphers = {n: AESGCM(_derived(key, "seal")) for n, key in keys.sealing}
        self._newest = keys.sealing[0][0]
        self._finding = _derived(keys.finding, "find")

    def close(self, plain: bytes, where: str) -> bytes:
        """Seal bytes: 1 byte key number, 12 nonce, then padded ciphertext and tag."""
        padded = plain + b"\x80" + bytes(-(len(plain) + 1) % PADDED_TO)
        nonce = os.urandom(NONCE)
        sealed = self._ciphers[self._newest].encrypt(nonce, padded, where.encode())
        return bytes([self._newest % 256]) + nonce + sealed

    def open(self, sealed: bytes, where: str) -> bytes:
        """Open what `close` made at the same place. Raises CannotOpen."""
        cipher = self._ciphers.get(sealed[0]) if len(sealed) > NONCE + TAG else None
        if cipher is None:
            raise CannotOpen(where)
        try:
            padded = cipher.decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], where.encode())
        except InvalidTag:
            raise CannotOpen(where) from None
        return padded[: padded.rindex(b"\x80")]

    def find(self, purpose: str, value: str) -> bytes:
        """The keyed hash under which a value is looked up: 16 bytes, worthless without the key."""
        message = f"{purpose}\0{value}".encode(errors="surrogatepass")
        return hmac.digest(self._finding, message, hashlib.sha256)[:16]
