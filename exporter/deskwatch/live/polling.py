"""The second road: asking every second, so that no event is missed while there is no stream."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Generator, Iterator
from http import HTTPStatus
from typing import Any

import msgspec

from deskwatch.errors import Declined, Unreachable
from deskwatch.live.asking import Sidecar
from deskwatch.live.bot import BotState
from deskwatch.live.messages import Cursor, Entry, Events, Snapshot, State
from deskwatch.live.paths import path_of

PAGE = 1000
READ_SECONDS = 5.0
GONE = "the journal no longer holds the place that was to be gone on from"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of `/activity/since`."""

    events: list[Entry] = []
    cursor: Cursor = {}
    position: int = 0
    reset: str | None = None
    more: bool | None = None
    """Whether there is more already; None where the sidecar does not tell."""


def poll(
    sidecar: Sidecar, cursor: Cursor | None, bots: tuple[str, ...], kinds: tuple[str, ...]
) -> Iterator[Snapshot | Events | State]:
    """What is new since a cursor, as the stream would have told it; a page of events at a time.

    Events come first and the state after them, so that the state is never older than the events. Blocking.

    Args:
        sidecar: Whom to ask.
        cursor: Where to go on; None where nothing is held yet, or the sidecar has no cursors: then a snapshot comes.
        bots: Only these; all where it is empty.
        kinds: Only events of these families.

    Raises:
        ConfigError: The token file can't be read.
        NotAllowed: The sidecar wants another token.
        Unreachable: It can't be asked now.
    """
    reset = None
    if cursor is not None:
        reset = yield from _missed(sidecar, cursor, bots, kinds)
    snapshot = _snapshot(sidecar, bots)
    if cursor is None or reset is not None:
        yield msgspec.structs.replace(snapshot, reset=reset)
    else:
        yield State(bots=snapshot.bots, position=snapshot.position)


def _missed(
    sidecar: Sidecar, cursor: Cursor, bots: tuple[str, ...], kinds: tuple[str, ...]
) -> Generator[Events, None, str | None]:
    """Pages up to the end; returns why it is not possible to go on, None where it is."""
    held = dict(cursor)
    while True:
        query: dict[str, Any] = {"cursor": as_token(held), "limit": PAGE}
        query |= {name: names[0] for name, names in (("bot", bots), ("kind", kinds)) if len(names) == 1}
        try:
            content = sidecar.ask_bytes("GET", "/activity/since", query=query, read_seconds=READ_SECONDS)
        except Declined as error:
            if error.status == HTTPStatus.NOT_FOUND:  # an older sidecar: the stream will tell them, from this cursor
                return None
            return f"{GONE}: {error}"
        try:
            page = msgspec.json.decode(content, type=Page)
        except msgspec.DecodeError as error:
            raise Unreachable(f"{sidecar.access.name} answered with no page of events: {error}") from None
        if page.reset is not None:
            return page.reset
        moves = any(held.get(writer) != place for writer, place in page.cursor.items())
        held |= page.cursor
        if page.events or moves:
            events = [
                one for one in page.events if one.bot in (bots or (one.bot,)) and one.kind in (kinds or (one.kind,))
            ]
            yield Events(events=events, cursor=page.cursor, position=page.position, replayed=True)
        if not moves or page.more is False or (page.more is None and not page.events):
            return None


def _snapshot(sidecar: Sidecar, bots: tuple[str, ...]) -> Snapshot:
    if len(bots) == 1:  # a token may be for one bot alone
        with contextlib.suppress(Declined):  # it is not there yet
            content = sidecar.ask_bytes("GET", path_of("bots", bots[0], "snapshot"), read_seconds=READ_SECONDS)
            return _of_one(sidecar, content)
    content = sidecar.ask_bytes("GET", "/snapshot", read_seconds=READ_SECONDS)
    try:
        return msgspec.json.decode(content, type=Snapshot)
    except msgspec.DecodeError as error:
        raise Unreachable(f"{sidecar.access.name} answered with no snapshot: {error}") from None


def _of_one(sidecar: Sidecar, content: bytes) -> Snapshot:
    try:
        one = msgspec.json.decode(content, type=_One)
    except msgspec.DecodeError as error:
        raise Unreachable(f"{sidecar.access.name} answered with no snapshot: {error}") from None
    return Snapshot(bots=[one.bot], epoch=one.epoch, position=one.position, cursor=one.cursor, now=one.now)


class _One(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of `/bots/{bot}/snapshot`."""

    bot: BotState
    epoch: str | int | None = None
    position: int = 0
    cursor: Cursor | None = None
    now: float | None = None


def as_token(cursor: Cursor) -> str:
    """A cursor as it stands in a query: base64url of its JSON, without padding."""
    return base64.urlsafe_b64encode(json.dumps(cursor, separators=(",", ":")).encode()).decode().rstrip("=")
