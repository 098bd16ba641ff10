"""Chain and bot as the processes that they are, over HTTP."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"


def start(*module: str, stdout: int | None = None) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(EXAMPLES), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-m", *module], env=os.environ | {"PYTHONPATH": path}, stdout=stdout, stderr=subprocess.PIPE
    )


def stopped(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """The exit code and what was said on standard error."""
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=90)
    return process.returncode, told.decode()


def test_a_bot_trades_on_the_chain_and_both_stop_in_good_order(tmp_path: Path):
    ready = tmp_path / "deployment.json"
    chain = start(
        "arbitrage_bot.chain", "--port", "0", "--seed", "1", "--block-seconds", "0.1", "--ready-file", str(ready),
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert chain.stdout is not None
    told = json.loads(chain.stdout.readline())
    assert told == json.loads(ready.read_text())
    assert stat.S_IMODE(ready.stat().st_mode) == 0o600
    bot = start("arbitrage_bot", "--deployment", str(ready), "--home", str(tmp_path))
    journal = tmp_path / "journal" / "arb-1" / "main"
    deadline = time.monotonic() + 120
    while not any(b'"position_closed"' in file.read_bytes() for file in journal.glob("*.ndjson")):
        assert bot.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert stopped(bot) == (0, "")
    assert stopped(chain) == (0, "")
    events = [json.loads(line) for file in journal.glob("*.ndjson") for line in file.read_bytes().splitlines()]
    counts = Counter(event["type"] for event in events)
    assert events[-1]["type"] == "bot_stopped"
    assert counts["transaction_sent"] == counts["transaction_confirmed"] + counts["transaction_reverted"] > 4
    assert {"eth_getTransactionReceipt", "eth_sendRawTransaction"} <= {
        event["operation"] for event in events if event["type"] == "request_completed"
    }
    assert [event["up"] for event in events if event["type"] == "connection_changed"] == [True]


def test_without_a_chain_the_bot_waits_and_says_that_it_is_down(tmp_path: Path):
    deployment = tmp_path / "deployment.json"
    token = {"address": "0x" + "11" * 20, "decimals": 6}
    deployment.write_text(
        json.dumps(
            {
                "url": "http://127.0.0.1:9", "chain": "none", "chain_id": 1, "native_asset": "ETH", "native_cost": 1.0,
                "base": token | {"symbol": "A"}, "quote": token | {"symbol": "B"},
                "pools": [{"venue": name, "address": "0x" + "22" * 20} for name in ("amber", "cobalt")],
                "private_key": "0x" + "33" * 32,
            }
        )
    )  # fmt: skip
    bot = start("arbitrage_bot", "--deployment", str(deployment), "--home", str(tmp_path))
    journal = tmp_path / "journal" / "arb-1" / "main"
    deadline = time.monotonic() + 120
    while not any(b'"connection_changed"' in file.read_bytes() for file in journal.glob("*.ndjson")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert stopped(bot)[0] == 0
    events = [json.loads(line) for file in journal.glob("*.ndjson") for line in file.read_bytes().splitlines()]
    assert [event["up"] for event in events if event["type"] == "connection_changed"] == [False]
    assert not [event for event in events if event["type"] == "error_occurred"]


@pytest.mark.parametrize("content", [None, "{}"])
def test_a_bot_without_a_deployment_says_what_it_expects(tmp_path: Path, content: str | None):
    path = tmp_path / "deployment.json"
    if content is not None:
        path.write_text(content)
    bot = start("arbitrage_bot", "--deployment", str(path), "--home", str(tmp_path))
    _, told = bot.communicate(timeout=90)
    assert bot.returncode == 1
    assert told.decode().startswith(f"expected the ready file of a chain at {path}")


def test_the_ten_lines_journal_a_real_figure(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "ten_lines.py"), "3"],
        env=os.environ | {"DESKWATCH_HOME": str(tmp_path)}, check=False, capture_output=True, timeout=90,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    (segment,) = (tmp_path / "journal" / "ten-lines" / "main").glob("*.ndjson")
    prices = [
        event["price"] for line in segment.read_bytes().splitlines()
        if (event := json.loads(line))["type"] == "price_observed"
    ]  # fmt: skip
    assert len(prices) >= 2
    assert all(0 <= price < 10_000 for price in prices)
