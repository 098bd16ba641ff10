"""`deskwatch token`: making tokens, listing them, revoking them. A running sidecar follows within a second."""

from __future__ import annotations

import argparse
import math
import sys
import time
from typing import Any

from deskwatch.console import print_table, quiet_end
from deskwatch.errors import ConfigError
from deskwatch.flags import add_home
from deskwatch.harmless import as_json
from deskwatch.journal.names import check_name, prepare_home
from deskwatch.moment import local_time
from deskwatch.tokens.file import TokenFile
from deskwatch.tokens.token import ALL_SCOPES, Token, digest, new_secret

DAY_SECONDS = 86400.0
MAX_DAYS = 3650.0


def add_parser(commands: Any) -> None:  # Any: argparse keeps the type of its subparsers private
    """Add `token add`, `list` and `revoke` to the command line."""
    token = commands.add_parser("token", help="who may: make, list and revoke tokens")
    actions = token.add_subparsers(required=True, metavar="ACTION")

    add = actions.add_parser("add", help="make a token and print its secret, this once")
    add.add_argument("name", metavar="NAME", help="what the journal calls whoever uses it")
    add.add_argument(
        "--scope",
        action="append",
        choices=ALL_SCOPES,
        required=True,
        help="what it may do, repeatable; whoever may change something may see it, too: read comes with it",
    )
    add.add_argument("--bot", action="append", help="only with this bot, repeatable (default: all)")
    add.add_argument("--days", type=float, help="how long it counts (default: until it is revoked)")
    add_home(add)
    add.set_defaults(run=_add)

    listing = actions.add_parser("list", help="the tokens: names, scopes, bots, until when; no secrets")
    listing.add_argument("--json", action="store_true", help="as JSON, a token a line")
    add_home(listing)
    listing.set_defaults(run=_list)

    revoke = actions.add_parser("revoke", help="take a token away; its open streams end within seconds")
    revoke.add_argument("name", metavar="NAME", help="the token's name")
    add_home(revoke)
    revoke.set_defaults(run=_revoke)


def _add(arguments: argparse.Namespace) -> int:
    days: float | None = arguments.days
    if days is not None and not 0 < days <= MAX_DAYS:
        raise ConfigError(f"expected --days to be above 0 and at most {MAX_DAYS:g}, was {days}")
    home = prepare_home(arguments.home)
    file = TokenFile(home)
    secret = new_secret()
    now = time.time()
    file.add(
        Token(
            name=arguments.name,
            hash=digest(secret),
            scopes=frozenset({"read", *arguments.scope}),
            bots=frozenset(check_name("bot's name", bot) for bot in arguments.bot) if arguments.bot else None,
            expires=None if days is None else math.floor(now + days * DAY_SECONDS),
            made=now,
        )
    )
    print(secret)
    print(f"the secret of {arguments.name} is printed this once; only its hash is kept", file=sys.stderr)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    tokens = TokenFile(arguments.home.absolute()).read()
    with quiet_end():
        if arguments.json:
            for token in tokens:
                print(as_json(_shown(token)))
            return 0
        if not tokens:
            print("no tokens yet: the first operator's is made when a sidecar starts")
            return 0
        columns = [(heading, False) for heading in ("name", "scopes", "bots", "made", "until")]
        print_table(columns, [_row(token) for token in tokens])
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    home = arguments.home.absolute()
    if not (home / "tokens.json").exists():
        raise ConfigError(f"expected tokens in {home}, was none; see --home")
    TokenFile(home).revoke(arguments.name)
    print(f"{arguments.name} is revoked; a running sidecar ends its streams within seconds", file=sys.stderr)
    return 0


def _shown(token: Token) -> dict[str, object]:
    return {
        "name": token.name,
        "scopes": sorted(token.scopes),
        "bots": None if token.bots is None else sorted(token.bots),
        "made": token.made,
        "expires": token.expires,
    }


def _row(token: Token) -> list[tuple[str, str]]:
    is_expired = token.expires is not None and time.time() >= token.expires
    until = "revoked" if token.expires is None else local_time(int(token.expires * 1e9))[:16]
    return [
        (token.name, "strong"),
        (", ".join(sorted(token.scopes)), ""),
        ("all" if token.bots is None else ", ".join(sorted(token.bots)), ""),
        (local_time(int(token.made * 1e9))[:16], ""),
        (f"{until} (expired)" if is_expired else until, "error" if is_expired else ""),
    ]
