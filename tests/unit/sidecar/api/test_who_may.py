"""Each route and each kind of visitor, in one table; a route that is not in the table fails."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi.routing import APIWebSocketRoute
from starlette.routing import Route

from deskwatch.config import Settings
from deskwatch.events import BotStarted, CommandAccepted, Mode, ModeChanged
from deskwatch.journal import names
from deskwatch.sidecar import refusals
from deskwatch.sidecar.api import ROUTERS
from deskwatch.sidecar.app import create
from deskwatch.tokens import Scope, Token, TokenFile, digest
from tests.lines import write
from tests.unit.sidecar.serving import Desk, connected, serving

ALL: frozenset[Scope] = frozenset({"read", "operate", "trade"})
MINE, OTHER, HALTED = "arb-1", "arb-2", "arb-3"
OPERATING_COMMANDS: list[dict[str, object]] = [
    {"type": "ping"},
    {"type": "set_mode", "params": {"mode": "standby"}},
    {"type": "set_watchlist", "params": {"symbols": ["A/B"]}},
    {"type": "reload_config"},
    {"type": "its_own"},
]
TRADING_COMMANDS: list[dict[str, object]] = [
    {"type": "set_mode", "params": {"mode": "closing"}},
    {"type": "close_position", "params": {"symbol": "A/B"}},
    {"type": "close_all"},
    {"type": "cancel_orders"},
]
REASON = {"reason": "a test"}


def token(name: str, *scopes: Scope, **more: Any) -> Token:
    return Token(name=name, hash=digest(name * 9), scopes=frozenset(scopes or ALL), **more)


TOKENS = [
    token("read", "read"),
    token("operate", "read", "operate"),
    token("trade", "read", "trade"),
    token("blind", "operate", "trade"),
    token("both"),
    token("for_the_bot", bots=frozenset({MINE})),
    token("for_another", bots=frozenset({OTHER})),
    token("for_two", bots=frozenset({MINE, OTHER})),
    token("expired", expires=1.0),
    token("early", expires=time.time() + 1e6),
    token("revoked"),
]
VISITORS = ["none", "wrong", *(one.name for one in TOKENS)]

READING = {"read", "operate", "trade", "both", "early"}
OPERATING = {"operate", "both", "early", "blind"}
TRADING = {"trade", "both", "early", "blind"}
OF_THE_BOT = {"for_the_bot", "for_two"}
EVERYBODY = set(VISITORS)


class Row:
    """Who may use a route, and how it is asked."""

    def __init__(self, path: str, who: set[str], body: object = None) -> None:
        self.path = path
        self.who = who
        self.body = body


def rows_by_bot(path: str) -> list[Row]:
    """A route that shows what its `bot` asks for, and else everything."""
    return [Row(path, READING), Row(f"{path}?bot={MINE}", READING | OF_THE_BOT)]


TABLE: dict[tuple[str, str], list[Row]] = {
    ("GET", "/metrics"): [Row("/metrics", READING)],
    ("GET", "/healthz"): [Row("/healthz", EVERYBODY)],
    ("GET", "/readyz"): [Row("/readyz", EVERYBODY)],
    ("GET", "/"): [Row("/", EVERYBODY)],
    ("GET", "/page.js"): [Row("/page.js", EVERYBODY)],
    ("GET", "/page.css"): [Row("/page.css", EVERYBODY)],
    ("GET", "/openapi.json"): [Row("/openapi.json", EVERYBODY)],
    ("GET", "/bots"): [Row("/bots", READING)],
    ("GET", "/snapshot"): [Row("/snapshot", READING)],
    ("GET", "/bots/{bot}/snapshot"): [Row(f"/bots/{MINE}/snapshot", READING | OF_THE_BOT)],
    ("GET", "/stream"): rows_by_bot("/stream"),
    ("WS", "/stream"): rows_by_bot("/stream"),
    ("GET", "/activity/recent"): rows_by_bot("/activity/recent"),
    ("GET", "/activity/since"): rows_by_bot("/activity/since"),
    ("GET", "/activity/stream"): rows_by_bot("/activity/stream"),
    ("GET", "/activity/ai-decisions"): rows_by_bot("/activity/ai-decisions"),
    ("GET", "/activity/predictions"): rows_by_bot("/activity/predictions"),
    ("GET", "/activity/signals"): rows_by_bot("/activity/signals"),
    ("GET", "/resources"): rows_by_bot("/resources"),
    ("GET", "/audit"): [
        Row("/audit", OPERATING),
        Row(f"/audit?bot={MINE}", OPERATING | OF_THE_BOT),
        Row(f"/audit?bot={MINE}&bot={OTHER}", OPERATING | {"for_two"}),
        Row("/audit?bot=_sidecar", OPERATING),
    ],
    ("GET", "/bots/{bot}/mode"): [Row(f"/bots/{MINE}/mode", READING | OF_THE_BOT)],
    ("PUT", "/bots/{bot}/mode"): [
        *(Row(f"/bots/{MINE}/mode", OPERATING | OF_THE_BOT, {"mode": mode}) for mode in ("standby", "active")),
        Row(f"/bots/{MINE}/mode", TRADING | OF_THE_BOT, {"mode": "closing"}),
        Row(f"/bots/{HALTED}/mode", OPERATING, {"mode": "halted"}),
        *(Row(f"/bots/{HALTED}/mode", TRADING, {"mode": mode}) for mode in ("standby", "active", "closing")),
    ],
    ("GET", "/bots/{bot}/commands"): [Row(f"/bots/{MINE}/commands", READING | OF_THE_BOT)],
    ("POST", "/bots/{bot}/commands"): [
        *(Row(f"/bots/{MINE}/commands", OPERATING | OF_THE_BOT, body) for body in OPERATING_COMMANDS),
        *(Row(f"/bots/{MINE}/commands", TRADING | OF_THE_BOT, body) for body in TRADING_COMMANDS),
    ],
    ("GET", "/commands/{command_id}"): [
        Row("/commands/c1", READING | OF_THE_BOT),
        Row("/commands/none", READING),
    ],
    ("POST", "/bots/{bot}/process/{action}"): [
        *(Row(f"/bots/{MINE}/process/{act}", OPERATING | OF_THE_BOT, REASON) for act in ("start", "stop", "restart")),
    ],
    ("POST", "/bots/{bot}/process/kill"): [Row(f"/bots/{MINE}/process/kill", TRADING | OF_THE_BOT, REASON)],
    ("GET", "/bots/{bot}/process"): [Row(f"/bots/{MINE}/process", READING | OF_THE_BOT)],
    ("GET", "/bots/{bot}/logs"): [Row(f"/bots/{MINE}/logs", OPERATING | OF_THE_BOT)],
}
"""Route → who may, by what they ask for there. With other people's bots and what needs `trade`: as the rows say."""

CASES = [(method, row, visitor) for (method, _), rows in TABLE.items() for row in rows for visitor in VISITORS]


def routes() -> set[tuple[str, str]]:
    """Method and path of every route of the app; what a router holds is not always among the app's own."""
    own = create(Settings(home=Path("unused"))).routes
    found = set()
    for route in [*own, *(route for router in ROUTERS for route in router.routes)]:
        if isinstance(route, APIWebSocketRoute):
            found.add(("WS", route.path))
        elif isinstance(route, Route):
            found |= {(method, route.path) for method in (route.methods or {"ANY"}) - {"HEAD"}}
    return found


def test_each_route_is_in_the_table_and_no_other() -> None:
    assert set(TABLE) == routes()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """A sidecar that listens beyond this machine: every request needs a token."""
    home: Path = tmp_path_factory.mktemp("home")
    file = TokenFile(home)
    for one in TOKENS:
        file.add(one)
    file.revoke("revoked")
    for bot, mode in ((MINE, Mode.STANDBY), (OTHER, Mode.STANDBY), (HALTED, Mode.HALTED)):
        write(home, [BotStarted(pid=1, host="h", mode=mode), ModeChanged(mode=mode)], bot=bot)
    accepted = CommandAccepted(command_id="c1", command="ping", params={}, actor="both", expires_ts=1)
    write(home, [accepted], bot=MINE, writer=names.CONTROL)
    refusals.FIRST_SECONDS, before = 0.0, refusals.FIRST_SECONDS
    async with serving(home, host="0.0.0.0") as running:
        yield await running.caught_up()
    refusals.FIRST_SECONDS = before


def header(visitor: str) -> dict[str, str]:
    return {} if visitor == "none" else {"authorization": f"Bearer {visitor * 9}"}


async def status_of(desk: Desk, method: str, row: Row, visitor: str) -> tuple[int, bytes]:
    """What the visitor gets. Streams are opened, and left again."""
    if method == "WS" or row.path.partition("?")[0] in ("/stream", "/activity/stream"):
        async with connected(desk, "websocket" if method == "WS" else "http", row.path, **header(visitor)) as one:
            first = await one.message()
            if method == "WS":
                return (200 if first["type"] == "websocket.accept" else 403), b""
            return first["status"], (await one.message())["body"]
    answer: httpx.Response = await desk.ask(method, row.path, row.body, **header(visitor))
    return answer.status_code, answer.content


def expected(method: str, row: Row, visitor: str) -> set[int]:
    """The statuses that are right. Admitted to is what may still be missing: a process, a command."""
    if visitor in row.who:
        return {200, 202, 404, 409}
    if method == "WS":
        return {403}
    return {401} if visitor in ("none", "wrong", "expired", "revoked") else {403}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "row", "visitor"), CASES, ids=[f"{m} {r.path} {v}" for m, r, v in CASES])
async def test_a_route_admits_whom_the_table_names_and_nobody_else(
    method: str, row: Row, visitor: str, desk: Desk
) -> None:
    status, body = await status_of(desk, method, row, visitor)
    assert status in expected(method, row, visitor), body
    if visitor == "for_the_bot" and visitor in row.who and row.who != EVERYBODY:
        assert OTHER.encode() not in body


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "path"), sorted(routes()))
async def test_a_token_for_one_bot_never_sees_another(method: str, path: str, desk: Desk) -> None:
    """Whatever of the path and the query names a bot."""
    path = path.replace("{bot}", OTHER).replace("{command_id}", "c1").replace("{action}", "stop")
    for query in ("", f"?bot={OTHER}", f"?bot={MINE}&bot={OTHER}", "?bot="):
        status, body = await status_of(desk, method, Row(path + query, set(), {}), "for_the_bot")
        assert status >= 400 or OTHER.encode() not in body, (query, body)
