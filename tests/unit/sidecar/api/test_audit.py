"""`GET /audit`, and that no secret reaches what it reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from deskwatch.events import BotStarted, Mode
from deskwatch.journal import names
from tests.lines import events_in, lines_in, segment_files, write
from tests.unit.sidecar.serving import Desk, serving


@pytest_asyncio.fixture
async def desk(home: Path) -> AsyncIterator[Desk]:
    write(home, [BotStarted(pid=1, host="h", mode=Mode.STANDBY)])
    async with serving(home) as running:
        yield await running.caught_up()


async def ping(desk: Desk, reason: str) -> None:
    answer = await desk.operate("POST", "/bots/arb-1/commands", {"type": "ping", "reason": reason})
    assert answer.status_code == 202, answer.text


async def test_it_says_who_did_what_and_why_in_pages(desk: Desk) -> None:
    for number in range(5):
        await ping(desk, f"r{number}")
    page = (await desk.operate("GET", "/audit?limit=3")).json()
    assert [one["reason"] for one in page["entries"]] == ["r4", "r3", "r2"]
    assert {one["actor"] for one in page["entries"]} == {"operator"}
    assert (page["chain"], page["breaks"], page["unchained"], page["lines"]) == ("ok", [], 0, 5)
    rest = (await desk.operate("GET", f"/audit?limit=3&before={page['next']}")).json()
    assert [one["reason"] for one in rest["entries"]] == ["r1", "r0"]
    assert rest["next"] is None
    assert (await desk.operate("GET", "/audit?bot=arb-2")).json()["entries"] == []
    for query in ("before=nonsense", "bot=../x", "limit=0"):
        assert (await desk.operate("GET", f"/audit?{query}")).status_code == 422


async def test_a_changed_line_is_told_with_its_place(desk: Desk, home: Path) -> None:
    for number in range(3):
        await ping(desk, f"r{number}")
    (file,) = segment_files(home, writer=names.CONTROL)
    file.write_bytes(file.read_bytes().replace(b'"reason":"r1"', b'"reason":"x1"'))
    found = (await desk.operate("GET", "/audit")).json()
    assert found["chain"].startswith(f"broken at arb-1/control/{file.name} at byte ")
    assert found["breaks"]


async def test_no_secret_in_an_operators_words_reaches_the_journal(desk: Desk, home: Path) -> None:
    token = (home / "token").read_text().strip()
    secrets = (token, "hunter2")
    await ping(desk, f"I used {token}, and postgres://u:hunter2@db/x")
    answer = await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "halted", "reason": f"token {token}"})
    assert answer.status_code == 202
    told = b"".join(lines_in(home, writer=names.CONTROL)).decode() + answer.text
    assert not any(secret in told for secret in secrets)
    assert "I used [redacted], and postgres://u:[redacted]@db/x" in told


async def test_a_secret_of_the_operators_own_choosing_is_known_too(home: Path) -> None:
    (home / "token").write_text("abcdefghijklmnopqrst\n")
    write(home, [BotStarted(pid=1, host="h", mode=Mode.STANDBY)])
    async with serving(home) as desk:
        await desk.caught_up()
        await ping(desk, "with abcdefghijklmnopqrst")
    assert events_in(home, writer=names.CONTROL)[0].reason == "with [redacted]"


async def test_a_command_with_a_secret_in_its_params_is_refused_and_not_journaled(desk: Desk, home: Path) -> None:
    body = {"type": "close_position", "params": {"symbol": "https://u:hunter2@rpc"}}
    answer = await desk.operate("POST", "/bots/arb-1/commands", body)
    assert answer.status_code == 422
    assert "hunter2" not in answer.text
    assert "symbol" in answer.json()["detail"]
    assert lines_in(home, writer=names.CONTROL) == []
