"""Ties a command to the process that starts it: asks the kernel to end it when that is gone, then becomes the command.

python -m deskwatch.leash COMMAND [ARGUMENT …]
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
EXIT_NOT_FOUND = 127


def main() -> None:
    """Tie this process to its parent and replace it with the command."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it went between the two
            sys.exit(1)
    try:
        os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606  becoming the command is the point
    except OSError as error:
        print(f"deskwatch: {sys.argv[1]} can't be run: {error.strerror}", file=sys.stderr)
        sys.exit(EXIT_NOT_FOUND)


if __name__ == "__main__":
    main()
