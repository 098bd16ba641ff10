"""Running the sidecar: its socket, its logs, its end."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from deskwatch.config import Settings
from deskwatch.errors import ConfigError
from deskwatch.sidecar import app, serve
from tests.unit.sidecar.serving import serving
from tests.waiting import eventually, eventually_async


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("uvicorn.access", "uvicorn.error", "urllib3")}
    root.handlers = []
    yield root
    root.handlers = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def test_logs_are_json_with_the_same_field_names_everywhere(
    root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    serve.set_up_logs()
    logging.getLogger("deskwatch.x").info("caught up", extra={"events": 3})
    (line,) = capsys.readouterr().err.splitlines()
    fields = json.loads(line)
    assert (fields["message"], fields["levelname"], fields["name"], fields["events"]) == (
        "caught up",
        "INFO",
        "deskwatch.x",
        3,
    )
    assert "timestamp" in fields


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("localhost", "127.0.0.1")])
def test_it_listens_where_it_is_told(host: str, family: str) -> None:
    try:
        listening = serve._listen(Settings(home=Path("h"), host=host, port=0))
    except Exception:
        if host == "::1":
            pytest.skip("no IPv6 here")
        raise
    with listening:
        assert listening.getsockname()[0] == family


async def test_one_sidecar_serves_a_home_at_a_time(home: Path) -> None:
    async with serving(home):
        with pytest.raises(ConfigError, match="only sidecar of"):
            app.lock_home(Settings(home=home))
        with pytest.raises(ConfigError):
            async with serving(home):
                pass
    os.close(app.lock_home(Settings(home=home)))


async def test_a_stop_ends_open_streams_first(home: Path) -> None:
    settings = Settings(home=home, port=0, with_parent=os.getppid())
    with serve._listen(settings) as listening:
        config = uvicorn.Config(app.create(settings), log_config=None, lifespan="on", timeout_graceful_shutdown=2)
        server = serve._Server(config)
        running = asyncio.create_task(serve._serve(server, listening, settings))
        await eventually_async(lambda: server.started)
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"200 OK" in await reader.readline()
        await asyncio.wait_for(reader.readuntil(b"snapshot"), 30)
        server.should_exit = True
        assert await asyncio.wait_for(running, 30) == 0
        assert (await reader.read()).endswith(b"0\r\n\r\n")
        writer.close()


class Server:
    should_exit = False


async def test_a_sidecar_whose_parent_is_gone_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "PARENT_SECONDS", 0.01)
    parents = iter([10, 10, 10, 1])
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    server: Any = Server()
    await asyncio.wait_for(serve._watch_parent(server, 10), 30)
    assert server.should_exit


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_whole_sidecar_starts_answers_and_ends_in_order(number: int, tmp_path: Path) -> None:
    home = tmp_path / "made" / "home"
    argv = [sys.executable, "-m", "deskwatch", "sidecar", "--home", str(home), "--port", "0", "--with-parent"]
    argv.append(str(os.getpid()))
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as child:
        try:
            assert child.stderr is not None
            listening = json.loads(child.stderr.readline())
            assert listening["home"] == str(home)

            def ready() -> bool:
                try:
                    with urllib.request.urlopen(listening["url"] + "/readyz", timeout=5) as answer:
                        return bool(answer.status == 200)
                except OSError:
                    return False

            eventually(ready, 60)
            child.send_signal(number)
            assert child.wait(60) in (0, -number)
        finally:
            child.kill()
    assert (home / "checkpoint.json").exists()
    assert home.stat().st_mode & 0o777 == 0o700
