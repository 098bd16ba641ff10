"""The process of freqtrade: started, asked, restarted, and its database read."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import sqlite3
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.freqtrade import configuration
from tests.freqtrade.configuration import USER, TradingMode
from tests.running import ROOT, free_port, process
from tests.servers import REQUIRED_VARIABLE
from tests.waiting import eventually, patience

FOLDER_VARIABLE = "DESKWATCH_FREQTRADE"
"""Environment variable with the folder of the virtual environment that has freqtrade."""
START_SECONDS = 60.0


def require() -> Path:
    """The binary of freqtrade. Skips the test where there is none, or fails it where servers are required."""
    folder = Path(os.environ.get(FOLDER_VARIABLE) or ROOT / ".freqtrade")
    binary = folder / "bin" / "freqtrade"
    if binary.exists():
        return binary
    message = f"needs freqtrade: not in {folder}; .ci/install-freqtrade puts it into .freqtrade/"
    if os.environ.get(REQUIRED_VARIABLE) == "1":
        pytest.fail(message)
    pytest.skip(message)


class Refused(Exception):
    """It answered with something else than 200."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status


class Freqtrade:
    """One bot, that is started and stopped as often as a test likes; its data stay.

    Attributes:
        port: Of its API.
        password: Of its API's user, as of now.
        ws_token: Of its WebSocket.
        database: Its database.
        log: What it wrote.
    """

    def __init__(self, folder: Path, mode: TradingMode, exchange_url: str, **more: Any) -> None:
        self.port = free_port()
        self.password = "first-password"
        self.ws_token = "of-its-stream-" + "x" * 16
        self.mode = mode
        self.database = folder / "trades.sqlite"
        self.log = folder / "freqtrade.log"
        self._folder = folder
        self._exchange_url = exchange_url
        self._more = more
        self._stack = contextlib.ExitStack()
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its API, without `/api/v1`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._child is not None
        return self._child.pid

    def start(self) -> None:
        """Start it and wait until it answers and has looked at the market."""
        self._write()
        argv = [str(require()), "trade", "--config", str(self._folder / "config.json"), "--userdir", str(self._folder)]
        argv += ["--db-url", f"sqlite:///{self.database}"]
        self._child = self._stack.enter_context(process(argv, self.log, cwd=self._folder))
        eventually(self._is_up, START_SECONDS, every=0.2)

    def stop(self) -> None:
        """End it, in good order."""
        self._stack.close()
        self._child = None

    def kill(self) -> None:
        """End it at once."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self.stop()

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """Meanwhile its strategy neither enters nor leaves anything; what is ordered is still filled or times out."""
        mark = self._folder / "hold"
        mark.touch()
        try:
            yield
        finally:
            mark.unlink()

    def change_password(self, password: str) -> None:
        """Give its API's user another one, as a person does: in the file, then told to read it again."""
        old, self.password = self.password, password
        self._write()
        self.post("reload_config", password=old)
        eventually(self._takes_password, START_SECONDS, every=0.2)

    def get(self, path: str, *, password: str | None = None) -> Any:
        """What an endpoint says.

        Raises:
            Refused: It did not answer with 200.
            OSError: It did not answer.
        """
        return self._ask("GET", path, None, password)

    def post(self, path: str, body: Any = None, *, password: str | None = None) -> Any:
        """As `get`, of what is posted."""
        return self._ask("POST", path, {} if body is None else body, password)

    def delete(self, path: str) -> Any:
        """As `get`, of what is deleted."""
        return self._ask("DELETE", path, None, None)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What its database has, read beside it."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query)]

    def trades(self) -> list[dict[str, Any]]:
        """All trades of its database, oldest first."""
        return self.rows("select * from trades order by id")

    def orders(self) -> list[dict[str, Any]]:
        """All orders of its database, oldest first."""
        return self.rows("select * from orders order by id")

    def _write(self) -> None:
        configuration.write(
            self._folder,
            self.mode,
            exchange_url=self._exchange_url,
            port=self.port,
            password=self.password,
            ws_token=self.ws_token,
            **self._more,
        )

    def _ask(self, method: str, path: str, body: Any, password: str | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        basic = base64.b64encode(f"{USER}:{self.password if password is None else password}".encode()).decode()
        request.add_header("Authorization", f"Basic {basic}")
        try:
            with urllib.request.urlopen(request, timeout=15 * patience()) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, error.read().decode(errors="replace")) from error
        except http.client.HTTPException as error:
            raise ConnectionResetError(f"the answer was cut off: {error!r}") from error

    def _is_up(self) -> bool:
        assert self._child is not None
        assert self._child.poll() is None, self.log.read_text()[-3000:]
        try:
            return bool(self.get("health")["last_process_ts"])
        except (OSError, Refused):
            return False

    def _takes_password(self) -> bool:
        try:
            return bool(self.get("show_config"))
        except (OSError, Refused):
            return False


@contextlib.contextmanager
def running(folder: Path, mode: TradingMode, exchange_url: str, **more: Any) -> Iterator[Freqtrade]:
    """A freqtrade that trades, until the end of the block."""
    require()
    folder.mkdir(parents=True, exist_ok=True)
    one = Freqtrade(folder, mode, exchange_url, **more)
    try:
        one.start()
        yield one
    finally:
        one.stop()
