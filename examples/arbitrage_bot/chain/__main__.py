"""`python -m arbitrage_bot.chain`: serve the chain, mine blocks, let the traders trade, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from pathlib import Path

import msgspec

from arbitrage_bot import deployment
from arbitrage_bot.chain.genesis import prepare
from arbitrage_bot.chain.rpc import Rpc
from arbitrage_bot.chain.server import RpcServer
from arbitrage_bot.chain.traders import Temper, Traders


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m arbitrage_bot.chain", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8545, help="port to listen on, 0 for any (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the accounts and the traders (default: %(default)s)")
    parser.add_argument("--block-seconds", type=float, default=1.0, help="from block to block (default: %(default)s)")
    parser.add_argument("--ready-file", type=Path, help="where to write how to reach it, besides standard output")
    return parser.parse_args(given)


def main() -> None:
    """Run the chain."""
    options = arguments()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    temper = Temper()
    market = prepare(options.seed, temper.traders)
    traders = Traders(market, options.seed, temper)
    server = RpcServer(options.host, options.port, Rpc(market.node))
    ready = msgspec.structs.replace(market.deployment, url=server.url)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    if options.ready_file:
        deployment.write(ready, options.ready_file)
    sys.stdout.write(deployment.line(ready).decode())
    sys.stdout.flush()

    due = time.monotonic()
    while not stop.is_set():
        market.node.mine()
        traders.act()
        due = max(due + options.block_seconds, time.monotonic())
        stop.wait(due - time.monotonic())
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main()
