"""Being woken when a folder changes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deskwatch.journal.notify import Notifier


@pytest.fixture
def notifier(home: Path) -> Iterator[Notifier]:
    one = Notifier().open()
    one.watch(home)
    yield one
    one.close()


def test_nothing_new_lets_the_wait_run_out(notifier: Notifier) -> None:
    assert notifier.wait(0.01) is False
    assert notifier.drain() is False


def test_an_append_wakes_a_waiting_reader(notifier: Notifier, home: Path) -> None:
    (home / "segment").touch()
    notifier.drain()

    def append() -> None:
        with (home / "segment").open("ab") as file:
            file.write(b"line\n")

    threading.Timer(0.02, append).start()
    began = time.monotonic()
    assert notifier.wait(10) is True
    assert time.monotonic() - began < 5


def test_a_change_before_the_wait_is_not_missed(notifier: Notifier, home: Path) -> None:
    (home / "segment").touch()
    assert notifier.wait(10) is True
    assert notifier.wait(0) is False


def test_a_waiting_reader_can_be_woken_from_another_thread(notifier: Notifier) -> None:
    threading.Timer(0.02, notifier.wake).start()
    began = time.monotonic()
    assert notifier.wait(10) is True
    assert time.monotonic() - began < 5
    assert notifier.wait(0) is False
    notifier.close()
    notifier.wake()


def test_drain_tells_what_appeared_from_what_grew(notifier: Notifier, home: Path) -> None:
    (home / "segment").touch()
    assert notifier.drain() is True
    with (home / "segment").open("ab") as file:
        file.write(b"line\n")
    assert notifier.drain() is False
    (home / "other").write_bytes(b"")
    (home / "other").rename(home / "moved")
    assert notifier.drain() is True


def test_many_changes_are_drained_at_once(notifier: Notifier, home: Path) -> None:
    for number in range(3000):
        (home / str(number)).touch()
    assert notifier.drain() is True
    assert notifier.drain() is False


def test_watching_twice_or_what_is_not_there_is_fine(notifier: Notifier, home: Path) -> None:
    notifier.watch(home)
    notifier.watch(home / "nowhere")
    assert notifier.fileno() >= 0


def test_a_folder_that_the_kernel_wont_watch_makes_it_poll(
    notifier: Notifier, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "more").mkdir()
    monkeypatch.setattr(notifier, "_libc", type("Full", (), {"inotify_add_watch": lambda *_: -1}))
    notifier.watch(home / "more")
    assert notifier.fileno() == -1
    assert notifier.wait(0.001) is True
    notifier.watch(home)
    assert notifier.drain() is False


def test_without_inotify_it_polls(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr("sys.platform", "plan9")
    notifier = Notifier().open()
    notifier.watch(home)
    assert notifier.fileno() == -1
    assert notifier.wait(0.001) is True


def test_closing_gives_the_descriptor_back_once(notifier: Notifier) -> None:
    fd = notifier.fileno()
    notifier.close()
    notifier.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_wake_ends_a_wait_at_once(notifier: Notifier):
    """A thread that waits for a change is woken by another, long before its time is over."""
    began = time.monotonic()
    threading.Timer(0.05, notifier.wake).start()
    assert notifier.wait(30)
    assert time.monotonic() - began < 10
