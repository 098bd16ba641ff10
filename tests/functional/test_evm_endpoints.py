"""Chains watched through real nodes: two anvils that mine the same blocks, and the embedded chain of the demo."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from deskwatch import events as ev
from deskwatch.sources import file
from tests import anvil
from tests.anvil import Anvil
from tests.embedded_chain import embedded_chain
from tests.functional.test_docs import commands
from tests.running import ROOT, Http, free_port, process, sidecar
from tests.unit.sources.evm.asking import BOT, blocks, journaled
from tests.waiting import eventually, patience

GENESIS = ("--timestamp", "1700000000")
"""Nodes that begin alike and mine at the same times have the same blocks, to the hash."""
BLOCK_SECONDS = 12


def configured(folder: Path, **told: Any) -> Path:
    """A `deskwatch.toml` that watches one chain, quickly."""
    path = folder / "deskwatch.toml"
    quick = {"kind": "evm", "bot": BOT, "poll_seconds": 0.1, "requests_per_second": 50.0, "calls_per_second": 500.0}
    path.write_text(
        "[[source]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in (quick | told).items())
    )
    return path


def shown(http: Http, name: str, **labels: str) -> float | None:
    """A series' value; None where there is none."""
    for line in http.metrics().splitlines():
        if re.match(rf"{name}[{{ ]", line) and all(f'{label}="{value}"' in line for label, value in labels.items()):
            return float(line.rpartition(" ")[2])
    return None


def mine(count: int, *nodes: Anvil) -> None:
    """New blocks on each node, the same whenever they are mined: a node left to itself goes by the clock."""
    for node in nodes:
        for _ in range(count):
            newest = node.ask("eth_getBlockByNumber", "latest", False)
            node.ask("evm_setNextBlockTimestamp", hex(int(newest["timestamp"], 16) + BLOCK_SECONDS))
            node.ask("evm_mine")


def test_a_node_that_stands_still_one_that_dies_and_a_reorg_are_seen_and_no_block_is_missed(tmp_path: Path) -> None:
    """The preferred node lies stale, is well again, is killed; the other leaves two blocks for others."""
    home = tmp_path / "home"
    with contextlib.ExitStack() as stack:
        second = stack.enter_context(anvil.running(tmp_path, *GENESIS))
        first = stack.enter_context(anvil.running(tmp_path, *GENESIS))
        mine(5, first, second)
        path = configured(
            tmp_path, urls=[first.url, second.url], ws_url=second.url.replace("http", "ws"), stale_seconds=4.0
        )
        http = stack.enter_context(sidecar(home, "--config", str(path)))

        def up(node: Anvil, connection: str = "rpc") -> float | None:
            return shown(http, "tradebot_connection_up", venue=node.url[7:], kind=connection)

        def reached(number: int) -> None:
            eventually(lambda: shown(http, "tradebot_head_block", chain="31337") == number)

        reached(5)
        eventually(lambda: up(second, "websocket") == 1)
        eventually(lambda: up(first) == 1)

        mine(6, second)  # the first stands still
        reached(11)
        eventually(lambda: up(first) == 0)
        mine(6, first)
        eventually(lambda: up(first) == 1)

        os.kill(first.pid, signal.SIGKILL)
        mine(2, second)
        reached(13)
        eventually(lambda: up(first) == 0)

        left = second.ask("eth_getBlockByNumber", hex(13), False)["hash"]
        second.reorganize(2)
        eventually(lambda: shown(http, "tradebot_chain_reorgs_total", chain="31337") == 1)
        assert shown(http, "tradebot_chain_left_blocks_total", chain="31337") == 2
        mine(1, second)
        reached(14)
        http.command("ping", name=BOT)
        chain = {number: second.ask("eth_getBlockByNumber", hex(number), False)["hash"] for number in range(5, 15)}

    reasons = [
        one.reason.partition(":")[0]
        for one in journaled(home, ev.ConnectionChanged)
        if not one.up and one.venue == first.url[7:]
    ]
    assert reasons == ["stale", "connect"]
    (reorg,) = journaled(home, ev.ReorgObserved)
    assert (reorg.block, reorg.depth, reorg.left) == (11, 2, left)
    told = blocks(home)
    assert [number for number, _ in told] == [*range(5, 14), 12, 13, 14]
    assert dict(told) == chain


def block_of(url: str, number: int) -> Any:
    """A block as a node has it."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": [hex(number), False]}
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10 * patience()) as answer:
        return json.load(answer)["result"]


def test_the_embedded_chain_is_examined_watched_and_followed_where_it_begins_anew(tmp_path: Path) -> None:
    """The doctor finds what is there, and a chain that is started again, with other blocks, is followed from there."""
    home, port = tmp_path / "home", free_port()
    with contextlib.ExitStack() as stack:
        with embedded_chain(tmp_path, port, seed=1) as chain:
            base, (amber, _) = chain["base"], chain["pools"]
            path = configured(tmp_path, urls=[chain["url"]], chain="local-evm")
            with path.open("a") as file:
                file.write(f'tokens = [{{symbol = "WETH", address = "{base["address"]}"}}]\n')
                file.write(f'wallets = [{{name = "pool", address = "{amber["address"]}"}}]\n')
                call = f'address = "{base["address"]}", signature = "balanceOf(address)(uint256)", decimals = 18'
                file.write(f'contracts = [{{name = "pooled", {call}, args = ["{amber["address"]}"]}}]\n')
            argv = [sys.executable, "-m", "deskwatch", "doctor", "--config", str(path)]
            doctor = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
            assert doctor.returncode == 0, doctor.stdout + doctor.stderr
            for words in ("Token WETH has 18 decimals.", "it is a contract", "The call pooled answers", "no usual tip"):
                assert words in doctor.stdout
            http = stack.enter_context(sidecar(home, "--config", str(path)))
            eventually(lambda: len(blocks(home)) > 3, 20)
            number, own = blocks(home)[-1]
            assert block_of(chain["url"], number)["hash"] == own
            eventually(lambda: shown(http, "tradebot_gas_price_wei", chain="local-evm"))
        with embedded_chain(tmp_path, port, seed=2) as again:
            eventually(lambda: journaled(home, ev.ReorgObserved), 60)
            before = len(blocks(home))
            eventually(lambda: len(blocks(home)) > before + 2, 20)
            number, own = blocks(home)[-1]
            assert block_of(again["url"], number)["hash"] == own
            assert shown(http, "tradebot_connection_up", kind="rpc") == 1


def test_the_how_to_works_as_it_is_written(tmp_path: Path) -> None:
    """Its commands with a real node in the place of one's own, and its configuration as far as it is true anywhere."""
    page = ROOT / "docs" / "how-to" / "watch-a-wallet.md"
    for number, block in enumerate(re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)):
        path = tmp_path / f"{number}.toml"
        path.write_text(block)
        assert [one.kind for one in file.read(path)] == ["evm"]
    with anvil.running(tmp_path) as node:
        doctor, watch = (
            [sys.executable, "-m", *command.replace("http://127.0.0.1:8545", node.url).split()]
            for command in commands(page)
        )
        told = subprocess.run(doctor, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert told.returncode == 0, told.stdout + told.stderr
        assert "Wallet hot has 10000 ETH" in told.stdout
        home, port = tmp_path / "home", free_port()
        home.mkdir(mode=0o700)
        with process([*watch, "--home", str(home), "--port", str(port)], tmp_path / "watch.log", cwd=tmp_path):
            http = Http(f"http://127.0.0.1:{port}", home)
            eventually(lambda: http.try_get("/readyz"), 20)
            eventually(lambda: shown(http, "tradebot_balance", bot="evm", venue="hot", asset="ETH") == 10_000, 20)
