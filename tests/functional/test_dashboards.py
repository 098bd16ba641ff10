"""The dashboards show data: each query runs against servers that hold the life of bots with every metric."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from tests import promql
from tests.dashboards import committed, logql, units
from tests.dashboards.committed import Annotation, Target, Variable
from tests.dashboards.proof import Proof, lived

NO_LIMIT = "the machine's own control groups have no limit"
NO_SOURCE = "these bots write their journals themselves"
EMPTY: dict[str, str] = {
    "process-71-Memory of its limit-A": NO_LIMIT,
    "process-72-Held up at the CPU limit-A": NO_LIMIT,
    "process-72-Held up at the CPU limit-B": NO_LIMIT,
    "process-73-Tasks of their limit-A": NO_LIMIT,
    **{f"self-81-Sources-{one}": NO_SOURCE for one in "ABCDE"},
    "self-82-Requests of sources that failed-A": NO_SOURCE,
    "slo-6-Burn alerts firing-A": "no budget burns for so long that it alarms",
}
"""Id of a target that may be empty in the proof's run → why. At most 5 % of all."""
MAY_BE_EMPTY = 0.05
UNIT_EXEMPT: dict[str, str] = {}
"""Id of a target whose unit the reckoning gets wrong → why Grafana's is right."""
LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")
OF_FIELD = re.compile(r"\$\{__(?:field\.labels|data\.fields)\.([\w.]+|\"[^\"]+\")")
PROMQL, LOGQL = committed.targets("prometheus"), committed.targets("loki")
each_target = pytest.mark.parametrize("target", [*PROMQL, *LOGQL], ids=lambda one: one.id)
each_promql = pytest.mark.parametrize("target", PROMQL, ids=lambda one: one.id)


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    """One run for all."""
    with lived(tmp_path_factory.mktemp("lively")) as (servers, view):
        yield Proof(servers, view)


@pytest.fixture(scope="module")
def recorded() -> dict[str, str]:
    """Names that rules record, with their expressions."""
    groups = [
        group
        for path in (committed.ROOT / "prometheus" / "rules").glob("*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
    ]
    return {rule["record"]: rule["expr"] for group in groups for rule in group["rules"] if "record" in rule}


@each_target
def test_each_query_shows_data(proof: Proof, target: Target) -> None:
    """None fails, with All and with every value chosen by name; none is empty but those listed with a reason."""
    if target.source == "loki" and not proof.has_loki:
        pytest.skip("needs a real Loki on PATH")
    for answer in proof.all[target.id] + proof.chosen[target.id]:
        assert answer.error is None, answer
    has_values = any(answer.values for answer in proof.all[target.id])
    assert has_values or target.id in EMPTY, proof.all[target.id][0].query


def test_few_queries_are_excused() -> None:
    """The list of empty ones is short, and names only queries that there are."""
    assert set(EMPTY) | set(UNIT_EXEMPT) <= {one.id for one in [*PROMQL, *LOGQL]}
    assert len(EMPTY) <= MAY_BE_EMPTY * len([*PROMQL, *LOGQL])


@pytest.mark.parametrize("variable", committed.query_variables(), ids=lambda one: one.id)
def test_each_variable_offers_something(proof: Proof, variable: Variable) -> None:
    """Its question is answered."""
    if variable.json["datasource"]["type"] == "loki" and not proof.has_loki:
        pytest.skip("needs a real Loki on PATH")
    assert [one for one in proof.variables[variable.id] if one]


@pytest.mark.parametrize("annotation", committed.annotation_queries(), ids=lambda one: one.id)
def test_each_annotation_finds_something(proof: Proof, annotation: Annotation) -> None:
    """Lines to mark a time with."""
    if not proof.has_loki:
        pytest.skip("needs a real Loki on PATH")
    answer = proof.annotations[annotation.id]
    assert answer.error is None
    assert answer.values, answer.query


@each_target
def test_legends_and_links_name_labels_that_there_are(proof: Proof, target: Target) -> None:
    """A template of a label that the answer lacks would be shown as it stands."""
    answers = proof.all.get(target.id, [])
    if target.id in EMPTY or not answers:
        pytest.skip("nothing is answered")
    there = {label for answer in answers for series in answer.series for label in series}
    assert set(LEGEND.findall(target.json.get("legendFormat") or "")) <= there | {"__name__"}
    if target.source == "prometheus" and len(target.panel.json["targets"]) == 1:
        links = [link for link in committed.links() if link.panel == target.panel]
        named = {name.strip('"') for link in links for name in OF_FIELD.findall(link.json["url"])}
        assert named <= there | {"Value", "Time", "labels"}, named - there


@each_promql
def test_selectors_name_labels_that_the_metric_has(proof: Proof, target: Target) -> None:
    """A matcher of a label that a metric lacks hides all of it once something is chosen."""
    known = {name: {*labels, "job", "instance", "le", "__name__"} for name, (_, labels) in _documented().items()}
    for place in promql.selectors(proof.trees[target.id]):
        name = re.sub(r"_(bucket|count|sum)$", "", place.node["name"])
        labels = {one["name"] for one in place.node["matchers"]}
        assert labels <= known.get(name, labels), f"{name} has no {labels - known[name]}"


@each_promql
def test_units_are_those_of_the_metrics(proof: Proof, target: Target, recorded: dict[str, str]) -> None:
    """Seconds are shown as seconds, bytes as bytes, ratios as per cent, whatever PromQL did with them in between."""
    defaults = target.panel.json["fieldConfig"]["defaults"]
    if defaults.get("mappings") or target.id in UNIT_EXEMPT:
        pytest.skip("values are shown as words")
    if target.panel.json["type"] == "heatmap":  # its axis is what the buckets are bounds of
        (name,) = {place.node["name"] for place in promql.selectors(proof.trees[target.id])}
        unit = units.of_name(name.removesuffix("_bucket"))
    else:
        unit = units.of(proof.trees[target.id], lambda name: _unit_of_record(name, recorded))
    shown = _shown(target)
    assert any(units.agrees(unit, one) for one in shown), f"{unit} shown as {sorted(shown)}"


def _shown(target: Target) -> set[str]:
    """Units that a target's figures may have: its own override's, else the panel's and those of other overrides."""
    config = target.panel.json["fieldConfig"]
    found: set[str] = set()
    for override in config.get("overrides", []):
        chosen = {one["value"] for one in override["properties"] if one["id"] == "unit"}
        if override["matcher"] == {"id": "byFrameRefID", "options": target.json["refId"]} and chosen:
            return chosen
        if override["matcher"]["id"] != "byFrameRefID":
            found |= chosen
    return found | {config["defaults"]["unit"]}


def _unit_of_record(name: str, recorded: dict[str, str]) -> str | None:
    """A recorded series says by its last part whether it is a ratio; else its middle is a metric's name."""
    if name not in recorded and name.count(":") != 2:
        return None
    _, metric, operations = name.split(":")
    if operations == "threshold":
        return units.of_name(metric)
    if metric == "burn_rate":
        return "number"
    if operations.startswith("ratio"):
        return "ratio"
    unit = units.of_name(metric)
    return f"{unit}/s" if re.match(r"(sum_)?rate", operations) else unit


def test_logql_is_what_lokis_grammar_says() -> None:
    """Every query for lines and annotations parses; and the grammar does find faults."""
    asked = {one.id: one.expr for one in LOGQL}
    asked |= {one.id: one.expr for one in committed.annotation_queries()}
    found = logql.faults([_plain(one) for one in asked.values()])
    assert {name: fault for name, fault in zip(asked, found, strict=True) if fault} == {}
    assert logql.faults(['{a="b"} |= '])[0] is not None


def _plain(query: str) -> str:
    """Macros filled with what they may be; variables stand in strings, where any text is good."""
    return re.sub(r"\$__(auto|interval|range)\b", "1m", query)


def test_every_family_that_is_told_of_was_there(proof: Proof, unfed: dict[str, str]) -> None:
    """The run is worth asking: it holds every family of metrics, but those listed with a reason."""
    names = set(_documented())
    missing = {one for one in names if not {one, f"{one}_count"} & proof.families}
    assert missing - set(unfed) == set()


@pytest.fixture
def unfed() -> dict[str, str]:
    """Families that the lively bots don't feed."""
    container = "only where the sidecar's container has a limit"
    found: dict[str, str] = {name: container for name in _documented() if name.startswith("deskwatch_container_")}
    found |= {name: NO_SOURCE for name in _documented() if name.startswith("deskwatch_source_")}
    return found | {
        "deskwatch_retention_removed_segments_total": "no segment is so old",
        "deskwatch_retention_overflow_lines_total": "the disk has room",
        "deskwatch_series_evicted_total": "nothing is idle for an hour",
        "tradebot_history_told_timestamp_seconds": "nothing is learnt late; test_freqtrade.py has a peer's history",
    }


@cache
def _documented() -> dict[str, Any]:
    from tests.reference.page import documented

    return documented()
