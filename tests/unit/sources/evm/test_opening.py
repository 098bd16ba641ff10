"""Endpoints out of settings: where their URLs are, what certificates are checked by, who is asked without a proxy."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from deskwatch.errors import ConfigError
from deskwatch.sources.evm import open_source, opening
from deskwatch.sources.evm.local import is_local
from tests.unit.sources.evm.asking import settings

URL = "http://127.0.0.1:8545"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.0.0.7", True),
        ("localhost", True),
        ("geth", True),
        ("1.1.1.1", False),
        ("node.example", False),
    ],
)
def test_hosts_of_this_machine_and_its_network_are_local(host: str, local: bool) -> None:
    assert is_local(host) is local


async def test_a_proxy_of_the_environment_is_asked_for_hosts_elsewhere_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    urls = [URL, "http://[::1]:8545", "https://node.example/key"]
    told = settings(*urls)
    async with opening.client(told, urls, opening.tls(told)) as http:
        direct = [http._transport_for_url(httpx.URL(url)) for url in urls]
        assert [type(vars(transport)["_pool"]).__name__ for transport in direct] == [
            "AsyncConnectionPool",
            "AsyncConnectionPool",
            "AsyncHTTPProxy",
        ]


def test_a_file_of_endpoints_is_checked_as_the_settings_are(tmp_path: Path) -> None:
    path = tmp_path / "urls"
    path.write_text(f"{URL}\nnode.example/key-0123456789\n")
    with pytest.raises(ConfigError, match="endpoint 2: expected an endpoint's URL") as told:
        open_source(settings(urls_file=path))
    assert "key-" not in str(told.value)
    path.write_text("http://user:password@node.example/\n")
    assert opening.urls(settings(urls_file=path)) == ["http://user:password@node.example/"]


def test_a_websocket_is_read_from_its_place_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ws"
    path.write_text("wss://node.example/key\n")
    assert opening.websocket_url(settings(URL, ws_url_file=path)) == "wss://node.example/key"
    monkeypatch.setenv("NODE_WS", "https://node.example/key")
    with pytest.raises(ConfigError, match="ws_url: expected an endpoint's URL that begins with ws:// or wss://"):
        open_source(settings(URL, ws_url_env="NODE_WS"))


async def test_a_file_that_holds_no_certificates_is_said(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    for write in (lambda: None, lambda: path.write_text("no certificate")):
        write()
        with pytest.raises(ConfigError, match=r"expected PEM certificates in ca_file .*ca\.pem"):
            opening.tls(settings(URL, ca_file=path))
        (finding,) = [one async for one in open_source(settings(URL, ca_file=path)).examine()]
        assert finding.ok is False
