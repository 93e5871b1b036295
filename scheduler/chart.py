"""One picture of a bulletin, drawn in a process of its own, so that no server loads matplotlib."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

PATIENCE = 60  # seconds; a cold start on a loaded machine takes five


class ChartFailed(Exception):
    """The picture could not be drawn: the bulletin goes out without it."""


def draw(picture: Mapping[str, Any]) -> bytes:
    """The PNG of a picture (scheduler.picture), 1,000 pixels wide. Raises ChartFailed."""
    command = [sys.executable, "-m", "scheduler.chart"]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(picture).encode(),
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ChartFailed(type(error).__name__) from error
    return done.stdout


if __name__ == "__main__":
    from scheduler import drawing

    sys.stdout.buffer.write(drawing.png(json.load(sys.stdin.buffer)))
