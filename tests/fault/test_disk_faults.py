"""A disk that refuses: never silent, never raised into the bot, whole again within 5 s of its repair."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from deskwatch import EventsLost, LogRecorded, Recorder
from deskwatch.background import Background
from deskwatch.errors import JournalError
from deskwatch.journal import read
from tests.descriptors import open_below, open_files
from tests.fakes.disk import FaultyDisk
from tests.lines import lines_in, segment_files
from tests.soak import count
from tests.waiting import eventually, patience

CODES = [errno.ENOSPC, errno.EIO, errno.EROFS]
SEGMENT_BYTES = 1000
EVENTS = 24


def open_small(home: Path) -> Recorder:
    """A recorder with segments that a few events fill."""
    recorder = Recorder.open("arb-1", home=home)
    journal = recorder._journal
    journal._segment_bytes = SEGMENT_BYTES
    assert journal._segment is not None
    journal._segment.limit = SEGMENT_BYTES
    journal._segment.room = SEGMENT_BYTES - journal._segment.size
    return recorder


def note(number: int) -> LogRecorded:
    return LogRecorded(message=f"note {number}", levelname="INFO", name="n")


def tick(recorder: Recorder) -> None:
    """One round of the background's work."""
    with suppress(JournalError, OSError):
        recorder._journal.sync()
    recorder._settle()


def work(recorder: Recorder) -> None:
    """What a bot does: events, some of them durable, with the background's work between them."""
    for number in range(EVENTS):
        recorder.emit(note(number), durable=number % 5 == 4)
        if number % 3 == 2:
            tick(recorder)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """No threads: the background's work is done by `tick`, so that each run makes the same calls."""
    monkeypatch.setattr(Background, "start", lambda _: None)


def assert_nothing_silent(home: Path, recorder: Recorder) -> None:
    """Whole lines are sound, `seq` has no gap, and each event is in the journal once or told as lost."""
    records = [read(line, "arb-1", "main") for file in segment_files(home) for line in _whole_lines(file)]
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    found = Counter(
        record.event.message
        for record in records
        if isinstance(record.event, LogRecorded) and record.event.message.startswith("note")
    )
    assert set(found.values()) <= {1}
    told: Counter[str] = Counter()
    for record in records:
        if isinstance(record.event, EventsLost):
            told[record.event.reason] += record.event.events
    assert told == recorder.lost
    assert EVENTS - len(found) == told.total()


def _whole_lines(file: Path) -> list[bytes]:
    return file.read_bytes().split(b"\n")[:-1]


def calls_of_a_run(home: Path) -> list[str]:
    with FaultyDisk(home) as disk:
        recorder = open_small(home)
        del disk.calls[:]
        work(recorder)
        made = list(disk.calls)
        recorder.close()
    assert {"open", "write", "fdatasync", "fsync"} <= set(made)
    return made


@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "until repaired"])
def test_whatever_call_the_disk_refuses(code: int, lasting: bool, tmp_path: Path, by_hand: None) -> None:
    """Each write, sync, open, truncation and folder sync in turn, alone and with all that follow it."""
    made = len(calls_of_a_run(tmp_path / "sound"))
    for number in range(made + 5):  # what is done to recover makes calls of its own
        home = tmp_path / f"{number}"
        with FaultyDisk(home) as disk:
            recorder = open_small(home)
            descriptors = open_below(home)
            (disk.fail_from if lasting else disk.fail_once)(number, code)
            work(recorder)
            for _ in range(10):
                tick(recorder)
            assert open_below(home) <= descriptors + 5
            disk.repair()
            for _ in range(2):
                tick(recorder)
            assert open_below(home) <= descriptors
            assert [disk.would_lose(file) for file in segment_files(home)] == [0] * len(segment_files(home))
            assert disk.synced_again == []
            recorder.close()
        assert_nothing_silent(home, recorder)


@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
def test_the_journal_is_whole_again_within_5_seconds_of_repair(code: int, home: Path) -> None:
    """With the real threads: what was lost meanwhile is journaled, and all is on disk."""
    for number in range(count(2, 20)):
        with FaultyDisk(home) as disk:
            recorder = open_small(home)
            disk.fail_from(number, code)
            for each in range(EVENTS):
                recorder.emit(note(each), durable=each == 7)
            eventually(lambda: recorder.lost.total() > 0 or recorder._journal.sync_failures > 0)  # noqa: B023
            disk.repair()
            repaired = time.monotonic()
            eventually(lambda: not recorder._trouble.unreported() and _is_synced(recorder), 5)  # noqa: B023
            assert time.monotonic() - repaired < 5 * patience()
            recorder.emit(note(99), durable=True)
            assert [disk.would_lose(file) for file in segment_files(home)] == [0] * len(segment_files(home))
            assert b"note 99" in lines_in(home)[-1]
            recorder.close()


def _is_synced(recorder: Recorder) -> bool:
    journal = recorder._journal
    with journal._lock:
        segment = journal._segment
        return segment is not None and segment.synced == segment.size and not journal._syncing._full


@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
def test_an_opening_that_the_disk_refuses_leaves_nothing_behind(code: int, tmp_path: Path) -> None:
    """Opening does raise, at whatever call; the next one works."""
    with FaultyDisk(tmp_path / "sound") as disk:
        Recorder.open("arb-1", home=tmp_path / "sound").close()
        made = len(disk.calls)
    files = open_files()
    refused = 0
    for number in range(made):
        home = tmp_path / f"{number}"
        with FaultyDisk(home) as disk:
            disk.fail_once(number, code)
            try:
                Recorder.open("arb-1", home=home).close()
            except OSError:
                refused += 1
            eventually(lambda: not open_files() - files)  # what others open meanwhile they close again
            disk.repair()
            Recorder.open("arb-1", home=home).close()
        seqs = [read(line, "arb-1", "main").seq for line in lines_in(home)]
        assert seqs == list(range(1, len(seqs) + 1))
    assert refused > 2


def test_a_filesystem_that_is_really_full(tmp_path: Path) -> None:
    """A megabyte in memory: when there is room again, the loss is journaled and the count is right."""
    mounted = tmp_path / "small"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mounted)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount a small filesystem")
    try:
        ballast = mounted / "ballast"
        ballast.write_bytes(bytes(700_000))
        with Recorder.open("arb-1", home=mounted / "home") as recorder:
            for number in range(4000):
                recorder.emit(note(number))
            lost = recorder.lost["disk_full"]
            assert lost > 1000
            ballast.unlink()
            eventually(lambda: not recorder._trouble.unreported())
            recorder.emit(note(9999), durable=True)
        events = [read(line, "arb-1", "main").event for line in lines_in(mounted / "home")]
        notes = [event.message for event in events if isinstance(event, LogRecorded)]
        told = sum(event.events for event in events if isinstance(event, EventsLost))
        assert notes[-1] == "note 9999"
        assert len(notes) - 1 + told == 4000
        assert told == lost
    finally:
        subprocess.run(["umount", str(mounted)], check=True)
