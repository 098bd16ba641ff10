"""The `deskwatch` command."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from deskwatch import supervised
from deskwatch.errors import DeskwatchError
from deskwatch.flags import add_home, add_max_series, add_settings, max_series_of, settings_of
from deskwatch.version import __version__

EXIT_USAGE = 2
PACKAGES = {
    "dashboards": "deskwatch.dashboards",
    "kubernetes": "deskwatch.kubernetes",
    "rules": "deskwatch.rules",
    "stack": "deskwatch.stack",
    "verify": "deskwatch.verify",
    "journal": "deskwatch.inspection",
    "ctl": "deskwatch.control",
    "top": "deskwatch.terminal",
    "token": "deskwatch.tokens.command",
    "audit": "deskwatch.audit.command",
    "watch": "deskwatch.watch",
    "doctor": "deskwatch.watch",
}
"""Commands that are packages of their own, imported where they are meant: a sidecar runs for weeks with what it has."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status. A wrong setting is told in one line, without a traceback."""
    words = sys.argv[1:] if argv is None else argv
    arguments = _parser(words[0] if words else "").parse_args(words)
    try:
        status: int = arguments.run(arguments)
    except DeskwatchError as error:
        print(f"deskwatch: {error}", file=sys.stderr)
        return EXIT_USAGE
    except ModuleNotFoundError as error:
        print(f"deskwatch: {error}; install it with: pip install 'deskwatch[all]'", file=sys.stderr)
        return EXIT_USAGE
    except OSError as error:
        print(f"deskwatch: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _parser(command: str) -> argparse.ArgumentParser:
    """What reads the command line; the commands of other packages are in it where they may be meant."""
    parser = argparse.ArgumentParser(prog="deskwatch", description="Observability and control for trading bots.")
    parser.add_argument("--version", action="version", version=f"deskwatch {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    sidecar = commands.add_parser("sidecar", help="serve journals that bots write")
    add_settings(sidecar)
    sidecar.add_argument("--with-parent", type=int, metavar="PID", help="stop when this parent process ends")
    sidecar.set_defaults(run=_sidecar)

    run = commands.add_parser("run", help="run a bot and serve its journal: deskwatch run --bot arb-1 -- python bot.py")
    add_settings(run)
    supervised.add_flags(run)
    run.set_defaults(run=_run)

    demo = commands.add_parser("demo", help="a bot that trades on a local chain, with everything around it")
    add_settings(demo)
    demo.add_argument("--seconds", type=float, help="stop by itself after this time")
    demo.add_argument("--seed", type=int, default=1, help="seed of the other traders' choices (default: %(default)s)")
    demo.set_defaults(run=_demo)

    metrics = commands.add_parser("metrics", help="print the metrics of journals, without a sidecar")
    add_home(metrics)
    add_max_series(metrics)
    metrics.add_argument("--openmetrics", action="store_true", help="as OpenMetrics, with exemplars")
    metrics.add_argument(
        "--output", type=Path, metavar="FILE", help="write to a file, as a textfile collector wants it"
    )
    metrics.set_defaults(run=_metrics)

    schema = commands.add_parser("schema", help="print the JSON Schema of a journal line")
    schema.set_defaults(run=_schema)

    is_known = command in {*commands.choices, *PACKAGES}  # else all are shown: `--help`, a typing error
    for package in dict.fromkeys([PACKAGES[command]] if command in PACKAGES else [] if is_known else PACKAGES.values()):
        importlib.import_module(package).add_parser(commands)
    return parser


def _sidecar(arguments: argparse.Namespace) -> int:
    from deskwatch.sidecar import serve

    return serve.run(settings_of(arguments))


def _run(arguments: argparse.Namespace) -> int:
    from deskwatch.sidecar import serve

    return serve.run(settings_of(arguments), supervised.supervised_of(arguments))


def _demo(arguments: argparse.Namespace) -> int:
    from deskwatch import demo

    return demo.run(settings_of(arguments), seconds=arguments.seconds, seed=arguments.seed)


def _metrics(arguments: argparse.Namespace) -> int:
    from deskwatch import collector
    from deskwatch.console import quiet_end

    with quiet_end():
        collector.show(
            arguments.home,
            openmetrics=arguments.openmetrics,
            output=arguments.output,
            max_series=max_series_of(arguments),
        )
    return 0


def _schema(_: argparse.Namespace) -> int:
    from deskwatch import schema

    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(schema.build()), indent=2) + b"\n")
    return 0
