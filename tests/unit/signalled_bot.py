"""A bot whose signal handler emits: `python -m tests.unit.signalled_bot HOME` prints how often the handler ran.

It is a process of its own: what measures coverage takes a lock in every thread, a signal handler in the main thread may
interrupt it there, and a test that emits in the handler would wait for itself.
"""

from __future__ import annotations

import signal
import sys

from deskwatch import BotStopped, PriceObserved, Recorder

EVENTS = 30_000
TICK_SECONDS = 0.0005


def main() -> None:
    """Emit prices under a rain of signals."""
    told = depth = 0
    with Recorder.open("arb-1", home=sys.argv[1]) as recorder:

        def handler(*_: object) -> None:
            nonlocal told, depth
            told += 1
            depth += 1
            if depth < 3:  # handlers within handlers, but no end of them on a machine slower than its timer
                signal.setitimer(signal.ITIMER_REAL, TICK_SECONDS)
            recorder.emit(BotStopped(reason=f"signal {told}"))
            depth -= 1
            signal.setitimer(signal.ITIMER_REAL, TICK_SECONDS)

        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, TICK_SECONDS)
        for _ in range(EVENTS):
            recorder.emit(PriceObserved(venue="amber", symbol="WETH/USDC", price=1.0))
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        assert recorder.lost.total() == 0
    sys.stdout.write(str(told))


if __name__ == "__main__":
    main()
