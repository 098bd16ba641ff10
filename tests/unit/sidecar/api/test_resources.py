"""What the bots' processes use, over HTTP."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from deskwatch import Recorder
from tests.unit.sidecar.serving import serving
from tests.waiting import eventually_async


async def test_usage_is_told_of_each_bot_whose_process_is_here(home: Path) -> None:
    """CPU time since the start, memory and the start itself are this very process's, which is the bot."""
    with Recorder.open("arb-1", home=home):
        async with serving(home) as desk:
            await desk.caught_up()
            await eventually_async(lambda: "arb-1" in desk.parts.feed.projections.state.bots)
            answer = (await desk.ask("GET", "/resources")).json()
            (usage,) = answer["bots"].values()
            spent = sum(os.times()[:2])
            assert answer["now"] == pytest.approx(time.time(), abs=30)
            assert 0 < usage["cpu_seconds"] <= spent + 0.1
            assert usage["rss_bytes"] > 1e6
            assert usage["threads"] >= 1
            assert usage["started"] < time.time()


async def test_only_the_bots_that_are_asked_for_are_told_of(home: Path) -> None:
    with Recorder.open("arb-1", home=home), Recorder.open("arb-2", home=home):
        async with serving(home) as desk:
            await desk.caught_up()
            for query, bots in (("", {"arb-1", "arb-2"}), ("?bot=arb-2", {"arb-2"}), ("?bot=arb-2&bot=x", {"arb-2"})):
                assert (await desk.ask("GET", f"/resources{query}")).json()["bots"].keys() == bots


async def test_a_bot_that_is_not_here_uses_nothing(home: Path) -> None:
    """A journal of a bot elsewhere brings no figures; and a stranger on another Host none at all."""
    folder = home / "journal" / "far-1" / "main"
    folder.mkdir(parents=True)
    (folder / f"{1:020d}.ndjson").write_text('{"type":"bot_started","pid":1,"host":"elsewhere"}\n')
    async with serving(home) as desk:
        await desk.caught_up()
        assert (await desk.ask("GET", "/resources")).json()["bots"] == {}
        assert (await desk.ask("GET", "/resources", host="evil.example")).status_code == 421
