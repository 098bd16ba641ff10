"""Real processes for functional tests: demo, sidecar, Prometheus. Each on loopback, each ended by its id."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deskwatch.events import Event
from deskwatch.journal import Follower, Record, read
from tests.servers import require
from tests.waiting import eventually, patience

ROOT = Path(__file__).parent.parent


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def process(argv: list[str], log: Path, *, stop_seconds: float = 20, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A child with its output in a file; asked to end at the exit, and killed if it doesn't."""
    with log.open("ab") as output:
        child = subprocess.Popen(argv, stdout=output, stderr=output, stdin=subprocess.DEVNULL, **more)
    try:
        yield child
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(stop_seconds * patience())
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _answer(request: urllib.request.Request) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(request, timeout=10 * patience()) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


class Http:
    """A sidecar as its users see it: by HTTP."""

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self.home = home

    @property
    def token(self) -> str:
        return (self.home / "token").read_text().strip()

    def request(
        self, method: str, path: str, body: object = None, *, token: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of an answer, whatever the status.

        Raises:
            OSError: There is no answer, or it was cut off.
        """
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            return _answer(request)
        except http.client.HTTPException as error:  # whoever answered was killed meanwhile
            raise ConnectionResetError(f"the answer was cut off: {error!r}") from error

    def get(self, path: str) -> Any:
        status, _, body = self.request("GET", path, token=self.token)
        assert status == 200, (status, body)
        return json.loads(body)

    def try_get(self, path: str) -> Any:
        """The JSON at a path, or None while there is no good answer."""
        try:
            status, _, body = self.request("GET", path)
        except (OSError, FileNotFoundError):
            return None
        return json.loads(body) if status == 200 else None

    def metrics(self) -> str:
        status, _, body = self.request("GET", "/metrics")
        assert status == 200, body
        return body.decode()

    def bot(self, name: str = "arb-1") -> Any:
        return self.get(f"/bots/{name}/snapshot")["bot"]

    def set_mode(self, mode: str, name: str = "arb-1") -> str:
        """Ask for a mode and wait until the bot confirmed it; its command's id."""
        status, _, body = self.request(
            "PUT", f"/bots/{name}/mode", {"mode": mode, "reason": "a test"}, token=self.token
        )
        assert status == 202, body
        command: str = json.loads(body)["id"]
        return self.finish(command)

    def command(self, kind: str, params: object = None, name: str = "arb-1") -> str:
        """Give a command and wait until the bot finished it; its id."""
        body = {"type": kind, "params": params or {}}
        status, _, answer = self.request("POST", f"/bots/{name}/commands", body, token=self.token)
        assert status == 202, answer
        command: str = json.loads(answer)["id"]
        return self.finish(command)

    def finish(self, command: str) -> str:
        done = eventually(
            lambda: (one := self.get(f"/commands/{command}"))["status"] not in ("accepted", "running") and one, 30
        )
        assert done["status"] == "succeeded", done
        return command


class Demo(Http):
    """A running `deskwatch demo`."""

    def __init__(self, home: Path, port: int, child: subprocess.Popen[bytes], output: Path) -> None:
        super().__init__(f"http://127.0.0.1:{port}", home)
        self.child = child
        self.output = output
        self.port = port

    def deployment(self) -> dict[str, Any]:
        """The chain's ready file."""
        found: dict[str, Any] = json.loads((self.home / "demo-chain.json").read_text())
        return found

    def sidecar_pid(self) -> int:
        """Process id of the demo's sidecar."""
        match = re.search(
            r"^(\d+)$",
            subprocess.run(
                ["pgrep", "-f", f"deskwatch sidecar .*--home {self.home} "], capture_output=True, text=True, check=True
            ).stdout,
            re.MULTILINE,
        )
        assert match is not None
        return int(match[1])


@contextlib.contextmanager
def demo(folder: Path, *flags: str, seed: int = 7) -> Iterator[Demo]:
    """`deskwatch demo` in a home of its own, ready to be asked."""
    port = free_port()
    home, output = folder / "home", folder / "demo.out"
    argv = [sys.executable, "-m", "deskwatch", "demo", "--home", str(home), "--port", str(port), "--seed", str(seed)]
    with process([*argv, *flags], output, cwd=folder, stop_seconds=40) as child:
        running = Demo(home, port, child, output)
        try:
            eventually(lambda: "Ctrl-C stops" in output.read_text() or child.poll() is not None, 90)
            assert child.poll() is None, output.read_text()
            eventually(lambda: running.try_get("/bots/arb-1/snapshot"), 30)
            yield running
        except BaseException:
            for log in sorted((home / "logs").glob("*.log")):
                print(f"--- {log.name}\n{log.read_text()[-2000:]}")
            raise


@contextlib.contextmanager
def sidecar(home: Path, *flags: str, port: int | None = None) -> Iterator[Http]:
    """`deskwatch sidecar` on a home, ready."""
    port = port or free_port()
    argv = [sys.executable, "-m", "deskwatch", "sidecar", "--home", str(home), "--port", str(port), *flags]
    home.mkdir(exist_ok=True)
    log = home / "sidecar.out"
    with process(argv, log):
        http = Http(f"http://127.0.0.1:{port}", home)
        eventually(lambda: http.try_get("/readyz"), 20)
        yield http


class Prometheus:
    """A real Prometheus."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, **parameters: object) -> Any:
        """The data of an API's answer."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=10 * patience()) as answer:
            return json.load(answer)["data"]

    def query(self, promql: str) -> list[dict[str, Any]]:
        """An instant query's result."""
        result: list[dict[str, Any]] = self.ask("query", query=promql)["result"]
        return result

    def value(self, promql: str) -> float | None:
        """The value of a query with one series, None where it has none."""
        result = self.query(promql)
        assert len(result) <= 1, result
        return float(result[0]["value"][1]) if result else None


@contextlib.contextmanager
def prometheus(
    folder: Path,
    target_port: int | None = None,
    *flags: str,
    scrape_seconds: float = 1,
    as_text: bool = False,
    rules: Path | None = None,
    others: Mapping[str, str] | None = None,
) -> Iterator[Prometheus]:
    """A Prometheus that scrapes one sidecar, as OpenMetrics.

    Args:
        folder: Gets its configuration, data and output.
        target_port: The sidecar's; None where there is none, and it scrapes itself.
        flags: More of its own.
        scrape_seconds: Between scrapes, and between two looks at the rules.
        as_text: Whether it scrapes the sidecar as text too, in a job `text`.
        rules: Files of rules, a pattern.
        others: Job → `host:port` of what else it scrapes, beside itself; None for neither.
    """
    binary = require("prometheus")
    port = free_port()
    jobs: list[dict[str, Any]] = [{"job_name": "deskwatch", **_static(f"127.0.0.1:{target_port or port}")}]
    if as_text:
        jobs.append(jobs[0] | {"job_name": "text", "scrape_protocols": ["PrometheusText0.0.4"]})
    if others is not None:
        own = {"prometheus": f"127.0.0.1:{port}", **others}
        jobs += [{"job_name": name, **_static(target)} for name, target in own.items()]
    every = f"{scrape_seconds}s"
    config: dict[str, Any] = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(rules)] if rules else [],
        "scrape_configs": jobs,
    }
    path = folder / "prometheus.yml"
    path.write_text(json.dumps(config))  # which is YAML
    argv = [binary, f"--config.file={path}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    argv += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn", *flags]
    with process(argv, folder / "prometheus.out"):
        running = Prometheus(f"http://127.0.0.1:{port}")

        def up() -> bool:
            try:
                return running.value("min(up)") == 1 and running.value("count(up)") == len(jobs)
            except OSError:
                return False

        eventually(up, 30, every=0.2)
        yield running


def _static(target: str) -> dict[str, Any]:
    return {"static_configs": [{"targets": [target]}]}


def journal_lines(home: Path) -> dict[tuple[str, str], list[bytes]]:
    """Every line of every writer of a home."""
    follower = Follower(home).open()
    follower.discover()
    found: dict[tuple[str, str], list[bytes]] = {}
    try:
        while batches := list(follower.read()):
            for batch in batches:
                found.setdefault((batch.bot, batch.writer), []).extend(batch.lines)
    finally:
        follower.close()
    return found


def records(home: Path, bot: str = "arb-1", writer: str = "main") -> list[Record]:
    """Every record of one writer."""
    return [read(line, bot, writer) for line in journal_lines(home).get((bot, writer), [])]


def events(home: Path, kind: type[Event], bot: str = "arb-1") -> list[Any]:
    """Every event of one class in a bot's own journal."""
    return [record.event for record in records(home, bot) if isinstance(record.event, kind)]
