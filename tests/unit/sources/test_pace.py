"""How often a peer is asked."""

from __future__ import annotations

import time

from deskwatch.sources.pace import Pace


async def test_a_burst_goes_at_once_and_what_follows_waits():
    """Then it is so many a second."""
    pace = Pace(per_second=20.0, burst=5.0)
    began = time.monotonic()
    for _ in range(5):
        await pace.turn()
    at_once = time.monotonic() - began
    for _ in range(4):
        await pace.turn()
    assert time.monotonic() - began >= 4 / 20 - at_once


async def test_what_is_urgent_does_not_wait_but_counts():
    """Those after it make up for it."""
    pace = Pace(per_second=20.0, burst=5.0)
    began = time.monotonic()
    for _ in range(8):
        await pace.turn(urgent=True)
    at_once = time.monotonic() - began
    await pace.turn()
    assert time.monotonic() - began >= 4 / 20 - at_once


async def test_however_much_was_urgent_others_get_their_turn_soon():
    """A desk full of commands must not end all looking: at most two bursts are made up for."""
    pace = Pace(per_second=50.0, burst=5.0)
    for _ in range(1000):
        await pace.turn(urgent=True)
    began = time.monotonic()
    await pace.turn()
    assert time.monotonic() - began < 2.0  # 20 s were it made up for in full
