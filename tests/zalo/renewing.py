"""A program that renews the grant once and says which token it has: one of several that race.

Run as `python -m tests.zalo.renewing REFUSED`, with the settings and KEYS in the environment; it
waits for a line on standard input, so that all begin at once.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from bot.channels.zalo.granting import Keeper
from bot.settings import load
from storage.sealing import Keys, Seal
from storage.store import Store


def main(refused: str) -> None:
    settings = load()
    store = Store(settings.database, Seal(Keys.read(Path(settings.data_dir) / "keys.json")))
    keeper = Keeper(settings, store, lambda: datetime.now(UTC))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(keeper.renewed(refused).pair.access + "\n")
    store.close()


if __name__ == "__main__":
    main(sys.argv[1])
