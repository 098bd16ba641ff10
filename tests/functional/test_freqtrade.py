"""A real freqtrade is watched, spot and futures in dry-run, while all goes wrong that can: see tests/freqtrade."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.dashboards import committed
from tests.dashboards.committed import Target
from tests.dashboards.filling import View
from tests.dashboards.not_for_freqtrade import REASONS
from tests.dashboards.proof import Proof, Servers, scraping
from tests.freqtrade.ledger import differences, repeated
from tests.freqtrade.story import Story
from tests.freqtrade.watching import MODES, watching
from tests.functional.loki_servers import running_real
from tests.functional.test_dashboards import EMPTY
from tests.running import free_port
from tests.servers import find

REQUESTS_PER_SECOND = 1.0
BURST = 10
"""Requests that may be saved up: the default of `deskwatch.sources.pace`."""
CONTACT_SECONDS = 60.0
TARGETS = [*committed.targets("prometheus"), *committed.targets("loki")]
each_target = pytest.mark.parametrize("target", TARGETS, ids=lambda one: one.id)


class Run(NamedTuple):
    """What is left of the run."""

    story: Story
    proof: Proof | None
    """What the dashboards showed at its end; None where there is no Prometheus."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One run for all."""
    folder = tmp_path_factory.mktemp("freqtrade")
    loki_port, has_loki = free_port(), find("loki") is not None
    loki = f"http://127.0.0.1:{loki_port}"
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(watching(folder, *(["--loki-url", loki] if has_loki else [])))
        if has_loki:
            (folder / "loki").mkdir()
            stack.enter_context(running_real(folder / "loki", loki_port))
        story, born, proof = Story(one), time.time(), None
        story.begin()
        servers = None
        if find("prometheus"):
            prometheus = stack.enter_context(scraping(folder, one.port, loki if has_loki else None))
            servers = Servers(prometheus, loki if has_loki else None)
        story.tell()
        if servers is not None:
            proof = Proof(servers, View(born, time.time()))
        story.leave()
        yield Run(story, proof)


@pytest.fixture
def story(run: Run) -> Story:
    """What happened."""
    return run.story


@pytest.fixture
def proof(run: Run) -> Proof:
    """What the dashboards showed."""
    return run.proof or pytest.skip("needs prometheus: not on PATH")


def test_a_bot_that_trades_already_is_watched_within_a_minute(story: Story) -> None:
    story.went_well("first contact")
    assert story.seen["contact_seconds"] < CONTACT_SECONDS


@pytest.mark.parametrize("mode", MODES)
def test_each_trade_is_in_the_journal_once_with_its_prices_fees_funding_and_profit(story: Story, mode: str) -> None:
    """After all that happened; freqtrade's own database is the judge."""
    story.went_well(f"books of {mode}")
    database, books = story.books[mode]
    assert len(database.trades) >= 10
    assert repeated(books) == []


def test_futures_have_paid_funding(story: Story) -> None:
    """So that comparing it says something."""
    database, _ = story.books["futures"]
    assert sum(bool(one["funding_fees"]) for one in database.trades) >= 3


@pytest.mark.parametrize("part", ["opened", "closed", "submitted", "fills", "funding"])
def test_what_is_missing_or_told_twice_would_be_found(story: Story, part: str) -> None:
    """The comparison can fail: one event less, or one more, and it does."""
    database, books = story.books["futures"]
    assert differences(database, books) == []
    events = getattr(books, part)
    for changed in (events[1:], [events[0], *events]):
        altered = copy.copy(books)
        setattr(altered, part, changed)
        assert differences(database, altered) != []


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
        "error and lock",
        "trades on",
    ],
)
def test_what_happens_is_seen_and_survived(story: Story, chapter: str) -> None:
    story.went_well(chapter)


@pytest.mark.parametrize("mode", MODES)
def test_freqtrade_is_asked_at_most_once_a_second(story: Story, mode: str) -> None:
    """On average, as its gate counts, whatever went wrong; what was saved up before may come at once."""
    for life in story.watching.lives[:-1]:  # people gave commands in the last one, and those are not paced
        asked, seconds = story.watching.gates[mode].count(*life), life.ended - life.began
        assert seconds > 30
        assert 0 < asked <= seconds * REQUESTS_PER_SECOND + BURST


def test_nothing_is_asked_once_deskwatch_is_gone(story: Story) -> None:
    story.went_well("left alone")


@each_target
def test_each_query_shows_data_of_such_a_bot(proof: Proof, target: Target) -> None:
    """Or is listed with the reason why it does not apply: then it shows none, and the entry is needed."""
    if target.source == "loki" and not proof.has_loki:
        pytest.skip("needs a real Loki on PATH")
    answers = proof.all[target.id]
    assert [one.error for one in answers if one.error] == []
    if target.id in EMPTY:
        pytest.skip(f"shows data on some machines: {EMPTY[target.id]}")
    has_values = any(one.values for one in answers)
    assert has_values is not (target.id in REASONS or target.panel.id in REASONS), answers[0].query


def test_reasons_are_of_panels_that_there_are() -> None:
    assert set(REASONS) <= {one.id for one in TARGETS} | {one.panel.id for one in TARGETS}
