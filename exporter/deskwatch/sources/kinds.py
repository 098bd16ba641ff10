"""The kinds of sources, each imported where it is asked for: its settings, and opening it."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from types import ModuleType
from typing import NamedTuple

from deskwatch.errors import ConfigError
from deskwatch.sources import KINDS
from deskwatch.sources.settings import SourceSettings
from deskwatch.sources.source import Source


class Configured(NamedTuple):
    """One source as it was asked for."""

    kind: str
    settings: SourceSettings
    where: str
    """Where that was written, for messages: `deskwatch.toml, [[source]] 2`."""


class Assigned(NamedTuple):
    """A source, and whose journal it writes."""

    source: Source
    bot: str
    writer: str


def settings_type(kind: str) -> type[SourceSettings]:
    """The `Settings` of a kind.

    Raises:
        ConfigError: A library that it needs is not installed.
    """
    found: type[SourceSettings] = _module(kind).Settings
    return found


def open_source(configured: Configured) -> Source:
    """The source. Nothing is asked of its peer yet.

    Raises:
        ConfigError: A library that it needs is not installed, or a setting can't be used.
    """
    module = _module(configured.kind)
    try:
        source: Source = module.open_source(configured.settings)
    except ModuleNotFoundError as error:
        raise _not_installed(configured.kind, error) from None
    except ConfigError as error:
        raise ConfigError(f"{configured.where}: {error}") from None
    return source


def assign(configured: Iterable[Configured], taken: Iterable[str] = ()) -> list[Assigned]:
    """The sources, opened, if no two write one journal.

    Args:
        configured: What was asked for, in all places together.
        taken: Bots that write their journal themselves, as far as that is known.

    Raises:
        ConfigError: Two would write one journal, or one can't be opened.
    """
    configured = list(configured)
    writers = {(bot, "main"): "deskwatch run" for bot in taken}
    for one in configured:
        key = (one.settings.bot, one.settings.writer)
        if key in writers:
            raise ConfigError(
                f"{one.where}: expected to be the only writer {key[1]} of the bot {key[0]}, but that is "
                f"{writers[key]}'s already; give one of them another bot, or another writer"
            )
        writers[key] = one.where
    return [Assigned(open_source(one), one.settings.bot, one.settings.writer) for one in configured]


def _module(kind: str) -> ModuleType:
    try:
        return importlib.import_module(KINDS[kind])
    except ModuleNotFoundError as error:
        raise _not_installed(kind, error) from None


def _not_installed(kind: str, error: ModuleNotFoundError) -> Exception:
    if (error.name or "deskwatch").partition(".")[0] == "deskwatch":
        return error  # our own fault: no extra mends it
    return ConfigError(
        f"expected the library {error.name}, which a source of kind {kind} needs, but it is not installed; "
        f"install it with: pip install 'deskwatch[{kind}]'"
    )
