"""What a person asked for last holds: whatever waits meanwhile, and whatever the disk does."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from deskwatch import atomic
from deskwatch.sidecar.supervisor import cancel_hook, held, patience
from deskwatch.sidecar.supervisor import supervisor as supervisor_module
from deskwatch.sidecar.supervisor.faults import Overtaken
from tests.unit.sidecar.supervisor.supervising import BOT, LAST, STUBBORN, Said, supervising, up
from tests.waiting import eventually_async


async def test_a_start_that_a_kill_overtakes_while_it_waits_starts_nothing(home: Path) -> None:
    """The cancel hook has run by then: what the bot orders afterwards nobody cancels."""
    said = Said()
    async with supervising(home, STUBBORN, said, grace_seconds=600.0) as one:
        await up(one)
        stopping = asyncio.create_task(one.stop("operator"))
        await asyncio.sleep(0)
        starting = asyncio.create_task(one.start("operator"))
        await asyncio.sleep(0)
        await one.kill("trader")
        await stopping
        with pytest.raises(Overtaken):
            await starting
        assert not one.status.running
        assert one.status.held is not None
        assert one.status.held.action == "kill"
    assert [event.action for event in said].count("start") == 1


async def test_a_start_during_a_kill_that_a_stop_follows_starts_nothing(home: Path) -> None:
    slow = ("sleep", "0.5")
    async with supervising(home, LAST, cancel_hook=slow) as one:
        await up(one)
        killing = asyncio.create_task(one.kill("trader"))
        await asyncio.sleep(0)
        starting = asyncio.create_task(one.start("operator"))
        await asyncio.sleep(0)
        await one.stop("other")
        await killing
        with pytest.raises(Overtaken):
            await starting
        assert not one.status.running


async def test_a_hook_that_hangs_in_the_kernel_keeps_nobody_from_killing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads from a disk that stalls, say: no signal ends it, and whoever waits for it waits too."""
    disk = threading.Event()
    monkeypatch.setattr(cancel_hook, "run", lambda *_: disk.wait(30))
    monkeypatch.setattr(supervisor_module, "HOOK_SECONDS", 0.1)
    said = Said()
    async with supervising(home, LAST, said, cancel_hook=("true",), hook_seconds=0.1) as one:
        await up(one)
        await asyncio.wait_for(one.kill("trader"), 15)
        assert one.status.exit_code == -9
        assert one.hook is not None
        assert one.hook.error is not None
        assert "hangs" in one.hook.error
        disk.set()
    assert [event.action for event in said][:3] == ["start", "kill", "hook"]


async def test_a_stop_on_a_full_disk_is_kept_as_soon_as_there_is_room(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "RETRY_SECONDS", 0.05)
    real = atomic.write
    is_full = True

    def write(path: Path, data: bytes) -> None:
        if is_full and path.name.endswith(".held.json"):
            raise OSError(28, os.strerror(28))
        real(path, data)

    monkeypatch.setattr(atomic, "write", write)
    async with supervising(home) as one:
        await up(one)
        await one.stop("operator")
        assert held.load(home, BOT) is None
        is_full = False
        await eventually_async(lambda: held.load(home, BOT) is not None)
    async with supervising(home) as one:
        assert not one.status.running


async def test_of_a_stop_and_a_start_before_it_that_a_disk_holds_up_the_stop_is_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "BRIEFLY_SECONDS", 0.05)
    hold = held.Hold(home, BOT)
    await hold.set("stop", "operator", None)
    disk, waits = threading.Event(), threading.Event()
    real = Path.unlink

    def unlink(path: Path, *, missing_ok: bool = False) -> None:
        waits.set()
        assert disk.wait(60)
        real(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    await hold.release()
    await hold.set("stop", "other", "no")
    await eventually_async(waits.is_set)
    disk.set()
    await eventually_async(lambda: (word := held.load(home, BOT)) is not None and word.actor == "other")
    await asyncio.sleep(0.1)
    assert held.load(home, BOT) == hold.word


@pytest.mark.parametrize("content", [b"", b"{", b'{"action":1}'])
async def test_a_word_that_can_not_be_read_holds(content: bytes, home: Path) -> None:
    (home / "run").mkdir(parents=True)
    (home / "run" / f"{BOT}.held.json").write_bytes(content)
    async with supervising(home) as one:
        assert not one.status.running
        assert one.status.held is not None
        await one.start("operator")
        await up(one)
        assert one.status.held is None
