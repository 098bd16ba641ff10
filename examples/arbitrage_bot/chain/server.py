"""HTTP in front of the JSON-RPC: one thread a connection, kept alive, on loopback only unless told otherwise."""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from arbitrage_bot.chain.rpc import Rpc

MAX_BODY_BYTES = 1_000_000
"""Longer requests are refused."""
IDLE_SECONDS = 120.0
"""A connection that says nothing for so long is closed."""


class RpcServer(ThreadingHTTPServer):
    """An HTTP server that answers POSTs with an `Rpc`. Binding happens here; `serve_forever` serves."""

    daemon_threads = True

    def __init__(self, host: str, port: int, rpc: Rpc) -> None:
        self.rpc = rpc
        super().__init__((host, port), _Connection)

    @property
    def url(self) -> str:
        """Where clients find it."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write an answer: unbuffered writes cost 137 ms each through delayed acknowledgements
    timeout = IDLE_SECONDS
    server: RpcServer

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_POST(self) -> None:
        """Answer one JSON-RPC request or batch."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True
            return self._send(411, b"")
        if int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            return self._send(413, b"")
        answer = self.server.rpc.answer(self.rfile.read(int(length)))
        return self._send(200 if answer else 204, answer)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Requests are not logged: the bot journals them with their latency."""
