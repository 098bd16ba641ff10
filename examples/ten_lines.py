"""The smallest useful bot: it watches how busy this machine is, and tells it as a price. Run it, or read it, first.

`python examples/ten_lines.py [SECONDS]` journals under DESKWATCH_HOME, else `.deskwatch`; nothing leaves the machine.
"""

from __future__ import annotations

import os
import sys
import time

from deskwatch import Mode, PriceObserved, Recorder

ends = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)

with Recorder.open("ten-lines", mode=Mode.ACTIVE) as recorder:
    try:
        while time.monotonic() < ends:
            if recorder.mode is not Mode.HALTED:
                recorder.emit(PriceObserved(venue=os.uname().nodename, symbol="LOAD/1M", price=os.getloadavg()[0]))
            command = recorder.next_command(timeout_seconds=0.5)
            if command is not None:
                command.fail(f"expected ping or set_mode, was {command.type!r}")
    except KeyboardInterrupt:
        print("stopped")
