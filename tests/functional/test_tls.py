"""A real sidecar over TLS."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.running import free_port, process
from tests.waiting import eventually, patience


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for this machine that only this test trusts, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    argv += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*argv, "-out", str(cert), "-keyout", str(key)], check=True, capture_output=True)
    return cert, key


def test_it_serves_by_tls_alone_and_gives_a_stalled_handshake_seconds(
    home: Path, tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    port = free_port()
    argv = [sys.executable, "-m", "deskwatch", "sidecar", "--home", str(home), "--port", str(port)]
    trusting = ssl.create_default_context(cafile=str(cert))

    def ready() -> object:
        try:
            with urllib.request.urlopen(f"https://127.0.0.1:{port}/readyz", timeout=5, context=trusting) as answer:
                return json.load(answer)
        except (OSError, urllib.error.URLError):
            return None

    with process([*argv, "--tls-cert", str(cert), "--tls-key", str(key)], tmp_path / "out"):
        eventually(ready, 20)
        with pytest.raises((OSError, urllib.error.URLError)):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5)
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=20 * patience()) as stalled:
            assert stalled.recv(1) == b""
        assert time.monotonic() - began < 15 * patience()
        assert ready()
