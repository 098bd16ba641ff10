"""`deskwatch top` against a real sidecar process and a real bot: what it shows, and what its keys do."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from deskwatch import EquityObserved, LogRecorded, Mode, OrderSubmitted, Recorder, SignalRaised
from deskwatch.live import Access
from deskwatch.terminal.app import DRAW_SECONDS, Top
from deskwatch.terminal.ask import Ask
from deskwatch.terminal.feed import Feed
from deskwatch.terminal.fleet import Fleet
from tests import running
from tests.waiting import eventually_async


@contextlib.contextmanager
def obeying(recorder: Recorder, may_obey: threading.Event) -> Iterator[None]:
    """A bot that takes its mode while it may."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.02):
            if may_obey.is_set():
                _ = recorder.mode
                command = recorder.next_command(timeout_seconds=0)
                if command is not None:
                    command.fail("no market")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextlib.asynccontextmanager
async def top(home: Path, *urls: str) -> AsyncIterator[tuple[Top, Pilot[None]]]:
    accesses = [Access(url=url, token_file=home / "token") for url in urls]
    async with Fleet(accesses) as fleet:
        app = Top(fleet)
        async with app.run_test(size=(80, 24)) as pilot:
            yield app, pilot


def text(app: Top, selector: str) -> str:
    return str(app.screen.query_one(selector, Static).render())


def cells(app: Top) -> list[list[str]]:
    table: DataTable[object] = app.screen_stack[0].query_one("#bots", DataTable)
    return [[str(cell).strip() for cell in table.get_row_at(at)] for at in range(table.row_count)]


async def test_keys_ask_then_show_progress_and_claim_nothing_before_the_bot_confirmed(home: Path):
    """Standby is sent with a reason; until the bot takes it the dialogue waits and the row says what is asked for."""
    may_obey = threading.Event()
    with (
        Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder,
        running.sidecar(home) as sidecar,
        obeying(recorder, may_obey),
    ):
        recorder.emit(EquityObserved(equity=1234.5, asset="USDC"))
        async with top(home, sidecar.url) as (app, pilot):
            await eventually_async(lambda: cells(app) and "1,234.50 USDC" in cells(app)[0], 20)
            assert cells(app)[0][:2] == ["arb-1", "active"]
            assert "stream" in text(app, "#links")
            await pilot.press("s")
            await eventually_async(lambda: isinstance(app.screen, Ask))
            await pilot.press(*"lunch", "enter")
            await eventually_async(lambda: "accepted" in text(app, "#ask-progress"))
            await eventually_async(lambda: cells(app)[0][1] == "active→standby")
            assert "succeeded" not in text(app, "#ask-progress")
            assert recorder.mode is Mode.STANDBY  # the bot reads it here, for the first time
            may_obey.set()
            await eventually_async(lambda: "succeeded" in text(app, "#ask-progress"))
            await pilot.press("escape")
            await eventually_async(lambda: cells(app)[0][1] == "standby")
            assert "lunch" in text(app, "#details")
            await pilot.press("c")
            await eventually_async(lambda: isinstance(app.screen, Ask))
            await pilot.press("enter")
            await eventually_async(lambda: "failed" in text(app, "#ask-progress"))
            assert "no market" in text(app, "#ask-progress")
            await pilot.press("escape", "K")
            await eventually_async(lambda: isinstance(app.screen, Ask) and bool(app.screen.query("#ask-question")))
            await pilot.press("enter")
            await eventually_async(lambda: "refused" in text(app, "#ask-progress"))  # it is not supervised


async def test_it_survives_a_sidecar_that_goes_away_and_says_how_old_its_data_is(home: Path):
    """Gone: down, and modes in doubt. Back: live again by itself."""
    port = running.free_port()
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder:
        with contextlib.ExitStack() as stack:
            sidecar = stack.enter_context(running.sidecar(home, port=port))
            async with top(home, sidecar.url, "http://127.0.0.1:1") as (app, _):
                await eventually_async(lambda: cells(app) and cells(app)[0][1] == "active", 20)
                assert "no data yet" in text(app, "#links")
                await asyncio.to_thread(stack.close)
                await eventually_async(lambda: text(app, "#links").count("down") == 2, 20)
                await eventually_async(lambda: cells(app)[0][1] == "active?", 20)
                with running.sidecar(home, port=port):
                    await eventually_async(lambda: "stream" in text(app, "#links"), 20)
                    await eventually_async(lambda: cells(app)[0][1] == "active", 20)
        assert recorder.mode is Mode.ACTIVE


async def test_the_feed_is_filtered_and_paused(home: Path):
    """Only what fits is shown; paused, what is new waits. Escape codes and markup are text."""
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder, running.sidecar(home) as sidecar:
        recorder.emit(LogRecorded(name="x", levelname="WARNING", message="before \x1b[2J [bold]it[/bold]"))
        async with top(home, sidecar.url) as (app, pilot):
            feed = app.query_one(Feed)
            await eventually_async(lambda: r"before \x1b[2J [bold]it" in str(feed.render()), 20)
            recorder.emit(SignalRaised(signal="golden cross", provider="rules", symbol="ETH/USDC"))
            await eventually_async(lambda: "golden cross" in str(feed.render()))
            await pilot.press("slash", *"kind:logs", "enter")
            await eventually_async(lambda: "golden cross" not in str(feed.render()))
            assert "before" in str(feed.render())
            await pilot.press("escape")
            await eventually_async(lambda: "golden cross" in str(feed.render()))
            await pilot.press("p")
            recorder.emit(SignalRaised(signal="death cross", provider="rules", symbol="ETH/USDC"))
            await eventually_async(lambda: "1 newer" in str(feed.border_title))
            assert "death cross" not in str(feed.render())
            await pilot.press("p")
            await eventually_async(lambda: "death cross" in str(feed.render()))


async def test_thousands_of_events_leave_the_keys_free(home: Path):
    """Drawing is at most ten times a second, and a key is obeyed while events pour in."""
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder, running.sidecar(home) as sidecar:
        order = OrderSubmitted(order_id="1", venue="v", symbol="ETH/USDC", side="buy", quantity=1.0)
        recorder.emit(order)
        async with top(home, sidecar.url) as (app, pilot):
            await eventually_async(lambda: cells(app), 20)
            loop = asyncio.get_running_loop()
            began, draws, before = loop.time(), app.draws, app._fleet.count
            for _ in range(20):
                for _ in range(250):
                    recorder.emit(order)
                await asyncio.sleep(0.05)
            await pilot.press("h")
            await eventually_async(lambda: isinstance(app.screen, Ask), 5)
            await eventually_async(lambda: app._fleet.count >= before + 5000, 30)
            assert app.draws - draws <= (loop.time() - began) / DRAW_SECONDS + 2


async def test_the_feed_of_one_bot_begins_with_what_happened_to_it_however_much_the_others_did(home: Path) -> None:
    """`top --bot` asks for that bot's past: the newest events may all be of others, or closed to its token."""
    for bot, count in (("arb-1", 1), ("arb-2", 150)):
        with Recorder.open(bot, home=home) as recorder:
            for _ in range(count):
                recorder.emit(LogRecorded(message="from before", levelname="INFO", name="n"))
    with running.sidecar(home) as sidecar:
        async with Fleet([Access(url=sidecar.url, token_file=home / "token")], ("arb-1",)) as fleet:
            await eventually_async(lambda: fleet.events, 20)
            assert {entry.bot for entry in fleet.events} == {"arb-1"}


async def test_who_looks_at_an_old_picture_does_not_re_arm_a_bot_that_was_halted_meanwhile(home: Path):
    """`active` stands on the mode that was seen when it was asked for."""
    may_obey = threading.Event()
    may_obey.set()
    with (
        Recorder.open("arb-1", home=home, mode=Mode.STANDBY) as recorder,
        running.sidecar(home) as sidecar,
        obeying(recorder, may_obey),
    ):
        async with top(home, sidecar.url) as (app, pilot):
            await eventually_async(lambda: cells(app) and cells(app)[0][1] == "standby", 20)
            await pilot.press("a")
            await eventually_async(lambda: isinstance(app.screen, Ask))
            recorder.set_mode(Mode.HALTED, reason="the daily loss is reached")
            await eventually_async(lambda: sidecar.bot()["mode"]["actual"] == "halted", 20)
            await pilot.press("enter")
            await eventually_async(lambda: "refused" in text(app, "#ask-progress"))
    assert recorder.mode is Mode.HALTED
