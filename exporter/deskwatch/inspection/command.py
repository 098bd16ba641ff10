"""The flags of `deskwatch journal …`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deskwatch.console import quiet_end
from deskwatch.errors import ConfigError
from deskwatch.events import EVENTS, KINDS, UNKNOWN_KIND
from deskwatch.inspection.shown import Wanted
from deskwatch.journal.names import default_home
from deskwatch.moment import parse_moment


def add_parser(commands: Any) -> None:  # Any: argparse keeps the type of its subparsers private
    """Add `journal stats`, `check`, `tail` and `grep` to the command line."""
    journal = commands.add_parser("journal", help="look at journals: stats, check, tail, grep")
    actions = journal.add_subparsers(required=True, metavar="ACTION")

    stats = _action(actions, "stats", "what each journal holds", _stats)
    stats.add_argument("--types", action="store_true", help="a line for each type of event")

    check = _action(actions, "check", "read every line and tell what is wrong; status 1 if anything is", _check)
    check.add_argument("--limit", type=int, default=50, help="findings to print (default: %(default)s)")

    tail = _action(actions, "tail", "the newest events, of all writers together", _tail)
    tail.add_argument("-n", type=int, default=20, dest="count", help="how many (default: %(default)s)")
    tail.add_argument("-f", "--follow", action="store_true", help="go on with new ones until Ctrl-C")
    _add_filters(tail)

    grep = _action(actions, "grep", "events whose line matches a pattern; status 1 if none does", _grep)
    grep.add_argument("pattern", metavar="PATTERN", help="a regular expression, as Python's re takes it")
    grep.add_argument("-i", "--ignore-case", action="store_true", help="upper and lower case are the same")
    grep.add_argument("-c", "--count", action="store_true", help="only say how many match")
    grep.add_argument("--since", metavar="TIME", help="from this time on: 2026-01-31T14:05, or 15m for 15 minutes ago")
    grep.add_argument("--until", metavar="TIME", help="up to this time, likewise")
    _add_filters(grep)


def _action(
    actions: Any, name: str, meaning: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:  # Any: as above
    parser: argparse.ArgumentParser = actions.add_parser(name, help=meaning)
    parser.add_argument(
        "--home", type=Path, default=default_home(), help="folder of all journals (default: %(default)s)"
    )
    parser.add_argument("--bot", help="only this bot")
    parser.add_argument("--writer", help="only this writer: main, control, …")
    parser.add_argument("--json", action="store_true", help="print JSON, an object a line")
    parser.set_defaults(run=_quietly(run))
    return parser


def _quietly(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    def quiet(arguments: argparse.Namespace) -> int:
        with quiet_end():
            return run(arguments)
        return 0

    return quiet


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--type", action="append", default=[], help="only this type, order_filled say; repeatable")
    parser.add_argument("--kind", action="append", default=[], help="only this family, orders say; repeatable")


def _wanted(arguments: argparse.Namespace) -> Wanted:
    kinds = {*KINDS.values(), UNKNOWN_KIND}
    for kind in arguments.kind:
        if kind not in kinds:
            raise ConfigError(f"expected --kind to be one of {', '.join(sorted(kinds))}, was {kind!r}")
    for kind in arguments.type:
        if kind not in EVENTS and kind in kinds:
            raise ConfigError(f"expected --type to be a type of event, but {kind!r} is a kind; use --kind {kind}")
    since, until = getattr(arguments, "since", None), getattr(arguments, "until", None)
    return Wanted(
        types=frozenset(arguments.type),
        kinds=frozenset(arguments.kind),
        since=None if since is None else parse_moment(since),
        until=None if until is None else parse_moment(until),
    )


def _stats(arguments: argparse.Namespace) -> int:
    from deskwatch.inspection import stats

    return stats.run(arguments.home, arguments.bot, arguments.writer, by_type=arguments.types, as_json=arguments.json)


def _check(arguments: argparse.Namespace) -> int:
    from deskwatch.inspection import check

    return check.run(arguments.home, arguments.bot, arguments.writer, limit=arguments.limit, as_json=arguments.json)


def _tail(arguments: argparse.Namespace) -> int:
    from deskwatch.inspection import tail

    if arguments.count < 0:
        raise ConfigError(f"expected -n to be 0 or more, was {arguments.count}")
    return tail.run(
        arguments.home,
        arguments.bot,
        arguments.writer,
        _wanted(arguments),
        count=arguments.count,
        follow=arguments.follow,
        as_json=arguments.json,
    )


def _grep(arguments: argparse.Namespace) -> int:
    from deskwatch.inspection import grep

    return grep.run(
        arguments.home,
        arguments.bot,
        arguments.writer,
        _wanted(arguments),
        pattern=arguments.pattern,
        ignore_case=arguments.ignore_case,
        only_count=arguments.count,
        as_json=arguments.json,
    )
