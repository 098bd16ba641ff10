"""Ordinary logging, journaled."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch import JournalHandler, Recorder
from deskwatch.events import ErrorOccurred, LogRecorded
from tests.lines import events_in


@pytest.fixture
def logger(recorder: Recorder) -> Iterator[logging.Logger]:
    """A logger whose records go to the bot's journal."""
    one = logging.getLogger("bot.orders")
    handler = JournalHandler(recorder)
    one.addHandler(handler)
    one.setLevel(logging.DEBUG)
    one.propagate = False
    yield one
    one.removeHandler(handler)


def journaled(home: Path) -> list[Any]:
    return [event for event in events_in(home) if isinstance(event, LogRecorded | ErrorOccurred)]


def test_a_record_below_error_is_a_log_record(logger: logging.Logger, home: Path) -> None:
    logger.warning("spread %.1f of %s", 1.25, "ETH", extra={"symbol": "ETH", "n": 3, "on": True, "at": Path("/x")})
    (event,) = journaled(home)
    assert isinstance(event, LogRecorded)
    assert (event.message, event.levelname, event.name) == ("spread 1.2 of ETH", "WARNING", "bot.orders")
    assert event.module == "test_logs"
    assert event.lineno
    assert event.extra == {"symbol": "ETH", "n": 3, "on": True, "at": "/x"}


def test_records_below_the_handlers_level_are_left_out(logger: logging.Logger, home: Path) -> None:
    logger.debug("noise")
    assert journaled(home) == []


@pytest.mark.parametrize("level", [logging.ERROR, logging.CRITICAL])
def test_a_record_from_error_on_is_an_error(level: int, logger: logging.Logger, home: Path) -> None:
    logger.log(level, "no answer", extra={"venue": "v"})
    (event,) = journaled(home)
    assert isinstance(event, ErrorOccurred)
    assert (event.component, event.kind, event.message) == ("bot.orders", "logged", "no answer")
    assert event.levelname == logging.getLevelName(level)
    assert (event.exc_info, event.extra) == (None, {"venue": "v"})


def test_an_exceptions_class_is_the_errors_kind_and_its_traceback_is_kept(logger: logging.Logger, home: Path) -> None:
    def ask() -> None:
        raise TimeoutError("after 5 s, password=hunter2")

    try:
        ask()
    except TimeoutError:
        logger.exception("request failed")
    logger.error("no exception here", exc_info=True)  # noqa: LOG014  the point
    error, plain = journaled(home)
    assert error.kind == "TimeoutError"
    assert error.exc_info.startswith("Traceback")
    assert "TimeoutError: after 5 s" in error.exc_info
    assert "hunter2" not in error.exc_info
    assert (plain.kind, plain.exc_info) == ("logged", None)


def test_secrets_are_scrubbed_from_message_and_extra(logger: logging.Logger, home: Path) -> None:
    extra = {"api_key": "k-12345", "url": "https://u:hunter2@h/", "nested": {"password": "swordfish"}, "symbol": "ETH"}
    logger.info("token=%s", "topsecret", extra=extra)
    (event,) = journaled(home)
    assert event.message == "token=[redacted]"
    assert event.extra["symbol"] == "ETH"
    assert not any(secret in str(event.extra) for secret in ("k-12345", "hunter2", "swordfish"))


def test_a_record_that_cant_be_formatted_is_told_by_logging_itself(
    recorder: Recorder, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    JournalHandler(recorder).handle(logging.makeLogRecord({"msg": "%d", "args": ("no number",)}))
    assert "Logging error" in capsys.readouterr().err
    assert journaled(home) == []


def test_an_extra_that_is_not_finite_is_journaled_as_null(
    logger: logging.Logger, recorder: Recorder, home: Path
) -> None:
    logger.info("m", extra={"ratio": float("nan")})
    (event,) = journaled(home)
    assert event.extra == {"ratio": None}
    assert recorder.null_values == 1
