"""What a client missed, read again: it is what it would have been sent."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch import base
from deskwatch.events import HeartbeatSent, LogRecorded
from deskwatch.journal import Batch, Follower, Position, names
from deskwatch.journal.line import MAX_LINE_BYTES
from deskwatch.projections import Projections
from deskwatch.projections.activity import Entry
from deskwatch.sidecar.feed import Feed
from deskwatch.sidecar.streaming import replay as replay_module
from deskwatch.sidecar.streaming.cursor import Key, Place
from deskwatch.sidecar.streaming.replay import Gone, Piece, Replay
from deskwatch.sidecar.streaming.topic import EVERYTHING, Topic
from tests.descriptors import open_below
from tests.lines import START_NS, line_of, segment_files, write

NOTE = LogRecorded(message="m", levelname="INFO", name="n")
BEAT = HeartbeatSent(uptime_seconds=1.0, idle_seconds=1.0)
KEYS = [("arb-1", "main"), ("arb-1", "second"), ("arb-2", "main")]


class Chunk(NamedTuple):
    """What one writer appends at once."""

    key: Key
    kinds: list[str]
    begins_segment: bool


kinds = st.sampled_from(("note", "note", "beat", "garbage", "empty", "again", "foreign", "long", "torn"))
chunks = st.lists(st.builds(Chunk, st.sampled_from(KEYS), st.lists(kinds, min_size=1, max_size=6), st.booleans()))


class World:
    """Journals that grow, and a sidecar's projections that follow them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.projections = Projections()
        self.feed = Feed(home, 3600)
        self.entries: list[Entry] = []
        self._follower = Follower(home, memory=self.projections.continuity).open()
        self._lines: dict[Key, list[bytes]] = {key: [] for key in KEYS}
        self._seq = dict.fromkeys(KEYS, 0)
        self._file: dict[Key, Path] = {}

    def append(self, chunk: Chunk) -> None:
        key = chunk.key
        folder = names.writer_folder(self.home, *key)
        folder.mkdir(parents=True, exist_ok=True)
        if key not in self._file or chunk.begins_segment:
            self._file[key] = folder / names.segment_name(self._seq[key] + 1)
        with self._file[key].open("ab") as file:
            for kind in chunk.kinds:
                file.write(self._line(key, kind))
                if kind == "torn":  # its writer died, and begins a segment when it comes back
                    self._file[key] = folder / names.segment_name(self._seq[key] + 1)
                    break

    def _line(self, key: Key, kind: str) -> bytes:
        lines = self._lines[key]
        if kind in ("garbage", "empty", "long"):
            return {"garbage": b"{garbage\n", "empty": b"\n", "long": b"x" * (MAX_LINE_BYTES + 10) + b"\n"}[kind]
        if kind == "again" and lines:
            return lines[0]
        if kind == "foreign":
            return b'{"type":"moon_landed","ts":%d}\n' % (START_NS + self._seq[key])
        self._seq[key] += 1
        line = line_of(BEAT if kind == "beat" else NOTE, seq=self._seq[key])
        if kind == "torn":
            return line[:-5]
        lines.append(line + b"\n")
        return lines[-1]

    def follow(self) -> None:
        """Fold all there is, as the feed does."""
        self._follower.discover()
        while batches := list(self._follower.read()):
            for batch in batches:
                self._take(batch)

    def _take(self, batch: Batch) -> None:
        self.entries += self.projections.apply_batch(batch)
        self.feed.places[batch.bot, batch.writer] = self.feed._place(batch)

    def close(self) -> None:
        self._follower.close()


def all_of(replay: Replay, places: dict[Key, Place], events: int = 3) -> Iterator[Piece]:
    replay.aim(places)
    while (piece := replay.read(events)) is not None:
        yield piece


@given(before=chunks, after=chunks, data=st.data())
def test_what_is_read_again_is_what_was_followed(before: list[Chunk], after: list[Chunk], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            for chunk in before:
                world.append(chunk)
                if data.draw(st.booleans()):
                    world.follow()
            world.follow()
            told, seen = len(world.entries), dict(world.feed.places)
            for chunk in after:
                world.append(chunk)
                if data.draw(st.booleans()):
                    world.follow()
            world.follow()
        finally:
            world.close()
        replay = Replay(world.home, EVERYTHING, seen)
        replay.check(world.feed.places)
        pieces = list(all_of(replay, world.feed.places))
    found = [entry for piece in pieces for entry in piece.entries]
    known = {bytes(entry.raw) for entry in world.entries[:told]}
    for key in KEYS:
        mine = [entry for entry in found if entry.id.startswith("/".join(key) + "/")]
        expected = [_unnumbered(one) for one in world.entries[told:] if one.id.startswith("/".join(key) + "/")]
        fresh = [one for one in mine if one in expected or bytes(one.raw) not in known]
        assert fresh == expected  # a line that repeats one from before the cursor may come, under its own id
    assert len({entry.id for entry in found}) == len(found)
    assert [entry.ts for entry in found if entry.bot == "arb-2"] == sorted(
        entry.ts for entry in found if entry.bot == "arb-2"
    ) or any("again" in chunk.kinds for chunk in after)
    assert replay.seen == world.feed.places


def _unnumbered(entry: Entry) -> Entry:
    return msgspec.structs.replace(entry, number=None)


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    one = World(home)
    yield one
    one.close()


def grow(world: World, events: int = 5, **more: str) -> None:
    write(world.home, [NOTE] * events, **more)
    world.follow()


def test_a_client_goes_on_piece_by_piece(world: World) -> None:
    grow(world, 2)
    replay = Replay(world.home, EVERYTHING, dict(world.feed.places))
    grow(world, 7)
    replay.check(world.feed.places)
    sizes, cursors = [], []
    for piece in all_of(replay, world.feed.places):
        sizes.append(len(piece.entries))
        cursors.append(dict(replay.seen))
    assert sum(sizes) == 7
    assert len(sizes) >= 3
    resumed = Replay(world.home, EVERYTHING, cursors[0])  # torn off after the first piece
    resumed.check(world.feed.places)
    assert sum(len(piece.entries) for piece in all_of(resumed, world.feed.places)) == 7 - sizes[0]


def test_journals_are_merged_by_time(world: World) -> None:
    for _ in range(3):
        grow(world, 2, bot="arb-1")
        grow(world, 2, bot="arb-2")
    replay = Replay(world.home, EVERYTHING, {})
    replay.check(world.feed.places)
    found = [entry for piece in all_of(replay, world.feed.places) for entry in piece.entries]
    assert [entry.bot for entry in found] == ["arb-1", "arb-1", "arb-2", "arb-2"] * 3


def test_only_what_is_wanted_is_read(world: World) -> None:
    grow(world, bot="arb-1")
    grow(world, bot="arb-2")
    replay = Replay(world.home, Topic(frozenset(["arb-2"])), {("arb-1", "main"): Place(Position(9, 9))})
    replay.check(world.feed.places)
    places = replay._topic.of(world.feed.places)
    assert {entry.bot for piece in all_of(replay, places) for entry in piece.entries} == {"arb-2"}
    assert set(replay.seen) == {("arb-2", "main")}


def test_a_cursor_that_the_journals_do_not_bear_out_is_told_why(world: World) -> None:
    grow(world)
    (key,), (place,) = world.feed.places.keys(), world.feed.places.values()
    segment, offset = place.position.segment, place.position.offset
    for seen, reason in [
        ({key: Place(Position(segment, offset + 1))}, "ahead"),
        ({key: Place(Position(segment + 1, 0))}, "ahead"),
        ({key: Place(Position(segment, offset - 3))}, "replaced"),
        ({key: Place(place.position, 5)}, "replaced"),
        ({("arb-9", "main"): place}, "no journal"),
    ]:
        with pytest.raises(Gone, match=reason):
            Replay(world.home, EVERYTHING, seen).check(world.feed.places)


def test_a_segment_that_was_removed_or_rewritten_is_told(world: World) -> None:
    grow(world)
    seen = dict(world.feed.places)
    grow(world)
    (file,) = segment_files(world.home)
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"m"', b'"n"'))
    with pytest.raises(Gone, match="replaced"):
        Replay(world.home, EVERYTHING, seen).check(world.feed.places)
    file.write_bytes(whole[:10])
    with pytest.raises(Gone, match="shorter"):
        Replay(world.home, EVERYTHING, seen).check(world.feed.places)
    file.unlink()
    with pytest.raises(Gone, match="removed"):
        Replay(world.home, EVERYTHING, seen).check(world.feed.places)


def test_a_journal_that_ends_early_while_it_is_read_is_told(world: World) -> None:
    grow(world)
    replay = Replay(world.home, EVERYTHING, {})
    replay.check(world.feed.places)
    (file,) = segment_files(world.home)
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(Gone, match="not as it was left"):
        list(all_of(replay, world.feed.places))


def test_a_new_journal_whose_beginning_retention_removed_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    grow(world)
    removed = base.Base()
    removed.positions["arb-1", "main"] = Position(1, 10)
    monkeypatch.setattr(base, "load", lambda _: removed)
    with pytest.raises(Gone, match="beginning"):
        Replay(world.home, EVERYTHING, {}).check(world.feed.places)


def test_reading_ends_when_it_is_closed(world: World) -> None:
    grow(world)
    replay = Replay(world.home, EVERYTHING, {})
    replay.check(world.feed.places)
    replay.aim(world.feed.places)
    assert replay.read(1) is not None
    replay.close()
    assert replay.read(1) is None
    assert replay._followers == []


def test_a_piece_ends_also_where_nothing_in_it_is_wanted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_module, "PIECE_BYTES", 1000)
    write(world.home, [BEAT] * 100)
    world.follow()
    replay = Replay(world.home, EVERYTHING, {})
    replay.check(world.feed.places)
    pieces = list(all_of(replay, world.feed.places))
    assert len(pieces) > 10
    assert not any(piece.entries for piece in pieces)
    assert all(piece.moved for piece in pieces)


def test_journals_that_are_read_are_not_all_held_open(world: World) -> None:
    for bot in range(30):
        write(world.home, [NOTE] * 3, bot=f"arb-{bot}")
    world.follow()
    replay = Replay(world.home, EVERYTHING, {})
    replay.check(world.feed.places)
    replay.aim(world.feed.places)
    before = open_below(world.home)
    assert replay.read(1) is not None
    assert open_below(world.home) == before
