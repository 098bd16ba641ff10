"""A Loki to ship to: the fake, or a real one, behind the same two questions."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import yaml

from tests import running
from tests.fakes import loki as fake
from tests.servers import require
from tests.waiting import eventually

PAGE = 4000


class Loki(Protocol):
    """What a shipping test asks of a Loki."""

    @property
    def url(self) -> str: ...

    def lines(self, bot: str) -> list[str]:
        """Every line stored for a bot, repeats included."""


class Fake:
    """The fake's answers."""

    def __init__(self, server: fake.FakeLoki) -> None:
        self.server = server
        self.url = server.url

    def lines(self, bot: str) -> list[str]:
        return [line for _, line in self.server.entries(service_name="deskwatch", bot=bot)]


class Real:
    """A real Loki's answers, by its query API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def lines(self, bot: str) -> list[str]:
        found: list[str] = []
        start, end = time.time_ns() - 3600 * 10**9, time.time_ns() + 60 * 10**9
        selector = f'{{service_name="deskwatch", bot="{bot}"}}'
        while True:
            query = {"query": selector, "start": start, "end": end, "limit": PAGE, "direction": "forward"}
            url = f"{self.url}/loki/api/v1/query_range?{urllib.parse.urlencode(query)}"
            with urllib.request.urlopen(url, timeout=20) as answer:
                streams = json.load(answer)["data"]["result"]
            page = sorted((int(ts), line) for stream in streams for ts, line in stream["values"])
            found += [line for _, line in page]
            if len(page) < PAGE:
                return found
            start = page[-1][0] + 1  # a writer's times are strictly increasing, and a test has one writer


@contextlib.contextmanager
def running_fake(_: Path) -> Iterator[Loki]:
    """The fake."""
    with fake.running() as server:
        yield Fake(server)


@contextlib.contextmanager
def running_real(folder: Path, port: int | None = None, ruler: dict[str, Any] | None = None) -> Iterator[Loki]:
    """A real Loki with the repository's configuration, but for its folders and ports.

    Args:
        folder: Where it keeps what it stores, and its log.
        port: Where it listens; without one on a free one.
        ruler: What differs from the configuration's `ruler`; without it no rules are read.
    """
    binary = require("loki")
    port = port or running.free_port()
    config = yaml.safe_load((running.ROOT / "loki" / "loki.yml").read_text())
    config["server"] |= {
        "http_listen_address": "127.0.0.1",
        "http_listen_port": port,
        "grpc_listen_address": "127.0.0.1",
        "grpc_listen_port": running.free_port(),
    }
    config = json.loads(json.dumps(config).replace("/loki/", f"{folder}/loki/").replace('"/loki"', f'"{folder}/loki"'))
    rules = config.pop("ruler")
    if ruler is not None:
        config["ruler"] = rules | ruler
    path = folder / "loki.yml"
    path.write_text(yaml.safe_dump(config))
    with running.process([binary, f"-config.file={path}"], folder / "loki.out", cwd=folder):
        url = f"http://127.0.0.1:{port}"

        def ready() -> bool:
            try:
                with urllib.request.urlopen(f"{url}/ready", timeout=2) as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        eventually(ready, 60, every=0.3)
        yield Real(url)
