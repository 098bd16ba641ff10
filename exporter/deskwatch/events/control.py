"""Control: a command's life, and who did what to the control side.

Accepted, refused, expired and unconfirmed are the sidecar's words and count only from its `control` writer; offered,
started, succeeded and failed are the bot's and count only from the bot's writers.
"""

from __future__ import annotations

from deskwatch.events.base import Event, Integer, Json, Number


class CommandAccepted(Event, frozen=True, kw_only=True):
    """The sidecar took a command: it is on disk, and the bot will find it."""

    command_id: str
    """The command's id."""
    command: str
    """Its type: `ping`, `set_mode`, `close_position`, `close_all` …"""
    params: dict[str, Json]
    """Its parameters."""
    actor: str
    """Name of the token it came with."""
    expires_ts: Integer
    """Unix time in nanoseconds after which the bot must not start it."""
    reason: str | None = None
    """The operator's words."""
    idempotency_key: str | None = None
    """The caller's key."""
    expires_seconds: Number = None
    """The time that the caller gave it; absent where they left it to the sidecar."""
    leaves_halted: bool = False
    """Whoever gave it knew the bot as halted and may lead it out of that: a bot that halted itself later refuses it."""


class CommandStarted(Event, frozen=True, kw_only=True):
    """The bot begins to act on a command. It is never delivered again."""

    command_id: str
    """The command's id."""
    command: str
    """Its type."""
    params: dict[str, Json] | None = None
    """What the bot acts by, so that its own journal tells what has to be seen in it; absent where there are none."""


class CommandSucceeded(Event, frozen=True, kw_only=True):
    """The bot did what was asked."""

    command_id: str
    """The command's id."""
    command: str
    """Its type."""
    result: Json = None
    """What the bot has to say about it."""


class CommandFailed(Event, frozen=True, kw_only=True):
    """The bot could not do what was asked."""

    command_id: str
    """The command's id."""
    command: str
    """Its type."""
    error: str
    """Why."""


class CommandRefused(Event, frozen=True, kw_only=True):
    """The sidecar did not pass a command on."""

    command_id: str
    """The command's id."""
    command: str
    """Its type."""
    actor: str
    """Name of the token it came with."""
    error: str
    """Why."""


class CommandExpired(Event, frozen=True, kw_only=True):
    """The bot did not start a command in time, and will not start it any more."""

    command_id: str
    """The command's id."""
    command: str
    """Its type."""


class CommandUnconfirmed(Event, frozen=True, kw_only=True):
    """What the bot says of a command, or that it says nothing, can't be seen in its journal: its end is unknown."""

    command_id: str
    """The command's id."""
    command: str
    """Its type."""
    error: str
    """What is still seen."""


class CommandOffered(Event, frozen=True, kw_only=True):
    """The bot knows a command of its own. Said again in each run, as each run may know others."""

    command: str
    """Its type."""
    description: str
    """What it does, for the operator."""
    schema: dict[str, Json]
    """JSON Schema of its parameters."""


class SignInRefused(Event, frozen=True, kw_only=True):
    """A request came with a wrong token, or with none where one is needed."""

    route: str
    """Method and route."""
    remote: str
    """The caller's address."""
    problem: str
    """`missing`, `wrong`, `expired`, `scope` or `bot`."""
    attempts: Integer = 1
    """How many such requests this event tells of: in a flood they are told together."""


class TokenMade(Event, frozen=True, kw_only=True):
    """A token was made."""

    name: str
    """Its name."""
    scopes: list[str]
    """What it may do."""
    bots: list[str] | None = None
    """The bots that it is for; null for all."""
    expires_ts: Integer | None = None
    """Unix time in nanoseconds from which it counts no more."""


class TokenRevoked(Event, frozen=True, kw_only=True):
    """A token was revoked."""

    name: str
    """Its name."""


class ProcessActed(Event, frozen=True, kw_only=True):
    """Something was done with the supervised process, or it ended."""

    action: str
    """`start`, `stop`, `kill`, `hook` (the cancel hook has run), `adopt` (it ran already), `exit` or `give_up`."""
    actor: str
    """A token's name, or `supervisor`."""
    pid: Integer | None = None
    """Its process id."""
    exit_code: Integer | None = None
    """How it, or the hook, ended; negative: the signal."""
    reason: str | None = None
    """The operator's words, or what moved the supervisor."""
    last_lines: list[str] | None = None
    """The last lines of what it, or the hook, printed; scrubbed."""
