"""The flags of `deskwatch verify`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from deskwatch.config import DEFAULT_HOST, DEFAULT_PORT
from deskwatch.console import progress, quiet_end
from deskwatch.errors import ConfigError
from deskwatch.flags import add_home, add_loki, loki_url_of
from deskwatch.moment import parse_duration

REPAIR_SECONDS = 60.0


def add_parser(commands: Any) -> None:  # Any: argparse keeps the type of its subparsers private
    """Add `verify` to the command line."""
    parser = commands.add_parser("verify", help="compare journals, /metrics and Loki; status 1 if they differ")
    add_home(parser)
    parser.add_argument("--bot", help="only this bot")
    parser.add_argument(
        "--url", default=f"http://{DEFAULT_HOST}:{DEFAULT_PORT}", help="the sidecar (default: %(default)s)"
    )
    parser.add_argument("--token-file", type=Path, help="file with a token of that sidecar")
    parser.add_argument("--no-metrics", action="store_true", help="leave /metrics out")
    add_loki(parser)
    parser.add_argument("--loki-keeps", metavar="DURATION", help="how long that Loki keeps lines, 30d say; or: forever")
    parser.add_argument("--repair", action="store_true", help="ship to Loki again what it misses")
    parser.add_argument(
        "--repair-seconds",
        type=float,
        default=REPAIR_SECONDS,
        metavar="SECONDS",
        help="how long that may take (default: %(default)s)",
    )
    parser.add_argument(
        "--repair-older", action="store_true", help="ship again even old lines that Loki may have and not show yet"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run `verify`: 0 where all agree, 1 where anything differs.

    Raises:
        ConfigError: A flag is wrong.
        Unreachable: A side can't be asked.
    """
    from deskwatch.verify import report
    from deskwatch.verify.audit import Audit, Question

    if arguments.no_metrics and arguments.loki_url is None:
        raise ConfigError("expected something to compare the journals with; give --loki-url, or leave out --no-metrics")
    if arguments.repair and arguments.loki_url is None:
        raise ConfigError("expected --loki-url with --repair: it is Loki that lines are shipped to")
    keeps = arguments.loki_keeps
    question = Question(
        home=arguments.home.absolute(),
        bot=arguments.bot,
        metrics_url=None if arguments.no_metrics else arguments.url,
        token_file=arguments.token_file,
        loki_keeps_seconds=None if keeps in (None, "forever") else parse_duration(keeps),
        loki_keeps_is_told=keeps is not None,
        repair_older=arguments.repair_older,
        repair_seconds=arguments.repair_seconds if arguments.repair else None,
    )
    with quiet_end():
        with progress() as bars:
            result = Audit(question, _access(arguments), bars).run()
        if arguments.json:
            report.print_json(result)
        else:
            report.print_table(result)
        return 0 if result.findings.ok else 1
    return 0


def _access(arguments: argparse.Namespace) -> Any:  # Any: imported late
    from deskwatch.sinks.loki import Access
    from deskwatch.verify.access import LokiAccess

    url = loki_url_of(arguments)
    return None if url is None else LokiAccess(url, Access.of(arguments))
