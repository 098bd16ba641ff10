"""The commands `deskwatch watch` and `deskwatch doctor`: what they are told, and by which flags."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from deskwatch.errors import ConfigError
from deskwatch.flags import add_config, add_settings, settings_of
from deskwatch.harmless import harmless
from deskwatch.scrub import names_secret, scrub
from deskwatch.sources import KINDS
from deskwatch.sources.kinds import Configured
from deskwatch.watch.flags import KindFlags

_KINDS = "|".join(KINDS)
_WATCH = "watch a bot that writes no journal: deskwatch watch freqtrade --url …, or --config FILE"
_DOCTOR = "try what a watch is told against the real peer, and say what is missing: takes what watch takes"


def add_parser(commands: Any) -> None:  # Any: argparse keeps the type of its subparsers private
    """Add `watch` and `doctor` to the command line. Their flags depend on the kind: it is imported once it is named."""
    for name, words, run in (("watch", _WATCH, _watch), ("doctor", _DOCTOR, _doctor)):
        # No word of theirs is a flag to this parser: they are read by another, once the kind is known.
        parser = commands.add_parser(name, help=words, add_help=False, prefix_chars="\0")
        parser.add_argument("words", nargs=argparse.REMAINDER)
        parser.set_defaults(run=run)


def _watch(arguments: argparse.Namespace) -> int:
    told, configured = _told("watch", _WATCH, arguments.words, add_settings)
    settings = settings_of(told)
    from deskwatch.sidecar import serve
    from deskwatch.sources import file

    if not configured and settings.config is not None and not file.read(settings.config):
        raise ConfigError(f"expected a [[source]] block in {settings.config}, was none; write one for each bot")
    return serve.run(settings, watched=configured)


def _doctor(arguments: argparse.Namespace) -> int:
    told, configured = _told("doctor", _DOCTOR, arguments.words, add_config)
    from deskwatch.sources import file
    from deskwatch.watch import doctor

    if told.config is not None:
        configured += file.read(told.config)
    if not configured:
        raise ConfigError(f"expected a [[source]] block in {told.config}, was none; write one for each bot")
    return doctor.run(configured)


def _told(
    command: str, words: str, argv: Sequence[str], add_flags: Callable[[argparse.ArgumentParser], None]
) -> tuple[argparse.Namespace, list[Configured]]:
    """The flags, and the source that they name, if they name one.

    Raises:
        ConfigError: Neither flags nor a file say what to watch, or a flag is wrong.
    """
    kind = argv[0] if argv and argv[0] in KINDS else None
    if argv and not argv[0].startswith("-"):
        _check_kind(command, argv[0])  # before its flags, which no unknown kind knows
    parser = argparse.ArgumentParser(
        prog=f"deskwatch {command}" + (f" {kind}" if kind else ""),
        description=words[0].upper() + words[1:],
        usage=f"deskwatch {command} {kind or f'[{_KINDS}] [--config FILE]'} [flags]",
        epilog=None if kind else f"the flags of a kind: deskwatch {command} KIND --help",
        allow_abbrev=False,  # --password would be --password-file
    )
    add_flags(parser)
    if kind is None:
        parser.add_argument("kind", nargs="?", help=f"{_KINDS}: what is watched; its own flags follow it")
        told = _parsed(parser, argv, f"; the flags of a kind follow its name: deskwatch {command} {_KINDS} …")
        if told.kind is not None:
            _check_kind(command, told.kind)
            raise ConfigError(f"expected {told.kind} right after {command}, was a flag; write: {command} {told.kind} …")
        if told.config is None:
            what = "watch" if command == "watch" else "look at"
            raise ConfigError(f"expected what to {what}: one of {', '.join(KINDS)}, or --config FILE; see --help")
        return told, []
    flags = KindFlags(kind)
    flags.add(parser)
    told = _parsed(parser, argv[1:])
    return told, [Configured(kind, flags.settings(told, Path(os.getcwd())), f"deskwatch {command} {kind}")]


def _check_kind(command: str, kind: str) -> None:
    if kind not in KINDS:
        close = get_close_matches(kind, KINDS, n=1)
        words = f"is {close[0]} meant?" if close else "see --help"
        raise ConfigError(f"expected one of {', '.join(KINDS)} to {command}, was {harmless(scrub(kind))!r}; {words}")


def _parsed(parser: argparse.ArgumentParser, argv: Sequence[str], cure: str = "") -> argparse.Namespace:
    """The flags; what is unknown is told without the word after it, which may be a secret, and what to do.

    Raises:
        ConfigError: A secret was given as a flag.
    """
    told, unknown = parser.parse_known_args(argv)
    flags = [word.partition("=")[0] for word in unknown if word.startswith("-")]
    if any(names_secret(flag.lstrip("-")) for flag in flags):
        raise ConfigError("expected no secret among the flags, where others see it; give a file with it: see --help")
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(flags or unknown)}{cure}")
    return told
