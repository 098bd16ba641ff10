"""A process that forks bots which write until they are killed: `python -m tests.fault.writing_bots HOME REPORT`.

Each line on stdin starts a bot, whose process id is answered; an empty answer says that the bot before is dead. A bot's
threads emit as fast as they can, and put into the shared file REPORT how many of its events `emit` has returned from.
The bots are forked from a process that has no recorder open, so that one costs milliseconds.
"""

from __future__ import annotations

import mmap
import os
import signal
import struct
import sys
import threading
from functools import partial
from pathlib import Path

from deskwatch import LogRecorded, Recorder
from deskwatch import recorder as recorder_module
from deskwatch.journal import Writer

THREADS = 3
SEGMENT_BYTES = 20_000
COUNT = struct.Struct("=q")
REPORT_BYTES = 8 * THREADS


def main() -> None:
    """Fork a bot for each line on stdin, and wait for its end."""
    home, report = Path(sys.argv[1]), Path(sys.argv[2])
    with report.open("r+b") as file:
        counts = mmap.mmap(file.fileno(), REPORT_BYTES)
    for line in sys.stdin:
        for thread in range(THREADS):
            COUNT.pack_into(counts, 8 * thread, -1)
        child = os.fork()
        if child == 0:
            _be_a_bot(home, counts, int(line))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)
        sys.stdout.write("\n")
        sys.stdout.flush()


def _be_a_bot(home: Path, counts: mmap.mmap, number: int) -> None:
    recorder_module.Writer = partial(Writer, segment_bytes=SEGMENT_BYTES)  # type: ignore[assignment, attr-defined]
    recorder = Recorder.open("arb-1", home=home)
    for thread in range(THREADS):
        threading.Thread(target=_write, args=(recorder, counts, number, thread)).start()
    signal.pause()


def _write(recorder: Recorder, counts: mmap.mmap, bot: int, thread: int) -> None:
    for number in range(10**9):
        event = LogRecorded(message=f"{bot} {thread} {number}", levelname="INFO", name="n")
        recorder.emit(event, durable=number % 100 == 99)
        COUNT.pack_into(counts, 8 * thread, number)


if __name__ == "__main__":
    main()
