"""The supervised process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deskwatch.events import ProcessActed
from deskwatch.sidecar import supervisor as supervisor_module
from deskwatch.sidecar.supervisor import Supervisor
from tests.waiting import eventually_async

SAY = "import os, time; print('up', os.environ['DESKWATCH_BOT'], os.environ['DESKWATCH_HOME'], flush=True); "
LAST = SAY + "time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LAST


class Said(list[ProcessActed]):
    """What was journaled."""

    async def journal(self, bot: str, event: ProcessActed) -> None:
        assert bot == "arb-1"
        self.append(event)

    @property
    def actions(self) -> list[tuple[str, str]]:
        return [(event.action, event.actor) for event in self]


@contextlib.asynccontextmanager
async def supervising(home: Path, code: str, said: Said) -> AsyncIterator[Supervisor]:
    async with Supervisor("arb-1", [sys.executable, "-c", code], home, said.journal) as one:
        yield one


async def up(one: Supervisor, times: int = 1) -> None:
    await eventually_async(lambda: sum(line.startswith("up") for line in one.tail(100)) == times, 10)


async def test_the_bot_runs_while_the_sidecar_does_and_knows_its_name_and_home(home: Path) -> None:
    said = Said()
    async with supervising(home, LAST, said) as one:
        await up(one)
        assert one.tail(10) == [f"up arb-1 {home}"]
        pid = one.pid
        assert pid is not None
        assert os.getpgid(pid) == pid
    assert one.pid is None
    assert one.exit_code == -15
    assert said.actions == [("start", "supervisor"), ("stop", "supervisor"), ("exit", "supervisor")]
    assert [event.pid for event in said] == [pid] * 3
    assert said[-1].exit_code == -15
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_an_end_by_itself_is_told_and_can_be_followed_by_a_start(home: Path) -> None:
    said = Said()
    async with supervising(home, SAY + "raise SystemExit(3)", said) as one:
        await eventually_async(lambda: one.exit_code == 3, 10)
        await eventually_async(lambda: said.actions[-1] == ("exit", "supervisor"))
        await one.stop("operator")
        assert len(said) == 2
        await one.start("operator", "once more")
        await eventually_async(lambda: said.actions[2:] == [("start", "operator"), ("exit", "supervisor")], 10)
        assert said[2].reason == "once more"


async def test_starting_what_runs_starts_no_second(home: Path) -> None:
    said = Said()
    async with supervising(home, LAST, said) as one:
        pid = one.pid
        await one.start("operator")
        assert one.pid == pid
        assert sum(event.action == "start" for event in said) <= 2


async def test_a_restart_is_another_process_and_the_output_goes_on_in_the_file(home: Path) -> None:
    said = Said()
    async with supervising(home, LAST, said) as one:
        await up(one)
        before = one.pid
        await one.restart("operator", "new version")
        await up(one, 2)
        assert one.pid != before
        assert one.exit_code is None
        assert said.actions[1:4] == [("stop", "operator"), ("exit", "supervisor"), ("start", "operator")]


async def test_a_bot_that_does_not_end_is_killed_with_its_children(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "GRACE_SECONDS", 0.1)
    child = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); {STUBBORN}"
    async with supervising(home, child, Said()) as one:
        await up(one, 2)
        group = one.pid
        assert group is not None
    assert one.exit_code == -9
    await eventually_async(lambda: not exists(group))


def exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return any(
        stat.rpartition(")")[2].split()[0] != "Z" and stat.rpartition(")")[2].split()[2] == str(group)
        for stat in map(stat_of, filter(str.isdigit, os.listdir("/proc")))
        if stat
    )


def stat_of(pid: str) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text()
    return ""


async def test_a_command_that_is_not_there_says_so_in_its_log(home: Path) -> None:
    async with Supervisor("arb-1", ["no-such-command"], home, Said().journal) as one:
        await eventually_async(lambda: one.exit_code == 127, 10)
        assert "can't be run" in one.tail(1)[0]


async def test_a_journal_that_refuses_keeps_nobody_from_stopping_a_bot(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(bot: str, event: ProcessActed) -> None:
        raise OSError(28, "No space left on device")

    async with Supervisor("arb-1", [sys.executable, "-c", LAST], home, full) as one:
        await up(one)
        await one.restart("operator")
        assert one.pid is not None
        await one.stop("operator")
        assert one.pid is None
    assert "could not be journaled" in caplog.text


async def test_logs_are_the_last_lines_scrubbed(home: Path) -> None:
    code = "print('x' * 300_000); print('api_key=k-12345'); print('last')"
    async with supervising(home, code, Said()) as one:
        await eventually_async(lambda: one.exit_code == 0, 10)
        assert one.tail(2) == ["api_key=[redacted]", "last"]
        assert one.tail(1) == ["last"]
        assert len(one.tail(100)) == 3


async def test_without_output_there_are_no_lines(home: Path) -> None:
    assert Supervisor("arb-1", ["true"], home, Said().journal).tail(10) == []


async def test_a_long_log_is_moved_aside_at_a_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "MAX_LOG_BYTES", 10)
    async with supervising(home, "print('a' * 20)", Said()) as one:
        await eventually_async(lambda: one.exit_code == 0, 10)
        await one.start("operator")
        await asyncio.sleep(0)
        assert (home / "logs" / "arb-1.log.1").read_text() == "a" * 20 + "\n"
        await eventually_async(lambda: one.exit_code == 0, 10)
