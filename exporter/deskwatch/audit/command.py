"""`deskwatch audit`: who did what, when and why; status 1 where somebody changed that afterwards."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import msgspec

from deskwatch.console import coloured, print_table, quiet_end
from deskwatch.errors import ConfigError
from deskwatch.flags import add_home, add_loki, loki_url_of
from deskwatch.harmless import as_json, harmless
from deskwatch.moment import local_time

if TYPE_CHECKING:
    from deskwatch.audit.against_loki import Compared
    from deskwatch.audit.trail import Entry, Trail

LIMIT = 100
_ELSEWHERE = frozenset({"command_id", "idempotency_key", "expires_ts"})
"""Of use to programs, who have them from `--json`."""


def add_parser(commands: Any) -> None:  # Any: argparse keeps the type of its subparsers private
    """Add `audit` to the command line."""
    parser = commands.add_parser("audit", help="who did what, when and why; status 1 if that was changed afterwards")
    add_home(parser)
    parser.add_argument("--bot", action="append", help="only this bot, repeatable; _sidecar is what concerns none")
    parser.add_argument(
        "-n", type=int, default=LIMIT, dest="limit", help="entries to print, 0 for all (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_loki(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run `audit`: 0 where all is as it was written, 1 where it is not.

    Raises:
        ConfigError: A flag is wrong.
        Unreachable: Loki can't be asked.
    """
    from deskwatch.audit import trail
    from deskwatch.journal import names

    home = arguments.home.absolute()
    found = trail.read(home, arguments.bot, limit=arguments.limit or None)
    url = loki_url_of(arguments)
    compared = None
    if url is not None:
        from deskwatch.audit import against_loki
        from deskwatch.sinks.loki import Access
        from deskwatch.verify.access import LokiAccess

        reader = LokiAccess(url, Access.of(arguments)).reader()
        try:
            compared = against_loki.compare(home, arguments.bot, reader)
        finally:
            reader.close()
    known = {*names.bots(home), *(one.bot for one in (compared.differences if compared is not None else []))}
    if unknown := sorted({*(arguments.bot or ())} - known):
        raise ConfigError(f"expected bots that have a journal in {home}, was {', '.join(unknown)}; see --home")
    with quiet_end():
        if arguments.json:
            print(as_json(_document(found, compared)))
        else:
            _print(found, compared)
    return 1 if found.breaks or (compared is not None and compared.differences) else 0


def _document(found: Trail, compared: Compared | None) -> dict[str, Any]:
    document = {
        "chain": "broken" if found.breaks else "ok",
        "breaks": [{**msgspec.structs.asdict(one), "place": one.place} for one in found.breaks],
        "lines": found.lines,
        "unchained": found.unchained,
        "heads": found.heads,
        "entries": msgspec.to_builtins(found.entries),
    }
    if compared is not None:
        document["loki"] = msgspec.to_builtins(compared)
    return document


def _print(found: Trail, compared: Compared | None) -> None:
    if found.entries:
        columns = [(heading, False) for heading in ("time", "bot", "who", "what", "why")]
        print_table(columns, [_row(entry) for entry in reversed(found.entries)])
    for one in found.breaks:
        print(coloured(harmless(f"broken at {one.place}: {one.detail}"), "error"))
    if compared is not None:
        for each in compared.differences:
            print(coloured(harmless(f"not as in Loki: {each.bot}/control seq {each.seq}: {each.detail}"), "error"))
        print(f"Loki: {compared.same:,} lines are the same there, {compared.only_local:,} are not there (yet)")
    unchained = f", {found.unchained:,} of them not chained" if found.unchained else ""
    state = f"broken in {len(found.breaks)} places" if found.breaks else "whole"
    print(f"{found.lines:,} lines{unchained}; the chain is {state}")


def _row(entry: Entry) -> list[tuple[str, str]]:
    kind = entry.type.replace("_", " ")
    details = ", ".join(
        f"{name} {value if isinstance(value, str) else as_json(value)}"
        for name, value in entry.details.items()
        if name not in _ELSEWHERE
    )
    return [
        (local_time(entry.ts)[:19], "faint"),
        (entry.bot, ""),
        (entry.actor, "strong"),
        (f"{kind}: {details}" if details else kind, ""),
        (entry.reason or "", ""),
    ]
