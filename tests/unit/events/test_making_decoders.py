"""Decoders of events are made by one thread at a time: msgspec dies of two."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from deskwatch import encoding
from deskwatch.events.base import making_decoder
from deskwatch.journal import line


@pytest.mark.parametrize(
    "make",
    [lambda: line._Decoders()["order_filled"], lambda: encoding._strict.__wrapped__("order_filled")],
    ids=["reading", "strict"],
)
def test_a_decoder_is_made_under_the_lock(make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    held = []
    decoder = msgspec.json.Decoder

    def noted(*args: Any, **more: Any) -> Any:
        held.append(making_decoder.locked())
        return decoder(*args, **more)

    monkeypatch.setattr(msgspec.json, "Decoder", noted)
    make()
    assert held == [True]
    assert not making_decoder.locked()


def test_a_forked_child_can_make_one() -> None:
    """Whatever other threads of its parent were about."""
    child = os.fork()
    if child == 0:
        os._exit(0 if making_decoder.acquire(timeout=5) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not making_decoder.locked()
