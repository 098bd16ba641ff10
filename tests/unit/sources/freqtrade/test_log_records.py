"""freqtrade's warnings and errors are told once each, with when they were logged."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deskwatch.events import ErrorOccurred, Event, LogRecorded
from deskwatch.sources.freqtrade import log_records
from deskwatch.sources.freqtrade.memory import FreqtradeMemory

TRACE = (
    "Error while asking\nTraceback (most recent call last):\n  File 'x.py'\nccxt.base.errors.NetworkError: away\n\n"
    "The above exception was the direct cause of the following exception:\n\nfreqtrade.exceptions.TemporaryError: x"
)


def record(ms: float, level: str, message: str, name: str = "freqtrade.worker") -> list[Any]:
    """As `/logs` has one."""
    return ["2026-11-21 19:06:19", ms, name, level, message]


def tell(memory: FreqtradeMemory, *records: list[Any]) -> list[Event]:
    told: list[Event] = []
    for event in log_records.untold(log_records.read({"logs": list(records)}), memory):
        memory.fold(event)
        told.append(event)
    return told


def test_warnings_are_records_errors_are_errors_and_the_rest_is_left():
    told = tell(
        FreqtradeMemory(),
        record(3000.5, "ERROR", TRACE, "freqtrade.exchange"),
        record(1000, "INFO", "all is well"),
        record(2000, "WARNING", "be careful"),
    )
    assert told == [
        LogRecorded(message="be careful", levelname="WARNING", name="freqtrade.worker", happened_timestamp_seconds=2.0),
        ErrorOccurred(
            component="freqtrade.exchange",
            kind="TemporaryError",
            message="Error while asking",
            exc_info=TRACE.partition("\n")[2],
            happened_timestamp_seconds=3.0005,
        ),
    ]


def test_a_secret_in_a_log_is_not_told():
    (told,) = tell(FreqtradeMemory(), record(1, "WARNING", "no answer of https://me:hunter2@example.org/x"))
    assert isinstance(told, LogRecorded)
    assert "hunter2" not in told.message


@given(
    logged=st.lists(
        st.tuples(st.integers(1, 6), st.sampled_from("abc"), st.sampled_from(["WARNING", "ERROR", "INFO"]))
    ),
    looks=st.lists(st.integers(0, 30)),
)
def test_each_is_told_once_however_often_the_log_is_read(logged: list[tuple[int, str, str]], looks: list[int]) -> None:
    """A record of the past may come late only within its own millisecond, as a log is written in order."""
    logged = sorted(logged, key=lambda one: one[0])
    memory = FreqtradeMemory()
    told: list[Any] = []
    for seen in (*sorted(looks), len(logged)):
        told += tell(memory, *(record(ms, level, words) for ms, words, level in logged[:seen]))
    expected = {(ms / 1000, words) for ms, words, level in logged if level != "INFO"}
    assert sorted((event.happened_timestamp_seconds, event.message) for event in told) == sorted(expected)


def test_a_process_began_where_its_log_says_so_last():
    records = [record(1500, "INFO", "Starting worker 2026.9"), record(1600, "INFO", "Starting worker x", "strategy")]
    assert log_records.begun(log_records.read({"logs": records})) == 1.5
    assert log_records.begun([]) is None
