"""Commands: the life of each, folded from the sidecar's words, the bot's, and what the bot's journal shows.

A command is done when the bot said so and its journal shows the state that was asked for (`evidence`). The sidecar and
the bot write different journals, which may be read in either order: what was said is kept apart by who said it
(`Life`), and the status is judged from all of it, so that it does not depend on the order. Where several writers of a
bot speak of one command, `main` counts, or else the one whose name comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from deskwatch import events as ev
from deskwatch.journal import Record
from deskwatch.projections import evidence as evidences
from deskwatch.projections.holdings import Holding, Holdings
from deskwatch.projections.life import FINAL, CommandState, Life, judge

KEPT = 2000
"""Commands of one bot that are remembered; the oldest is forgotten beyond, and its idempotency key with it."""
KEPT_BYTES = 4 * 1024 * 1024
"""And the most that the lines on them may come to."""
WATCHED = 200
"""Commands of one bot that are on their way and watched; the oldest is not beyond, and stays as it is."""
LATEST = 10
"""Commands of a bot that its state shows."""
SHOWN_BYTES = 500
"""Parameters or a result that are longer as JSON are left out there."""


class Commands:
    """The projection: `apply` records, read with `get`."""

    def __init__(self) -> None:
        self.holdings = Holdings()
        self._commands: dict[str, CommandState] = {}
        self._lives: dict[str, Life] = {}
        self._keys: dict[str, str] = {}
        self._known: dict[str, dict[str, None]] = {}
        """By bot, ids in the order in which they were first heard of."""
        self._bytes: dict[str, int] = {}
        """By bot, of the lines on those."""
        self._accepted: dict[str, None] = {}
        """Ids of those that wait for their bot."""
        self._of_bot: dict[str, dict[str, None]] = {}
        """Ids in the order in which they were accepted."""
        self._watched: dict[str, dict[str, None]] = {}
        """Ids of those that a bot began and that have no end yet."""

    def apply(self, record: Record) -> bool:
        """Fold one record in; whether it moved a command."""
        self.holdings.apply(record)
        event = record.event
        if type(event) in _WORDS:
            return self._hear(record, event)  # type: ignore[arg-type]  # _WORDS has nothing else
        if type(event) in _SHOWS:
            return self._watch(record, event)  # type: ignore[arg-type]  # nor has _SHOWS
        return False

    def get(self, command_id: str) -> CommandState | None:
        """The command of this id."""
        return self._commands.get(command_id)

    def by_key(self, bot: str, idempotency_key: str) -> CommandState | None:
        """The command that a bot was given under this key."""
        command_id = self._keys.get(f"{bot} {idempotency_key}")
        return None if command_id is None else self._commands.get(command_id)

    def of(self, bot: str) -> list[CommandState]:
        """A bot's commands, newest first."""
        return [self._commands[name] for name in reversed(self._of_bot.get(bot, {}))]

    def latest(self, bot: str) -> list[CommandState]:
        """A bot's unfinished commands and the latest others, newest first, without what is long in them."""
        names = list(self._of_bot.get(bot, {}))[-WATCHED:]
        unfinished = [name for name in names if self._commands[name].status not in FINAL][-LATEST:]
        chosen = set(unfinished)
        for name in reversed(names):
            if len(chosen) >= LATEST:
                break
            chosen.add(name)
        return [_short(self._commands[name]) for name in reversed(names) if name in chosen]

    def overdue(self, now: float) -> list[CommandState]:
        """Commands that are past their time and were never started."""
        waiting = (self._commands[name] for name in self._accepted)
        return [one for one in waiting if one.expires_at is not None and one.expires_at < now]

    def doubtful(
        self, now: float, seconds: float, heard: Callable[[str], float | None]
    ) -> list[tuple[CommandState, str]]:
        """Commands that wait too long for what they asked for, or whose bot is silent; and what is seen.

        Args:
            now: Unix seconds.
            seconds: What is too long.
            heard: When a bot was heard last, Unix seconds.
        """
        found = []
        for bot, names in self._watched.items():
            for name in names:
                life, command = self._lives[name], self._commands[name]
                if command.status != "running":
                    continue
                waits = f"it waits for {command.waiting_for}"
                last = heard(bot)
                if life.reported_at is not None and life.reported_at < now - seconds:
                    found.append((command, f"the bot said it was done, but its journal does not show it: {waits}"))
                elif life.reported_at is None and last is not None and last < now - seconds:
                    found.append((command, f"the bot began it and was not heard for {seconds:g} s: {waits}"))
        return found

    def dump(self) -> Any:
        """The state as JSON-able values, for the checkpoint."""
        return {
            "commands": msgspec.to_builtins(list(self._commands.values())),
            "lives": msgspec.to_builtins(self._lives),
            "of_bot": {bot: list(names) for bot, names in self._of_bot.items()},
            "watched": {bot: list(names) for bot, names in self._watched.items()},
            "holdings": self.holdings.dump(),
        }

    def load(self, state: Any) -> None:
        """Take the state back from a checkpoint."""
        commands = msgspec.convert(state["commands"], list[CommandState])
        self._commands = {command.id: command for command in commands}
        self._keys = {f"{one.bot} {one.idempotency_key}": one.id for one in commands if one.idempotency_key}
        self._lives = msgspec.convert(state["lives"], dict[str, Life])
        self._of_bot = {bot: dict.fromkeys(names) for bot, names in state["of_bot"].items()}
        self._watched = {bot: dict.fromkeys(names) for bot, names in state["watched"].items()}
        self._accepted = {one.id: None for one in commands if one.status == "accepted"}
        self._known, self._bytes = {}, {}
        for command in commands:
            self._known.setdefault(command.bot, {})[command.id] = None
            self._bytes[command.bot] = self._bytes.get(command.bot, 0) + self._lives[command.id].bytes
        self.holdings.load(state["holdings"])

    def _hear(self, record: Record, event: _Word) -> bool:
        """Take in what was said of a command."""
        command = self._commands.get(event.command_id)
        if command is not None and command.bot != record.bot:
            return False  # a bot has no say in another's commands
        if command is None:
            command = CommandState(id=event.command_id, bot=record.bot, type=event.command)
            self._commands[command.id], self._lives[command.id] = command, Life()
            self._known.setdefault(record.bot, {})[command.id] = None
        life = self._lives[command.id]
        life.bytes += len(record.raw)
        self._bytes[record.bot] = self._bytes.get(record.bot, 0) + len(record.raw)
        holding = self.holdings.of.get(record.bot) or Holding()
        if isinstance(event, ev.CommandStarted | ev.CommandSucceeded | ev.CommandFailed):
            if life.is_spoken_for(record.writer):
                self._forget_beyond(record.bot)
                return False
            _bot_says(command, life, record, event, holding)
        else:
            self._sidecar_says(command, life, record, event)
        self._settle(command, life)
        self._forget_beyond(record.bot)
        return True

    def _sidecar_says(self, command: CommandState, life: Life, record: Record, event: _Word) -> None:
        match event:
            case ev.CommandAccepted():
                command.params, command.actor, command.reason = event.params, event.actor, event.reason
                command.accepted_at, command.expires_at = record.seconds, event.expires_ts / 1e9
                command.expires_seconds = event.expires_seconds
                command.idempotency_key = event.idempotency_key
                self._of_bot.setdefault(record.bot, {})[command.id] = None
                if event.idempotency_key:
                    self._keys[f"{record.bot} {event.idempotency_key}"] = command.id
            case ev.CommandRefused():
                command.actor, life.refused_at, life.refusal = event.actor, record.seconds, event.error
            case ev.CommandExpired():
                life.expired_at = record.seconds
            case ev.CommandUnconfirmed():
                life.doubt = event.error

    def _watch(self, record: Record, event: ev.Event) -> bool:
        """Take in what a bot's journal shows, for its commands on their way."""
        holding = self.holdings.of.get(record.bot) or Holding()
        moved = False
        if isinstance(event, ev.BotStarted | ev.BotStopped):  # `waiting_for` tells of those that it did not begin
            moved = self._tell_waiting(record.bot)
        for name in list(self._watched.get(record.bot, ())):
            command, life = self._commands[name], self._lives[name]
            if life.evidence is None:
                continue
            by_writer = record.writer == life.writer
            if isinstance(event, ev.BotStarted | ev.BotStopped | ev.WatchStarted):
                if by_writer:
                    life.lose(command, record, holding, event)
            else:
                params = life.params or command.params
                evidences.watch(command.type, params, life.evidence, holding, event, by_writer=by_writer)
                life.look(command, record, holding)
            moved = self._settle(command, life) or moved
        return moved

    def _tell_waiting(self, bot: str) -> bool:
        names = list(self._of_bot.get(bot, {}))[-WATCHED:]
        waiting = [self._commands[name] for name in names if self._commands[name].status == "accepted"]
        for command in waiting:
            self._settle(command, self._lives[command.id])
        return bool(waiting)

    def _settle(self, command: CommandState, life: Life) -> bool:
        """Judge a command anew; whether that changed it. It is watched while it has begun and not ended."""
        before = (command.status, command.waiting_for, command.reported)
        holding = self.holdings.of.get(command.bot)
        judge(command, life, is_running=holding is not None and holding.running)
        if command.status == "accepted":
            self._accepted[command.id] = None
        else:
            self._accepted.pop(command.id, None)
        watched = self._watched.setdefault(command.bot, {})
        if command.status in ("succeeded", "failed"):
            life.evidence = None
            watched.pop(command.id, None)
        elif life.evidence is not None and command.id not in watched:
            watched[command.id] = None
            if len(watched) > WATCHED:
                del watched[next(iter(watched))]
        return before != (command.status, command.waiting_for, command.reported)

    def _forget_beyond(self, bot: str) -> None:
        """Keep what is remembered of a bot within its bounds; what one bot says costs no other anything."""
        known = self._known[bot]
        while len(known) > KEPT or (self._bytes[bot] > KEPT_BYTES and len(known) > 1):
            name = next(iter(known))
            forgotten = self._commands.pop(name)
            self._bytes[bot] -= self._lives.pop(name).bytes
            key = f"{bot} {forgotten.idempotency_key}"
            if self._keys.get(key) == name:
                del self._keys[key]
            self._accepted.pop(name, None)
            for index in (known, self._of_bot.get(bot, {}), self._watched.get(bot, {})):
                index.pop(name, None)


def _bot_says(command: CommandState, life: Life, record: Record, event: _Word, holding: Holding) -> None:
    life.take_word(record.writer)
    match event:
        case ev.CommandStarted():
            life.started_at, life.run, life.params = record.seconds, record.run, event.params
            life.evidence = evidences.begin(command.type, event.params or command.params, holding)
        case ev.CommandSucceeded():
            life.reported, life.reported_at, life.result = "succeeded", record.seconds, event.result
            life.evidence = life.evidence or evidences.begin(command.type, life.params or command.params, holding)
            evidences.weigh(command.type, life.params or command.params, life.evidence, holding, record.writer)
            life.look(command, record, holding)
        case ev.CommandFailed():
            life.reported, life.reported_at, life.error = "failed", record.seconds, event.error


def _short(command: CommandState) -> CommandState:
    """A command for a bot's state: what is long in it is left out."""
    params = command.params if len(msgspec.json.encode(command.params)) <= SHOWN_BYTES else {}
    result = command.result if len(msgspec.json.encode(command.result)) <= SHOWN_BYTES else None
    return msgspec.structs.replace(command, params=params, result=result)


_Word = (
    ev.CommandAccepted
    | ev.CommandStarted
    | ev.CommandSucceeded
    | ev.CommandFailed
    | ev.CommandRefused
    | ev.CommandExpired
    | ev.CommandUnconfirmed
)
_WORDS = frozenset(_Word.__args__)
_SHOWS = frozenset(
    {
        ev.BotStarted,
        ev.BotStopped,
        ev.WatchStarted,
        ev.ModeChanged,
        ev.HeartbeatSent,
        ev.WatchlistChanged,
        ev.ConfigReloaded,
        ev.OrderFilled,
        ev.OrderRejected,
        ev.OrderCanceled,
        ev.OrderExpired,
        ev.PositionUpdated,
        ev.PositionClosed,
    }
)
