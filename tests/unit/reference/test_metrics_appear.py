"""Nothing is documented that can't appear: each family has a series in the golden journal's fold, or in a sidecar's."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from deskwatch.encoding import encode
from deskwatch.events import BotStarted, Event, LogRecorded, Mode, PriceObserved
from deskwatch.exposition import OPENMETRICS, render
from deskwatch.journal import Writer, names
from deskwatch.journal.retention import Keep, Limits
from deskwatch.projections.metrics import Family, readings
from deskwatch.sidecar.own_metrics import collect
from deskwatch.sidecar.samples import Container
from deskwatch.sources.kinds import Assigned
from tests.lines import BOT, START_NS, line_of, write
from tests.reference import feeding, served
from tests.reference.catalogue import entries
from tests.servers import require
from tests.sources.example import ExampleRig, ExampleSource, Settings
from tests.unit.sidecar.samples.control_groups import version_2
from tests.unit.sidecar.serving import Desk, serving
from tests.waiting import eventually_async

HOUR_NS = 3_600_000_000_000
DOCUMENTED = {entry.family.name for entry in entries()}
RAN = ("ran", ["true"])
"""A bot that is supervised, and ends at once."""
_TIGHT = Limits(bots=Keep(seconds=1e9, bytes=2000, budget_bytes=4000))
OPTIONS: dict[str, Any] = {"loki_url": served.NOWHERE, "max_series": 1, "limits": _TIGHT}


class Moved(NamedTuple):
    """What psutil tells of disks and links, which a machine for tests may not have."""

    read_bytes: int = 1
    write_bytes: int = 1
    bytes_recv: int = 1
    bytes_sent: int = 1


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that tells everything."""
    monkeypatch.setattr(psutil, "disk_io_counters", Moved)
    monkeypatch.setattr(psutil, "net_io_counters", lambda pernic: {"eth0": Moved()})


@pytest.fixture
def troubled(home: Path) -> Path:
    """A home whose journals have a hole, more label sets than fit, and more segments than are kept."""
    write(home, [BotStarted(pid=os.getpid(), host=socket.gethostname(), mode=Mode.ACTIVE)])
    folder = names.writer_folder(home, "holed", names.MAIN)
    folder.mkdir(parents=True)
    prices = [PriceObserved(venue="v", symbol=symbol, price=1.0) for symbol in "abc"]
    times = (START_NS, START_NS + 2 * HOUR_NS, START_NS + 2 * HOUR_NS + 1)
    lines = [line_of(price, seq=seq, ts=ts) for price, seq, ts in zip(prices, (1, 2, 5), times, strict=True)]
    (folder / names.segment_name(1)).write_bytes(b"\n".join([*lines, b""]))
    journal = Writer(names.writer_folder(home, BOT, "old"), segment_bytes=2000).open()
    note: Event = LogRecorded(message="m" * 100, levelname="INFO", name="n")
    for _ in range(100):
        journal.append(encode(note))
    journal.close()
    return home


def with_series(families: list[Family[Any]]) -> Iterator[str]:
    return (family.name for family in families if family.cells)


@asynccontextmanager
async def watched() -> AsyncIterator[list[Assigned]]:
    """A source whose peer has answered well, and has not."""
    async with ExampleRig() as rig:
        rig.garbage = [b"null", b'{"boot":"1","facts":[]}']
        yield [Assigned(ExampleSource(Settings(bot="watched", port=rig.port)), "watched", names.MAIN)]


async def everything(desk: Desk) -> list[Family[Any]]:
    """All families of a sidecar after what can happen to one has happened."""
    await desk.caught_up()
    parts = desk.parts
    await parts.feed.save()
    await asyncio.to_thread(parts.retention.run, time.time())
    (sink,) = parts.sinks
    await eventually_async(lambda: sink.failures)
    await eventually_async(lambda: all(one.failures and one.answered for one in parts.sources))
    assert (await desk.ask("GET", "/metrics")).status_code == 200
    await eventually_async(lambda: parts.loop_lag.lag.cells)
    await eventually_async(lambda: all(one.runs.last_exit_code == 0 for one in parts.supervisors.values()), 20)
    return collect(parts)


async def test_every_documented_family_can_appear(troubled: Path, tmp_path: Path, machine: None) -> None:
    """And what appears is documented."""
    metrics, _ = feeding.fold()
    async with watched() as sources, serving(troubled, RAN, sources, **OPTIONS) as desk:
        families = await everything(desk)
    families += Container(version_2(tmp_path / "container")).read()
    appeared = {*with_series(metrics.current()), *with_series(families)}
    assert appeared == DOCUMENTED


async def test_promtool_has_nothing_to_say_about_any_of_them(troubled: Path, tmp_path: Path, machine: None) -> None:
    """Names, types, units and documentation of all that can appear are as Prometheus wants them."""
    promtool = require("promtool")
    metrics, _ = feeding.fold()
    async with watched() as sources, serving(troubled, RAN, sources, **OPTIONS) as desk:
        families = {family.name: family for family in await everything(desk)}
    families |= {family.name: family for family in Container(version_2(tmp_path / "container")).read()}
    families |= {family.name: family for family in metrics.current() if family.cells}
    text = render(readings(families.values(), START_NS / 1e9))
    command = [promtool, "check", "metrics"]
    told = await asyncio.to_thread(subprocess.run, command, input=text, capture_output=True, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (0, b"", b"")


def test_both_forms_of_all_of_them_are_read_back() -> None:
    """prometheus-client's strict parser of OpenMetrics takes the golden fold."""
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    metrics, _ = feeding.fold()
    parsed = list(text_string_to_metric_families(render(metrics.readings(0.0), OPENMETRICS).decode()))
    assert {family.name for family in parsed} == set(with_series(metrics.current()))
