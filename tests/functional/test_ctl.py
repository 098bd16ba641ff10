"""`deskwatch ctl` against a real sidecar and a real bot: what it says was done, was done."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from deskwatch import EquityObserved, Mode, PositionOpened, Recorder
from tests import running
from tests.waiting import eventually


def ctl(home: Path, url: str, *words: str, **more: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "deskwatch", "ctl", *words, "--home", str(home), "--url", url]
    env = {name: value for name, value in os.environ.items() if not name.startswith("DESKWATCH_")}
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60, **more)  # type: ignore[call-overload, no-any-return]  # subprocess's own keywords


@contextlib.contextmanager
def obeying(recorder: Recorder) -> Iterator[None]:
    """A bot that takes its mode and its commands."""
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            _ = recorder.mode
            command = recorder.next_command(timeout_seconds=0.05)
            if command is not None:
                command.fail("it \x1b[2J can't")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_ctl_ends_with_0_only_once_the_bot_confirmed(home: Path):
    """Standby, active, ping succeed; what the bot fails, refuses or never takes has a status of its own."""
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder, running.sidecar(home) as sidecar:
        recorder.emit(EquityObserved(equity=1234.5, asset="USDC"))
        eventually(lambda: sidecar.bot()["equity"])
        waited = ctl(home, sidecar.url, "standby", "arb-1", "--timeout", "0.5")
        assert (waited.returncode, recorder.mode) == (6, Mode.STANDBY), waited
        with obeying(recorder):
            done = ctl(home, sidecar.url, "active", "arb-1", "--reason", "back from lunch")
            assert done.returncode == 0, done
            assert done.stdout.startswith("arb-1: mode active: succeeded in ")
            assert sidecar.bot()["mode"]["actual"] == "active"
            assert sidecar.bot()["mode"]["reason"] == "back from lunch"
            assert ctl(home, sidecar.url, "ping", "arb-1").returncode == 0
            failed = ctl(home, sidecar.url, "close-all", "arb-1")
            assert failed.returncode == 1
            assert r"it \x1b[2J can't" in failed.stdout
            assert ctl(home, sidecar.url, "ping", "arb-2").returncode == 3
            assert ctl(home, sidecar.url, "kill", "arb-1", "--yes").returncode == 3
            assert ctl(home, sidecar.url, "logs", "arb-1").returncode == 3
            wrong = home / "wrong"
            wrong.write_text("w" * 20)
            denied = ctl(home, sidecar.url, "halt", "arb-1", "--token-file", str(wrong), "--json")
            assert denied.returncode == 8
            assert json.loads(denied.stdout)["outcome"] == "not allowed"
            status = ctl(home, sidecar.url, "status")
            assert (status.returncode, "1,234.50 USDC" in status.stdout) == (0, True), status
            told = json.loads(ctl(home, sidecar.url, "status", "arb-1", "--json").stdout)
            assert [bot["bot"] for bot in told["bots"]] == ["arb-1"]
    away = ctl(home, sidecar.url, "standby", "arb-1", "--timeout", "0.5")
    assert (away.returncode, "can't be reached" in away.stdout) == (7, True), away


def test_a_terminal_is_asked_before_the_risk_is_raised(home: Path):
    """No is taken for no; without a terminal nobody is asked."""
    with Recorder.open("arb-1", home=home, mode=Mode.STANDBY) as recorder, running.sidecar(home) as sidecar:
        eventually(lambda: sidecar.try_get("/bots/arb-1/snapshot"))
        with obeying(recorder):
            ours, theirs = pty.openpty()
            try:
                os.write(ours, b"n\n")
                said_no = ctl(home, sidecar.url, "active", "arb-1", stdin=theirs)
                assert (said_no.returncode, recorder.mode) == (9, Mode.STANDBY), said_no
                os.write(ours, b"y\n")
                assert ctl(home, sidecar.url, "active", "arb-1", stdin=theirs).returncode == 0
            finally:
                os.close(ours)
                os.close(theirs)


def test_among_several_sidecars_the_one_with_the_bot_is_asked(tmp_path: Path):
    """Unknown everywhere is refused; the right one obeys its own token."""
    homes = [tmp_path / name for name in ("one", "two")]
    with contextlib.ExitStack() as stack:
        recorders = [stack.enter_context(Recorder.open(home.name, home=home)) for home in homes]
        desks = [stack.enter_context(running.sidecar(home)) for home in homes]
        for desk, home in zip(desks, homes, strict=True):
            eventually(lambda desk=desk, home=home: desk.try_get(f"/bots/{home.name}/snapshot"))  # type: ignore[misc]  # bound at once
        stack.enter_context(obeying(recorders[1]))
        more = ["--url", desks[0].url]
        for home in reversed(homes):
            more += ["--token-file", str(home / "token")]
        assert ctl(tmp_path, desks[1].url, "halt", "two", *_in_order(more)).returncode == 0
        assert recorders[1].mode is Mode.HALTED
        assert ctl(tmp_path, desks[1].url, "halt", "three", *_in_order(more)).returncode == 3


def _in_order(flags: list[str]) -> list[str]:
    """`ctl` puts its own --url last: the tokens go by the order of the sidecars."""
    url, first, second = flags[:2], flags[2:4], flags[4:6]
    return [*url, *second, *first]


def test_part_of_a_position_is_asked_for_as_it_was_typed(home: Path):
    """The bot gets symbol and ratio."""
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder, running.sidecar(home) as sidecar:
        recorder.emit(
            PositionOpened(
                position_id="1", venue="v", symbol="ETH/USDC", side="long", quantity=2.0, entry_price=1.0, asset="USDC"
            )
        )
        eventually(lambda: sidecar.try_get("/bots/arb-1/snapshot"))
        flags = ["--symbol", "ETH/USDC", "--ratio", "0.5", "--no-wait"]
        assert ctl(home, sidecar.url, "close", "arb-1", *flags).returncode == 0
        command = recorder.next_command(timeout_seconds=10)
        assert command is not None
        assert (command.type, dict(command.params)) == ("close_position", {"symbol": "ETH/USDC", "ratio": 0.5})
        command.fail("no market")
