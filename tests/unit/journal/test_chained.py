"""Control journals as chains."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskwatch.encoding import encode
from deskwatch.errors import NotSynced
from deskwatch.events import SignInRefused, TokenRevoked
from deskwatch.journal import names
from deskwatch.journal.chained import GENESIS, ChainedWriter, digest
from deskwatch.journal.line import read_envelope
from tests.lines import lines_in


def folder(home: Path) -> Path:
    return names.writer_folder(home, "arb-1", names.CONTROL)


def append(writer: ChainedWriter, *found: str) -> None:
    for name in found:
        writer.append(encode(TokenRevoked(name=name)))


def assert_chained(home: Path, count: int) -> None:
    lines = lines_in(home, writer=names.CONTROL)
    assert len(lines) == count
    assert [read_envelope(line).prev for line in lines] == [GENESIS, *map(digest, lines[:-1])]


def test_each_line_names_the_one_before_across_restarts_and_segments(home: Path) -> None:
    for start in range(3):
        writer = ChainedWriter(folder(home), segment_bytes=600).open()
        append(writer, *(f"n{start}-{number}" for number in range(4)))
        writer.close()
    assert len(names.segments(folder(home))) > 2
    assert_chained(home, 12)


def test_a_torn_line_is_no_link(home: Path) -> None:
    writer = ChainedWriter(folder(home)).open()
    append(writer, "a", "b")
    writer.close()
    (segment,) = folder(home).glob("*.ndjson")
    with segment.open("ab") as file:
        file.write(b'{"v":1,"torn')
    writer = ChainedWriter(folder(home)).open()
    append(writer, "c")
    writer.close()
    assert_chained(home, 3)


def test_many_threads_make_one_chain(home: Path) -> None:
    writer = ChainedWriter(folder(home)).open()
    threads = [
        threading.Thread(target=append, args=(writer, *(f"n{number}" for number in range(20)))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert_chained(home, 160)


def test_a_line_that_the_disk_did_not_confirm_is_a_link_all_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = ChainedWriter(folder(home)).open()
    append(writer, "a")
    with monkeypatch.context() as broken:

        def refuse(_: int) -> None:
            raise OSError(5, "Input/output error")

        broken.setattr(os, "fdatasync", refuse)
        broken.setattr(os, "fsync", refuse)
        with pytest.raises(NotSynced):
            writer.append(encode(TokenRevoked(name="b")), durable=True)
    append(writer, "c")
    writer.close()
    assert_chained(home, 3)


def test_a_line_that_the_disk_refused_is_no_link(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = ChainedWriter(folder(home)).open()
    append(writer, "a")
    with monkeypatch.context() as full:

        def refuse(*_: object) -> int:
            raise OSError(28, "No space left on device")

        full.setattr(os, "write", refuse)
        with pytest.raises(OSError, match="No space"):
            append(writer, "b")
    append(writer, "c")
    writer.close()
    assert_chained(home, 2)


def test_a_line_counts_as_written_though_no_file_can_be_opened_then(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot may act on it: to the caller it must not seem refused, nor may the chain break there."""
    writer = ChainedWriter(folder(home)).open()
    append(writer, "a")
    with monkeypatch.context() as exhausted:

        def refuse(*_: object, **__: object) -> None:
            raise OSError(24, "Too many open files")

        exhausted.setattr(Path, "open", refuse)
        append(writer, "b")
    append(writer, "c")
    writer.close()
    assert_chained(home, 3)


@settings(max_examples=20)
@given(st.lists(st.text(max_size=300), max_size=8))
def test_whatever_a_line_holds_it_is_a_link(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    home = tmp_path_factory.mktemp("home")
    writer = ChainedWriter(folder(home)).open()
    for text in texts:
        writer.append(encode(SignInRefused(route=text, remote=text * 40, problem="wrong")))
    writer.close()
    if texts:
        assert_chained(home, len(texts))
