"""One request to Loki, and what its answer means."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from deskwatch.events import BotStopped, LogRecorded
from deskwatch.sinks.loki import push as push_module
from deskwatch.sinks.loki.entries import as_entry
from deskwatch.sinks.loki.push import Push, encode
from tests.lines import START_NS, line_of

ENTRIES = [
    as_entry(line_of(BotStopped(reason="closed"), seq=1), "arb-1", "main"),
    as_entry(line_of(LogRecorded(message="é", levelname="INFO", name="n"), seq=2), "arb-1", "main"),
    as_entry(line_of(BotStopped(reason="closed"), seq=3), "arb-1", "main"),
]


class Server:
    """Answers every push alike, and keeps what it got."""

    def __init__(self) -> None:
        self.status = 204
        self.headers: dict[str, str] = {}
        self.body = b""
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.url = ""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that says what the test wants."""
    one = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            one.got.append((self.path, dict(self.headers), body))
            self.send_response(one.status)
            for name, value in {**one.headers, "Content-Length": str(len(one.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(one.body)

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.handle_error = lambda *_: None  # type: ignore[method-assign]  # words that nobody read to the end
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    one.url = f"http://127.0.0.1:{httpd.server_port}/"
    yield one
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def push(server: Server) -> Iterator[Push]:
    one = Push(server.url, "fund")
    yield one
    one.close()


def test_a_push_is_gzipped_json_grouped_by_stream_in_order(server: Server, push: Push) -> None:
    assert push.send(ENTRIES).outcome == "stored"
    ((path, headers, body),) = server.got
    assert path == "/loki/api/v1/push"
    assert (headers["Content-Type"], headers["Content-Encoding"]) == ("application/json", "gzip")
    assert headers["X-Scope-OrgID"] == "fund"
    streams: list[dict[str, Any]] = json.loads(gzip.decompress(body))["streams"]
    assert [stream["stream"]["kind"] for stream in streams] == ["lifecycle", "logs"]
    assert [row[0] for row in streams[0]["values"]] == [str(START_NS + 1), str(START_NS + 3)]
    assert streams[1]["values"] == [[str(START_NS + 2), ENTRIES[1].line, ENTRIES[1].metadata]]
    assert encode(ENTRIES) == body


def test_without_a_tenant_none_is_named(server: Server) -> None:
    push = Push(server.url)
    push.send(ENTRIES)
    push.close()
    assert "X-Scope-OrgID" not in server.got[0][1]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (204, "stored"),
        (200, "later"),
        (202, "later"),
        (260, "later"),
        (301, "later"),
        (401, "later"),
        (404, "later"),
        (400, "refused"),
        (413, "refused"),
        (422, "refused"),
        (429, "later"),
        (500, "later"),
        (503, "later"),
    ],
)
def test_only_204_means_stored_and_only_poison_is_refused(
    status: int, outcome: str, server: Server, push: Push
) -> None:
    server.status = status
    server.body = b"" if status == 204 else b"words \xff" * 20_000
    answer = push.send(ENTRIES)
    assert (answer.outcome, answer.reason) == (outcome, str(status))
    assert len(answer.detail) <= push_module.MAX_ANSWER_BYTES
    assert len(server.got) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("nan", 0.0),
        ("", 0.0),
        ("soon", 0.0),
        ("Wed, 21 Oct 2020 07:28:00 GMT", 0.0),
        ("{in two minutes}", 120.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str, seconds: float, server: Server, push: Push) -> None:
    header = header.replace("{in two minutes}", formatdate(time.time() + 120, usegmt=True))
    server.status, server.headers = 429, {"Retry-After": header}
    assert push.send(ENTRIES).retry_after == pytest.approx(seconds, abs=60 if seconds > 60 else 0)


def test_nobody_listening_is_trouble_for_later() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        push = Push(f"http://127.0.0.1:{unused.getsockname()[1]}")
        answer = push.send(ENTRIES)
        push.close()
    assert (answer.outcome, answer.reason) == ("later", "NewConnectionError")
    assert answer.detail


@pytest.mark.parametrize("hang_up", [True, False], ids=["hangs up", "never answers"])
def test_a_server_without_an_answer_is_trouble_for_later(hang_up: bool) -> None:
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(100)
                if not hang_up:
                    done.wait(5)

        thread = threading.Thread(target=serve)
        thread.start()
        push = Push(f"http://127.0.0.1:{listening.getsockname()[1]}", read_seconds=0.1)
        answer = push.send(ENTRIES)
        done.set()
        thread.join()
        push.close()
    assert (answer.outcome, answer.reason) == ("later", "ProtocolError" if hang_up else "ReadTimeoutError")


def test_a_url_that_is_none_is_trouble_for_later() -> None:
    push = Push("http://[half")
    assert push.send(ENTRIES).outcome == "later"
    push.close()
