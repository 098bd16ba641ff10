"""The sidecar's beat."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from deskwatch.journal.names import BEAT
from deskwatch.sidecar import beat as beat_module
from deskwatch.sidecar.beat import Beat
from tests.waiting import eventually_async


def _was_touched(path: Path, before: int) -> bool:
    return os.stat(path).st_mtime_ns != before


async def test_the_file_is_touched_again_and_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat_module, "BEAT_SECONDS", 0.01)
    path = home / BEAT
    async with Beat(home):
        await eventually_async(path.exists)
        for _ in range(2):
            before = os.stat(path).st_mtime_ns
            await eventually_async(partial(_was_touched, path, before))
        path.unlink()
        await eventually_async(path.exists)


async def test_a_home_that_refuses_is_told_once_and_tried_again(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(beat_module, "BEAT_SECONDS", 0.01)
    tries = []

    def refuse(*_: object) -> None:
        tries.append(1)
        raise OSError(30, "Read-only file system")

    async with Beat(home):
        with monkeypatch.context() as refused:
            refused.setattr(os, "utime", refuse)
            await eventually_async(lambda: len(tries) > 3)
        before = os.stat(home / BEAT).st_mtime_ns
        await eventually_async(partial(_was_touched, home / BEAT, before))
    assert [record.getMessage() for record in caplog.records if "beat" in record.getMessage()] == [
        "the sidecar's beat can't be told; bots may lower their mode: [Errno 30] Read-only file system"
    ]
