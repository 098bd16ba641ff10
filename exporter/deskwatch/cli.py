"""The `deskwatch` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from deskwatch import dashboards, inspection, stack, verify
from deskwatch.config import DEFAULT_HOST, DEFAULT_PORT, Settings
from deskwatch.errors import ConfigError, DeskwatchError
from deskwatch.journal.names import check_name, default_home
from deskwatch.journal.retention import DAY_SECONDS, GIB, Keep, Limits
from deskwatch.version import __version__

EXIT_USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status. A wrong setting is told in one line, without a traceback."""
    arguments = _parser().parse_args(argv)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deskwatch", description="Observability and control for trading bots.")
    parser.add_argument("--version", action="version", version=f"deskwatch {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    sidecar = commands.add_parser("sidecar", help="serve journals that bots write")
    _add_settings(sidecar)
    sidecar.add_argument("--with-parent", type=int, metavar="PID", help="stop when this parent process ends")
    sidecar.set_defaults(run=_sidecar)

    run = commands.add_parser("run", help="run a bot and serve its journal: deskwatch run --bot arb-1 -- python bot.py")
    _add_settings(run)
    run.add_argument("--bot", help="the bot's name; default: the command's own name")
    run.add_argument("argv", nargs="+", metavar="CMD", help="the bot's command, after --")
    run.set_defaults(run=_run)

    demo = commands.add_parser("demo", help="a bot that trades on a local chain, with everything around it")
    _add_settings(demo)
    demo.add_argument("--seconds", type=float, help="stop by itself after this time")
    demo.add_argument("--seed", type=int, default=1, help="seed of the other traders' choices (default: %(default)s)")
    demo.set_defaults(run=_demo)

    dashboards.add_parser(commands)
    stack.add_parser(commands)
    verify.add_parser(commands)
    inspection.add_parser(commands)

    schema = commands.add_parser("schema", help="print the JSON Schema of a journal line")
    schema.set_defaults(run=_schema)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--home", type=Path, default=default_home(), help="folder of all journals (default: %(default)s)"
    )
    parser.add_argument("--host", default=DEFAULT_HOST, help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port to listen on (default: %(default)s)")
    parser.add_argument("--allowed-host", action="append", default=[], help="a Host name that requests may be for")
    parser.add_argument("--read-token-file", type=Path, help="file with a token that may read, for Prometheus")
    keep = Limits()
    parser.add_argument(
        "--keep-days",
        type=float,
        default=keep.bots.seconds / DAY_SECONDS,
        help="age at which segments go (%(default)s)",
    )
    parser.add_argument(
        "--keep-gib", type=float, default=keep.bots.bytes / GIB, help="size of a bot's journals (default: %(default)s)"
    )
    parser.add_argument(
        "--budget-gib",
        type=float,
        default=keep.bots.budget_bytes / GIB,
        help="size beyond which even undelivered segments go (default: %(default)s)",
    )
    parser.add_argument(
        "--control-keep-days",
        type=float,
        default=keep.control.seconds / DAY_SECONDS,
        help="age at which control segments go (default: %(default)s)",
    )
    parser.add_argument("--loki-url", default=os.environ.get("DESKWATCH_LOKI_URL"), help="base URL of a Loki")
    parser.add_argument("--loki-tenant", default=os.environ.get("DESKWATCH_LOKI_TENANT"), help="tenant at that Loki")
    parser.add_argument("--loki-user", default=os.environ.get("DESKWATCH_LOKI_USER"), help="user at that Loki")
    for name, words in (
        ("password", "file with that user's password"),
        ("token", "file with a bearer token for that Loki"),
        ("ca", "PEM file with the CAs to check that Loki's certificate by"),
    ):
        value = os.environ.get(f"DESKWATCH_LOKI_{name.upper()}_FILE")
        parser.add_argument(f"--loki-{name}-file", type=Path, default=value and Path(value), help=words)


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings that the flags ask for.

    Raises:
        ConfigError: The port is none, or Loki's URL is.
    """
    if not 0 <= arguments.port <= 65535:
        raise ConfigError(f"expected --port to be 0 to 65535, was {arguments.port}")
    url = arguments.loki_url
    if url is not None and not url.startswith(("http://", "https://")):
        raise ConfigError(f"expected --loki-url to start with http:// or https://, was {url!r}")
    if url is not None and "@" in url.partition("://")[2].partition("/")[0]:
        raise ConfigError("expected --loki-url without a password in it; use --loki-user and --loki-password-file")
    return Settings(
        limits=_limits(arguments),
        home=arguments.home.absolute(),
        host=arguments.host,
        port=arguments.port,
        allowed_hosts=tuple(arguments.allowed_host),
        read_token_file=arguments.read_token_file,
        loki_url=url,
        loki_tenant=arguments.loki_tenant,
        loki_user=arguments.loki_user,
        loki_password_file=arguments.loki_password_file,
        loki_token_file=arguments.loki_token_file,
        loki_ca_file=arguments.loki_ca_file,
        with_parent=getattr(arguments, "with_parent", None),
    )


def _limits(arguments: argparse.Namespace) -> Limits:
    for flag in ("keep_days", "keep_gib", "budget_gib", "control_keep_days"):
        if not getattr(arguments, flag) > 0:
            raise ConfigError(f"expected --{flag.replace('_', '-')} to be above 0, was {getattr(arguments, flag)}")
    if arguments.budget_gib < arguments.keep_gib:
        raise ConfigError(f"expected --budget-gib to be at least --keep-gib, was {arguments.budget_gib}")
    keep = Limits()
    return Limits(
        bots=Keep(
            seconds=arguments.keep_days * DAY_SECONDS,
            bytes=int(arguments.keep_gib * GIB),
            budget_bytes=int(arguments.budget_gib * GIB),
        ),
        control=msgspec.structs.replace(keep.control, seconds=arguments.control_keep_days * DAY_SECONDS),
    )


def _sidecar(arguments: argparse.Namespace) -> int:
    from deskwatch.sidecar import serve

    return serve.run(settings_of(arguments))


def _run(arguments: argparse.Namespace) -> int:
    from deskwatch.sidecar import serve

    bot = check_name("bot's name", arguments.bot or Path(arguments.argv[0]).stem)
    return serve.run(settings_of(arguments), (bot, arguments.argv))


def _demo(arguments: argparse.Namespace) -> int:
    from deskwatch import demo

    return demo.run(settings_of(arguments), seconds=arguments.seconds, seed=arguments.seed)


def _schema(_: argparse.Namespace) -> int:
    from deskwatch import schema

    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(schema.build()), indent=2) + b"\n")
    return 0
