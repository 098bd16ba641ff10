"""The HTTP server that fakes of services run on: a thread on loopback, with TLS where a certificate is given."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that gave up is no fault of the test's."""


@contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler],
    port: int,
    certificate: tuple[Path, Path] | None,
    closing: threading.Event,
) -> Iterator[str]:
    """Serve, and yield the base URL; `closing` is set at the end, for answers that wait.

    Args:
        handler: Answers requests.
        port: 0 for any free one.
        certificate: PEM files of a certificate and its key, for TLS.
        closing: What waits in the handler waits for this too.
    """
    server = _Server(("127.0.0.1", port), handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'http' if certificate is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
