"""The writer when the system refuses: no half line stays, and no `seq` is used up."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deskwatch.encoding import encode
from deskwatch.errors import NotSynced, WriterLocked
from deskwatch.events import BotStopped
from deskwatch.journal import Follower, Writer, names, read_envelope
from tests.descriptors import open_below
from tests.lines import lines_in, segment_files

BODY = encode(BotStopped(reason="closed"))


@pytest.fixture
def writer(home: Path) -> Iterator[Writer]:
    one = Writer(names.writer_folder(home, "arb-1", "main")).open()
    one.append(BODY)
    yield one
    one.close()


def seqs(home: Path) -> list[int | None]:
    return [read_envelope(line).seq for line in lines_in(home)]


def refusing(real: Callable[[int, bytes], int], written: int) -> Callable[[int, bytes], int]:
    """An os.write on a disk that has room for so many bytes only, and then for none."""
    room = [written]

    def write(fd: int, data: bytes) -> int:
        if room[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part = real(fd, data[: room[0]])
        room[0] = 0
        return part

    return write


@pytest.mark.parametrize("written", [0, 1, 50], ids=["nothing", "one byte", "half a line"])
def test_a_full_disk_leaves_no_half_line_and_uses_up_no_seq(
    written: int, writer: Writer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(os, "write", refusing(os.write, written))
        for _ in range(3):
            with pytest.raises(OSError, match=r"No space left|short write"):
                writer.append(BODY)
            assert segment_files(home)[0].read_bytes().count(b"\n") == 1
            assert segment_files(home)[0].read_bytes().endswith(b"\n")
    assert writer.append(BODY) == 2
    assert seqs(home) == [1, 2]


@pytest.mark.parametrize("heals", [True, False], ids=["a fresh descriptor can", "no descriptor can"])
def test_a_half_line_that_cant_be_taken_back_spoils_no_other(
    heals: bool, writer: Writer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as full:
        full.setattr(os, "write", refusing(os.write, 30))
        full.setattr(os, "ftruncate", stuck)
        with pytest.raises(OSError, match="short write"):
            writer.append(BODY)
    with monkeypatch.context() as cant_cut:
        if not heals:
            cant_cut.setattr(os, "ftruncate", stuck)
        assert writer.append(BODY) == 2
    files = segment_files(home)
    assert len(files) == (1 if heals else 2)
    assert files[-1].read_bytes().endswith(b"\n")
    follower = Follower(home)
    follower.discover()
    lines = [line for _ in range(3) for batch in follower.read() for line in batch.lines]
    follower.close()
    assert len(lines) == (2 if heals else 3)  # the half line is read as one that is no event
    assert read_envelope(lines[-1]).seq == 2


def test_a_segment_that_cant_be_opened_leaves_the_last_one_in_use(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No event is lost for want of a new file: the old one takes it, and the next try rolls."""
    writer = Writer(names.writer_folder(home, "arb-1", "main"), segment_bytes=1).open()
    writer.append(BODY)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as refused:
        refused.setattr(os, "open", full)
        assert writer.append(BODY) == 2
    assert writer.append(BODY) == 3
    writer.close()
    assert seqs(home) == [1, 2, 3]
    assert names.segments(writer.folder) == [1, 3]


@pytest.mark.parametrize("target", ["os.pwrite", "os.ftruncate", "deskwatch.journal.tail.find_end"])
def test_an_open_that_fails_gives_the_lock_back(target: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = names.writer_folder(home, "arb-1", "main")
    Writer(folder).open().close()
    before = open_below(home)

    def stuck(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    failing = Writer(folder)
    with monkeypatch.context() as refused:
        refused.setattr(target, stuck)
        with pytest.raises(OSError, match="Input/output"):
            failing.open()
    failing.close()
    assert open_below(home) == before
    Writer(folder).open().close()


def test_a_lock_that_the_system_refuses_is_no_lock_held_by_another(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", unsupported)
    with pytest.raises(OSError, match="No locks") as caught:
        Writer(names.writer_folder(home, "arb-1", "main")).open()
    assert not isinstance(caught.value, WriterLocked)


def test_a_sync_that_fails_is_told_and_its_line_is_in_the_journal(
    writer: Writer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as refused:
        refused.setattr(os, "fdatasync", stuck)
        with pytest.raises(NotSynced, match="Input/output") as caught:
            writer.append(BODY, durable=True)
    assert caught.value.seq == 2
    assert seqs(home) == [1, 2]
    writer.append(BODY)
    writer.sync()


def test_closing_releases_the_lock_even_where_the_disk_refuses(
    writer: Writer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as refused:
        refused.setattr(os, "fdatasync", stuck)
        with pytest.raises(NotSynced, match="Input/output"):
            writer.close()
    Writer(writer.folder).open().close()
