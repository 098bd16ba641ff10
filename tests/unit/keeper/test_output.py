"""The rotated files of a bot's output."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.keeper.output import Output

pieces = st.lists(
    st.binary(max_size=60) | st.lists(st.sampled_from([b"a\n", b"bb\n", b"\n"])).map(b"".join), max_size=20
)


def files(path: Path) -> list[bytes]:
    """What the files hold, the oldest first."""
    older = sorted(path.parent.glob(f"{path.name}.*"), key=lambda one: -int(one.suffix[1:]))
    return [one.read_bytes() for one in [*older, path] if one.exists()]


@given(pieces, st.integers(10, 40))
def test_no_byte_is_lost_or_doubled_and_no_file_is_longer_than_told(some: list[bytes], most: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arb-1.log"
        output = Output(path, most, 200)
        for piece in some:
            output.write(piece)
        output.close()
        found = files(path)
        assert b"".join(found) == b"".join(some)
        assert all(len(one) <= most for one in found)


@given(st.lists(st.binary(max_size=9).map(lambda line: line.replace(b"\n", b"") + b"\n"), max_size=30))
def test_lines_that_fit_a_file_are_whole_in_one(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arb-1.log"
        output = Output(path, 20, 100)
        for line in lines:
            output.write(line)
        output.close()
        assert b"".join(files(path)) == b"".join(lines)
        assert all(one.endswith(b"\n") for one in files(path) if one)


def test_only_so_many_files_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "arb-1.log"
    output = Output(path, 10, 3)
    for number in range(20):
        output.write(b"line %4d\n" % number)
    output.close()
    assert files(path) == [b"line   17\n", b"line   18\n", b"line   19\n"]


def test_a_single_file_begins_anew_when_it_is_full(tmp_path: Path) -> None:
    path = tmp_path / "arb-1.log"
    output = Output(path, 10, 1)
    for number in range(3):
        output.write(b"line %4d\n" % number)
    output.close()
    assert files(path) == [b"line    2\n"]


def test_output_goes_on_in_the_file_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "arb-1.log"
    for text in (b"one\n", b"two\n"):
        output = Output(path, 100, 2)
        output.write(text)
        output.close()
    assert files(path) == [b"one\ntwo\n"]


def test_a_run_begins_on_a_line_of_its_own(tmp_path: Path) -> None:
    """An earlier one that was killed may have ended within a line: what the next one says is no part of that."""
    path = tmp_path / "arb-1.log"
    for piece in (b"up and ru", b"up\n", b"up\n"):
        output = Output(path, 100, 2)
        output.write(piece)
        output.close()
    assert path.read_bytes() == b"up and ru\nup\nup\n"


def test_what_a_full_disk_refuses_is_counted_and_told_when_it_takes_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "arb-1.log"
    output = Output(path, 1000, 2)
    output.write(b"before\n")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        output.write(b"x" * 30)
        output.write(b"y" * 12)
        assert output.lost_bytes == 42
    output.write(b"after\n")
    output.close()
    assert output.lost_bytes == 0
    told = b"deskwatch: 42 bytes of output could not be written: No space left on device"
    assert files(path) == [b"before\n\n" + told + b"\nafter\n"]


def test_a_folder_that_can_not_be_written_loses_output_and_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("no folder")
    output = Output(tmp_path / "logs" / "arb-1.log", 10, 2)
    output.write(b"lost\n" * 10)
    assert output.lost_bytes == 50
    output.close()
