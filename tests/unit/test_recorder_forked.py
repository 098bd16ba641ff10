"""Forks: a child gets nothing of its parent's recorder, whatever the parent's threads were doing."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deskwatch import LogRecorded, Mode, Recorder
from deskwatch.errors import WriterLocked
from deskwatch.journal import read
from tests.descriptors import open_files
from tests.lines import lines_in
from tests.unit.recording import Open, Operator
from tests.waiting import eventually

NOTE = LogRecorded(message="m", levelname="INFO", name="n")
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def in_child(act: Callable[[], bool]) -> None:
    """Run in a forked child, which must say True within a minute."""
    pid = os.fork()
    if pid == 0:  # pragma: no cover  another process
        signal.alarm(60)
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  what it tells is not the test's
        try:
            os._exit(0 if act() else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_fork_amid_the_locks_of_other_threads_neither_hangs_nor_writes(recorder: Recorder, home: Path) -> None:
    """Every lock of the recorder is held by another thread at the instant of the fork."""
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        journal = recorder._journal
        with (
            recorder._steering.lock,
            recorder._inbox._lock,
            recorder._trouble._lock,
            journal._syncing._turn,
            journal._lock,
        ):
            held.set()
            let_go.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    before = lines_in(home)

    def use_everything() -> bool:
        recorder.emit(NOTE)
        recorder.emit(NOTE, durable=True)
        is_halted = recorder.mode is Mode.HALTED and recorder.set_mode(Mode.ACTIVE) is Mode.HALTED
        nothing = recorder.next_command(timeout_seconds=0.1) is None
        recorder.close()
        return is_halted and nothing and recorder.lost["closed"] == 2

    try:
        in_child(use_everything)
        assert lines_in(home) == before
    finally:
        let_go.set()
        thread.join()
    recorder.emit(NOTE)
    assert len(lines_in(home)) > len(before)


def test_forks_from_a_bot_whose_threads_write_leave_its_journal_whole(recorder: Recorder, home: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            recorder.emit(NOTE, durable=False)

    def use_and_close() -> bool:
        recorder.emit(NOTE)
        recorder.close()
        return True

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            in_child(use_and_close)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    recorder.close()
    seqs = [read(line, "arb-1", "main").seq for line in lines_in(home)]
    assert seqs == list(range(1, len(seqs) + 1))


def test_a_child_that_outlives_its_parent_does_not_keep_the_lock(home: Path) -> None:
    """The parent dies by SIGKILL while its child lives on: the next start may write at once."""
    reading, writing = os.pipe()
    parent = os.fork()
    if parent == 0:  # pragma: no cover  another process
        try:
            Recorder.open("arb-1", home=home).emit(NOTE)
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            os.write(writing, b"%d" % child)
            time.sleep(60)
        finally:
            os._exit(1)
    child = int(os.read(reading, 20))
    try:
        with pytest.raises(WriterLocked):
            Recorder.open("arb-1", home=home)
        os.kill(parent, signal.SIGKILL)
        os.waitpid(parent, 0)
        os.kill(child, 0)  # it lives
        Recorder.open("arb-1", home=home).close()
    finally:
        os.kill(child, signal.SIGKILL)
        os.close(reading)
        os.close(writing)


def test_no_child_inherits_a_lock_that_is_being_taken_again(recorder: Recorder) -> None:
    """Forks in the very instants in which the lock is taken again: none of the children keeps it."""
    children: list[int] = []
    lock = recorder._journal.folder / "lock"
    stop = threading.Event()

    def take_away() -> None:
        while not stop.is_set():
            lock.unlink(missing_ok=True)
            recorder._journal.sync()

    thread = threading.Thread(target=take_away)
    thread.start()
    try:
        for _ in range(40):
            pid = os.fork()
            if pid == 0:  # pragma: no cover  another process
                try:
                    os._exit(1 if any(one.startswith(str(lock)) for one in open_files()) else 0)
                finally:
                    os._exit(2)
            children.append(pid)
    finally:
        stop.set()
        thread.join()
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0] * len(children)


def test_a_child_may_open_a_recorder_of_its_own(recorder: Recorder, home: Path) -> None:
    def open_another() -> bool:
        with Recorder.open("arb-1", home=home, writer="worker") as own:
            own.emit(NOTE)
        return True

    in_child(open_another)
    assert any(b"log_recorded" in line for line in lines_in(home, writer="worker"))


def test_the_parent_still_gets_its_commands_after_a_fork(open_recorder: Open, control: Operator, home: Path) -> None:
    recorder = open_recorder(mode=Mode.ACTIVE)
    in_child(lambda: recorder.close() is None)  # type: ignore[func-returns-value]  # that it returns at all
    control.ask(Mode.HALTED)
    eventually(lambda: recorder.mode is Mode.HALTED)
