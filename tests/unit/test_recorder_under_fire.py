"""The recorder where things go wrong around it: full disks, broken stderr, signal handlers, several writers."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deskwatch import BotStopped, CommandAccepted, Mode, ModeChanged, PriceObserved, Recorder
from deskwatch.encoding import encode
from deskwatch.journal import Writer, names
from tests import running
from tests.unit.signalled_bot import EVENTS

PRICE = PriceObserved(venue="amber", symbol="WETH/USDC", price=1.0)


def accept(home: Path, kind: str, **params: Any) -> str:
    """Journal a command as the sidecar does; its id."""
    control = Writer(names.writer_folder(home, "arb-1", names.CONTROL)).open()
    command = CommandAccepted(
        command_id=f"c-{control.next_seq}", command=kind, params=params, actor="operator", expires_ts=2**62
    )
    control.append(encode(command))
    control.close()
    return command.command_id


class FullDisk:
    """Makes the writing of journals fail while it is on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on = False
        write = os.write

        def refused(fd: int, data: bytes) -> int:
            if self.on and data.startswith(b'{"v":1'):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(fd, data)

        monkeypatch.setattr(os, "write", refused)


def test_a_halt_on_a_full_disk_is_known_after_a_restart(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mode that could not be journaled is journaled once writing works again."""
    disk = FullDisk(monkeypatch)
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder:
        disk.on = True
        assert recorder.set_mode(Mode.HALTED, reason="limit") is Mode.HALTED
        disk.on = False
    assert running.events(home, ModeChanged)[-1].mode is Mode.HALTED
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder:
        assert recorder.mode is Mode.HALTED


def test_a_command_whose_start_is_not_on_disk_is_not_delivered(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits until its start can be journaled, so that it is never carried out twice."""
    disk = FullDisk(monkeypatch)
    with Recorder.open("arb-1", home=home) as recorder:
        command_id = accept(home, "close_all")
        disk.on = True
        assert recorder.next_command(timeout_seconds=0.5) is None
        disk.on = False
        command = recorder.next_command(timeout_seconds=30)
        assert command is not None
        assert command.id == command_id
        command.succeed()
    with Recorder.open("arb-1", home=home) as recorder:
        assert recorder.next_command() is None


def test_only_main_takes_commands_and_all_writers_obey_modes(home: Path) -> None:
    """A bot of two processes closes once, and both of its processes know the mode."""
    with (
        Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as main,
        Recorder.open("arb-1", home=home, mode=Mode.ACTIVE, writer="prices") as prices,
    ):
        accept(home, "close_all")
        command = main.next_command(timeout_seconds=30)
        assert command is not None
        assert prices.next_command(timeout_seconds=0.3) is None
        command.succeed()
        accept(home, "set_mode", mode="standby")
        for recorder in (main, prices):
            recorder.next_command(timeout_seconds=30)
            assert recorder.mode is Mode.STANDBY


def test_a_broken_stderr_does_not_reach_the_bot(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't even be told is counted all the same."""

    class Gone:
        def write(self, _: str) -> int:
            raise OSError(errno.EPIPE, os.strerror(errno.EPIPE))

    with Recorder.open("arb-1", home=home) as recorder:
        FullDisk(monkeypatch).on = True
        monkeypatch.setattr(sys, "stderr", Gone())
        recorder.emit(PRICE)
        assert recorder.lost.total() == 1
        monkeypatch.undo()


def test_a_signal_handler_may_emit(home: Path) -> None:
    """Events from a handler that interrupts `emit` are written after it: no deadlock, no loss, no `seq` twice."""
    bot = [sys.executable, "-m", "tests.unit.signalled_bot", str(home)]
    told = int(subprocess.run(bot, cwd=running.ROOT, stdout=subprocess.PIPE, check=True, timeout=60).stdout)
    own = running.records(home)
    assert [record.seq for record in own] == list(range(1, len(own) + 1))
    assert told > 10
    assert sum(isinstance(record.event, BotStopped) for record in own) == told + 1
    assert sum(isinstance(record.event, PriceObserved) for record in own) == EVENTS


def test_a_forked_worker_may_do_nothing(home: Path) -> None:
    """No command reaches a forked child, so its inherited recorder is halted; the parent's goes on."""
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder:
        child = os.fork()
        if child == 0:  # pragma: no cover  another process
            os._exit(0 if recorder.mode is Mode.HALTED else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert recorder.mode is Mode.ACTIVE
