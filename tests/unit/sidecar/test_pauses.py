"""The garbage collector leaves alone what stays for good."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from deskwatch.sidecar import pauses


@pytest.fixture
def thawed() -> Iterator[None]:
    """Afterwards everything is looked after again."""
    yield
    gc.unfreeze()


async def test_what_is_there_once_the_journals_are_read_is_exempt(thawed: None) -> None:
    caught_up = asyncio.Event()
    settling = asyncio.create_task(pauses.settle(caught_up))
    await asyncio.sleep(0)
    before = gc.get_freeze_count()
    assert not settling.done()
    caught_up.set()
    await settling
    assert gc.get_freeze_count() > before + 10_000
