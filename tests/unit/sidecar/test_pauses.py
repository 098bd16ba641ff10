"""The garbage collector leaves alone what stays for good."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from deskwatch.sidecar import pauses


@pytest.fixture
def thawed() -> Iterator[None]:
    """Before and afterwards everything is looked after: other tests' sidecars exempt what they read as well."""
    gc.unfreeze()
    yield
    gc.unfreeze()


def looked_after(one: object) -> bool:
    """Whether the collector goes over it: what is exempt is in none of its generations."""
    return any(other is one for other in gc.get_objects())


async def test_what_is_there_once_the_journals_are_read_is_exempt(thawed: None) -> None:
    read: list[object] = [[]]
    caught_up = asyncio.Event()
    settling = asyncio.create_task(pauses.settle(caught_up))
    await asyncio.sleep(0)
    assert not settling.done()
    assert looked_after(read)
    caught_up.set()
    await settling
    assert not looked_after(read)
    later = [read]
    assert looked_after(later)
