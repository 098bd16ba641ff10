"""Killing a bot: the cancel hook first, then all that the bot is, whatever else is under way."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil

from deskwatch.keeper import processes
from deskwatch.keeper.keeping import MARK
from deskwatch.supervised import Restart
from tests.unit.sidecar.supervisor.supervising import LAST, SAY, STUBBORN, Said, lines, supervising, up
from tests.waiting import eventually_async

HOOK = "import os; print('canceled for', os.environ['DESKWATCH_BOT']); print('secret=topsecret')"


def hook(code: str = HOOK) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


async def test_the_hook_has_run_before_the_bot_is_killed_and_both_are_told(home: Path) -> None:
    said = Said()
    cancel = f"import os; os.kill(int(open({str(home / 'pid')!r}).read()), 0); {HOOK}"
    async with supervising(
        home, STUBBORN, said, cancel_hook=hook(cancel), restart=Restart.ALWAYS, grace_seconds=0.1
    ) as one:
        await up(one)
        (home / "pid").write_text(str(one.pid))
        await one.kill("trader", "it hangs")
        assert one.status.exit_code == -9
        assert not one.status.running
        assert one.hook is not None
        assert (one.hook.exit_code, one.hook.error) == (0, None)
        assert said.actions[1:] == [("kill", "trader"), ("hook", "trader"), ("exit", "supervisor")]
        assert said[1].reason == "it hangs"
        assert said[2].last_lines == ["canceled for arb-1", "secret=[redacted]"]
        assert one.status.restart_at is None
        assert one.status.held is not None
        assert one.status.held.action == "kill"
        await one.start("operator")
        assert one.status.held is None
        await up(one, 2)


async def test_a_hook_that_hangs_is_ended_with_its_children_and_the_bot_is_killed_all_the_same(home: Path) -> None:
    mark = f"6{os.getpid()}.5"
    hangs = ("sh", "-c", f"trap '' TERM; echo hangs; setsid sleep {mark} & sleep 60")  # a Python takes long to start
    said = Said()
    async with supervising(home, LAST, said, cancel_hook=hangs, hook_seconds=1.5) as one:
        await up(one)
        await one.kill("trader")
        assert one.status.exit_code == -9
        assert said[2].reason == "it did not end within 1.5 s"
        assert said[2].exit_code is None
        assert one.hook is not None
        assert one.hook.output == b"hangs\n"
        assert [one for one in psutil.process_iter(["cmdline"]) if mark in (one.info["cmdline"] or ())] == []


async def test_a_hook_that_fails_or_is_not_there_keeps_nobody_from_killing(home: Path) -> None:
    said = Said()
    for command, code in ((hook("raise SystemExit(3)"), 3), (("no-such-command",), 127)):
        async with supervising(home, LAST, said, cancel_hook=command) as one:
            await one.start("operator")
            await up(one, 1 if code == 3 else 2)
            await one.kill("trader")
            assert one.status.exit_code == -9
            assert one.hook is not None
            assert (one.hook.exit_code, one.hook.error) == (code, f"it ended with exit code {code}")


async def test_a_flood_of_the_hooks_output_is_bounded_and_its_end_is_kept(home: Path) -> None:
    code = "import sys; [print('x' * 1000) for _ in range(20_000)]; print('end')"
    async with supervising(home, LAST, cancel_hook=hook(code)) as one:
        await one.kill("trader")
        assert one.hook is not None
        assert one.hook.exit_code == 0
        assert len(one.hook.output) == 16 * 1024
        assert one.hook.output.endswith(b"x\nend\n")


async def test_a_stopped_bot_and_children_in_sessions_of_their_own_are_killed(home: Path) -> None:
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "for n in range(20):\n"
        "    if os.fork() == 0:\n"
        "        if n % 2: os.setsid()\n"
        "        if n % 4 == 3 and os.fork(): os._exit(0)\n"
        "        os.write(1, b'up %d\\n' % n)\n"
        "        time.sleep(60)\n"
        "        os._exit(0)\n"
        "time.sleep(60)\n"
    )
    async with supervising(home, code) as one:
        await up(one, 20)
        kept = one.runs.kept
        assert kept is not None
        assert len(processes.below(kept.kept.keeper.pid)) == 21
        os.killpg(kept.pid, signal.SIGSTOP)
        await one.kill("trader")
        assert one.status.exit_code == -9
        assert processes.marked(MARK, kept.kept.start_id) == []


async def test_a_kill_waits_for_no_stop_and_ends_it(home: Path) -> None:
    async with supervising(home, STUBBORN, grace_seconds=600.0) as one:
        await up(one)
        stopping = asyncio.create_task(one.stop("operator"))
        await asyncio.sleep(0)
        await one.kill("trader")
        await stopping
        assert one.status.exit_code == -9
        assert one.pid is None


async def test_two_kills_at_once_run_the_hook_once(home: Path) -> None:
    said = Said()
    async with supervising(home, LAST, said, cancel_hook=hook()) as one:
        await up(one)
        await asyncio.gather(*(one.kill("trader") for _ in range(5)))
    assert [event.action for event in said] == ["start", "kill", "hook", "exit"]


async def test_a_start_during_a_kill_comes_after_it(home: Path) -> None:
    slow = hook("import time; time.sleep(0.3)")
    async with supervising(home, LAST, cancel_hook=slow) as one:
        await up(one)
        before = one.pid
        killing = asyncio.create_task(one.kill("trader"))
        await asyncio.sleep(0)
        await one.start("operator")
        assert killing.done()
        assert one.pid not in (None, before)
        assert one.status.held is None


async def test_a_kill_without_a_running_bot_runs_the_hook_as_orders_may_be_open(home: Path) -> None:
    said = Said()
    async with supervising(home, SAY, said, cancel_hook=hook()) as one:
        await eventually_async(lambda: one.status.exit_code == 0, 20)
        await one.kill("trader")
        assert one.hook is not None
        assert one.hook.exit_code == 0
        assert said.actions[2:] == [("kill", "trader"), ("hook", "trader")]
        assert lines(one) == [f"up arb-1 {home}"]


async def test_a_keeper_that_hangs_is_killed_with_its_bot(home: Path, monkeypatch) -> None:
    monkeypatch.setattr("deskwatch.sidecar.supervisor.runs.KEEPER_SECONDS", 0.2)
    async with supervising(home, LAST) as one:
        await up(one)
        kept = one.runs.kept
        assert kept is not None
        os.kill(kept.kept.keeper.pid, signal.SIGSTOP)
        await one.kill("trader")
        assert one.pid is None
        assert processes.marked(MARK, kept.kept.start_id) == []
