"""What a source holds: nothing is told before its peer said it, twice, or not at all."""

from __future__ import annotations

import errno
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskwatch.errors import NotJournaled, NotSynced, WriterLocked
from deskwatch.events import (
    BotStarted,
    CommandOffered,
    ConnectionChanged,
    Event,
    EventsLost,
    HeartbeatSent,
    LogRecorded,
    Mode,
    ModeChanged,
    WatchStarted,
    WatchStopped,
)
from deskwatch.journal import Writer, names
from deskwatch.recorder import Recorder
from deskwatch.sources.memory import Memory
from deskwatch.sources.watched import Watched
from tests.sources.watching import BOT, journaled
from tests.waiting import eventually_async


class Notes(Memory, kw_only=True):
    """Messages that were logged, by their length."""

    by_length: dict[int, list[str]] = msgspec.field(default_factory=dict)

    def fold(self, event: Event) -> None:
        if isinstance(event, LogRecorded):
            self.by_length.setdefault(len(event.message), []).append(event.message)


class OtherNotes(Notes, kw_only=True):
    """As a later version keeps them."""

    version: int = 2


def note(message: str) -> LogRecorded:
    return LogRecorded(message=message, levelname="INFO", name="peer")


def watched(home: Path, memory: type[Memory] = Notes) -> Watched:
    return Watched(home, BOT, names.MAIN, kind="example", peer="http://peer", memory=memory())


@asynccontextmanager
async def watching(home: Path, memory: type[Memory] = Notes) -> AsyncIterator[Watched]:
    one = watched(home, memory).open()
    try:
        yield one
    finally:
        one.close()


def kinds(home: Path) -> list[str]:
    return [type(event).__name__ for event in journaled(home)]


def notes(one: Watched) -> dict[int, list[str]]:
    assert isinstance(one.memory, Notes)
    return one.memory.by_length


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Holds something while the disk is full."""
    full: list[bool] = []
    write = Writer.append

    def append(journal: Writer, body: bytes, *, durable: bool = False) -> int:
        if full and b'"log_recorded"' in body:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(journal, body, durable=durable)

    monkeypatch.setattr(Writer, "append", append)
    return full


async def test_it_remembers_what_it_told(home: Path) -> None:
    """From the checkpoint of a good end, and from the journal where there is none."""
    async with watching(home) as one:
        one.emit(note("a"))
        one.emit(note("bb"))
    async with watching(home) as one:
        assert notes(one) == {1: ["a"], 2: ["bb"]}
    for checkpoint in (home / "sources").iterdir():
        checkpoint.unlink()
    async with watching(home) as one:
        assert notes(one) == {1: ["a"], 2: ["bb"]}


async def test_what_was_journaled_after_the_checkpoint_is_remembered(home: Path) -> None:
    """As after a SIGKILL: the journal is released, and nothing else is done."""
    async with watching(home) as one:
        one.emit(note("a"))
        await one.save()
        one.emit(note("bb"))
        one.close("killed", keep=False)
    async with watching(home) as one:
        assert notes(one) == {1: ["a"], 2: ["bb"]}


KEPT = b'{"position":{"segment":1,"offset":1},"memory":%s,"told":{"version":1,"boot":"\xff"}}'


@pytest.mark.parametrize("content", [b"", b"{", b"[]", KEPT % b"3", KEPT % b'{"version":1}'])
async def test_a_checkpoint_that_cannot_be_read_is_made_again_of_the_journal(home: Path, content: bytes) -> None:
    async with watching(home) as one:
        one.emit(note("a"))
    (checkpoint,) = (home / "sources").iterdir()
    checkpoint.write_bytes(content)
    async with watching(home) as one:
        assert notes(one) == {1: ["a"]}


async def test_a_memory_of_another_version_is_made_again_of_the_journal(home: Path) -> None:
    async with watching(home) as one:
        one.emit(note("a"))
        notes(one)[1].append("what the journal does not hold")
    async with watching(home, OtherNotes) as one:
        assert notes(one) == {1: ["a"]}


async def test_a_journal_that_was_begun_anew_knows_of_nothing(home: Path) -> None:
    """Its checkpoint tells of another one: what that told is told again."""
    async with watching(home) as one:
        one.emit(note("a"))
    for segment in names.writer_folder(home, BOT, names.MAIN).glob("*.ndjson"):
        segment.unlink()
    async with watching(home) as one:
        assert notes(one) == {}


async def test_a_full_disk_leaves_untold_what_could_not_be_told(home: Path, full_disk: list[bool]) -> None:
    async with watching(home) as one:
        full_disk.append(True)
        with pytest.raises(NotJournaled, match=r"expected to journal LogRecorded of .*No space left"):
            one.emit(note("a"))
        assert notes(one) == {}
        full_disk.clear()
        assert one.emit(note("a"))
        assert notes(one) == {1: ["a"]}
    assert EventsLost.__name__ not in kinds(home)


async def test_what_the_disk_did_not_confirm_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the journal: telling it again would be twice."""
    async with watching(home) as one:
        append = one._entry._append

        def unsynced(body: bytes, *, durable: bool = False) -> int:
            append(body)
            raise NotSynced("slow disk", 1)

        monkeypatch.setattr(one._entry, "_append", unsynced)
        assert one.emit(note("a"), durable=True)
        monkeypatch.undo()
        assert notes(one) == {1: ["a"]}
    assert kinds(home).count("LogRecorded") == 1


async def test_what_cannot_be_encoded_is_lost_and_counted(home: Path) -> None:
    broken: Any = {"symbols": object()}
    async with watching(home) as one:
        assert not one.emit(LogRecorded(message="m", levelname="INFO", name="n", extra=broken))
        assert notes(one) == {}
        await eventually_async(lambda: "EventsLost" in kinds(home))


async def test_what_a_peer_says_is_scrubbed(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In the journal, and in the sidecar's log, which says that a connection is down."""
    one = Watched(home, BOT, names.MAIN, kind="example", peer="http://u:hunter2@peer", memory=Notes()).open()
    one.emit(note("login with password=hunter2"))
    one.connected("rest", "binance", up=False, reason="GET http://u:hunter2@peer/")
    one.close("http://u:hunter2@peer")
    assert not [text for text in map(str, journaled(home)) if "hunter2" in text]
    (logged,) = [vars(one) for one in caplog.records if one.message == "a connection is down"]
    assert logged["bot"] == BOT
    assert logged["reason"].startswith("GET http://")
    assert "hunter2" not in str(logged)


async def test_a_start_a_mode_and_a_link_are_told_when_they_are_news(home: Path) -> None:
    """Also over a restart of the watch."""
    for _ in range(2):
        async with watching(home) as one:
            one.started("boot 1", Mode.ACTIVE, host="h")
            one.show_mode(Mode.ACTIVE)
            one.connected("rest", "binance", up=True)
    async with watching(home) as one:
        assert one.mode is Mode.ACTIVE
        one.show_mode(Mode.STANDBY, reason="paused")
        one.show_mode(Mode.STANDBY, actor="ann", cause="c1")
        one.stopped("closed")
        one.stopped("closed")
        assert one.started("boot 1", Mode.STANDBY, host="h")
        one.connected("rest", "binance", up=False)
    told = [one for one in journaled(home) if not isinstance(one, WatchStarted | WatchStopped)]
    assert [type(one).__name__ for one in told] == [
        *("BotStarted", "ModeChanged", "ConnectionChanged", "ModeChanged", "ModeChanged"),
        *("BotStopped", "BotStarted", "ModeChanged", "ConnectionChanged"),
    ]
    assert [one.actor for one in told if isinstance(one, ModeChanged)] == ["example", "example", "ann", "example"]
    assert [one.up for one in told if isinstance(one, ConnectionChanged)] == [True, False]


async def test_a_heartbeat_comes_with_an_answer_and_not_more_often_than_a_bots(home: Path) -> None:
    async with watching(home) as one:
        one.started("1", Mode.ACTIVE, host="h")
        for _ in range(3):
            one.alive()
    (beat,) = [event for event in journaled(home) if isinstance(event, HeartbeatSent)]
    assert beat.mode is Mode.ACTIVE


async def test_when_the_peer_answered_last_is_known_after_a_restart(home: Path) -> None:
    async with watching(home) as one:
        one.started("1", Mode.ACTIVE, host="h")
        one.alive()
        answered = one.told.answered
        assert answered == pytest.approx(time.time(), abs=60)
    async with watching(home) as one:
        assert one.told.answered == pytest.approx(answered, abs=5)


async def test_what_is_offered_is_offered_again_after_a_start(home: Path) -> None:
    """A start takes back what the bot's last run offered."""
    async with watching(home) as one:
        one.offer("lock_pair", {"type": "object"}, description="Locks it.")
        one.started("1", Mode.ACTIVE, host="h")
    told = [type(event) for event in journaled(home) if isinstance(event, BotStarted | CommandOffered)]
    assert told == [CommandOffered, BotStarted, CommandOffered]


async def test_a_journal_has_one_writer(home: Path) -> None:
    """Whoever takes it second is told who has it; when it is free it can be had."""
    with (
        Recorder.open(BOT, home=home),
        pytest.raises(WriterLocked, match="expected to be the only writer"),
    ):
        watched(home).open()
    async with watching(home):
        pass


async def test_closing_twice_is_fine(home: Path) -> None:
    one = watched(home).take()
    one.close()
    one = watched(home).open()
    one.close()
    one.close()
    assert kinds(home) == ["WatchStarted", "WatchStopped"]
