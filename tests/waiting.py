"""Waiting for something to hold, and saying so when it does not."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(holds: Callable[[], object], seconds: float = 90) -> None:
    """Wait until something holds. Raises AssertionError when it does not in time."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not come to that in time"
        time.sleep(0.02)
