"""OAuth v4 as Zalo has it: a code once, a refresh token once, one access token that is alive."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

CODE_LIFE = 600  # seconds
ACCESS_LIFE = 90_000
REFRESH_LIFE = 90 * 86_400


class Denied(Exception):
    """An error of the token endpoint: its code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass(frozen=True)
class Pair:
    """What a grant gives; `until`: when the access token and the refresh token end."""

    access: str
    refresh: str
    until: tuple[float, float]


@dataclass
class Grants:
    """The codes and pairs of one account. Its owner locks.

    `lifetime` and `refresh_life` in seconds hold for what is given from now on. `old_lives`: the
    access token of before outlives a refresh (reports say it does not).
    """

    now: Callable[[], float]
    lifetime: int = ACCESS_LIFE
    refresh_life: float = REFRESH_LIFE
    old_lives: bool = False
    pairs: list[Pair] = field(default_factory=list)
    codes: dict[str, tuple[str | None, float]] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    refreshed: int = 0
    reused: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def consent(self, challenge: str | None) -> str:
        """A code, bound to the challenge where there was one."""
        code = _secret(f"code {next(self.numbers)}", 60)
        self.codes[code] = (challenge, self.now() + CODE_LIFE)
        return code

    def by_code(self, code: str, verifier: str | None) -> Pair:
        """Raises Denied: a code is used once, within ten minutes, by who knows the verifier."""
        challenge, until = self.codes.pop(code, (None, 0.0))
        if self.now() >= until or (challenge is not None and challenge != challenge_of(verifier)):
            raise Denied(-14010)
        return self.give()

    def by_refresh(self, token: str) -> Pair:
        """Raises Denied: a refresh token is used once."""
        known = next((pair for pair in self.pairs if pair.refresh == token), None)
        if known is not None and token in self.spent:
            self.reused += 1
        if known is None or token in self.spent or self.now() >= known.until[1]:
            raise Denied(-14020)
        self.spent.add(token)
        self.refreshed += 1
        if not self.old_lives:
            self.dead.add(known.access)
        return self.give()

    def give(self) -> Pair:
        """A new pair, as the console's own tool makes it too."""
        number, now = next(self.numbers), self.now()
        until = (now + self.lifetime, now + self.refresh_life)
        access, refresh = _secret(f"access {number}", 180), _secret(f"refresh {number}", 180)
        self.pairs.append(Pair(access, refresh, until))
        return self.pairs[-1]

    def fault_of(self, token: str | None) -> int:
        """The code for a call with this token: 0 where it is good."""
        known = next((pair for pair in self.pairs if pair.access == token), None)
        if known is None or known.access in self.dead:
            return -216
        return -220 if self.now() >= known.until[0] else 0

    def die(self) -> None:
        """Every access token there is is no longer good; refreshing helps."""
        self.dead |= {pair.access for pair in self.pairs}

    def revoke(self) -> None:
        """The account took its consent back: only a new one helps."""
        self.die()
        self.spent |= {pair.refresh for pair in self.pairs}


def challenge_of(verifier: str | None) -> str:
    """What the consent page is given for a verifier."""
    digest = hashlib.sha256((verifier or "").encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _secret(of: str, length: int) -> str:
    """Letters as in a token; the same every time."""
    digest = hashlib.shake_256(of.encode()).digest(length)
    return base64.urlsafe_b64encode(digest).decode()[:length]
