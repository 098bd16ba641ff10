"""freqtrade and its exchange, by hand: `python -m tests.freqtrade spot|futures [folder]`."""

from __future__ import annotations

import signal
import sys
import tempfile
from pathlib import Path
from typing import cast

from tests import exchange
from tests.exchange import server
from tests.freqtrade import process
from tests.freqtrade.configuration import USER, TradingMode


def main(argv: list[str]) -> None:
    """Run both until Ctrl-C."""
    if not argv or argv[0] not in ("spot", "futures"):
        sys.exit(f"expected spot or futures, was {argv}")
    mode = cast("TradingMode", argv[0])
    folder = Path(argv[1] if len(argv) > 1 else tempfile.mkdtemp(prefix=f"freqtrade-{mode}-"))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with server.running() as place, process.running(folder, mode, place.url) as bot:
        print(f"{exchange.__name__}: {place.url}\nfreqtrade: {bot.url} user {USER} password {bot.password}")
        print(f"ws_token {bot.ws_token}\ndatabase {bot.database}\nlog {bot.log}", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("ends …")


main(sys.argv[1:])
