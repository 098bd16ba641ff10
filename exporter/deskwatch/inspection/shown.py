"""A journal's line as a person reads it, and as a script does; and which lines are wanted."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from deskwatch.console import coloured
from deskwatch.errors import InvalidLine
from deskwatch.events import KINDS, UNKNOWN_KIND
from deskwatch.harmless import as_json, harmless, harmless_json
from deskwatch.journal import read, read_envelope
from deskwatch.journal.walk import Line
from deskwatch.moment import local_time
from deskwatch.projections.activity import level_of

_ENVELOPE = frozenset({"v", "ts", "seq", "run", "crc", "type"})
_LINKS = ("cause", "trace")
"""Long ids that most events have: they come last."""
_PLAIN = re.compile(r"[^\s\"'=\[\]{},]+")


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A line with what is shown and filtered of it.

    Attributes:
        invalid: Why it is no event; None where it is one.
        ts: Nanoseconds since 1970; None where the line tells no time.
    """

    bot: str
    writer: str
    line: Line
    type: str | None
    kind: str | None
    ts: int | None
    seq: int | None
    level: str
    invalid: str | None = None
    detail: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are shown; an empty set or None means any."""

    types: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    since: int | None = None
    until: int | None = None

    def accepts(self, shown: Shown) -> bool:
        """Whether a line is wanted."""
        if self.types and shown.type not in self.types:
            return False
        if self.kinds and shown.kind not in self.kinds:
            return False
        if self.since is not None and (shown.ts is None or shown.ts < self.since):
            return False
        return self.until is None or (shown.ts is not None and shown.ts < self.until)


def look(line: Line, bot: str, writer: str) -> Shown:
    """A line, read as far as it can be."""
    try:
        record = read(line.text, bot, writer)
    except InvalidLine as error:
        return _look_at_invalid(line, bot, writer, error)
    return Shown(
        bot=bot,
        writer=writer,
        line=line,
        type=record.type,
        kind=record.kind,
        ts=record.ts,
        seq=record.seq,
        level=level_of(record),
    )


def _look_at_invalid(line: Line, bot: str, writer: str, error: InvalidLine) -> Shown:
    told: dict[str, Any] = {"type": None, "kind": None, "ts": None, "seq": None}  # Any: text and numbers
    try:
        envelope = read_envelope(line.text)
    except InvalidLine:
        pass
    else:
        kind = KINDS.get(envelope.type, UNKNOWN_KIND)
        told = {"type": envelope.type, "kind": kind, "ts": envelope.ts, "seq": envelope.seq}
    return Shown(bot=bot, writer=writer, line=line, level="error", invalid=error.reason, detail=error.detail, **told)


def for_people(shown: Shown) -> str:
    """One line: local time, journal, seq, type, then the fields; colours only on a terminal."""
    when = "-" if shown.ts is None else local_time(shown.ts)
    place = f"{shown.line.segment}:{shown.line.offset}" if shown.seq is None else f"#{shown.seq}"
    head = f"{coloured(when, 'faint')} {shown.bot}/{shown.writer} {coloured(place, 'faint')}"
    if shown.invalid is not None:
        words = coloured(harmless(f"no event ({shown.invalid}: {shown.detail})"), "error")
        return f"{head} {words} {harmless(shown.line.text)}"
    return f"{head} {coloured(harmless(shown.type or ''), shown.level)}{_fields(shown.line.text)}"


def for_scripts(shown: Shown) -> str:
    """One JSON object: where the line stands, and the line itself (`event`, or `text` with the reason in `invalid`)."""
    told = {"bot": shown.bot, "writer": shown.writer, "segment": shown.line.segment, "offset": shown.line.offset}
    if shown.invalid is not None:
        told |= {"invalid": shown.invalid, "detail": shown.detail}
        if not _is_json(shown.line.text):
            return as_json({**told, "text": shown.line.text.decode(errors="backslashreplace")})
    # Between the members of a JSON text a tab is a space; within its strings it can't stand as it is.
    text = shown.line.text.decode().replace("\t", " ").replace("\r", " ")
    return f'{as_json(told)[:-1]},"event":{harmless_json(text)}}}'


def _is_json(text: bytes) -> bool:
    try:
        text.decode()
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _fields(line: bytes) -> str:
    """The event's own fields as ` name=value`, texts quoted where they hold more than a word."""
    fields: dict[str, Any] = msgspec.json.decode(line)  # Any: whatever the fields hold
    own = [name for name in fields if name not in _ENVELOPE and name not in _LINKS]
    own += [name for name in _LINKS if name in fields]
    return "".join(f" {harmless(name)}={_value(fields[name])}" for name in own)


def _value(value: Any) -> str:  # Any: as above
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return harmless(value)
    return as_json(value)
