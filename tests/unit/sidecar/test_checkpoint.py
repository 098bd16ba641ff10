"""The checkpoint: taken back whole, or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from deskwatch.events import BotStopped
from deskwatch.journal import Position, Record
from deskwatch.projections import FORMAT, Projections
from deskwatch.sidecar.checkpoint import Checkpoint
from tests import strategies
from tests.lines import record_of

POSITIONS = {("arb-1", "main"): Position(1, 400), ("arb-1", "control"): Position(7, 0)}


def filled(*records: Record) -> Projections:
    projections = Projections()
    for record in records or [record_of(BotStopped(reason="closed"))]:
        projections.apply(record)
    return projections


def dumped(projections: Projections) -> Any:
    return msgspec.json.decode(msgspec.json.encode(projections.dump()))


@given(records=strategies.records(max_size=10))
@settings(max_examples=25)
def test_state_and_positions_come_back_together(
    records: list[Record], tmp_path_factory: pytest.TempPathFactory
) -> None:
    checkpoint = Checkpoint(tmp_path_factory.mktemp("home"))
    before, after = filled(*records), Projections()
    checkpoint.write(checkpoint.encode(before, POSITIONS))
    assert checkpoint.load(after) == POSITIONS
    assert dumped(after) == dumped(before)


def test_without_a_checkpoint_everything_is_replayed(home: Path) -> None:
    projections = Projections()
    assert Checkpoint(home).load(projections) == {}
    assert dumped(projections) == dumped(Projections())


def broken(data: bytes, how: str) -> bytes:
    fields = json.loads(data)
    if how == "torn":
        return data[: len(data) // 2]
    if how == "other version":
        return json.dumps({**fields, "format": FORMAT + 1}).encode()
    if how == "a part is missing":
        del fields["projections"]["commands"]
    if how == "another shape":
        fields["projections"]["metrics"]["families"] = []
    if how == "other fields":
        fields["projections"]["state"] = {"arb-1": {"bot": 3}}
    if how == "old entries":
        fields["projections"]["activity"]["entries"][0]["raw"] = {"type": "x"}
    return {"empty": b"", "garbage": b"\xff\x00"}.get(how, json.dumps(fields).encode())


@pytest.mark.parametrize(
    "how",
    [
        "empty",
        "garbage",
        "torn",
        "other version",
        "a part is missing",
        "another shape",
        "other fields",
        "old entries",
    ],
)
def test_a_checkpoint_that_is_not_whole_is_none_and_leaves_no_trace(
    how: str, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint = Checkpoint(home)
    checkpoint.write(broken(checkpoint.encode(filled(), POSITIONS), how))
    projections = Projections()
    assert checkpoint.load(projections) == {}
    assert dumped(projections) == dumped(Projections())
    assert "replaying" in caplog.text
