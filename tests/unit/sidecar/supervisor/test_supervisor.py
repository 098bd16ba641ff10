"""Starting, stopping and restarting the supervised process."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from deskwatch.errors import JournalError
from deskwatch.events import ProcessActed
from deskwatch.keeper import processes
from deskwatch.keeper.keeping import MARK
from deskwatch.sidecar.supervisor import kept_bot
from deskwatch.sidecar.supervisor.faults import Overtaken
from deskwatch.sidecar.supervisor.supervisor import Supervisor
from deskwatch.supervised import Restart
from tests.unit.sidecar.supervisor.supervising import (
    LAST,
    SAY,
    SECONDS,
    STUBBORN,
    Said,
    down,
    lines,
    settings,
    supervising,
    up,
)
from tests.waiting import eventually_async


async def test_the_bot_runs_while_the_sidecar_does_and_knows_its_name_and_home(home: Path) -> None:
    said = Said()
    async with supervising(home, LAST, said) as one:
        await up(one)
        assert lines(one) == [f"up arb-1 {home}"]
        pid = one.pid
        assert pid is not None
        assert os.getpgid(pid) == pid
    assert one.pid is None
    assert one.status.exit_code == -15
    assert said.actions == [("start", "supervisor"), ("stop", "supervisor"), ("exit", "supervisor")]
    assert [event.pid for event in said] == [pid] * 3
    assert said[-1].exit_code == -15
    assert said[-1].last_lines == [f"up arb-1 {home}"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_an_end_by_itself_is_told_and_can_be_followed_by_a_start(home: Path) -> None:
    said = Said()
    async with supervising(home, SAY + "raise SystemExit(3)", said) as one:
        await eventually_async(lambda: one.status.exit_code == 3, SECONDS)
        await eventually_async(lambda: said.actions[-1] == ("exit", "supervisor"))
        await one.stop("operator")
        assert len(said) == 2
        await one.start("operator", "once more")
        await eventually_async(lambda: said.actions[2:] == [("start", "operator"), ("exit", "supervisor")], SECONDS)
        assert said[2].reason == "once more"


async def test_starting_what_runs_starts_no_second_also_when_asked_at_once(home: Path) -> None:
    said = Said()
    async with supervising(home, LAST, said) as one:
        await one.stop("operator")
        await asyncio.gather(*(one.start("operator") for _ in range(5)))
        pid = one.pid
        await one.start("operator")
        assert one.pid == pid
    assert [event.action for event in said].count("start") == 2


async def test_a_restart_is_another_process_and_the_output_goes_on_in_the_file(home: Path) -> None:
    said = Said()
    async with supervising(home, LAST, said) as one:
        await up(one)
        before = one.pid
        await one.restart("operator", "new version; token=topsecret")
        await up(one, 2)
        assert one.pid != before
        assert one.status.exit_code is None
        assert said.actions[1:4] == [("stop", "operator"), ("exit", "supervisor"), ("start", "operator")]
        assert said[1].reason == "new version; token=[redacted]"


async def test_a_bot_that_does_not_end_is_killed_after_its_grace_with_its_children(home: Path) -> None:
    child = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); {STUBBORN}"
    async with supervising(home, child, grace_seconds=0.1) as one:
        await up(one, 2)
        kept = one.runs.kept
        assert kept is not None
    assert one.status.exit_code == -9
    assert processes.marked(MARK, kept.kept.start_id) == []


async def test_what_the_bot_leaves_behind_is_ended_with_it(home: Path) -> None:
    """A child that survives a bot would go on trading beside the next one."""
    child = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {LAST!r}], start_new_session=True)"
    async with supervising(home, child) as one:
        kept = one.runs.kept
        assert kept is not None
        await down(one)
        assert one.status.exit_code == 0
        assert processes.marked(MARK, kept.kept.start_id) == []


async def test_a_command_that_is_not_there_says_so_in_its_log(home: Path) -> None:
    async with supervising(home, command=("no-such-command",)) as one:
        await eventually_async(lambda: one.status.exit_code == 127, SECONDS)
        assert "can't be run" in lines(one)[0]
        assert "can't be run" in one.status.last_lines[0]


async def test_a_bot_that_can_not_be_started_leaves_the_sidecar_up_and_is_tried_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def refuse(*_: object, **__: object) -> int:
        tries.append(1)
        raise BlockingIOError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_spawn", refuse)
        async with supervising(home, restart=Restart.ON_FAILURE, first_pause_seconds=0.01, crash_limit=3) as one:
            await eventually_async(lambda: one.status.gave_up)
            assert len(tries) == 3
            with pytest.raises(BlockingIOError):
                await one.start("operator")
            patched.undo()
            await one.start("operator")
            await up(one)


async def test_a_keeper_that_fails_is_told_with_its_last_word(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_bot, "_CODE", "raise SystemExit('no keeper here')")
    with pytest.raises(OSError, match="its keeper failed: no keeper here"):
        await asyncio.to_thread(kept_bot.KeptBot.start, settings(), home)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), JournalError("closed")])
async def test_a_journal_that_refuses_keeps_nobody_from_stopping_a_bot(
    error: Exception, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(bot: str, event: ProcessActed) -> None:
        raise error

    async with Supervisor(settings(), home, full) as one:
        await up(one)
        await one.restart("operator")
        assert one.pid is not None
        await one.stop("operator")
        assert one.pid is None
        await one.start("operator")
        await one.kill("operator")
        assert one.status.exit_code == -9
    assert "could not be journaled" in caplog.text


async def test_a_journal_that_hangs_holds_no_kill_up_and_keeps_the_order(home: Path) -> None:
    said, disk = Said(), asyncio.Event()

    async def stalled(bot: str, event: ProcessActed) -> None:
        await disk.wait()
        await said.journal(bot, event)

    async with Supervisor(settings(), home, stalled) as one:
        await one.kill("operator")
        assert one.status.exit_code == -9
        assert said == []
        disk.set()
    assert said.actions == [("start", "supervisor"), ("kill", "operator"), ("exit", "supervisor")]


async def test_a_stop_overtakes_a_restart_that_waits_for_the_end(home: Path) -> None:
    async with supervising(home, STUBBORN, grace_seconds=0.5) as one:
        await up(one)
        restarting = asyncio.create_task(one.restart("operator"))
        await asyncio.sleep(0)
        stopping = asyncio.create_task(one.stop("other"))
        with pytest.raises(Overtaken):
            await restarting
        await stopping
        assert one.pid is None
        assert one.status.held is not None
        assert one.status.held.actor == "other"


async def test_a_start_that_follows_a_stop_at_once_starts_the_bot_anew(home: Path) -> None:
    async with supervising(home) as one:
        await up(one)
        before = one.pid
        await asyncio.gather(one.stop("operator"), one.start("operator"))
        assert one.pid not in (None, before)


async def test_a_stopped_bot_hears_that_it_shall_end(home: Path) -> None:
    async with supervising(
        home, SAY + "signal.signal(15, lambda *_: exit(4)); print('up', flush=True); time.sleep(60)", grace_seconds=30.0
    ) as one:
        await up(one, 2)
        assert one.pid is not None
        os.kill(one.pid, signal.SIGSTOP)
        await one.stop("operator")
        assert one.status.exit_code == 4


async def test_the_killed_keepers_bot_does_not_go_on_by_itself(home: Path) -> None:
    child = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {LAST!r}], start_new_session=True); {LAST}"
    )
    async with supervising(home, child) as one:
        await up(one, 2)
        kept = one.runs.kept
        assert kept is not None
        os.kill(kept.kept.keeper.pid, signal.SIGKILL)
        await down(one)
        assert one.status.exit_code == -9
        assert processes.marked(MARK, kept.kept.start_id) == []


async def test_a_keeper_that_hangs_holds_no_stop_up_for_ever(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deskwatch.sidecar.supervisor.runs.KEEPER_SECONDS", 0.2)
    async with supervising(home, grace_seconds=0.2) as one:
        await up(one)
        kept = one.runs.kept
        assert kept is not None
        os.kill(kept.kept.keeper.pid, signal.SIGSTOP)
        await one.stop("operator")
        assert one.pid is None
        assert processes.marked(MARK, kept.kept.start_id) == []
