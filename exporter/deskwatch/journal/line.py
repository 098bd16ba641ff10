"""One line of a journal: an event in its envelope, as strict JSON.

    {"v":1,"ts":<ns>,"seq":<n>,"run":"<id>","type":"order_filled",…the event's fields…,"crc":<CRC-32>}

The CRC-32 (zlib's) is taken over the line as it would be without its last member, `,"crc":…`. A line from a bot in
another language may leave out `v`, `seq`, `run` and `crc`; `ts` and `type` it must have. One that begins exactly as
`frame` makes it must have its CRC: a bit that flips in the member's name would leave the line unguarded.
"""

from __future__ import annotations

import re
import zlib

import msgspec

from deskwatch.errors import InvalidLine
from deskwatch.events import EVENTS, KINDS, UNKNOWN_KIND, Event, Integer, Unknown
from deskwatch.events.base import making_decoder
from deskwatch.journal.names import CONTROL

FORMAT = 1
"""The envelope's `v`."""
MAX_LINE_BYTES = 64 * 1024
"""A line, newline included. The recorder cuts longer text; a foreign line that is longer is invalid."""
MAX_DEPTH = 100
"""Lists and objects within each other; a line that is deeper is invalid, as few readers could take it."""
_FRAME = re.compile(rb'\{"v":1,"ts":\d+,"seq":\d+,"run":"[0-9a-f]{16}",')
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]')

_FROM_SIDECAR = frozenset(
    {
        "command_accepted",
        "command_refused",
        "command_expired",
        "command_unconfirmed",
        "sign_in_refused",
        "token_made",
        "token_revoked",
        "process_acted",
    }
)


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every line has beside the event's own fields."""

    type: str
    """The event's type, snake_case."""
    ts: Integer
    """Wall clock, nanoseconds since 1970."""
    v: int = FORMAT
    """Version of the format."""
    seq: Integer | None = None
    """Gapless per writer, from 1."""
    run: str | None = None
    """One id per start of the writer."""
    crc: int | None = None
    """CRC-32 of the line without this member."""
    cut: list[str] | None = None
    """Fields whose text was cut to keep the line within its limit."""
    prev: str | None = None
    """In a control journal: SHA-256 of the line before this one, 64 hex digits; zeros in the first line."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One journal line, read: who wrote it, when, and the event."""

    bot: str
    writer: str
    type: str
    kind: str
    ts: int
    seq: int | None
    run: str | None
    event: Event | Unknown
    raw: bytes
    """The line without its newline."""

    @property
    def seconds(self) -> float:
        """`ts` in seconds since 1970."""
        return self.ts / 1e9


_envelopes = msgspec.json.Decoder(Envelope, strict=False)


class _Decoders(dict[str, msgspec.json.Decoder[Event]]):
    """A decoder for each type, made when it is first asked for: all of them at import would cost each bot 5 ms."""

    def __missing__(self, tag: str) -> msgspec.json.Decoder[Event]:
        with making_decoder:
            decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(EVENTS[tag], strict=False)
        self[tag] = decoder
        return decoder


_decoders = _Decoders()
_unknown = msgspec.json.Decoder(Unknown)


def template(run: bytes) -> bytes:
    """What a writer frames its lines with: `template % (ts, seq, body[1:])` is a line without its last member."""
    return b'{"v":%d,"ts":%%d,"seq":%%d,"run":"%b",%%b' % (FORMAT, run.replace(b"%", b"%%"))


def frame(body: bytes, *, ts: int, seq: int, run: bytes) -> bytes:
    """Put an encoded event (`{"type":…}`) into its envelope; returns the line with its newline."""
    line = template(run) % (ts, seq, body[1:])
    return line[:-1] + b',"crc":%d}\n' % zlib.crc32(line)


def check_crc(line: bytes, crc: int) -> bool:
    """Whether a line (without newline) has the CRC that it states."""
    tail = b',"crc":%d}' % crc
    return line.endswith(tail) and zlib.crc32(b"}", zlib.crc32(line[: -len(tail)])) == crc


def read_envelope(line: bytes) -> Envelope:
    """The envelope of a line (without newline), checked against its CRC where it states one.

    Raises:
        InvalidLine: It is not JSON in UTF-8, or is nested too deep (`json`), lacks `ts` or `type` (`envelope`), is too
            long (`length`) or was changed since it was written (`crc`).
    """
    if len(line) >= MAX_LINE_BYTES:
        raise InvalidLine("length", f"expected at most {MAX_LINE_BYTES} bytes, was {len(line)}")
    try:
        _ = line.isascii() or line.decode()  # msgspec does not look into members that it passes over
        envelope = _envelopes.decode(line)
    except msgspec.ValidationError as error:
        raise InvalidLine("envelope", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidLine("json", str(error)) from None
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH and _depth(line) > MAX_DEPTH:
        raise InvalidLine("json", f"expected at most {MAX_DEPTH} levels of nesting")
    if envelope.crc is None:
        if _FRAME.match(line):
            raise InvalidLine("crc", "expected the line to state its CRC-32 in its last member")
    elif not check_crc(line, envelope.crc):
        raise InvalidLine("crc", f"expected the line to have the CRC-32 that it states, {envelope.crc}")
    return envelope


def read(line: bytes, bot: str, writer: str) -> Record:
    """One line (without newline) of a bot's writer as a record.

    Raises:
        InvalidLine: As `read_envelope`; or its fields are not the event's (`fields`); or it is a word that only the
            sidecar, or only a bot, may say, in the other's journal (`misplaced`).
    """
    envelope = read_envelope(line)
    kind = envelope.type
    decoder = _decoders[kind] if kind in EVENTS else None
    if decoder is not None and (kind in _FROM_SIDECAR) is not (writer == CONTROL):
        raise InvalidLine("misplaced", f"{kind} does not count from writer {writer}")
    try:
        event = _unknown.decode(line) if decoder is None else decoder.decode(line)
    except msgspec.ValidationError as error:
        raise InvalidLine("fields", f"{kind}: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidLine("json", str(error)) from None
    return Record(
        bot=bot,
        writer=writer,
        type=kind,
        kind=KINDS.get(kind, UNKNOWN_KIND),
        ts=envelope.ts,
        seq=envelope.seq,
        run=envelope.run,
        event=event,
        raw=line,
    )


def _depth(line: bytes) -> int:
    """How deep the lists and objects of a JSON text lie in each other."""
    depth = deepest = 0
    for match in _BRACKETS.finditer(line):
        if match[0] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif match[0] in b"]}":
            depth -= 1
    return deepest
