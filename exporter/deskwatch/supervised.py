"""What `deskwatch run` is told of the bot that it runs, and the flags for it."""

from __future__ import annotations

import argparse
import shlex
from enum import StrEnum
from pathlib import Path

import msgspec

from deskwatch.errors import ConfigError
from deskwatch.journal.names import check_name

MIB = 1024 * 1024


class Restart(StrEnum):
    """Which ends of a bot are followed by a start. One that a person asked for never is."""

    NEVER = "never"
    ON_FAILURE = "on-failure"
    """An exit code other than 0, or a signal."""
    ALWAYS = "always"


class Supervised(msgspec.Struct, frozen=True, kw_only=True):
    """One bot and how it is run."""

    bot: str
    """Its name."""
    command: tuple[str, ...]
    """Program and arguments. Nothing else is ever run in its place."""
    restart: Restart = Restart.ON_FAILURE
    """Which ends are followed by a start."""
    first_pause_seconds: float = 1.0
    """Before the first restart; it doubles with each one, up to `most_pause_seconds`, less a random part."""
    most_pause_seconds: float = 60.0
    """The longest pause before a restart."""
    healthy_seconds: float = 60.0
    """A bot that ran this long starts anew with the first pause."""
    crash_limit: int = 5
    """So many ends within `crash_seconds` are a crash loop: the bot is left down until a person starts it."""
    crash_seconds: float = 300.0
    """The time within which they count."""
    grace_seconds: float = 10.0
    """Between asking the bot to end and killing it."""
    cancel_hook: tuple[str, ...] = ()
    """Program and arguments that cancel all of the bot's orders, run before it is killed; empty for none."""
    hook_seconds: float = 10.0
    """How long it may take."""
    log_bytes: int = 10 * MIB
    """Size at which an output file is full."""
    log_files: int = 5
    """Output files that are kept, the one being written among them."""
    detach: bool = False
    """Whether the bot goes on when the sidecar ends; the next sidecar takes it over."""


_DEFAULT = Supervised(bot="", command=())


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `deskwatch run` that concern the bot's process."""
    seconds = (
        ("backoff", _DEFAULT.first_pause_seconds, "pause before the first restart; it doubles with each"),
        ("healthy", _DEFAULT.healthy_seconds, "after so long the pause begins anew"),
        ("crash", _DEFAULT.crash_seconds, "time within which --crash-limit ends count"),
        ("grace", _DEFAULT.grace_seconds, "between asking the bot to end and killing it"),
        ("hook", _DEFAULT.hook_seconds, "how long --cancel-hook may take"),
    )
    parser.add_argument("--bot", help="the bot's name; default: the command's own name")
    parser.add_argument(
        "--restart",
        choices=[one.value for one in Restart],
        default=_DEFAULT.restart.value,
        help="which ends of the bot are followed by a start (default: %(default)s)",
    )
    for name, default, words in seconds:
        parser.add_argument(f"--{name}-seconds", type=float, default=default, help=f"{words} (default: %(default)s)")
    parser.add_argument(
        "--crash-limit",
        type=int,
        default=_DEFAULT.crash_limit,
        help="so many ends are a crash loop: the bot is left down (default: %(default)s)",
    )
    parser.add_argument("--cancel-hook", metavar="CMD", help="command that cancels all orders, run before a kill")
    parser.add_argument(
        "--log-mib", type=float, default=_DEFAULT.log_bytes / MIB, help="size of an output file (default: %(default)s)"
    )
    parser.add_argument(
        "--log-files", type=int, default=_DEFAULT.log_files, help="output files that are kept (default: %(default)s)"
    )
    parser.add_argument("--detach", action="store_true", help="the bot goes on when the sidecar ends")
    parser.add_argument("argv", nargs="+", metavar="CMD", help="the bot's command, after --")


def supervised_of(arguments: argparse.Namespace) -> Supervised:
    """The bot that the flags ask for.

    Raises:
        ConfigError: Its name can't be one, a limit is none, or the hook is no command.
    """
    for flag in ("backoff_seconds", "healthy_seconds", "crash_seconds", "grace_seconds", "hook_seconds", "log_mib"):
        if not 0 < getattr(arguments, flag) < float("inf"):
            raise ConfigError(f"expected --{flag.replace('_', '-')} to be above 0, was {getattr(arguments, flag)}")
    for flag in ("crash_limit", "log_files"):
        if getattr(arguments, flag) < 1:
            raise ConfigError(f"expected --{flag.replace('_', '-')} to be at least 1, was {getattr(arguments, flag)}")
    return Supervised(
        bot=check_name("bot's name", arguments.bot or Path(arguments.argv[0]).stem),
        command=tuple(arguments.argv),
        restart=Restart(arguments.restart),
        first_pause_seconds=arguments.backoff_seconds,
        most_pause_seconds=max(_DEFAULT.most_pause_seconds, arguments.backoff_seconds),
        healthy_seconds=arguments.healthy_seconds,
        crash_limit=arguments.crash_limit,
        crash_seconds=arguments.crash_seconds,
        grace_seconds=arguments.grace_seconds,
        cancel_hook=_hook(arguments.cancel_hook),
        hook_seconds=arguments.hook_seconds,
        log_bytes=max(4096, int(arguments.log_mib * MIB)),
        log_files=arguments.log_files,
        detach=arguments.detach,
    )


def _hook(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    try:
        found = tuple(shlex.split(text))
    except ValueError as error:
        raise ConfigError(f"expected --cancel-hook to be a command, but: {error}; mind its quotes") from None
    if not found:
        raise ConfigError("expected --cancel-hook to be a command, was nothing; leave the flag out for none")
    return found
