"""A sidecar that watches: what is wrong is told before anything starts, and what it tells is served."""

from __future__ import annotations

from pathlib import Path

import pytest

from deskwatch.config import Settings
from deskwatch.errors import ConfigError
from deskwatch.journal import names
from deskwatch.recorder import Recorder
from deskwatch.sidecar import serve
from deskwatch.sources import KINDS
from deskwatch.sources.kinds import Assigned
from deskwatch.supervised import Supervised
from tests.sources.example import ExampleRig, ExampleSource
from tests.sources.example import Settings as ExampleSettings
from tests.unit.sidecar.serving import serving
from tests.waiting import eventually_async

BLOCK = "[[source]]\nkind = 'example'\nbot = 'a'\nport = 1\n"


@pytest.fixture(autouse=True)
def _the_example_is_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "example", "tests.sources.example")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Asks for the example."""
    path = tmp_path / "deskwatch.toml"
    path.write_text(BLOCK)
    return path


def test_a_wrong_file_is_told_before_anything_starts(home: Path, config: Path) -> None:
    config.write_text(BLOCK.replace("1", "0"))
    with pytest.raises(ConfigError, match=r"port: expected a whole number >= 1, was 0$"):
        serve.run(Settings(home=home, config=config, port=0))


def test_a_bot_that_is_run_here_writes_its_journal_itself(home: Path, config: Path) -> None:
    supervised = Supervised(bot="a", command=("true",))
    with pytest.raises(ConfigError, match="only writer main of the bot a, but that is deskwatch run's already"):
        serve.run(Settings(home=home, config=config, port=0), supervised)


def test_a_journal_that_another_writes_is_told_in_one_line(home: Path, config: Path) -> None:
    with (
        Recorder.open("a", home=home),
        pytest.raises(ConfigError, match=r"expected to write the journal of a, .* give the source another writer$"),
    ):
        serve.run(Settings(home=home, config=config, port=0))


async def test_what_a_source_tells_is_served(home: Path) -> None:
    """The bot is there with its mode, a command reaches it, and its activity says when something happened."""
    async with ExampleRig() as rig:
        fact = await rig.happen()
        source = ExampleSource(ExampleSettings(bot="a", port=rig.port))
        async with serving(home, sources=[Assigned(source, "a", names.MAIN)]) as desk:
            await eventually_async(lambda: (state := desk.parts.bot_state("a")) is not None and state.running)
            (bot,) = (await desk.ask("GET", "/bots")).json()["bots"]
            assert bot["mode"]["actual"] == "standby"
            given = (await desk.operate("POST", "/bots/a/commands", {"type": "ping", "params": {}})).json()["id"]
            await eventually_async(lambda: _status(desk.parts.feed.projections.commands.get(given)) == "succeeded")
            activity = (await desk.ask("GET", "/activity/recent?bot=a")).text
            assert fact in activity
            assert 'deskwatch_source_up{bot="a",kind="example"} 1' in (await desk.ask("GET", "/metrics")).text


def _status(command: object) -> object:
    return getattr(command, "status", None)
