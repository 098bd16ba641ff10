"""Tokens that are made and revoked while a sidecar runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deskwatch.events import TokenMade, TokenRevoked
from deskwatch.tokens import Token, TokenFile, digest
from tests.lines import events_in
from tests.unit.sidecar.serving import connected, serving
from tests.waiting import eventually_async

SECRET = "n" * 30
NIGHT = Token(name="night", hash=digest(SECRET), scopes=frozenset({"read", "operate"}), bots=frozenset({"arb-1"}))
ALL = Token(name="all", hash=digest("a" * 30), scopes=frozenset({"read"}))


def told(home: Path) -> list[Any]:
    return [
        one for one in events_in(home, bot="_sidecar", writer="control") if isinstance(one, TokenMade | TokenRevoked)
    ]


async def test_a_running_sidecar_follows_the_file_and_journals_it(home: Path) -> None:
    header = {"Authorization": "Bearer " + "a" * 30}
    async with serving(home, host="0.0.0.0") as desk:
        assert (await desk.ask("GET", "/bots", **header)).status_code == 401
        TokenFile(home).add(ALL)
        await eventually_async(lambda: desk.parts.gate.holds("a" * 30))
        assert (await desk.ask("GET", "/bots", **header)).status_code == 200
        TokenFile(home).revoke("all")
        await eventually_async(lambda: not desk.parts.gate.holds("a" * 30))
        assert (await desk.ask("GET", "/bots", **header)).status_code == 401
        await eventually_async(lambda: len(told(home)) == 2)
    assert told(home) == [TokenMade(name="all", scopes=["read"]), TokenRevoked(name="all")]


async def test_what_changed_while_no_sidecar_ran_is_journaled_once_at_the_next_start(home: Path) -> None:
    memory = home / "tokens-journaled.json"
    async with serving(home):
        await eventually_async(memory.exists)
    assert told(home) == []  # the operator's first token is made with the home
    TokenFile(home).add(NIGHT)
    async with serving(home):
        await eventually_async(lambda: b"night" in memory.read_bytes())
    TokenFile(home).revoke("night")
    (home / "token").write_text("another one, chosen by a person")
    async with serving(home):
        await eventually_async(lambda: b"night" not in memory.read_bytes())
    async with serving(home) as desk:
        await eventually_async(lambda: not desk.parts.gate.holds(SECRET))
    every = ["operate", "read", "trade"]
    assert told(home) == [
        TokenMade(name="night", scopes=["operate", "read"], bots=["arb-1"]),
        TokenRevoked(name="night"),
        TokenRevoked(name="operator"),
        TokenMade(name="operator", scopes=every),
    ]


BROKEN = {
    "cut": b"{",
    "no UTF-8": b'{"format":1,"tokens":[{"name":"\xff"}]}',
    "nested": b'{"format":' + b"[" * 100_000,
    "no hash": b'{"format":1,"tokens":[{"name":"a","scopes":[],"hash":"\xc3\xa9"}]}',
    "no time": b'{"format":1,"tokens":[{"name":"a","scopes":[],"hash":"' + b"0" * 64 + b'","expires":1e308}]}',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
async def test_a_file_that_breaks_leaves_the_tokens_as_they_were_until_it_is_mended(
    content: bytes, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = TokenFile(home)
    file.add(ALL)
    sound = file.path.read_bytes()
    async with serving(home) as desk:
        file.path.write_bytes(content)
        await eventually_async(lambda: "could not be followed" in caplog.text)
        assert (await desk.operate("POST", "/bots/none/commands", {"type": "ping"})).status_code == 404
        file.path.write_bytes(sound)
        file.revoke("all")
        await eventually_async(lambda: not desk.parts.gate.holds("a" * 30))


async def test_a_token_revoked_while_no_file_could_be_opened_is_revoked_all_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = TokenFile(home)
    file.add(ALL)
    async with serving(home) as desk:
        await eventually_async(lambda: desk.parts.gate.holds("a" * 30))
        file.revoke("all")
        with monkeypatch.context() as exhausted:

            def refuse(_: TokenFile) -> list[Token]:
                raise OSError(24, "Too many open files")

            exhausted.setattr(TokenFile, "read", refuse)
            await eventually_async(lambda: "could not be followed" in caplog.text)
        await eventually_async(lambda: not desk.parts.gate.holds("a" * 30))


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_stream_ends_when_its_token_is_revoked(kind: str, home: Path) -> None:
    TokenFile(home).add(ALL)
    async with (
        serving(home, host="0.0.0.0") as desk,
        connected(desk, kind, "/stream", authorization="Bearer " + "a" * 30) as connection,
    ):
        first = await connection.message()
        assert first["type"] in ("http.response.start", "websocket.accept")
        TokenFile(home).revoke("all")
        while (message := await connection.message(20)) != {
            "type": "http.response.body",
            "body": b"",
            "more_body": False,
        }:
            if message["type"] == "websocket.close":
                assert message["code"] == 1008
                break
        assert connection.sent.empty()
