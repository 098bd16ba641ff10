"""The flags of `deskwatch ctl …`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from deskwatch.console import quiet_end
from deskwatch.control import orders
from deskwatch.control.orders import Order
from deskwatch.control.outcome import EXIT_STATUS, STATUS_WORDS, Outcome, Told
from deskwatch.control.reach import accesses_of, add_access
from deskwatch.errors import ConfigError, Declined, NotAllowed, SidecarError, Unreachable
from deskwatch.harmless import harmless
from deskwatch.journal.names import check_name

TIMEOUT_SECONDS = 60.0


def add_parser(commands: Any) -> None:  # Any: argparse keeps the type of its subparsers private
    """Add `ctl` to the command line."""
    ctl = commands.add_parser(
        "ctl",
        help="tell bots what to do, and wait until it is done",
        epilog=STATUS_WORDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = ctl.add_subparsers(required=True, metavar="ACTION")
    for word, mode in orders.MODES.items():
        _order(actions, word, f"mode {mode}: {orders.MODE_WORDS[mode]}", partial(_mode, mode))
    _plain(actions, "ping", "ask whether the bot's own code runs", "ping")
    _plain(actions, "close-all", "close every position", "close_all")
    _plain(actions, "reload", "read its configuration again", "reload_config")
    close = _order(actions, "close", "close a position, whole or in part", _close)
    which = close.add_mutually_exclusive_group(required=True)
    which.add_argument("--symbol", help="every position in this symbol")
    which.add_argument("--position", metavar="ID", help="the position of this id")
    part = close.add_mutually_exclusive_group()
    part.add_argument("--quantity", type=float, help="only so much of it")
    part.add_argument("--ratio", type=float, help="only this share of it, 0 to 1")
    cancel = _order(actions, "cancel-orders", "cancel open orders", _cancel)
    cancel.add_argument("--symbol", help="only those in this symbol")
    watchlist = _order(actions, "watchlist", "set the symbols that it watches", _watchlist)
    watchlist.add_argument("symbols", nargs="+", metavar="SYMBOL")
    other = _order(actions, "command", "a command of the bot's own", _command)
    other.add_argument("type", metavar="TYPE")
    other.add_argument("params", metavar="JSON", nargs="?", default="{}", help="its parameters, a JSON object")
    for action in orders.PROCESS_ACTIONS:
        words = f"{action} the bot's process, where the sidecar supervises it"
        _order(actions, action, words, partial(_process, action))
    _add_reading(actions)


def _add_reading(actions: Any) -> None:  # Any: as above
    status = _action(actions, "status", "every bot in a line", _status)
    status.add_argument("bot", nargs="?", metavar="BOT", help="only this one")
    logs = _action(actions, "logs", "what a supervised bot printed last", _logs)
    logs.add_argument("bot", metavar="BOT")
    logs.add_argument("-n", type=int, default=50, dest="lines", help="how many lines (default: %(default)s)")
    logs.add_argument("--file", help="an older, rotated file in place of the newest")
    watch = _action(actions, "watch", "events as they happen, until Ctrl-C", _watch)
    watch.add_argument("bot", nargs="*", metavar="BOT", help="only of these")
    watch.add_argument("--kind", action="append", default=[], help="only this family, orders say; repeatable")


def _action(actions: Any, name: str, words: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    # Any: as above
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=words, description=words, epilog=STATUS_WORDS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_access(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=lambda arguments: _quietly(run, arguments))
    return parser


def _order(
    actions: Any,  # Any: as above
    name: str,
    words: str,
    order: Callable[[argparse.Namespace], Order],
) -> argparse.ArgumentParser:
    parser = _action(actions, name, words, lambda arguments: _give(order(arguments), arguments))
    parser.add_argument("bot", metavar="BOT")
    parser.add_argument("--reason", help="why, for the audit trail")
    parser.add_argument(
        "--timeout",
        type=float,
        default=TIMEOUT_SECONDS,
        metavar="SECONDS",
        help="for reaching the sidecar and the bot's confirmation (default: %(default)s)",
    )
    parser.add_argument("--no-wait", action="store_true", help="0 as soon as it is accepted, without confirmation")
    parser.add_argument("--yes", action="store_true", help="don't ask, where a terminal would be asked")
    parser.add_argument("--key", help="Idempotency-Key: asked again with the same key, it is done once")
    return parser


def _plain(actions: Any, name: str, words: str, kind: str) -> None:  # Any: as above
    _order(actions, name, words, lambda one: orders.command(one.bot, kind, {}, one.reason, words=name))


def _mode(mode: str, arguments: argparse.Namespace) -> Order:
    return orders.mode(arguments.bot, mode, arguments.reason)


def _process(action: str, arguments: argparse.Namespace) -> Order:
    return orders.process(arguments.bot, action, arguments.reason)


def _close(arguments: argparse.Namespace) -> Order:
    if arguments.ratio is not None and not 0 < arguments.ratio <= 1:
        raise ConfigError(f"expected --ratio to be above 0 and at most 1, was {arguments.ratio}")
    if arguments.quantity is not None and not 0 < arguments.quantity < float("inf"):
        raise ConfigError(f"expected --quantity to be above 0, was {arguments.quantity}")
    named = {
        "symbol": arguments.symbol,
        "position_id": arguments.position,
        "quantity": arguments.quantity,
        "ratio": arguments.ratio,
    }
    params = {name: value for name, value in named.items() if value is not None}
    words = f"close {arguments.symbol or arguments.position}"
    return orders.command(arguments.bot, "close_position", params, arguments.reason, words=words)


def _cancel(arguments: argparse.Namespace) -> Order:
    params = {} if arguments.symbol is None else {"symbol": arguments.symbol}
    return orders.command(arguments.bot, "cancel_orders", params, arguments.reason, words="cancel-orders")


def _watchlist(arguments: argparse.Namespace) -> Order:
    params = {"symbols": arguments.symbols}
    return orders.command(arguments.bot, "set_watchlist", params, arguments.reason, words="watchlist")


def _command(arguments: argparse.Namespace) -> Order:
    try:
        params = json.loads(arguments.params)
    except ValueError as error:
        raise ConfigError(f"expected the parameters as a JSON object: {error}") from None
    if not isinstance(params, dict):
        raise ConfigError(f"expected the parameters as a JSON object, was {arguments.params[:80]!r}")
    return orders.command(arguments.bot, arguments.type, params, arguments.reason)


def _give(order: Order, arguments: argparse.Namespace) -> int:
    from deskwatch.control.desks import desk_of
    from deskwatch.control.giving import Patience, give
    from deskwatch.control.telling import tell, tell_progress
    from deskwatch.live.asking import Sidecar

    if not 0 < arguments.timeout <= 86_400:
        raise ConfigError(f"expected --timeout to be above 0 and at most 86400, was {arguments.timeout}")
    if arguments.key is not None and not (0 < len(arguments.key) <= 200 and arguments.key.isascii()):
        raise ConfigError("expected --key to be 1 to 200 ASCII characters")
    check_name("bot's name", order.bot)
    accesses = accesses_of(arguments)
    is_asked = order.question and not arguments.yes and sys.stdin is not None and sys.stdin.isatty()
    if is_asked and not _confirmed(order.question or ""):
        return tell(order, Told(outcome=Outcome.NOT_ASKED), as_document=arguments.json)
    try:
        sidecar = Sidecar(desk_of(order.bot, accesses))
    except SidecarError as error:
        return tell(order, Told(outcome=_outcome(error), words=str(error)), as_document=arguments.json)
    patience = Patience(timeout_seconds=arguments.timeout, waits=not arguments.no_wait, key=arguments.key)
    return tell(order, give(order, sidecar, patience, tell_progress), as_document=arguments.json)


def _confirmed(question: str) -> bool:
    print(f"{harmless(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _outcome(error: SidecarError) -> Outcome:
    if isinstance(error, Unreachable):
        return Outcome.UNREACHABLE
    return Outcome.NOT_ALLOWED if isinstance(error, NotAllowed) else Outcome.REFUSED


def _quietly(run: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    with quiet_end():
        try:
            return run(arguments)
        except (Unreachable, NotAllowed, Declined) as error:
            print(f"deskwatch: {harmless(str(error))}", file=sys.stderr)
            return EXIT_STATUS[_outcome(error)]
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from deskwatch.control import status

    return status.show(accesses_of(arguments), arguments.bot, as_document=arguments.json)


def _logs(arguments: argparse.Namespace) -> int:
    from deskwatch.control import output
    from deskwatch.control.desks import desk_of
    from deskwatch.live.asking import Sidecar

    if not 1 <= arguments.lines <= 2000:
        raise ConfigError(f"expected -n to be 1 to 2000, was {arguments.lines}")
    check_name("bot's name", arguments.bot)
    sidecar = Sidecar(desk_of(arguments.bot, accesses_of(arguments)))
    return output.show(sidecar, arguments.bot, arguments.lines, arguments.file, as_document=arguments.json)


def _watch(arguments: argparse.Namespace) -> int:
    from deskwatch.control import watching

    return watching.show(accesses_of(arguments), arguments.bot, arguments.kind, as_document=arguments.json)
