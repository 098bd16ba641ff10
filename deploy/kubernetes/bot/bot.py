"""The example pod's bot: it tells how busy its node is, as a price, until the pod ends. Yours takes its place."""

from __future__ import annotations

import os
import signal
import threading

from deskwatch import Mode, PriceObserved, Recorder

stop = threading.Event()
# Python ends at once on SIGTERM; then the journal would say that the bot crashed.
signal.signal(signal.SIGTERM, lambda *_: stop.set())

with Recorder.open(os.environ["DESKWATCH_BOT"], mode=Mode.ACTIVE) as recorder:
    while not stop.is_set():
        if recorder.mode is not Mode.HALTED:
            recorder.emit(PriceObserved(venue=os.uname().nodename, symbol="LOAD/1M", price=os.getloadavg()[0]))
        command = recorder.next_command(timeout_seconds=0.5)
        if command is not None:
            command.fail(f"expected ping or set_mode, was {command.type!r}")
