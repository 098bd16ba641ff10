"""How many files the sidecar may have open."""

from __future__ import annotations

import contextlib
import resource

WANTED = 65_536


def raise_limit() -> None:
    """Raise the soft limit on open files towards WANTED, as far as the hard one allows.

    A journal that is followed is an open file, once for the feed and once for each sink: a hundred bots with two
    writers each, followed by the feed and three sinks, need 800, and the usual limit is 1,024.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # then it is as it was
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
