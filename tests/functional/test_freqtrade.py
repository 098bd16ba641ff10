"""A real freqtrade is watched: spot and futures, both in dry-run, while all goes wrong that can (see tests/freqtrade)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.freqtrade.ledger import Books, repeated
from tests.freqtrade.story import Story
from tests.freqtrade.watching import MODES, watching

REQUESTS_PER_SECOND = 1.0
CONTACT_SECONDS = 60.0


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """One run for all."""
    with watching(tmp_path_factory.mktemp("freqtrade")) as one:
        told = Story(one)
        told.tell()
        told.leave()
        yield told


def test_a_bot_that_trades_already_is_watched_within_a_minute(story: Story) -> None:
    story.went_well("first contact")
    assert story.seen["contact_seconds"] < CONTACT_SECONDS


def test_each_trade_is_in_the_journal_once_with_its_prices_fees_funding_and_profit(story: Story) -> None:
    """After all that happened; freqtrade's own database is the judge."""
    story.went_well("books")
    assert min(story.seen["trades"].values()) >= 10
    for mode in MODES:
        assert repeated(Books(story.watching.home, mode)) == []


@pytest.mark.parametrize("mode", MODES)
def test_figures_are_those_of_freqtrades_own_api(story: Story, mode: str) -> None:
    """/profit, /balance and /status, at the same moment."""
    story.went_well(f"figures of {mode}")


@pytest.mark.parametrize("mode", MODES)
def test_commands_take_effect_and_are_confirmed(story: Story, mode: str) -> None:
    story.went_well(f"commands to {mode}")


@pytest.mark.parametrize(
    "chapter",
    [
        "stop-loss",
        "WebSocket cut",
        "freqtrade restarted",
        "deskwatch killed",
        "password changed",
        "exchange gone",
    ],
)
def test_what_happens_is_seen_and_survived(story: Story, chapter: str) -> None:
    story.went_well(chapter)


@pytest.mark.parametrize("mode", MODES)
def test_freqtrade_is_asked_at_most_once_a_second(story: Story, mode: str) -> None:
    """On average, while nothing is done to anybody, as its gate counts."""
    gate, windows = story.watching.gates[mode], story.watching.windows
    asked = sum(gate.rate(one.began, one.ended) * (one.ended - one.began) for one in windows)
    seconds = sum(one.ended - one.began for one in windows)
    assert 0 < asked / seconds <= REQUESTS_PER_SECOND


def test_nothing_is_asked_once_deskwatch_is_gone(story: Story) -> None:
    story.went_well("left alone")
