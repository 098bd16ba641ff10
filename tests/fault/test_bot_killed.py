"""A writing bot dies by SIGKILL at random instants: every event that `emit` returned from is there, once."""

from __future__ import annotations

import mmap
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from deskwatch import LogRecorded
from deskwatch.journal import names, read
from tests.fault import writing_bots
from tests.lines import segment_files
from tests.soak import count

MOST_SECONDS = 0.06
"""A bot lives this long at most: some die while they open their journal, most while they write and roll."""


def test_a_killed_bot_loses_nothing_that_emit_returned_from(tmp_path: Path) -> None:
    """Over many kills in one home: nothing lost, nothing twice, and `seq` goes on without a gap."""
    home, report = tmp_path / "home", tmp_path / "report"
    report.write_bytes(bytes(writing_bots.REPORT_BYTES))
    chance = random.Random(7)
    argv = [sys.executable, "-m", "tests.fault.writing_bots", str(home), str(report)]
    with (
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nursery,
        report.open("rb") as file,
        mmap.mmap(file.fileno(), writing_bots.REPORT_BYTES, access=mmap.ACCESS_READ) as counts,
    ):
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        next_seq, reported, rolls = 1, 0, 0
        for number in range(count(60, 1000)):
            nursery.stdin.write(f"{number}\n")
            nursery.stdin.flush()
            bot = int(nursery.stdout.readline())
            time.sleep(chance.random() * MOST_SECONDS)
            os.kill(bot, signal.SIGKILL)
            assert nursery.stdout.readline() == "\n"
            told = [writing_bots.COUNT.unpack_from(counts, 8 * thread)[0] for thread in range(writing_bots.THREADS)]
            next_seq = _read_and_check(home, number, told, next_seq)
            reported += sum(told) + len(told)
            rolls += _forget_all_but_the_last_two(home)
        nursery.stdin.close()
    assert reported > 1000
    assert rolls > 10


def _read_and_check(home: Path, bot: int, told: list[int], next_seq: int) -> int:
    """Check what the last bot left behind the lines that were read before; returns the next `seq`."""
    found: dict[int, list[int]] = {thread: [] for thread in range(writing_bots.THREADS)}
    files = segment_files(home)
    for file in files:
        whole, _, torn = file.read_bytes().rpartition(b"\n")
        assert torn == b"" or file == files[-1]
        for line in whole.splitlines():
            record = read(line, "arb-1", "main")
            if record.seq is None or record.seq < next_seq:
                continue
            assert record.seq == next_seq
            next_seq += 1
            if isinstance(record.event, LogRecorded):
                of_bot, thread, number = map(int, record.event.message.split())
                assert of_bot == bot
                found[thread].append(number)
    for thread, last in enumerate(told):
        there = found[thread]
        assert there == list(range(len(there)))  # once each, in order
        assert last + 1 <= len(there) <= last + 2  # what was being written at the end may be there
    return next_seq


def _forget_all_but_the_last_two(home: Path) -> int:
    """Keep the test's disk small; how many segments were removed."""
    folder = names.writer_folder(home, "arb-1", "main")
    old = names.segments(folder)[:-2]
    for first in old:
        (folder / names.segment_name(first)).unlink()
    return len(old)
