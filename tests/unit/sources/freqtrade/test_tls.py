"""freqtrade behind TLS, with a certificate of the owner's own."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.errors import Unreachable
from deskwatch.sources.freqtrade.stream import Reconnected, messages
from tests.unit.sources.freqtrade.conftest import settings_for
from tests.unit.sources.freqtrade.stand_in import StandIn


@pytest.fixture
def certificate(tmp_path: Path, freqtrade: StandIn) -> Path:
    """Of this machine; freqtrade has it from now on."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    argv += ["-days", "1", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*argv, "-out", str(cert), "-keyout", str(key)], check=True, capture_output=True)
    freqtrade.away()
    freqtrade.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    freqtrade.tls.load_cert_chain(cert, key)
    freqtrade.back()
    return cert


async def test_a_certificate_of_ones_own_is_trusted_where_it_is_named(freqtrade, certificate, password_file, health):
    """For REST and for the WebSocket."""
    async with Client(settings_for(freqtrade, password_file, ca_file=certificate), health) as client:
        assert await client.get("status") == []
        async with contextlib.aclosing(messages(client)) as said, asyncio.timeout(20):
            assert await anext(said) == Reconnected()


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(freqtrade, certificate, password_file, health):
    """No password goes there."""
    async with Client(settings_for(freqtrade, password_file), health) as client:
        with pytest.raises(Unreachable, match="certificate") as unreachable:
            await client.get("status")
    assert unreachable.value.reason == "tls"
    assert freqtrade.asked == []


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_ca_file_that_cannot_be_used_is_said(freqtrade, certificate, password_file, health, tmp_path, content):
    """Before anything is asked."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(Unreachable, match="expected certificates in"):
        async with Client(settings_for(freqtrade, password_file, ca_file=file), health):
            pass
