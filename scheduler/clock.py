"""The metronome: APScheduler beats, a thread of its own does what is due at each beat."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

log = logging.getLogger("langnghe.clock")


class Clock:
    """Calls `tick` every so many seconds, and at once when nudged; two ticks never run together.

    APScheduler holds nothing but the beat: no job store, no missed fires, no overlap to mind.
    What happens at a beat happens in a thread that outlives whatever it raises, because
    a scheduler whose job store or executor stumbles is silent from then on (reliability, E5).
    """

    def __init__(
        self,
        tick: Callable[[], object],
        seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tick, self._now = tick, now
        self._wake, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
        self._beat = BackgroundScheduler(timezone=UTC, daemon=True)
        self._beat.add_job(
            self._wake.set,
            "interval",
            seconds=seconds,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        self.last: datetime | None = None

    def start(self) -> None:
        """Begin, with a tick at once: something may have come due while nothing ran."""
        self._wake.set()
        self._thread.start()
        self._beat.start()

    def nudge(self) -> None:
        """Tick as soon as may be; a nudge during a tick is heard after it."""
        self._wake.set()

    def stop(self) -> None:
        """Let the running tick end, and tick no more."""
        self._stopped.set()
        self._wake.set()
        if self._beat.running:
            self._beat.shutdown(wait=False)
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._stopped.is_set():
                return
            try:
                self._tick()
            except Exception as error:  # noqa: BLE001  # one bad tick must not end the clock
                log.error("a tick failed: %s", type(error).__name__)
            else:
                self.last = self._now()
