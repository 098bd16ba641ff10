"""Retention in the running sidecar: what goes is remembered, and what is needed stays."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskwatch import base
from deskwatch.encoding import encode
from deskwatch.events import Event, OrderFilled
from deskwatch.journal import Position, Writer, names, retention
from deskwatch.journal.retention import Keep, Limits
from deskwatch.sidecar import retention as retention_module
from deskwatch.sidecar.feed import Feed
from deskwatch.sidecar.retention import Retention
from deskwatch.sinks.cursor import Cursor
from tests.lines import segment_files
from tests.unit.sidecar.serving import serving
from tests.waiting import eventually_async

MAIN = ("arb-1", "main")
TINY = Limits(bots=Keep(seconds=1e9, bytes=2000, budget_bytes=10**9))
FULL = Limits(bots=Keep(seconds=1e9, bytes=2000, budget_bytes=4000))


def fill(number: int) -> Event:
    return OrderFilled(
        order_id=f"o-{number}", venue="v", symbol="S", side="buy", quantity=1, price=2, final=True, asset="USD"
    )


def trade(home: Path, first: int, last: int, *, bot: str = "arb-1", writer: str = names.MAIN) -> None:
    """Fills in segments of about a dozen."""
    journal = Writer(names.writer_folder(home, bot, writer), segment_bytes=2000).open()
    for number in range(first, last + 1):
        journal.append(encode(fill(number)))
    journal.close()


def figures(feed: Feed) -> Any:
    """Everything that is counted, in order: which of two writers was read last, and when, is left to chance."""
    dump = msgspec.json.decode(msgspec.json.encode(feed.projections.dump()))
    families = {
        name: sorted([labels, value] for labels, value, _ in rows) for name, rows in dump["metrics"]["families"].items()
    }
    families.pop("tradebot_last_event_timestamp_seconds")
    return families, dump["metrics"]["memory"], dump["state"], dump["commands"]


async def replayed(home: Path) -> tuple[Any, Feed]:
    async with Feed(home, 3600) as feed:
        await asyncio.wait_for(feed.caught_up.wait(), 30)
        return figures(feed), feed


async def run(home: Path, limits: Limits, sinks: tuple[str, ...] = (), now: float | None = None) -> Retention:
    """One run with a feed that has caught up and saved."""
    async with Feed(home, 3600) as feed:
        await asyncio.wait_for(feed.caught_up.wait(), 30)
        await feed.save()
        one = Retention(home, limits, feed, sinks)
        one.base = base.load(home)
        one.run(time.time() if now is None else now)
        return one


def deliver(home: Path, position: Position) -> None:
    cursor = Cursor(home, "loki")
    cursor.load()
    cursor.positions[MAIN] = position
    cursor.save()


async def test_figures_are_the_same_with_and_without_the_removed_segments(home: Path) -> None:
    trade(home, 1, 100)
    trade(home, 1, 40, writer="hedger")
    before, _ = await replayed(home)
    one = await run(home, TINY)
    assert one.base.removed == {"arb-1": one.base.removed["arb-1"]}
    assert sum(file.stat().st_size for file in segment_files(home)) <= 2200
    assert sum(one.sizes.values()) <= 4400
    (home / "checkpoint.json").unlink()
    after, feed = await replayed(home)
    assert after == before
    assert feed.base_is_whole


async def test_several_runs_add_up(home: Path) -> None:
    for start in (1, 101, 201):
        trade(home, start, start + 99)
        await run(home, TINY)
    (home / "checkpoint.json").unlink()
    (families, *_), _ = await replayed(home)
    totals = {tuple(labels): value for labels, value in families["deskwatch_events"]}
    assert totals == {("arb-1", "main", "order_filled"): 300}


async def test_a_checkpoint_older_than_what_was_removed_gives_way_to_the_base(home: Path) -> None:
    trade(home, 1, 30)
    await replayed(home)
    old = (home / "checkpoint.json").read_bytes()
    trade(home, 31, 200)
    before, _ = await replayed(home)
    await run(home, TINY)
    (home / "checkpoint.json").write_bytes(old)
    after, _ = await replayed(home)
    assert after == before


async def test_a_crash_before_the_removal_folds_nothing_twice(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trade(home, 1, 100)
    before, _ = await replayed(home)

    def crash(*_: object) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(retention, "remove", crash)
        with pytest.raises(OSError, match="killed"):
            await run(home, TINY)
    assert base.load(home).positions[MAIN].segment > 1
    assert segment_files(home)[0].name == names.segment_name(1)
    (home / "checkpoint.json").unlink()
    assert (await replayed(home))[0] == before
    await run(home, TINY)
    assert segment_files(home)[0].name != names.segment_name(1)
    (home / "checkpoint.json").unlink()
    assert (await replayed(home))[0] == before


@pytest.mark.parametrize("configured", [(), ("loki",)], ids=["a cursor is left", "it is configured"])
async def test_what_a_sink_has_not_delivered_stays(configured: tuple[str, ...], home: Path) -> None:
    trade(home, 1, 100)
    second = int(segment_files(home)[1].stem)
    if not configured:
        deliver(home, Position(1, 10))
    await run(home, TINY, configured)
    assert len(segment_files(home)) > 5
    deliver(home, Position(second, 0))
    one = await run(home, TINY, configured)
    assert int(segment_files(home)[0].stem) == second
    assert one.base.overflowed == {}


async def test_at_the_hard_budget_it_goes_all_the_same_and_the_lines_are_counted(home: Path) -> None:
    trade(home, 1, 100)
    files = segment_files(home)
    third, offset = int(files[2].stem), len(files[2].read_bytes().splitlines(keepends=True)[0])
    deliver(home, Position(third, offset))
    before, _ = await replayed(home)
    one = await run(home, FULL, ("loki",))
    first_left = int(segment_files(home)[0].stem)
    assert first_left > third
    assert one.base.overflowed == {("arb-1", "loki"): first_left - third - 1}
    assert base.load(home).overflowed == one.base.overflowed
    (home / "checkpoint.json").unlink()
    assert (await replayed(home))[0] == before


async def test_old_segments_go_by_age_and_control_has_an_age_of_its_own(home: Path) -> None:
    trade(home, 1, 50)
    trade(home, 1, 50, writer=names.CONTROL)
    await run(home, Limits(), now=time.time() + 31 * retention.DAY_SECONDS)
    assert len(segment_files(home)) == 1
    assert len(segment_files(home, writer=names.CONTROL)) > 1
    await run(home, Limits(), now=time.time() + 401 * retention.DAY_SECONDS)
    assert len(segment_files(home, writer=names.CONTROL)) == 1


async def test_the_sidecar_does_it_by_itself_and_shows_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention_module, "RUN_SECONDS", 0.05)
    trade(home, 1, 100)
    async with serving(home, limits=TINY, checkpoint_seconds=0.05) as desk:
        await eventually_async(lambda: len(segment_files(home)) < 3)
        await desk.caught_up()
        await eventually_async(lambda: bool(desk.parts.retention.sizes))
        text = (await desk.ask("GET", "/metrics")).text
    assert 'deskwatch_retention_removed_segments_total{bot="arb-1"}' in text
    assert 'deskwatch_journal_bytes{bot="arb-1",writer="main"}' in text
    assert "deskwatch_base_whole 1.0" in text
    last = int(segment_files(home)[-1].stem)
    assert f'deskwatch_followed_segment{{bot="arb-1",writer="main"}} {float(last)}' in text


async def test_a_run_that_fails_is_counted_and_tried_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention_module, "RUN_SECONDS", 0.02)
    trade(home, 1, 100)

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(base.Base, "save", refuse)
        async with serving(home, limits=TINY, checkpoint_seconds=0.02) as desk:
            await eventually_async(lambda: desk.parts.retention.failures > 1)
            assert len(segment_files(home)) > 5
            patched.undo()
            await eventually_async(lambda: len(segment_files(home)) < 3)


async def test_a_base_that_cant_be_saved_removes_nothing_not_even_at_the_next_run(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade(home, 1, 100)
    files = segment_files(home)
    async with Feed(home, 3600) as feed:
        await asyncio.wait_for(feed.caught_up.wait(), 30)
        await feed.save()
        before = figures(feed)
        one = Retention(home, TINY, feed, [])

        def refuse(*_: object) -> None:
            raise OSError("disk full")

        with monkeypatch.context() as patched:
            patched.setattr(base.Base, "save", refuse)
            for _ in range(2):
                with pytest.raises(OSError, match="disk full"):
                    one.run(time.time())
                assert segment_files(home) == files
        one.run(time.time())
    assert len(segment_files(home)) < len(files)
    (home / "checkpoint.json").unlink()
    assert (await replayed(home))[0] == before


async def test_a_journal_that_was_begun_anew_is_kept_and_counted(home: Path) -> None:
    trade(home, 1, 100)
    await run(home, TINY)
    for file in segment_files(home):
        file.unlink()
    trade(home, 1, 40)
    (home / "checkpoint.json").unlink()
    files = segment_files(home)
    await run(home, Limits())
    assert segment_files(home) == files
    trade(home, 41, 200)  # it is longer now than the one before
    await run(home, Limits())
    assert segment_files(home)[: len(files)] == files
    (home / "checkpoint.json").unlink()
    (families, *_), _ = await replayed(home)
    removed = base.load(home).events["arb-1", "main", "order_filled"]
    assert removed > 80
    totals = {tuple(labels): value for labels, value in families["deskwatch_events"]}
    assert totals == {("arb-1", "main", "order_filled"): removed + 200}


async def test_writers_of_one_bot_share_its_limits_whatever_their_names(home: Path) -> None:
    for writer in ("alpha", "main"):
        trade(home, 1, 50, writer=writer)
    trade(home, 1, 20, writer=names.CONTROL)
    await run(home, Limits(bots=Keep(seconds=1e9, bytes=6000, budget_bytes=10**9)))
    sizes = [file.stat().st_size for writer in ("alpha", "main") for file in segment_files(home, writer=writer)]
    assert sum(sizes) <= 6000


async def test_a_base_that_is_not_whole_stays_told(home: Path) -> None:
    trade(home, 1, 100)
    await run(home, TINY)
    base.path_of(home).write_bytes(b"torn")
    trade(home, 101, 200)
    one = await run(home, TINY)
    assert not one.base.is_whole
    async with serving(home) as desk:
        await desk.caught_up()
        assert "deskwatch_base_whole 0.0" in (await desk.ask("GET", "/metrics")).text
