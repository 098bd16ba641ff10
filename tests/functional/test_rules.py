"""What can be said of rules only where PromQL is parsed: on the syntax trees that a real Prometheus gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from tests import promql, running
from tests.reference.page import documented
from tests.rules import ROOT, Rule, alerts, records, rules

SCRAPED = frozenset({"job", "instance"})
"""Labels that Prometheus gives to every series."""
ALWAYS: dict[str, str] = {"Watchdog": "it shall fire, whatever is the case"}
"""Alerts that compare nothing, and why."""
RAW_COUNTERS: dict[str, str] = {
    "bot_asset:tradebot_wallet_balance:sum": "only whether there is such a counter",
    "bot:tradebot_funding_net_paid:sum": "its own past is subtracted where it is used",
    "bot:tradebot_funding_net_paid:sum1d_ago": "it is that past",
}
"""Rules that show a counter as it is, and why."""
LABEL = re.compile(r"\$labels\.(\w+)")
DROPPING = {
    "rate",
    "irate",
    "increase",
    "resets",
    "changes",
    "absent",
    "absent_over_time",
    "timestamp",
    "count_over_time",
}
"""Functions after which it does not matter where a counter began."""
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
each_rule = pytest.mark.parametrize("rule", rules(), ids=lambda one: one.id)
each_alert = pytest.mark.parametrize("rule", alerts(), ids=lambda one: one.id)


class Trees:
    """Syntax trees of rules by their text, and labels of metrics by their names."""

    def __init__(self, prometheus: running.Prometheus) -> None:
        self.of = cache(lambda expr: prometheus.ask("parse_query", query=expr))
        self._known = {name: frozenset(labels) for name, (_, labels) in documented().items()}
        self._of_records: dict[str, promql.Labels] = {}
        self._recorded: dict[str, list[Rule]] = {}
        for rule in records():
            self._recorded.setdefault(rule.name, []).append(rule)

    def labels(self, name: str) -> promql.Labels:
        """Labels that a series may have; None for a metric of another server."""
        if name in self._recorded:
            if name not in self._of_records:
                self._of_records[name] = frozenset()  # for one that is made of its own past
                self._of_records[name] = self._of_record(name)
            return self._of_records[name]
        bare = re.sub(r"_(bucket|count|sum)$", "", name)
        if name in self._known:
            return self._known[name] | SCRAPED
        if bare in self._known:
            return self._known[bare] | SCRAPED | ({"le"} if name.endswith("_bucket") else set())
        return SCRAPED if name == "up" else None

    def _of_record(self, name: str) -> promql.Labels:
        found: frozenset[str] = frozenset()
        for rule in self._recorded[name]:
            own = promql.labels(self.of(rule.expr), self.labels)
            if own is None:
                return None
            found |= own | set(rule.json.get("labels", {}))
        return found


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trees]:
    """A Prometheus that scrapes nothing but itself."""
    folder = tmp_path_factory.mktemp("prometheus")
    with running.prometheus(folder) as prometheus:
        yield Trees(prometheus)


@each_alert
def test_labels_that_messages_name_are_still_there(trees: Trees, rule: Rule) -> None:
    """An aggregation that drops a label leaves a hole in the message."""
    found = promql.labels(trees.of(rule.expr), trees.labels)
    if found is not None:
        named = set(LABEL.findall(str(rule.json["annotations"]))) | set(LABEL.findall(str(rule.json["labels"])))
        assert named <= found | set(rule.json["labels"])


@each_rule
def test_selectors_name_labels_that_the_metric_has(trees: Trees, rule: Rule) -> None:
    """Else they match nothing, or everything."""
    wrong = [
        (place.node["name"], matcher["name"])
        for place in promql.selectors(trees.of(rule.expr))
        for matcher in place.node["matchers"]
        if matcher["name"] != "__name__"
        and (known := trees.labels(place.node["name"])) is not None
        and matcher["name"] not in known
    ]
    assert wrong == []


@each_rule
def test_counters_are_seen_by_what_they_grow(trees: Trees, rule: Rule) -> None:
    """A counter starts from 0 with its process: it is only looked at in a rate, an increase, or less its own past."""
    raw = [
        place.node["name"]
        for place in promql.selectors(trees.of(rule.expr))
        if place.node["name"].endswith("_total") and not _is_growth(place)
    ]
    assert bool(raw) == (rule.name in RAW_COUNTERS), raw


def test_excuses_name_rules_that_there_are() -> None:
    """No reason outlives its rule."""
    assert set(RAW_COUNTERS) | set(ALWAYS) <= {one.name for one in rules()}


@each_rule
def test_windows_fit_scrapes_and_memory(trees: Trees, rule: Rule) -> None:
    """A window of a rate holds four scrapes, and none looks back beyond what Prometheus keeps."""
    scrape = _seconds(_config()["global"]["scrape_interval"])
    keeps = _seconds(_retention())
    for place in promql.places(trees.of(rule.expr)):
        window = place.node.get("range", 0) / 1000
        if place.node["type"] == "matrixSelector":
            is_rate = any(one.get("func", {}).get("name") in ("rate", "irate", "increase") for one in place.above[-1:])
            assert window >= (4 if is_rate else 2) * scrape
        assert window + abs(place.node.get("offset", 0)) / 1000 <= keeps


@each_alert
def test_alerts_compare_something(trees: Trees, rule: Rule) -> None:
    """One that compares nothing fires as soon as its series exist."""
    compares = any(
        place.node.get("op") in promql.COMPARISONS
        or place.node.get("func", {}).get("name", "").startswith("absent")
        or place.node.get("op") == "unless"
        for place in promql.places(trees.of(rule.expr))
    )
    assert compares != (rule.name in ALWAYS)


def _is_growth(place: promql.Place) -> bool:
    """Whether a counter is within a function that looks at its growth, or where its past is subtracted."""
    if any(one["type"] == "call" and one["func"]["name"] in DROPPING for one in place.above):
        return True
    name = place.node["name"]
    for one in reversed(place.above):
        if one["type"] == "aggregation" and one["op"] in ("count", "group"):
            return True
        if one["type"] == "binaryExpr" and one["op"] in ("-", "unless", "*", ">", ">=", "!="):
            inside = [below.node for below in promql.selectors(one) if below.node["name"] == name]
            if one["op"] == "-" and any(below.get("offset") or below.get("range") for below in inside):
                return True
            if one["op"] == "unless" and any(below.get("offset") for below in inside):
                return True
            if one["op"] == "*" and _is_zero(one):
                return True
    return False


def _is_zero(node: Any) -> bool:
    return any(node[side]["type"] == "numberLiteral" and float(node[side]["val"]) == 0 for side in ("lhs", "rhs"))


@cache
def _config() -> Any:
    return yaml.safe_load((ROOT / "prometheus" / "prometheus.yml").read_text())


@cache
def _retention() -> str:
    flags = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["prometheus"]["command"]
    (found,) = [one.partition("=")[2] for one in flags if one.startswith("--storage.tsdb.retention.time=")]
    return str(found)


def _seconds(duration: str) -> float:
    return sum(int(count) * SECONDS[unit] for count, unit in re.findall(r"(\d+)(ms|[smhdwy])", duration))
