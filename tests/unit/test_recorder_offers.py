"""A bot's own commands: offered, checked, delivered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskwatch import Recorder
from deskwatch.errors import ConfigError
from deskwatch.events import CommandFailed, CommandOffered, CommandStarted
from tests.lines import events_in
from tests.unit.recording import Open, Operator


class Rebalance(msgspec.Struct, forbid_unknown_fields=True):
    ratio: float
    symbols: list[str] = []


def said(home: Path) -> list[Any]:
    words = (CommandOffered, CommandStarted, CommandFailed)
    return [event for event in events_in(home) if isinstance(event, words)]


def test_what_is_registered_is_offered_in_each_run(open_recorder: Open, home: Path) -> None:
    for _ in range(2):
        recorder = open_recorder()
        recorder.register("rebalance", Rebalance, description="Even out.")
        recorder.close()
    offer = CommandOffered(command="rebalance", description="Even out.", schema=msgspec.json.schema(Rebalance))
    assert said(home) == [offer, offer]


def test_a_command_that_fits_has_its_parameters_parsed(recorder: Recorder, control: Operator) -> None:
    recorder.register("rebalance", Rebalance)
    control.give("rebalance", {"ratio": 1, "symbols": ["S"]})
    command = recorder.next_command(timeout_seconds=30)
    assert command is not None
    assert command.parsed == Rebalance(ratio=1.0, symbols=["S"])
    assert command.params == {"ratio": 1, "symbols": ["S"]}


@pytest.mark.parametrize("params", [{}, {"ratio": "x"}, {"ratio": 1, "more": 2}], ids=str)
@pytest.mark.parametrize(
    "wanted",
    [
        Rebalance,
        {
            "type": "object",
            "properties": {"ratio": {"type": "number"}},
            "required": ["ratio"],
            "additionalProperties": False,
        },
    ],
    ids=["struct", "schema"],
)
def test_a_command_that_does_not_fit_fails_and_never_reaches_the_bots_code(
    wanted: Any, params: dict[str, Any], recorder: Recorder, control: Operator, home: Path
) -> None:
    recorder.register("rebalance", wanted)
    control.give("rebalance", params)
    given = control.give("close_all")
    command = recorder.next_command(timeout_seconds=30)
    assert command is not None
    assert (command.id, command.parsed) == (given, None)
    _, started, failed, _ = said(home)
    assert (started.command, failed.command) == ("rebalance", "rebalance")
    assert failed.error.startswith("the parameters don't fit: ")


@pytest.mark.parametrize(
    ("kind", "wanted", "words"),
    [
        ("ping", Rebalance, "was 'ping'"),
        ("Re-balance", Rebalance, "lower-case"),
        ("", Rebalance, "lower-case"),
        ("x" * 65, Rebalance, "1 to 64"),
        ("rebalance", int, "expected a msgspec Struct or a JSON Schema"),
        ("rebalance", {"pattern": "a"}, "a msgspec Struct can say more"),
        ("rebalance", {"description": "x" * 9000}, "at most 8192 bytes"),
        ("rebalance", msgspec.defstruct("Odd", [("odd", complex)]), "that has a JSON Schema"),
    ],
    ids=str,
)
def test_what_can_not_be_offered_is_told_when_it_is_registered(
    kind: str, wanted: Any, words: str, recorder: Recorder, home: Path
) -> None:
    with pytest.raises(ConfigError) as refused:
        recorder.register(kind, wanted)
    assert words in str(refused.value)
    assert said(home) == []


def test_offers_are_bounded(recorder: Recorder) -> None:
    for number in range(50):
        recorder.register(f"own_{number}", Rebalance)
    recorder.register("own_0", Rebalance)  # again
    with pytest.raises(ConfigError, match="at most 50"):
        recorder.register("own_50", Rebalance)
