"""Counting answers at the door."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from deskwatch.sidecar.doorman import Doorman
from deskwatch.sidecar.requests import Requests


@pytest.mark.parametrize(("begins", "failed"), [(False, 1), (True, 0)])
async def test_an_answer_that_breaks_off_counts_once(*, begins: bool, failed: int) -> None:
    """As what it began as: nobody gets a second answer."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        if begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(_: Message) -> None:
        pass

    requests = Requests()
    with pytest.raises(RuntimeError):
        await Doorman(app, requests)(
            {"type": "http", "method": "GET", "headers": [], "query_string": b""}, receive, send
        )
    assert requests.answered == 1
    assert requests.failed == {"4xx": 0, "5xx": failed}
