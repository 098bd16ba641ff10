"""`python -m arbitrage_bot`: run the bot until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import signal
import threading

import msgspec

from arbitrage_bot import __version__, deployment
from arbitrage_bot.bot import Bot
from arbitrage_bot.config import options
from arbitrage_bot.connection import connect
from arbitrage_bot.orders import STRATEGY
from deskwatch import JournalHandler, Mode, Recorder


def main() -> None:
    """Run the bot."""
    told = options()
    try:
        place = deployment.read(told.deployment)
    except (OSError, msgspec.MsgspecError) as error:
        raise SystemExit(f"expected the ready file of a chain at {told.deployment}: {error}") from None
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger(__package__).setLevel(logging.INFO)
    with Recorder.open(told.bot, home=told.home, mode=Mode.ACTIVE, version=__version__, strategy=STRATEGY) as recorder:
        logging.getLogger().addHandler(JournalHandler(recorder))
        w3 = connect(told.rpc or place.url, place.chain, recorder)
        Bot(w3, place, recorder, told.rules, told.state, told.rules_file).run(stop)


if __name__ == "__main__":
    main()
