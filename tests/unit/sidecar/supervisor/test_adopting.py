"""A bot that outlives its sidecar, and the sidecar that comes next."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from deskwatch.keeper import keeping, processes
from deskwatch.keeper.keeping import MARK
from deskwatch.sidecar.supervisor import kept_bot
from deskwatch.sidecar.supervisor.kept_bot import KeptBot
from deskwatch.sidecar.supervisor.supervisor import Supervisor
from deskwatch.supervised import Restart
from tests.unit.sidecar.supervisor.supervising import LAST, SAY, SECONDS, Said, down, settings, supervising, up
from tests.waiting import eventually_async


async def test_a_detached_bot_goes_on_and_the_next_sidecar_takes_it_over(home: Path) -> None:
    async with supervising(home, LAST, detach=True) as one:
        await up(one)
        pid = one.pid
    assert pid is not None
    os.kill(pid, 0)
    said = Said()
    async with supervising(home, LAST, said, detach=True) as other:
        assert other.pid == pid
        assert said.actions == [("adopt", "supervisor")]
        await other.stop("operator")
        assert other.status.exit_code == -15
        assert other.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_bot_that_was_taken_over_is_restarted_by_the_policy_and_its_exit_code_is_known(home: Path) -> None:
    code = SAY + f"[time.sleep(0.01) for _ in iter(lambda: os.path.exists({str(home / 'stop')!r}), True)]; exit(3)"
    async with supervising(home, code, detach=True) as one:
        await up(one)
    async with supervising(home, code, detach=True, restart=Restart.ON_FAILURE, first_pause_seconds=0.01) as other:
        assert other.status.running
        (home / "stop").touch()
        await eventually_async(lambda: other.runs.last_exit_code == 3, SECONDS)
        (home / "stop").unlink()
        await up(other, 2)
        await other.stop("operator")


async def test_without_detach_the_next_sidecar_ends_what_it_took_over(home: Path) -> None:
    async with supervising(home, LAST, detach=True) as one:
        await up(one)
        pid = one.pid
    assert pid is not None
    async with supervising(home, LAST) as other:
        assert other.pid == pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_an_id_that_another_process_got_is_neither_taken_over_nor_signalled(home: Path) -> None:
    kept = await asyncio.to_thread(KeptBot.start, settings("print('up')"), home)
    await kept.ended()
    kept.close()
    me = processes.this()
    other = msgspec.structs.replace(me, started=(me.started or 0) - 1)
    told = msgspec.structs.replace(kept.kept, keeper=other, bot=other, detached=True, ended=None)
    keeping.save(home, "arb-1", told)
    async with supervising(home, LAST) as one:
        assert one.pid != os.getpid()
        await up(one, 2)


@pytest.mark.parametrize("content", [b"", b"{", b'{"keeper": 7}', b"\xff"])
async def test_a_file_that_says_nothing_is_as_none(content: bytes, home: Path) -> None:
    keeping.path_of(home, "arb-1").parent.mkdir()
    keeping.path_of(home, "arb-1").write_bytes(content)
    async with supervising(home, LAST) as one:
        await up(one)


async def test_what_lost_its_keeper_without_a_sidecar_is_ended_before_the_bot_starts_anew(home: Path) -> None:
    """Two of one bot never run, also when keeper and sidecar were killed at once."""
    child = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {LAST!r}], start_new_session=True); {LAST}"
    )
    kept = await asyncio.to_thread(KeptBot.start, settings(child, detach=True), home)
    one = Supervisor(settings(), home, Said().journal)
    await up(one, 2)
    os.kill(kept.kept.keeper.pid, signal.SIGKILL)
    await kept.ended()
    kept.close()
    await eventually_async(lambda: not kept.kept.bot.is_there, SECONDS)
    assert len(processes.marked(MARK, kept.kept.start_id)) == 1
    async with supervising(home, LAST) as other:
        assert processes.marked(MARK, kept.kept.start_id) == []
        await up(other, 3)


async def test_a_bot_that_is_about_to_end_is_awaited_and_then_started_anew(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a SIGKILL of its sidecar: its keeper still waits for its grace."""
    found = home / "found"
    wait = f"[time.sleep(0.01) for _ in iter(lambda: os.path.exists({str(found)!r}), True)]"
    slow = f"import os, signal, time; signal.signal(15, lambda *_: ({wait}, exit(0))); " + SAY + "time.sleep(60)"
    take_over = Supervisor._take_over

    async def take(one: Supervisor, kept: KeptBot) -> None:
        found.touch()
        await take_over(one, kept)

    monkeypatch.setattr(Supervisor, "_take_over", take)
    kept = await asyncio.to_thread(KeptBot.start, settings(slow, grace_seconds=60.0), home)
    one = Supervisor(settings(), home, Said().journal)
    await up(one)
    os.close(kept._lifeline)  # type: ignore[arg-type]  # it is not detached
    kept._lifeline = None
    said = Said()
    async with supervising(home, LAST, said, restart=Restart.ON_FAILURE) as other:
        await up(other, 2)
        assert other.pid != kept.pid
        await eventually_async(lambda: len(said) == 2)  # it says that it is up before its start is told
        assert said.actions == [("exit", "supervisor"), ("start", "supervisor")]
        assert other.status.restarts == 0
    await kept.ended()
    kept.close()


async def test_a_system_without_process_descriptors_is_looked_at_instead(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    monkeypatch.setattr(kept_bot, "LOOK_SECONDS", 0.01)
    async with supervising(home, LAST) as one:
        await up(one)
        await one.stop("operator")
        assert one.status.exit_code == -15
        await one.start("operator")
        await one.kill("operator")
        await down(one)
        assert one.status.exit_code == -9


async def test_a_second_keeper_of_one_bot_starts_nothing(home: Path) -> None:
    """Whatever the file of the first says, or doesn't."""
    kept = await asyncio.to_thread(KeptBot.start, settings(), home)
    keeping.path_of(home, "arb-1").unlink()
    with pytest.raises(OSError, match="another keeper runs arb-1"):
        await asyncio.to_thread(KeptBot.start, settings(), home)
    assert len(processes.marked("DESKWATCH_HOME", str(home))) == 1
    assert kept.kill()
    assert await kept.ended() == -9
    kept.close()


async def test_a_keeper_that_has_told_nothing_yet_is_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_bot, "LOOK_SECONDS", 0.01)
    kept = await asyncio.to_thread(KeptBot.start, settings(detach=True), home)
    path = keeping.path_of(home, "arb-1")
    told = path.read_bytes()
    path.unlink()
    finding = asyncio.create_task(asyncio.to_thread(KeptBot.find, home, "arb-1"))
    await asyncio.wait({finding}, timeout=0.1)
    assert not finding.done()
    path.write_bytes(told)
    found = await finding
    assert found is not None
    assert found.pid == kept.pid
    assert kept.kill()
    await found.ended()
    found.close()
    assert await kept.ended() == -9
    kept.close()


async def test_a_keeper_whose_sidecar_is_gone_already_starts_nothing(home: Path) -> None:
    told = keeping.Keeping(bot="arb-1", home=str(home), start_id="s")
    argv = [sys.executable, "-m", "deskwatch.keeper", msgspec.json.encode(told).decode(), "touch", str(home / "made")]
    done = await asyncio.to_thread(subprocess.run, argv, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 1
    assert not (home / "made").exists()
