"""A real EVM node for tests: anvil, as `.ci/install-anvil` puts it into `.servers/evm/bin`.

    with anvil.running(tmp_path) as node:          # mines a block for each transaction
        node.ask("eth_blockNumber")                # → "0x0"
        node.mine(3); node.reorganize(2)           # two new blocks in place of the newest two
        node.ask("anvil_setBlockTimestampInterval", 1)

With `--no-mining` transactions wait for `mine`. `running(…, port=node.port)` is another node where one has ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import servers
from tests.running import ROOT, process
from tests.waiting import eventually, patience

INSTALLED = ROOT / ".servers" / "evm" / "bin"
LISTENING = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")


class Refused(Exception):
    """The node answered with an error."""


class Anvil:
    """A running node.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        url: The same as a URL; with `ws://` it takes subscriptions.
        pid: Its process.
    """

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.pid = pid

    def ask(self, method: str, *params: object) -> Any:
        """The result of one request.

        Raises:
            Refused: It is an error.
            OSError: There is no answer.
        """
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10 * patience()) as answer:
            told = json.load(answer)
        if "error" in told:
            raise Refused(f"{method}: {told['error']}")
        return told["result"]

    def height(self) -> int:
        """Number of the newest block."""
        return int(self.ask("eth_blockNumber"), 16)

    def mine(self, blocks: int = 1) -> None:
        """Mine blocks, one second of the chain's time apart: the first holds what waits."""
        self.ask("anvil_mine", hex(blocks), hex(1))

    def reorganize(self, depth: int, again: list[tuple[str, int]] | None = None) -> None:
        """Take the newest `depth` blocks away, and mine as many others.

        Args:
            depth: How many.
            again: Raw transactions (hex) that are mined in the new ones, each with its place from 0. What is not named
                is gone.
        """
        self.ask("anvil_reorg", depth, again or [])


def binary() -> str:
    """The node's path. Skips the test where there is none."""
    here = INSTALLED / "anvil"
    return str(here) if os.access(here, os.X_OK) else servers.require("anvil")


@contextlib.contextmanager
def running(folder: Path, *options: str, port: int = 0) -> Iterator[Anvil]:
    """A node with ten rich accounts that it signs for (`eth_accounts`), and the chain id 31337."""
    log = folder / f"anvil-{len(list(folder.glob('anvil-*.log')))}.log"
    argv = [binary(), "--host", "127.0.0.1", "--port", str(port), "--color", "never", *options]
    own = {**os.environ, "HOME": str(folder)}  # it keeps old states there, and throws out those of others
    with process(argv, log, env=own) as child:
        found = eventually(lambda: LISTENING.search(log.read_text()) or child.poll() is not None, 20)
        assert isinstance(found, re.Match), f"anvil ended: {log.read_text()[-2000:]}"
        yield Anvil(int(found[1]), child.pid)
