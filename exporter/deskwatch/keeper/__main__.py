"""`python -m deskwatch.keeper SETTINGS COMMAND [ARGUMENT …]`, as a sidecar calls it.

SETTINGS are a `Keeping` as JSON. A line on stdout says who runs; then stdout and stderr are let go. The keeper ends as
the bot did: with its exit code, or by the same signal.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys

import msgspec

from deskwatch.keeper.keeper import Keeper
from deskwatch.keeper.keeping import Keeping


def main() -> None:
    """Keep one bot until it has ended."""
    keeping = msgspec.json.decode(sys.argv[1], type=Keeping)
    try:
        code = Keeper(keeping, sys.argv[2:]).run()
    except BlockingIOError:
        sys.exit(f"another keeper runs {keeping.bot}")
    if code >= 0:
        sys.exit(code)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the bot's own dump is the one that tells something
    with contextlib.suppress(OSError):
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
    sys.exit(128 - code)


if __name__ == "__main__":
    main()
