"""A bot's own commands: what it registers, journals as offered, and checks the parameters of when one comes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from deskwatch import params as parameters
from deskwatch.errors import ConfigError
from deskwatch.events import CommandOffered, Json
from deskwatch.events.base import making_decoder

MAX_OFFERS = 50
MAX_SCHEMA_BYTES = 8 * 1024
MAX_DESCRIPTION = 500
VOCABULARY = frozenset(
    {"ping", "set_mode", "close_position", "close_all", "cancel_orders", "set_watchlist", "reload_config"}
)
"""Types that every bot may be asked; a bot's own are named otherwise."""
_TYPE = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Offers:
    """What one bot offers, by type."""

    def __init__(self) -> None:
        self._known: dict[str, type[msgspec.Struct] | dict[str, Json]] = {}

    def add(self, kind: str, wanted: type[msgspec.Struct] | Mapping[str, Json], description: str) -> CommandOffered:
        """Take a command on; the event that offers it.

        Args:
            kind: Its type.
            wanted: Its parameters: a Struct, or a JSON Schema of an object.
            description: What it does, for the operator.

        Raises:
            ConfigError: Something of it can't be used.
        """
        if not _TYPE.fullmatch(kind) or kind in VOCABULARY:
            raise ConfigError(
                f"expected a command's type of 1 to 64 lower-case letters, digits and '_' that is none of "
                f"{', '.join(sorted(VOCABULARY))}; was {kind!r}"
            )
        if len(self._known) >= MAX_OFFERS and kind not in self._known:
            raise ConfigError(f"expected at most {MAX_OFFERS} commands of a bot's own; {kind!r} is one more")
        schema = _schema(kind, wanted)
        size = len(msgspec.json.encode(schema))
        if size > MAX_SCHEMA_BYTES:
            raise ConfigError(f"expected a schema of at most {MAX_SCHEMA_BYTES} bytes for {kind!r}, was {size}")
        self._known[kind] = dict(wanted) if isinstance(wanted, Mapping) else wanted
        return CommandOffered(command=kind, description=description[:MAX_DESCRIPTION], schema=schema)

    def parse(self, kind: str, given: dict[str, Json]) -> msgspec.Struct | None:
        """Check a command's parameters; they as the Struct that was registered, None where none was.

        Raises:
            ValueError: They don't fit; the message says where.
        """
        wanted = self._known.get(kind)
        if wanted is None:
            return None
        if isinstance(wanted, dict):
            parameters.check(wanted, given)
            return None
        parsed: msgspec.Struct = msgspec.convert(given, wanted)  # its ValidationError is a ValueError
        return parsed


def _schema(kind: str, wanted: type[msgspec.Struct] | Mapping[str, Json]) -> dict[str, Any]:
    if isinstance(wanted, Mapping):
        try:
            parameters.check_schema(wanted)
        except ValueError as error:
            raise ConfigError(f"expected a schema of {kind!r} that the bot can check: {error}") from None
        return dict(wanted)
    if not (isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)):
        raise ConfigError(f"expected a msgspec Struct or a JSON Schema for {kind!r}, was {wanted!r}")
    try:
        with making_decoder:
            return msgspec.json.schema(wanted)
    except TypeError as error:
        raise ConfigError(f"expected a Struct for {kind!r} that has a JSON Schema: {error}") from None
