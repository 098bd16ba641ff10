"""Which web pages may talk to the sidecar, and what every answer says to a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.requests import HTTPConnection

from deskwatch.origin import parse
from deskwatch.sidecar.origins import origin_allowed
from tests.unit.sidecar.serving import connected, serving

SCOPE = {"type": "websocket", "scheme": "ws"}
OURS, ALLOWED = "http://127.0.0.1:9464", "https://desk.example"


@pytest.mark.parametrize(
    ("origin", "admitted"),
    [
        (None, True),
        (OURS, True),
        (ALLOWED, True),
        ("https://desk.example:443", True),
        ("HTTPS://DESK.EXAMPLE", True),
        ("http://desk.example", False),
        ("https://desk.example:444", False),
        ("https://desk.example.evil", False),
        ("https://a.desk.example", False),
        ("https://desk.example@evil.example", False),
        ("http://127.0.0.1:9465", False),
        ("https://127.0.0.1:9464", False),
        ("http://localhost:9464", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("http://[::1", False),
    ],
)
async def test_an_origin_is_compared_whole(origin: str | None, admitted: bool, home: Path) -> None:
    header = {} if origin is None else {"origin": origin}
    async with serving(home, allowed_origins=(ALLOWED,)) as desk:
        answer = await desk.ask("GET", "/bots", **header)
        assert answer.status_code == (200 if admitted else 403)
        crossing = answer.headers.get("access-control-allow-origin")
        is_elsewhere = admitted and origin is not None and parse(origin) == parse(ALLOWED)
        assert crossing == (origin if is_elsewhere else None)
        if is_elsewhere:
            assert origin_allowed(HTTPConnection({**SCOPE, "app": desk.app, "headers": [(b"origin", origin.encode())]}))  # type: ignore[union-attr]  # it is there
            return
        async with connected(desk, "websocket", "/stream", **header) as socket:
            assert (await socket.message())["type"] == ("websocket.accept" if admitted else "websocket.close")


async def test_a_preflight_is_answered_to_allowed_pages_alone(home: Path) -> None:
    async with serving(home, allowed_origins=(ALLOWED,)) as desk:
        asked = {"Access-Control-Request-Method": "PUT"}
        good = await desk.ask("OPTIONS", "/bots/arb-1/mode", origin=ALLOWED, **asked)
        assert good.status_code == 204
        assert "PUT" in good.headers["access-control-allow-methods"]
        assert "Authorization" in good.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in good.headers
        bad = await desk.ask("OPTIONS", "/bots/arb-1/mode", origin="https://evil.example", **asked)
        assert bad.status_code == 403
        assert not any(name.startswith("access-control") for name in bad.headers)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/bots"), ("GET", "/none"), ("PUT", "/bots/a/mode"), ("GET", "/")]
)
async def test_every_answer_tells_a_browser_to_run_nothing_of_it(method: str, path: str, home: Path) -> None:
    async with serving(home) as desk:
        headers = (await desk.ask(method, path)).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers.get_list("content-security-policy") == [headers["content-security-policy"]]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"


async def test_an_error_of_ours_says_so_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(home) as desk:
        with monkeypatch.context() as broken:
            broken.setattr(desk.parts.feed.projections, "state", None)
            answer = await desk.ask("GET", "/bots")
        assert answer.status_code == 500
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("path", "status"), [("/" + "a" * 1100, 414), ("/bots?" + "a" * 9000, 414), ("/activity/recent?symbol=b", 200)]
)
async def test_a_path_or_query_has_its_limit(path: str, status: int, home: Path) -> None:
    async with serving(home) as desk:
        assert (await desk.ask("GET", path)).status_code == status
