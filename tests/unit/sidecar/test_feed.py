"""The feed: it folds what the journals hold, once, and knows when it has caught up."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch.events import BotStopped, LogRecorded
from deskwatch.journal import Follower, WriterFollower, names
from deskwatch.sidecar import feed as feed_module
from deskwatch.sidecar.feed import Feed, Round
from tests.lines import lines_in, segment_files, write
from tests.unit.projections.folding import value
from tests.waiting import eventually_async

NOTE = LogRecorded(message="m", levelname="INFO", name="n")


@contextlib.asynccontextmanager
async def feeding(home: Path, seconds: float = 3600.0) -> AsyncIterator[Feed]:
    async with Feed(home, seconds) as feed:
        yield feed


def folded(feed: Feed) -> int:
    return feed.projections.activity.number


async def caught_up(feed: Feed) -> None:
    await asyncio.wait_for(feed.caught_up.wait(), 30)


async def test_an_empty_home_is_caught_up_with_at_once(home: Path) -> None:
    async with feeding(home) as feed:
        await caught_up(feed)
        assert folded(feed) == 0


async def test_what_the_journals_hold_is_folded_before_it_is_caught_up(home: Path) -> None:
    write(home, [NOTE] * 2000)
    write(home, [NOTE] * 3, bot="arb-2")
    async with feeding(home) as feed:
        assert not feed.caught_up.is_set()
        await caught_up(feed)
        assert folded(feed) == 2003
        assert feed.backlog_bytes() == 0


async def test_others_have_their_turn_while_short_journals_of_many_bots_are_folded(home: Path) -> None:
    for number in range(10):
        write(home, [NOTE] * 60, bot=f"arb-{number}")
    seen: set[int] = set()

    async def look() -> None:
        while True:
            seen.add(folded(feed))
            await asyncio.sleep(0)

    async with feeding(home) as feed:
        looking = asyncio.create_task(look())
        await caught_up(feed)
        looking.cancel()
    assert {120, 240, 360, 480} <= seen


async def test_where_the_kernel_refuses_to_watch_one_more_folder_all_are_polled(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "DISCOVER_SECONDS", 3600.0)  # only polling finds anything
    write(home, [NOTE])
    async with feeding(home) as feed:
        await caught_up(feed)
        notifier = feed._follower.notifier
        fd = notifier.fileno()
        if fd < 0:
            pytest.skip("no inotify here")
        monkeypatch.setattr(notifier, "_libc", Refusing())
        write(home, [NOTE], bot="arb-2")
        await eventually_async(lambda: notifier.fileno() < 0)
        write(home, [NOTE])
        await eventually_async(lambda: folded(feed) == 3)
        write(home, [NOTE])
        await eventually_async(lambda: folded(feed) == 4)
        assert not asyncio.get_running_loop().remove_reader(fd), "a descriptor that is closed is waited for"


class Refusing:
    """A C library whose inotify watches are used up."""

    def inotify_add_watch(self, *_: object) -> int:
        return -1


async def test_what_the_kernel_does_not_tell_is_found_at_the_next_look_at_all(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "DISCOVER_SECONDS", 0.05)
    write(home, [NOTE])
    async with feeding(home) as feed:
        await caught_up(feed)
        (segment,) = segment_files(home)
        segment.unlink()
        faults = next(one for one in feed.projections.metrics.families if one.name == "deskwatch_journal_faults")
        await eventually_async(lambda: faults.series.get(("arb-1", "main", "vanished")))


async def test_news_all_the_time_do_not_put_off_the_look_at_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "DISCOVER_SECONDS", 0.05)
    write(home, [NOTE])
    async with feeding(home) as feed:
        await caught_up(feed)
        follower = feed._follower
        write(home, [NOTE], bot="arb-2")
        await eventually_async(lambda: folded(feed) == 2)
        monkeypatch.setattr(follower.notifier, "drain", lambda: True)  # tells of files, and never which ones
        write(home, [NOTE])
        await eventually_async(lambda: folded(feed) == 3)


async def test_what_is_written_later_is_folded_as_it_comes_new_bots_too(home: Path) -> None:
    async with feeding(home) as feed:
        await caught_up(feed)
        for number, bot in enumerate(("arb-1", "arb-1", "arb-2", "arb-3"), 1):
            write(home, [NOTE], bot=bot)
            await eventually_async(lambda number=number: folded(feed) == number)  # type: ignore[misc]  # bound now
        assert set(feed.projections.state.bots) == {"arb-1", "arb-2", "arb-3"}


@pytest.mark.parametrize("content", [b"", b'{"torn'], ids=["empty", "torn"])
@pytest.mark.parametrize("before", [0, 3], ids=["alone", "after another"])
async def test_a_newest_segment_without_a_line_holds_up_nothing(content: bytes, before: int, home: Path) -> None:
    write(home, [NOTE] * before)
    (names.writer_folder(home, "arb-1", "main") / names.segment_name(before + 1)).write_bytes(content)
    async with feeding(home) as feed:
        await caught_up(feed)
        assert folded(feed) == before


async def test_a_restart_goes_on_from_the_checkpoint_and_counts_nothing_twice(home: Path) -> None:
    write(home, [NOTE] * 5)
    async with feeding(home) as feed:
        await caught_up(feed)
    write(home, [NOTE] * 2)
    async with feeding(home) as again:
        await caught_up(again)
        assert folded(again) == 7
        assert again.projections.state.bots["arb-1"].counts.events == 7
    (home / "checkpoint.json").unlink()
    async with feeding(home) as replayed:
        await caught_up(replayed)
        assert folded(replayed) == 7


async def test_checkpoints_are_written_while_it_runs(home: Path) -> None:
    write(home, [NOTE])
    async with feeding(home, 0.02):
        await eventually_async((home / "checkpoint.json").exists)


async def test_a_checkpoint_that_cant_be_written_is_counted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with feeding(home, 0.02) as feed:
        with monkeypatch.context() as refused:
            refused.setattr("deskwatch.atomic.write", full)
            await eventually_async(lambda: feed.checkpoint_failures > 1)
        await eventually_async((home / "checkpoint.json").exists)


async def test_listeners_get_new_activity_when_the_state_holds_it_already(home: Path) -> None:
    seen: list[tuple[int, Round]] = []
    async with feeding(home) as feed:
        feed.listen(lambda folded_now: seen.append((folded(feed), folded_now)))
        await caught_up(feed)
        write(home, [NOTE, BotStopped(reason="closed")])
        await eventually_async(lambda: sum(len(one.entries) for _, one in seen) == 2)
        assert seen[-1][1].moved == feed.places
    assert all(number >= (one.entries[-1].number or 0) for number, one in seen if one.entries)


async def test_waiting_for_a_condition_ends_when_it_holds_or_when_the_time_is_over(home: Path) -> None:
    async with feeding(home) as feed:
        await caught_up(feed)
        waiting = asyncio.create_task(feed.wait_for(lambda: folded(feed) == 1, 5))
        write(home, [NOTE])
        assert await waiting is True
        assert await feed.wait_for(lambda: folded(feed) == 1, 0) is True
        assert await feed.wait_for(lambda: False, 0.01) is False


async def test_stopping_takes_no_time_though_news_come_in_that_moment(home: Path) -> None:
    async with feeding(home) as feed:
        await caught_up(feed)
        await eventually_async(lambda: feed._woken._waiters)
        following, *_ = feed._tasks
        feed._woken.set()
        following.cancel()
        done, _ = await asyncio.wait([following], timeout=30)
        assert done == {following}


async def test_garbage_in_a_journal_is_counted_and_passed_over(home: Path) -> None:
    write(home, [NOTE])
    with segment_files(home)[0].open("ab") as file:
        file.write(b"garbage\n\n")
    write(home, [NOTE])
    async with feeding(home) as feed:
        await caught_up(feed)
        assert feed.projections.metrics.invalid_counts() == {("arb-1", "main", "json"): 2}
        assert folded(feed) == 2


async def test_a_journal_that_cant_be_read_for_a_while_is_read_later(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "DISCOVER_SECONDS", 0.02)
    refused: list[int] = []

    def too_many(*_: Any, **__: Any) -> Any:
        refused.append(1)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async with feeding(home) as feed:
        await caught_up(feed)
        with monkeypatch.context() as patched:
            patched.setattr(Follower, "read", too_many)
            write(home, [NOTE])
            await eventually_async(lambda: len(refused) > 2)
        await eventually_async(lambda: folded(feed) == 1)


async def test_without_notifications_it_polls(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deskwatch.journal.notify.Notifier.open", lambda self: self)
    monkeypatch.setattr(feed_module, "DISCOVER_SECONDS", 0.02)
    async with feeding(home) as feed:
        await caught_up(feed)
        write(home, [NOTE])
        await eventually_async(lambda: folded(feed) == 1)


async def test_a_journal_that_breaks_off_in_an_error_holds_up_no_other(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad block in one segment: the sidecar catches up with all that can be read, and says that it is not well."""
    write(home, [NOTE] * 5, bot="broken")
    write(home, [NOTE] * 3, bot="sound")
    read = WriterFollower.read

    def failing(follower: WriterFollower, max_bytes: int) -> Any:
        if follower.bot == "broken":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(follower, max_bytes)

    monkeypatch.setattr(WriterFollower, "read", failing)
    async with feeding(home) as feed:
        await caught_up(feed)
        assert folded(feed) == 3
        assert not feed.is_following
        monkeypatch.undo()
        await eventually_async(lambda: folded(feed) == 8)
        await eventually_async(lambda: feed.is_following)


async def test_a_journal_that_lost_its_tail_while_the_sidecar_was_down_is_told_and_followed(home: Path) -> None:
    """The bot may be back before the sidecar is, and give the same `seq` again: what it writes counts all the same."""
    write(home, [NOTE] * 5)
    async with feeding(home) as feed:
        await caught_up(feed)
    (segment,) = segment_files(home)
    os.truncate(segment, sum(len(line) + 1 for line in lines_in(home)[:3]))
    write(home, [NOTE] * 2)
    async with feeding(home) as again:
        await eventually_async(lambda: folded(again) == 7)
        metrics = again.projections.metrics
        assert value(metrics, "deskwatch_journal_faults_total", reason="restarted") == 1
        assert metrics.invalid_counts() == {}
