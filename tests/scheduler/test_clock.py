from __future__ import annotations

import logging
import threading

import pytest

from scheduler.clock import Clock

PATIENCE = 20  # seconds; a test that waits so long has failed
NEVER = 3600


def test_the_clock_ticks_at_its_start_and_when_nudged() -> None:
    ticks = threading.Semaphore(0)
    clock = Clock(ticks.release, NEVER)
    clock.start()
    assert ticks.acquire(timeout=PATIENCE)
    clock.nudge()
    assert ticks.acquire(timeout=PATIENCE)
    clock.stop()
    assert not clock.alive
    assert clock.last is not None


def test_the_clock_ticks_by_itself() -> None:
    ticks = threading.Semaphore(0)
    clock = Clock(ticks.release, 0.05)
    clock.start()
    for _ in range(3):
        assert ticks.acquire(timeout=PATIENCE)
    clock.stop()


def test_a_tick_that_raises_is_logged_by_name_and_does_not_stop_the_clock(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ticks = threading.Semaphore(0)

    def tick() -> None:
        ticks.release()
        raise RuntimeError("what somebody wrote")

    clock = Clock(tick, NEVER)
    with caplog.at_level(logging.ERROR):
        clock.start()
        assert ticks.acquire(timeout=PATIENCE)
        clock.nudge()
        assert ticks.acquire(timeout=PATIENCE)
        clock.stop()
    assert clock.last is None
    assert "RuntimeError" in caplog.text
    assert "somebody" not in caplog.text


def test_a_nudge_during_a_tick_is_heard_after_it() -> None:
    entered, leave, ticks = threading.Event(), threading.Event(), threading.Semaphore(0)

    def tick() -> None:
        entered.set()
        leave.wait(PATIENCE)
        ticks.release()

    clock = Clock(tick, NEVER)
    clock.start()
    assert entered.wait(PATIENCE)
    clock.nudge()
    leave.set()
    assert ticks.acquire(timeout=PATIENCE)
    assert ticks.acquire(timeout=PATIENCE)
    clock.stop()
