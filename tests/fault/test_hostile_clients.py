"""Slow, huge, malformed and unauthenticated clients leave the bots' data flowing, and the operator in command.

A recorder emits all the while. After each attack its events must have arrived, `/healthz` and a halt with the right
token must have been answered in time during it, and the sidecar must be the same process as before.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests import soak
from tests.fault import hostile
from tests.fault.attacked import Desk, attacked
from tests.fault.hostile import crowd, drip, exchange, head, pour
from tests.waiting import eventually

HOST = {"Host": "127.0.0.1"}
ROUNDS = soak.count(1, 5)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with attacked(tmp_path_factory.mktemp("hostile") / "home") as one:
        yield one


def operator(desk: Desk) -> dict[str, str]:
    return {**HOST, "Authorization": f"Bearer {desk.http.token}"}


def test_clients_that_send_a_byte_at_a_time_are_ended_within_seconds(desk: Desk) -> None:
    endless_head = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X-A: b\r\n" * 1000
    with ThreadPoolExecutor(40) as pool:
        borne = [pool.submit(drip, desk.port, endless_head, 15.0) for _ in range(30)]
        desk.in_command()
        assert max(one.result() for one in borne) < 10
    assert desk.turned_away("slow") >= 30


def test_bodies_that_never_come_are_not_waited_for(desk: Desk) -> None:
    first = head("POST", "/bots/arb-1/commands", Content_Length="1000", **operator(desk))
    with crowd(desk.port, 20, first) as found:
        desk.in_command()
        eventually(lambda: hostile.still_open(found) == 0, 20)


@pytest.mark.parametrize("who", ["a stranger", "the operator"])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_of_a_hundred_megabytes_is_refused_before_it_is_sent(who: str, framing: str, desk: Desk) -> None:
    how = {"Content_Length": str(hostile.HUNDRED_MB)} if framing == "length" else {"Transfer_Encoding": "chunked"}
    first = head("POST", "/bots/arb-1/commands", **(operator(desk) if who == "the operator" else HOST), **how)
    sent, _ = pour(desk.port, first, hostile.HUNDRED_MB)
    assert sent < hostile.HUNDRED_MB / 4
    desk.in_command()


def test_a_thousand_silent_connections_keep_nobody_out(desk: Desk) -> None:
    for _ in range(ROUNDS):
        with crowd(desk.port, 1000):
            desk.in_command()
    assert desk.turned_away("silent") > 0


def test_a_thousand_open_requests_of_strangers_keep_no_operator_out(desk: Desk) -> None:
    """Each holds its connection with a stream or a body to come, so that none of them is silent."""
    stream = head("GET", "/stream", **HOST)
    with crowd(desk.port, 1000, stream):
        desk.in_command()
    eventually(lambda: desk.http.try_get("/healthz"))


def test_a_flood_of_wrong_tokens_slows_no_right_one_and_does_not_fill_the_journal(desk: Desk) -> None:
    control = desk.http.home / "journal" / "_sidecar" / "control"

    def size() -> int:
        return sum(file.stat().st_size for file in control.glob("*.ndjson"))

    before = size() if control.exists() else 0
    wrong = head("GET", "/bots", Host="127.0.0.1", Authorization="Bearer wrong", Connection="close")
    with ThreadPoolExecutor(40) as pool:
        answers = [pool.submit(exchange, desk.port, wrong) for _ in range(150)]
        desk.in_command()
        statuses = {one.result()[9:12] for one in answers}
    assert statuses <= {b"401", b"429", b""}
    assert b"401" in statuses or b"429" in statuses
    assert size() - before < 20_000
    assert "sign_in_refused" in "".join(file.read_text() for file in control.glob("*.ndjson"))


MALFORMED = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "random": os.urandom(4000),
    "newlines": b"\r\n" * 5000,
    "an endless line": b"GET /" + b"a" * 70_000,
    "an endless header": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: " + b"b" * 70_000,
    "many headers": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"A: b\r\n" * 20_000,
    "two lengths": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "length and chunks": (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a negative length": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    "an enormous length": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "a bad chunk": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a NUL": b"GET /\x00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no host": b"GET /bots HTTP/1.1\r\n\r\n",
    "a proxy's request": b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "bad percent": b"GET /%zz%ff%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "not ASCII": b"GET /\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a header in latin": b"GET /bots HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
    "an upgrade to nothing": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_good_request_is_no_fault_of_ours(data: bytes, desk: Desk) -> None:
    said = exchange(desk.port, data, 0.5)
    assert not said.startswith(b"HTTP/1.1 5"), said
    desk.in_command()


def test_other_hosts_and_origins_read_nothing(desk: Desk) -> None:
    for path in ("/bots", "/metrics", "/stream", "/activity/recent"):
        status, _, body = desk.http.request("GET", path, Host="evil.example")
        assert (status, b"arb-1" in body) == (421, False)
        status, headers, body = desk.http.request("GET", path, Origin="http://evil.example")
        assert (status, b"arb-1" in body) == (403, False)
        assert not any(name.lower().startswith("access-control") for name in headers)


TRICKS = [
    "..",
    "../arb-1",
    "..%2farb-1",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%5c..%5c",
    "arb-1%00",
    "arb-1/../arb-1",
    "%c0%ae%c0%ae",
    "a" * 900,
    "%0d%0aSet-Cookie:%20a=b",
    "<script>alert(1)</script>",
    "%1b%5b31m",
    "_sidecar",
    "%EF%BC%8E%EF%BC%8E",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_tricks_in_a_bots_name_find_no_bot(trick: str, desk: Desk) -> None:
    before = sorted(path.name for path in (desk.http.home / "journal").iterdir())
    for method, rest, body in (
        ("GET", "snapshot", b""),
        ("PUT", "mode", b'{"mode":"active"}'),
        ("POST", "commands", b'{"type":"ping"}'),
        ("GET", "logs", b""),
    ):
        extra = {"Content_Type": "application/json", "Content_Length": str(len(body)), "Connection": "close"}
        said = exchange(desk.port, head(method, f"/bots/{trick}/{rest}", **operator(desk), **extra) + body, 30.0)
        assert said[9:10] == b"4", said[:300]
        assert b"Set-Cookie" not in said.partition(b"\r\n\r\n")[0]
    assert sorted(path.name for path in (desk.http.home / "journal").iterdir()) == before


NASTY = [
    "<img src=x onerror=alert(1)>",
    "\x1b]0;owned\x07\x1b[2J",
    "\u202egnp.exe",
    "{{7*7}}",
    "'; DROP TABLE--",
    "\x00",
]


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_html_and_escape_codes_in_any_text_stay_text(text: str, desk: Desk) -> None:
    bodies: list[tuple[str, str, Any]] = [
        ("PUT", "/bots/arb-1/mode", {"mode": "halted", "reason": text}),
        ("POST", "/bots/arb-1/commands", {"type": "ping", "reason": text}),
        ("POST", "/bots/arb-1/commands", {"type": text}),
        ("POST", "/bots/arb-1/commands", {"type": "close_position", "params": {"symbol": text}, "reason": text}),
        ("PUT", "/bots/arb-1/mode", {"mode": text}),
        ("PUT", "/bots/arb-1/mode", {text: text}),
    ]
    for method, path, body in bodies:
        status, headers, answer = desk.http.request(method, path, body, token=desk.http.token)
        assert status in (202, 422), answer
        assert headers["content-type"].split(";")[0] in ("application/json", "application/problem+json")
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        json.loads(answer)
        assert b"\x1b" not in answer
    desk.in_command()


def test_a_reader_that_never_reads_is_let_go(desk: Desk) -> None:
    with crowd(desk.port, 10, head("GET", "/metrics", **HOST) * 40):
        began = time.monotonic()
        while time.monotonic() - began < 3:
            desk.in_command()
