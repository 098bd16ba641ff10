"""Lifecycle: a bot starts, beats, changes mode, stops."""

from __future__ import annotations

import enum

from deskwatch.events.base import Event, Integer, Number


class Mode(enum.StrEnum):
    """What a bot may do, from the most to the least risky."""

    ACTIVE = "active"
    """It trades."""
    STANDBY = "standby"
    """It watches; it may close, and opens nothing."""
    CLOSING = "closing"
    """It reduces to flat, then goes to standby."""
    HALTED = "halted"
    """It sends nothing until a person re-arms it."""


class BotStarted(Event, frozen=True, kw_only=True):
    """A writer of the bot opened its journal."""

    pid: Integer
    """Process id on `host`; the sidecar samples that process where it can see it."""
    host: str
    """Host name of the machine or container."""
    mode: Mode
    """Mode it starts in."""
    version: str | None = None
    """The bot's own version."""
    strategy: str | None = None
    """The bot's strategy, where it has one only."""
    boot: str | None = None
    """What tells this start of a watched bot from its others, as the bot itself has it: its start time, say."""


class BotStopped(Event, frozen=True, kw_only=True):
    """A writer of the bot closed its journal in good order. A crash leaves no such event."""

    reason: str
    """Why, in a word or a sentence: `closed`, an exception's name …"""
    uptime_seconds: Number = None
    """Time since its BotStarted."""


class WatchStarted(Event, frozen=True, kw_only=True):
    """A source began to watch a bot that writes no journal, and writes this one for it. The bot may run already."""

    source: str
    """What kind of source: `freqtrade`, `evm`, `hummingbot`."""
    peer: str
    """What is watched, for people: a URL without secrets, a chain's name."""


class WatchStopped(Event, frozen=True, kw_only=True):
    """A source ceased to watch in good order. The bot goes on, unseen."""

    source: str
    """What kind of source."""
    reason: str
    """Why, in a word or a sentence."""


class HeartbeatSent(Event, frozen=True, kw_only=True):
    """The bot's process lives. `idle_seconds` tells whether the bot's own code does too."""

    uptime_seconds: Number
    """Time since BotStarted."""
    idle_seconds: Number
    """Time since the bot's own code last touched the recorder (emitted, read its mode, asked for commands)."""
    lost_events: Integer = 0
    """Events of this run that could not be journaled."""
    null_values: Integer = 0
    """Figures of this run that were NaN or infinite and were journaled as null."""
    loop_lag_seconds: Number = None
    """How late the bot's event loop ran what it was asked to, for bots that wait in `recorder.commands()`."""
    mode: Mode | None = None
    """The mode in force, so that it is known although the ModeChanged that led to it may be long gone."""
    sync_failures: Integer = 0
    """How often in this run the disk did not confirm what was journaled."""


LOSS_REASONS = ("bad_event", "closed", "corrupt", "disk_full", "io_error", "read_only", "removed")
"""Why events are lost, in the words of `EventsLost.reason`: the event could not be encoded; its recorder was closed, a
parent's or locked out; it could not be read back after a failed sync; the disk was full; the system refused otherwise;
the filesystem was read-only; its segment was removed, replaced or cut under its writer."""


class EventsLost(Event, frozen=True, kw_only=True):
    """Events that are not in the journal, or no longer, said as soon as writing works again."""

    events: Integer
    """How many, since the last such event of this run and reason."""
    reason: str
    """One of `LOSS_REASONS`."""


class ModeChanged(Event, frozen=True, kw_only=True):
    """The bot's own code has seen its new mode: from this event on it acts by it."""

    mode: Mode
    """The mode from now on."""
    previous: Mode | None = None
    """The mode before; absent at a start."""
    reason: str | None = None
    """Why: the operator's words, `start`, or the bot's own reason."""
    actor: str | None = None
    """Who asked: a token's name, or `bot`."""


class WatchlistChanged(Event, frozen=True, kw_only=True):
    """The bot watches these instruments from now on, and no others."""

    symbols: list[str]
    """Instruments."""
    reason: str | None = None
    """Why: the operator's words, or the bot's own."""


class ConfigReloaded(Event, frozen=True, kw_only=True):
    """The bot has read its configuration again and acts by it from now on."""

    version: str | None = None
    """What tells this configuration from others: a commit, a hash, a number."""
    changed: list[str] | None = None
    """Names of the settings that are others than before."""
