"""`python -m tests.lively --home H [--seconds N] [--port P] [--loki-url URL]`: the sidecar, the bots, the operator."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from tests.lively.running import lively


def main() -> None:
    """Run until the time is over, or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.lively")
    parser.add_argument("--home", type=Path, required=True, help="folder; the journals lie in its home/")
    parser.add_argument("--seconds", type=float, help="how long (default: until Ctrl-C)")
    parser.add_argument("--port", type=int, default=9464, help="the sidecar's (default: %(default)s)")
    parser.add_argument("--loki-url", help="a Loki to ship to")
    arguments = parser.parse_args()
    stopped = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: stopped.set())
    flags = ["--loki-url", arguments.loki_url] if arguments.loki_url else []
    with lively(arguments.home, *flags, port=arguments.port) as http:
        print(f"{http.url}  token: {http.token}")
        stopped.wait(arguments.seconds)


if __name__ == "__main__":
    main()
