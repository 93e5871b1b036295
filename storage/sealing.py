"""Sealing what people wrote: authenticated encryption under keys that lie outside the database."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PADDED_TO = 64  # bytes; a sealed text tells its length only to the next multiple
NUMBER = 2  # bytes
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
        """Read the key file. Raises KeysMissing when it is not there, ValueError when damaged."""
        try:
            found = json.loads(path.read_text())
            sealing = tuple((int(k), b64decode(v)) for k, v in found["sealing"].items())
            read = cls(b64decode(found["finding"]), tuple(sorted(sealing, reverse=True)))
        except FileNotFoundError:
            raise KeysMissing(str(path)) from None
        except (KeyError, TypeError, AttributeError) as damage:
            raise ValueError(type(damage).__name__) from None
        if not sealing or any(len(key) != 32 for key in (read.finding, *dict(sealing).values())):
            raise ValueError("a key is missing or cut short")
        return read

    def write(self, path: Path) -> None:
        """Write the key file readable by its owner only, and durably, before anything uses it."""
        content = {
            "finding": b64encode(self.finding).decode(),
            "sealing": {str(number): b64encode(key).decode() for number, key in self.sealing},
        }
        beside = path.with_suffix(".new")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(handle, 0o600)  # a leftover of an earlier try may have had another mode
        with os.fdopen(handle, "w") as out:
            json.dump(content, out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def rotated(self) -> Keys:
        """The same keys with a new one in front: what is sealed from now on uses it."""
        newest = self.sealing[0][0] + 1
        return Keys(self.finding, ((newest, secrets.token_bytes(32)), *self.sealing))


class Seal:
    """Seals, opens and finds. `where` binds a sealed value to its place: `table|column|row`.

    `again` reads the keys once more, for what another process sealed with a newer one.
    """

    def __init__(self, keys: Keys, again: Callable[[], Keys] | None = None) -> None:
        self._finding = _derived(keys.finding, "find")
        self._again = again
        self._use(keys)

    def _use(self, keys: Keys) -> None:
        self._ciphers = {n: AESGCM(_derived(key, "seal")) for n, key in keys.sealing}
        self._newest = keys.sealing[0][0]

    def close(self, plain: bytes, where: str, step: int = PADDED_TO) -> bytes:
        """Seal bytes: 2 bytes key number, 12 nonce, then padded ciphertext and tag.

        `step`: the length is told only to the next multiple of so many bytes.
        """
        padded = plain + b"\x80" + bytes(-(len(plain) + 1) % step)
        nonce = os.urandom(NONCE)
        sealed = self._ciphers[self._newest].encrypt(nonce, padded, where.encode())
        return self._newest.to_bytes(NUMBER) + nonce + sealed

    def open(self, sealed: bytes, where: str) -> bytes:
        """Open what `close` made at the same place. Raises CannotOpen."""
        number, nonce = int.from_bytes(sealed[:NUMBER]), sealed[NUMBER : NUMBER + NONCE]
        if number not in self._ciphers and self._again is not None:
            self._use(self._again())
        cipher = self._ciphers.get(number)
        if cipher is None or len(sealed) < NUMBER + NONCE + TAG:
            raise CannotOpen(where)
        try:
            padded = cipher.decrypt(nonce, sealed[NUMBER + NONCE :], where.encode())
        except InvalidTag:
            raise CannotOpen(where) from None
        return padded[: padded.rindex(b"\x80")]

    def find(self, purpose: str, value: str) -> bytes:
        """The keyed hash under which a value is looked up: 16 bytes, worthless without the key."""
        message = f"{purpose}\0{value}".encode(errors="surrogatepass")
        return hmac.digest(self._finding, message, hashlib.sha256)[:16]
