"""Process control with real processes: bots that hang, flood, crash and multiply, and a sidecar that is killed."""

from __future__ import annotations

import os
import random
import shlex
import signal
import time
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from deskwatch.events import BotStarted, Mode, ModeChanged, ProcessActed
from deskwatch.keeper import keeping
from tests.fault.supervised_bots import (
    BOT,
    LAST,
    SECONDS,
    STUBBORN,
    TREE,
    UP,
    Supervising,
    files,
    left,
    output,
    size,
    supervising,
)
from tests.lines import events_in
from tests.soak import count
from tests.waiting import eventually

MIB = 1024 * 1024
FLOOD = "import sys; [sys.stdout.write('%099d\\n' % n) for n in range(2_000_000)]"
"""200 MB in lines that are numbered."""


def test_a_killed_sidecar_takes_all_of_its_bot_with_it(tmp_path: Path):
    """Also children in sessions of their own and orphans, and promptly."""
    home = tmp_path / "home"
    with supervising(home, TREE) as run:
        run.up(20)
        assert len(left(home)) == 21
        kept = keeping.load(home, "arb-1")
        assert kept is not None
        keeper = kept.keeper
        assert keeper.is_there
        run.child.kill()
        began = time.monotonic()
        eventually(lambda: not left(home), SECONDS)
        eventually(lambda: not keeper.is_there, SECONDS)
        print(f"all ended {time.monotonic() - began:.3f} s after the sidecar was killed")


def test_a_killed_sidecars_stubborn_bot_is_killed_after_its_grace(tmp_path: Path):
    home = tmp_path / "home"
    with supervising(home, STUBBORN, "--grace-seconds", "0.5") as run:
        run.up()
        run.child.kill()
        eventually(lambda: not left(home), SECONDS)


def test_a_sidecar_killed_at_any_moment_leaves_nothing_and_starts_no_second(tmp_path: Path):
    """The bot never runs twice: where a killed sidecar's bot still ends, the next one waits."""
    home = tmp_path / "home"
    chance = random.Random(5)
    for _ in range(count(4, 100)):
        with supervising(home, LAST, "--restart", "always", "--backoff-seconds", "0.01") as run:
            deadline = time.monotonic() + chance.uniform(0, 0.3)
            while time.monotonic() < deadline:
                assert len(left(home)) <= 1
                status, _, _ = run.request("POST", "/bots/arb-1/process/restart", {}, token=run.token)
                assert status == 200
            run.child.kill()
            run.child.wait()
    eventually(lambda: not left(home), SECONDS)


def test_a_detached_bot_runs_on_through_kills_of_its_sidecar_and_loses_no_line(tmp_path: Path):
    home = tmp_path / "home"
    numbers = "import os, time\nfor n in range(100_000):\n    os.write(1, b'%07d\\n' % n)\n    time.sleep(0.001)\n"
    pids = set()
    for _ in range(count(4, 40)):
        with supervising(home, numbers, "--detach", "--log-mib", "0.01", "--log-files", "1000") as run:
            pids.add(run.process()["pid"])
            before = size(home)
            eventually(partial(_has_grown, home, before + 800), SECONDS)
            run.child.kill()
            run.child.wait()
    assert len(pids) == 1
    assert len(left(home)) == 1
    with supervising(home, numbers, "--detach") as run:
        assert run.process()["pid"] in pids
        assert run.act("kill")["exit_code"] == -9
        lines = output(home).split()
        assert [int(line) for line in lines] == list(range(len(lines)))
        assert len(lines) > 400
    assert left(home) == []
    actions = [event.action for event in events_in(home, writer="control") if isinstance(event, ProcessActed)]
    assert actions == ["start", *["adopt"] * count(4, 40), "kill", "exit"]


def test_a_flood_of_output_fills_no_disk_and_its_end_is_whole(tmp_path: Path):
    home = tmp_path / "home"
    with supervising(home, FLOOD, "--log-mib", "1", "--log-files", "3") as run:
        began = time.monotonic()
        while run.process()["running"]:
            assert size(home) <= 3 * MIB
        print(f"200 MB of output took {time.monotonic() - began:.1f} s")
        document = run.process()
        assert document["exit_code"] == 0
        lines = output(home).split()
        assert len(files(home)) == 3
        assert [int(line) for line in lines] == list(range(2_000_000 - len(lines), 2_000_000))
        assert len(lines) * 100 > 2 * MIB
        logs = run.get("/bots/arb-1/logs?lines=2000")
        assert [int(line) for line in logs["lines"]] == list(range(1_998_000, 2_000_000))


def test_a_hung_bot_is_killed_though_its_hook_hangs_too(tmp_path: Path):
    home = tmp_path / "home"
    hook = shlex.join(["sh", "-c", "trap '' TERM; echo 1; exec sleep 600"])  # a Python may take a second to start
    flags = ["--grace-seconds", "600", "--cancel-hook", hook, "--hook-seconds", "1", "--restart", "always"]
    with supervising(home, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + TREE, *flags) as run:
        run.up(20)
        os.killpg(run.process()["pid"], signal.SIGSTOP)
        began = time.monotonic()
        document = run.act("kill", "it hangs")
        print(f"killed after {time.monotonic() - began:.3f} s, of which the hook had 1 s")
        assert left(home) == []
        assert document["hook"] == {"exit_code": None, "error": "it did not end within 1 s", "output": ["1"]}
        assert (document["running"], document["exit_code"], document["restart_at"]) == (False, -9, None)
    acted = [event for event in events_in(home, writer="control") if isinstance(event, ProcessActed)]
    assert [(event.action, event.actor) for event in acted] == [
        ("start", "supervisor"),
        ("kill", "operator"),
        ("hook", "operator"),
        ("exit", "supervisor"),
    ]
    assert acted[1].reason == "it hangs"


def test_a_bot_that_closes_its_output_goes_on_and_can_be_stopped(tmp_path: Path):
    home = tmp_path / "home"
    with supervising(home, UP + "os.close(1); os.close(2); time.sleep(600)") as run:
        run.up()
        assert run.process()["running"]
        assert run.act("stop")["exit_code"] == -15
        assert left(home) == []


def test_a_crash_loop_is_given_up_and_a_person_arms_it_again(tmp_path: Path):
    home = tmp_path / "home"
    flags = ["--backoff-seconds", "0.01", "--crash-limit", "3"]
    with supervising(home, UP + "print('out of', 'gas'); exit(3)", *flags) as run:
        document = run.process_when(itemgetter("gave_up"))
        assert (document["restarts"], document["exit_code"], document["running"]) == (2, 3, False)
        assert document["last_lines"][-1] == "out of gas"
        run.act("start")
        run.process_when(lambda one: one["gave_up"] and one["restarts"] == 4)
        assert 'deskwatch_process_gave_up{bot="arb-1"} 1.0' in run.metrics()
    acted = [event for event in events_in(home, writer="control") if isinstance(event, ProcessActed)]
    assert [event.action for event in acted].count("give_up") == 2
    assert [event.exit_code for event in acted if event.action == "exit"] == [3] * 6


@pytest.mark.parametrize("mode", ["standby", "halted"])
def test_a_bot_that_is_restarted_is_never_riskier_than_it_was(mode: str, tmp_path: Path):
    """Its code asks for `active`; what a person asked for last holds, however it ended."""
    home = tmp_path / "home"
    with supervising(home, BOT, "--backoff-seconds", "0.01") as run:
        run.up()
        eventually(partial(_is_in, run, "active"), SECONDS)
        run.set_mode(mode)
        for end in ("signal", "restart", "kill"):
            before = run.process()["pid"]
            if end == "signal":
                os.kill(before, signal.SIGKILL)
            else:
                run.act(end)
            if end == "kill":
                run.act("start")
            pid = run.process_when(partial(_is_another, before))["pid"]
            eventually(partial(_is_in, run, mode, pid), SECONDS)
            assert run.bot()["mode"]["actual"] == mode
        assert run.process()["restarts"] == 1
    told = [event.mode for event in events_in(home) if isinstance(event, BotStarted | ModeChanged)]
    assert len(told) > 8
    assert set(told[told.index(Mode(mode)) :]) == {Mode(mode)}


def _has_grown(home: Path, beyond: int) -> bool:
    return size(home) > beyond


def _is_another(before: int, document: dict[str, Any]) -> bool:
    return document["pid"] not in (None, before)


def _is_in(run: Supervising, mode: str, pid: int | None = None) -> bool:
    """Whether the bot's own process said that it is in a mode."""
    shown = run.try_get("/bots/arb-1/snapshot")
    if shown is None:
        return False
    state = shown["bot"]
    return pid in (None, state["pid"]) and state["mode"]["actual"] == mode
