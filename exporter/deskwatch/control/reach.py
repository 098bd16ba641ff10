"""The flags that say which sidecars a command speaks to, and with which token."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from deskwatch.errors import ConfigError
from deskwatch.journal.names import default_home
from deskwatch.live.access import Access

DEFAULT_URL = "http://127.0.0.1:9464"


def add_access(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say where the sidecars are. There is none for a token itself: other users could read it."""
    parser.add_argument(
        "--url",
        action="append",
        default=[],
        help=f"a sidecar; repeatable (default: DESKWATCH_URL, else {DEFAULT_URL})",
    )
    parser.add_argument(
        "--token-file",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="file with the token; one for all sidecars, or one for each in their order (default: "
        "DESKWATCH_TOKEN_FILE; else, for sidecars on this machine, <home>/token)",
    )
    parser.add_argument(
        "--ca-file",
        type=Path,
        default=os.environ.get("DESKWATCH_CA_FILE") and Path(os.environ["DESKWATCH_CA_FILE"]),
        metavar="FILE",
        help="PEM file with the CAs to check the sidecars' certificates by (default: DESKWATCH_CA_FILE)",
    )
    parser.add_argument(
        "--home", type=Path, default=default_home(), help="folder whose token is used by default (default: %(default)s)"
    )


def accesses_of(arguments: argparse.Namespace) -> list[Access]:
    """How each sidecar is reached that the flags name.

    Raises:
        ConfigError: All that is wrong, in one message.
    """
    urls = arguments.url or os.environ.get("DESKWATCH_URL", "").replace(",", " ").split() or [DEFAULT_URL]
    files = arguments.token_file or [Path(name) for name in _split_paths(os.environ.get("DESKWATCH_TOKEN_FILE", ""))]
    if len(files) not in (0, 1, len(urls)):
        raise ConfigError(
            f"expected one --token-file for all sidecars or one for each of {len(urls)}, was {len(files)} of them"
        )
    if len(files) == 1:
        files = files * len(urls)
    found, faults = [], []
    for at, url in enumerate(urls):
        access = Access(url=url, ca_file=arguments.ca_file)
        try:
            own = arguments.home / "token"
            file = files[at] if files else own if access.check().is_loopback and own.exists() else None
            found.append(Access(url=url, token_file=file, ca_file=arguments.ca_file).check())
        except (ConfigError, OSError) as error:
            faults.append(str(error))
    if faults:
        raise ConfigError("; ".join(dict.fromkeys(faults)))
    for access in found:
        if access.token_file is not None and not access.is_loopback and not access.url.startswith("https://"):
            print(f"deskwatch: the token goes to {access.name} unencrypted; use https://", file=sys.stderr)
    return found


def _split_paths(text: str) -> list[str]:
    return [name for name in text.split(os.pathsep) if name]
