"""What becomes of lines whose sync failed: read back, checked, written again by a fresh descriptor."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deskwatch.encoding import encode
from deskwatch.errors import NotSynced
from deskwatch.events import BotStopped
from deskwatch.journal import Writer, names, read_envelope, syncing
from tests.descriptors import open_below
from tests.fakes.disk import FaultyDisk
from tests.lines import lines_in, segment_files

BODY = encode(BotStopped(reason="closed"))


@pytest.fixture
def told() -> list[tuple[str, int]]:
    return []


@pytest.fixture
def disk(home: Path) -> Iterator[FaultyDisk]:
    with FaultyDisk(home) as one:
        yield one


@pytest.fixture
def writer(home: Path, disk: FaultyDisk, told: list[tuple[str, int]]) -> Iterator[Writer]:
    folder = names.writer_folder(home, "arb-1", "main")
    one = Writer(folder, segment_bytes=1000, on_trouble=lambda reason, events, _: told.append((reason, events)))
    yield one.open()
    one.close()


def refuse(disk: FaultyDisk, *calls: str, code: int = errno.EIO) -> None:
    disk.refuses = lambda _, name: code if name in calls else 0


def safe(disk: FaultyDisk, home: Path) -> bool:
    return all(disk.would_lose(file) == 0 for file in segment_files(home))


def test_a_power_loss_takes_what_was_not_synced(writer: Writer, disk: FaultyDisk, home: Path) -> None:
    """The account that these tests rely on is no yes-sayer."""
    writer.append(BODY)
    assert not safe(disk, home)
    writer.sync()
    assert safe(disk, home)


def test_one_failed_sync_is_made_good_at_once(
    writer: Writer, disk: FaultyDisk, home: Path, told: list[tuple[str, int]]
) -> None:
    for _ in range(3):
        writer.append(BODY)
    disk.fail_once(0, errno.EIO)
    writer.sync()
    assert disk.calls[0] == "fdatasync"
    assert safe(disk, home)
    assert disk.synced_again == []
    assert (writer.sync_failures, told) == (1, [("unsynced", 0)])


def test_appending_goes_on_while_nothing_can_be_synced_and_keeps_few_descriptors(
    writer: Writer, disk: FaultyDisk, home: Path, told: list[tuple[str, int]]
) -> None:
    before = open_below(home)
    refuse(disk, "fdatasync", "fsync")
    for number in range(200):
        assert writer.append(BODY) == number + 1
        if number % 10 == 0:
            with pytest.raises(NotSynced):
                writer.sync()
    assert open_below(home) <= before + syncing.MAX_OPEN
    disk.repair()
    writer.sync()
    assert safe(disk, home)
    assert disk.synced_again == []
    assert [read_envelope(line).seq for line in lines_in(home)] == list(range(1, 201))
    assert open_below(home) == before
    assert {reason for reason, _ in told} == {"unsynced"}


def test_lines_that_were_spoilt_before_they_could_be_written_again_are_counted(
    writer: Writer, disk: FaultyDisk, home: Path, told: list[tuple[str, int]]
) -> None:
    for _ in range(5):
        writer.append(BODY)
    refuse(disk, "fdatasync")
    with pytest.raises(NotSynced):
        writer.sync()
    disk.repair()
    (file,) = segment_files(home)
    data = bytearray(file.read_bytes())
    data[data.index(b"closed")] ^= 1
    with file.open("r+b") as spoilt:
        spoilt.write(data)
    writer.sync()
    assert told[-1] == ("corrupt", 1)
    writer.append(BODY)
    writer.sync()
    assert told[-1] == ("corrupt", 1)


def test_what_can_never_be_read_back_is_counted_and_given_up(
    writer: Writer, disk: FaultyDisk, told: list[tuple[str, int]]
) -> None:
    for _ in range(5):
        writer.append(BODY)
    disk.fail_once(0, errno.EIO)
    disk.refuses = lambda at, name: errno.EIO if at == 0 or name == "pread" else 0
    for _ in range(syncing.MAX_UNREADABLE - 1):
        with pytest.raises(NotSynced):
            writer.sync()
    writer.sync()
    assert told[-1] == ("corrupt", 5)
    calls = len(disk.calls)
    writer.sync()
    assert len(disk.calls) == calls


def test_a_segment_larger_than_a_piece_is_written_again_whole(
    home: Path, disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "PIECE_BYTES", 300)
    writer = Writer(names.writer_folder(home, "arb-1", "main")).open()
    for _ in range(20):
        writer.append(BODY)
    disk.fail_once(0, errno.EIO)
    writer.sync()
    assert disk.calls.count("pwrite") > 5
    assert safe(disk, home)
    writer.close()


def test_a_folder_whose_sync_failed_is_synced_again(writer: Writer, disk: FaultyDisk) -> None:
    refuse(disk, "fsync")
    with pytest.raises(NotSynced, match="new files"):
        writer.sync()
    disk.repair()
    del disk.calls[:]
    writer.sync()
    assert disk.calls.count("fsync") >= 1
    del disk.calls[:]
    writer.sync()
    assert disk.calls == []


def test_every_folder_that_got_a_new_entry_is_synced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{fd}"))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    names.prepare_home(home / "new")
    assert synced == [str(home)]
    writer = Writer(names.writer_folder(home / "new", "arb-1", "main")).open()
    writer.append(BODY, durable=True)
    writer.close()
    root = home / "new"
    assert set(synced[1:]) == {str(one) for one in (root, root / "journal", root / "journal/arb-1", writer.folder)}


def test_a_sync_that_stalls_holds_up_no_append(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    stalled, go_on = threading.Event(), threading.Event()

    def stall(_: int) -> None:
        stalled.set()
        assert go_on.wait(10)

    monkeypatch.setattr(os, "fdatasync", stall)
    writer.append(BODY)
    thread = threading.Thread(target=writer.sync)
    thread.start()
    assert stalled.wait(30)
    for number in range(100):
        assert writer.append(BODY) == number + 2
    go_on.set()
    thread.join()
