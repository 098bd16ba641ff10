"""The reference of the metrics is what the code makes, and its queries are PromQL over series that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from deskwatch.events import EVENTS
from tests.reference import feeding, served
from tests.reference.catalogue import AT_SCRAPE, NOT_BY_EVENTS, entries
from tests.reference.examples import BETTER, example
from tests.reference.page import PATH, page
from tests.reference.questions import QUESTIONS
from tests.servers import require

NAME = re.compile(r"\b(?:tradebot|deskwatch)_\w+")
QUERIES = [*(example(entry.family) for entry in entries()), *(question.promql for question in QUESTIONS)]


def test_the_page_is_up_to_date() -> None:
    """What is committed is what `make docs` writes."""
    assert PATH.read_text() == page(), "docs/reference/metrics.md is not what the code says; run `make docs`"


def test_queries_name_only_series_that_exist() -> None:
    known = served.names([entry.family for entry in entries()])
    for query in QUERIES:
        assert set(NAME.findall(query)) <= known, query


def test_queries_are_promql(tmp_path: Path) -> None:
    """Promtool parses all of them."""
    promtool = require("promtool")
    rules = [{"record": f"reference:query{number}:value", "expr": query} for number, query in enumerate(QUERIES)]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "reference", "rules": rules}]}))
    told = subprocess.run([promtool, "check", "rules", path], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


_TRADED = {
    'tradebot_volume_total{bot="b",asset="USD",side="buy"}': "0+1000x60",
    'tradebot_slippage_lost_total{bot="b",asset="USD"}': "0+10x60",
    'tradebot_slippage_gained_total{bot="b",asset="USD"}': "0+2x60",
}
_MODES = {
    'tradebot_mode{bot="b",mode="active"}': "1x60",
    'tradebot_mode{bot="b",mode="standby"}': "0x60",
    'tradebot_desired_mode{bot="b",mode="active"}': "0x60",
}
_FEED = 'deskwatch_backlog_bytes{kind="feed",instance="i"}'
_CONFIRMED = {'tradebot_transactions_confirmed_total{bot="b",kind=""}': "0+3x60"}


@pytest.mark.parametrize(
    ("query", "series", "answer"),
    [
        (
            "slippage",
            _TRADED | {'tradebot_fees_total{bot="b",asset="BNB"}': "0+9x60"},
            {'{bot="b",asset="USD"}': 0.008},
        ),
        ("slippage", _TRADED | {'tradebot_fees_total{bot="b",asset="USD"}': "0+2x60"}, {'{bot="b",asset="USD"}': 0.01}),
        ("reverted", _CONFIRMED, {'{bot="b"}': 0.0}),
        (
            "reverted",
            _CONFIRMED | {'tradebot_transactions_reverted_total{bot="b",reason="r"}': "0+1x60"},
            {'{bot="b"}': 0.25},
        ),
        ("keep up", {_FEED: "0+100x60"}, {_FEED: 6000.0}),
        ("keep up", {_FEED: "0x60"}, {}),
        ("desired", _MODES | {'tradebot_desired_mode{bot="b",mode="standby"}': "0x60"}, {}),
        (
            "desired",
            _MODES | {'tradebot_desired_mode{bot="b",mode="standby"}': "1x60"},
            {'tradebot_desired_mode{bot="b",mode="standby"}': 1.0},
        ),
    ],
)
def test_queries_answer_what_they_are_asked(
    query: str, series: dict[str, str], answer: dict[str, float], tmp_path: Path
) -> None:
    """Also where a part of what they name does not exist."""
    promtool = require("promtool")
    (expr,) = [one.promql for one in QUESTIONS if query in one.asks] or [BETTER["tradebot_desired_mode"]]
    samples = [{"labels": labels, "value": value} for labels, value in answer.items()]
    one = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": f"({expr})", "eval_time": "1h", "exp_samples": samples}],
    }
    path = tmp_path / "answers.yml"
    path.write_text(yaml.safe_dump({"fuzzy_compare": True, "tests": [one]}))
    told = subprocess.run([promtool, "test", "rules", path], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_what_is_said_of_a_family_in_particular_is_of_one_that_exists() -> None:
    names = {entry.family.name for entry in entries()}
    assert set(BETTER) <= names
    assert set(NOT_BY_EVENTS) <= names


def test_every_family_of_the_bots_metrics_is_fed_by_something() -> None:
    """And only what no event feeds says so: the journal of the golden exposition holds every event."""
    _, fed = feeding.fold()
    assert {name for name, types in fed.items() if not types - {""}} <= set(NOT_BY_EVENTS)
    assert {kind for types in fed.values() for kind in types} >= set(EVENTS)


def test_samples_and_what_deskwatch_tells_of_itself_are_read_at_each_scrape() -> None:
    _, fed = feeding.fold()
    at_scrape = {entry.family.name for entry in entries() if entry.fed == AT_SCRAPE}
    assert at_scrape.isdisjoint(fed)
    assert {"tradebot_process_up", "deskwatch_host_cpus", "deskwatch_build_info"} <= at_scrape


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_a_family_is_named_and_described_as_prometheus_wants_it(entry) -> None:
    """Base units and suffixes in their place, documentation a sentence, labels from the agreed list."""
    family = entry.family
    assert re.fullmatch(r"(tradebot|deskwatch)(_[a-z0-9]+)+", family.name)
    assert family.documentation.endswith(".")
    assert not family.name.endswith(("_total", "_count", "_sum", "_bucket"))
    assert set(family.labels) <= LABELS
    if "bot" in family.labels:
        assert family.labels[0] == "bot"


LABELS = {
    *("bot", "strategy", "venue", "symbol", "side", "asset", "chain", "provider", "kind", "reason", "mode"),
    *("component", "version", "writer", "type"),
}
