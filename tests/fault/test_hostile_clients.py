"""Slow, huge, malformed and unauthenticated clients leave the bots' data flowing, and the operator in command.

A recorder emits all the while. After each attack its events must have arrived, `/healthz` and a halt with the right
token must have been answered in time during it, and the sidecar must be the same process as before.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import pytest

from deskwatch import Mode, Recorder
from deskwatch.events import LogRecorded
from deskwatch.tokens import Token, TokenFile, digest
from tests import soak
from tests.fault import hostile
from tests.fault.hostile import crowd, drip, exchange, head, pour, timed
from tests.running import Http, free_port, sidecar
from tests.waiting import eventually

IN_TIME = 3.0
"""Seconds, on a machine whose cores others use, too."""
HOST = {"Host": "127.0.0.1"}
ROUNDS = soak.count(1, 5)


class Bot:
    """A recorder in a thread, emitting 100 events a second."""

    def __init__(self, home: Path) -> None:
        self._stop = threading.Event()
        self._recorder = Recorder.open("arb-1", home=home, mode=Mode.ACTIVE)
        self.emitted = 0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._recorder.close()

    def _run(self) -> None:
        while not self._stop.wait(0.01):
            self._recorder.emit(LogRecorded(levelname="INFO", name="bot", message=f"event {self.emitted}"))
            self.emitted += 1


class Desk:
    """A sidecar under attack, and its operator."""

    def __init__(self, http: Http, port: int, bot: Bot) -> None:
        self.http = http
        self.port = port
        self.bot = bot

    def counted(self) -> int:
        """Events of the bot that the sidecar has counted, as an operator reads it."""
        status, _, body = self.http.request("GET", "/metrics", token=self.http.token)
        assert status == 200, body
        for line in body.decode().splitlines():
            if line.startswith("deskwatch_events_total{") and 'bot="arb-1"' in line and 'type="log_recorded"' in line:
                return int(float(line.rpartition(" ")[2]))
        return 0

    def in_command(self) -> None:
        """The operator halts the bot, health is answered, and what the bot said until now has arrived."""
        body = {"mode": "halted", "reason": "under attack"}

        def halt() -> None:
            status, _, answer = self.http.request("PUT", "/bots/arb-1/mode", body, token=self.http.token)
            assert status == 202, answer

        assert timed(halt) < IN_TIME
        assert timed(lambda: self.http.request("GET", "/healthz")) < IN_TIME
        emitted = self.bot.emitted
        eventually(lambda: self.counted() >= emitted, IN_TIME + 2)

    def turned_away(self, reason: str) -> float:
        text = self.http.request("GET", "/metrics", token=self.http.token)[2].decode()
        name = f'deskwatch_http_connections_refused_total{{reason="{reason}"}} '
        return next((float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name)), 0.0)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("hostile") / "home"
    port = free_port()
    home.mkdir(mode=0o700)
    TokenFile(home).add(Token(name="day", hash=digest("d" * 40), scopes=frozenset({"read"})))
    with Bot(home) as bot, sidecar(home, port=port) as http:
        eventually(lambda: http.try_get("/bots/arb-1/snapshot"), 10)
        one = Desk(http, port, bot)
        one.in_command()
        yield one
        one.in_command()
        log = (home / "sidecar.out").read_text().splitlines()
        told = [line for line in log if "Traceback" in line]
        assert not told, told
        assert len(log) < 200, "the log was flooded"


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
    eventually(lambda: desk.http.try_get("/healthz"), 10)


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


OPENING = (
    b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
)
KEY = b"Sec-WebSocket-Key: " + base64.b64encode(bytes(16)) + b"\r\n"
FRAMES = {
    "unmasked": b"\x81\x05hello",
    "a reserved opcode": b"\x83\x80\x00\x00\x00\x00",
    "reserved bits": b"\xf1\x80\x00\x00\x00\x00",
    "a length of 2^63": b"\x81\xff" + b"\x7f" + b"\xff" * 7 + bytes(4),
    "a frame of 100 MB": b"\x81\xff" + (100_000_000).to_bytes(8, "big") + bytes(100_000),
    "a long ping": b"\x89\xfe\x01\x00" + bytes(260),
    "a ping in pieces": b"\x09\x80\x00\x00\x00\x00",
    "a rest of nothing": b"\x80\x80\x00\x00\x00\x00",
    "no UTF-8": b"\x81\x82\x00\x00\x00\x00\xff\xfe",
    "a close of one byte": b"\x88\x81\x00\x00\x00\x00\x03",
    "random": os.urandom(2000),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_a_bad_frame_ends_its_websocket_and_nothing_else(frame: bytes, desk: Desk) -> None:
    with hostile.connection(desk.port) as one:
        one.sendall(OPENING + KEY + b"\r\n")
        assert one.recv(12) == b"HTTP/1.1 101"
        with contextlib.suppress(OSError):
            one.sendall(frame)
        assert hostile.until_closed(one, 5)
    desk.in_command()


UNREADABLE = (
    KEY + b"".join(b"X-%d: 1\r\n" % number for number in range(140)),
    KEY + b"X-Long: " + b"y" * 9000 + b"\r\n",
)
"""Within the limits of HTTP, and beyond those of the WebSocket's own parser."""


@pytest.mark.parametrize(
    "more",
    [
        b"",
        b"Sec-WebSocket-Key: short\r\n",
        KEY + KEY,
        KEY + b"Origin: http://evil.example\r\n",
        KEY + b"Origin: null\r\n",
        *UNREADABLE,
    ],
    ids=["no key", "a short key", "two keys", "another origin", "no origin", "many fields", "a long field"],
)
def test_a_bad_handshake_opens_nothing_and_is_ended(more: bytes, desk: Desk) -> None:
    with hostile.connection(desk.port) as one:
        one.sendall(OPENING + more + b"\r\n")
        with contextlib.suppress(ConnectionResetError):
            said = one.recv(65536)
            assert not said.startswith((b"HTTP/1.1 101", b"HTTP/1.1 5")), said[:200]
        assert hostile.until_closed(one, 5)
    desk.in_command()


def test_handshakes_that_nobody_can_read_take_no_place_from_the_operator(desk: Desk) -> None:
    """One after the other, so that each is handed over before the next one comes."""
    with contextlib.ExitStack() as stack:
        held = []
        for _ in range(500):
            one = stack.enter_context(hostile.connection(desk.port))
            with contextlib.suppress(OSError):
                one.sendall(OPENING + KEY + UNREADABLE[0] + b"\r\n")
                held.append(one)
                one.settimeout(0.005)
                one.recv(1)
        desk.in_command()
        assert hostile.still_open(held) < 10


def test_frames_before_the_answer_end_the_websocket(desk: Desk) -> None:
    """A wrong token is held up; what comes meanwhile is no client's of ours, and must not fill the log."""
    wrong = b"Authorization: Bearer " + b"w" * 40 + b"\r\n\r\n"
    for frame in (b"\x81\xfe\xff\xff" + bytes(70_000), b"\xff" * 100, b"\x89\x80\x00\x00\x00\x00"):
        with hostile.connection(desk.port) as one:
            one.sendall(OPENING + KEY + wrong)
            with contextlib.suppress(OSError):
                time.sleep(0.01)  # if the answer was quicker, it ends all the same
                one.sendall(frame)
            assert hostile.until_closed(one, 5)
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
        said = exchange(desk.port, head(method, f"/bots/{trick}/{rest}", **operator(desk), **extra) + body)
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
