"""The load on it: `python -m tests.endurance.load HOME URL PID EVENTS NOTES` writes events, scrapes and takes notes.

A thousand events a second as far as the machine lets it; it ends once all are written, or its parent is gone. Each
second it appends to NOTES: seconds since the start, events written, bytes of memory that the process PID takes.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import urllib.request
from pathlib import Path

import psutil

from deskwatch import OrderFilled, PriceObserved, Recorder

RATE = 1000
SCRAPE_SECONDS = 5.0


def main() -> None:
    """Bear down on a sidecar."""
    home, url, pid, events, notes = sys.argv[1:]
    process, parent = psutil.Process(int(pid)), os.getppid()
    began, sent, noted, scraped = time.monotonic(), 0, 0.0, 0.0
    with Recorder.open("busy", home=home) as recorder, Path(notes).open("a") as out:
        while sent < int(events) and os.getppid() == parent:
            elapsed = time.monotonic() - began
            for _ in range(min(RATE, int(elapsed * RATE) - sent)):
                recorder.emit(event(sent))
                sent += 1
            if elapsed - scraped >= SCRAPE_SECONDS:
                scraped = elapsed
                with contextlib.suppress(OSError):  # it is judged by what it takes, not by how prompt it is
                    urllib.request.urlopen(f"{url}/metrics", timeout=30).close()
            if elapsed - noted >= 1:
                noted = elapsed
                out.write(f"{elapsed:.1f} {sent} {process.memory_info().rss}\n")
                out.flush()
            time.sleep(0.005)


def event(number: int) -> PriceObserved | OrderFilled:
    """Prices, and a fill now and then."""
    if number % 10:
        return PriceObserved(venue="amber", symbol=f"S{number % 7}/USDC", price=3000.0 + number)
    return OrderFilled(
        order_id=f"o-{number}", venue="amber", symbol="WETH/USDC", side="buy", quantity=1, price=2, final=True
    )


if __name__ == "__main__":
    main()
