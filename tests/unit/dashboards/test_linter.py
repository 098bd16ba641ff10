"""The rules of dashboard-linter, held here: it is a Go program that is built from its own checkout only."""

from __future__ import annotations

import re
from typing import Any

import pytest
from grafana_foundation_sdk.models import units

from tests.dashboards import committed, logql
from tests.dashboards.committed import DASHBOARDS, Panel, Target, Variable

ONE_SIDECAR = "a bot is chosen by its name, which is the same wherever its sidecar runs; nobody asks by job or instance"
RULES: dict[str, str | None] = {
    "template-datasource-rule": None,
    "template-job-rule": ONE_SIDECAR,
    "template-instance-rule": ONE_SIDECAR,
    "template-label-promql-rule": None,
    "template-on-time-change-reload-rule": None,
    "panel-datasource-rule": None,
    "panel-title-description-rule": None,
    "panel-units-rule": None,
    "panel-no-targets-rule": None,
    "target-logql-rule": None,
    "target-logql-auto-rule": None,
    "target-promql-rule": None,
    "target-rate-interval-rule": None,
    "target-job-rule": ONE_SIDECAR,
    "target-instance-rule": ONE_SIDECAR,
    "target-counter-agg-rule": None,
    "uneditable-dashboard-rule": None,
}
"""The linter's rules (its docs/index.md) → why one is not held; None: it is, by the test that is named after it."""
UIDS = {
    "activity": "deskwatch-activity",
    "bot": "deskwatch-bot",
    "chain": "deskwatch-chain",
    "control": "deskwatch-control",
    "decisions": "deskwatch-decisions",
    "execution": "deskwatch-execution",
    "overview": "deskwatch-overview",
    "process": "deskwatch-process",
    "risk": "deskwatch-risk",
    "self": "deskwatch-self",
    "slo": "deskwatch-slo",
}
"""Links from messages, runbooks and people's notes hold on to these: a uid never changes."""
SOURCES = {"prometheus_datasource": "Prometheus data source", "loki_datasource": "Loki data source"}
UNITS = {value for name, value in vars(units).items() if not name.startswith("_") and isinstance(value, str)}
MAX_BYTES = 200_000
PROMQL, LOGQL = committed.targets("prometheus"), committed.targets("loki")
each_dashboard = pytest.mark.parametrize("name", DASHBOARDS)
each_panel = pytest.mark.parametrize("panel", committed.panels(), ids=lambda one: one.id)
each_promql = pytest.mark.parametrize("target", PROMQL, ids=lambda one: one.id)
each_logql = pytest.mark.parametrize("target", LOGQL, ids=lambda one: one.id)
each_variable = pytest.mark.parametrize("variable", committed.query_variables(), ids=lambda one: one.id)


def test_every_rule_is_held_or_excused() -> None:
    """A rule without a reason has a test of its name here."""
    held = {f"test_{rule.removesuffix('-rule').replace('-', '_')}" for rule, reason in RULES.items() if reason is None}
    assert held <= set(globals())
    assert len(RULES) == 17


@each_dashboard
def test_template_datasource(name: str) -> None:
    """The reader chooses Prometheus and Loki, under the names that the linter knows where there are two."""
    found = {
        one.json["name"]: one.json["label"] for one in committed.variables(name) if one.json["type"] == "datasource"
    }
    assert found.items() <= SOURCES.items()
    used = {f"{one.source}_datasource" for one in [*PROMQL, *LOGQL] if one.panel.dashboard == name}
    assert used <= set(found)


@each_variable
def test_template_label_promql(variable: Variable) -> None:
    """A question for labels is of Grafana's form, over one selector."""
    if variable.json["datasource"]["type"] != "prometheus":
        assert variable.json["query"]["label"]
        return
    query = str(variable.query)
    assert re.fullmatch(r"label_values\((.+, ?)?\w+\)|query_result\(.+\)", query, re.DOTALL), query
    assert variable.json["definition"] == query


@each_variable
def test_template_on_time_change_reload(variable: Variable) -> None:
    """Values are asked for again when the time changes: what is gone now may be looked at, too."""
    assert variable.json["refresh"] == 2


@each_panel
def test_panel_datasource(panel: Panel) -> None:
    """No uid of a data source of ours: the JSON works in any Grafana."""
    for one in [panel.json, *panel.json["targets"]]:
        kind = one["datasource"]["type"]
        assert one["datasource"]["uid"] == f"${{{kind}_datasource}}"


@each_panel
def test_panel_title_description(panel: Panel) -> None:
    """What is seen, and what it means, in sentences."""
    assert panel.json["title"].strip()
    assert panel.json["description"].rstrip().endswith((".", ")"))


@each_panel
def test_panel_units(panel: Panel) -> None:
    """Units are Grafana's; one is told wherever numbers are shown as numbers."""
    config = panel.json["fieldConfig"]
    overridden = [one["value"] for rule in config["overrides"] for one in rule["properties"] if one["id"] == "unit"]
    for unit in [config["defaults"]["unit"], *overridden]:
        assert unit in UNITS or re.fullmatch(r"(suffix|prefix|currency|time|si):.+", unit), unit


@each_panel
def test_panel_no_targets(panel: Panel) -> None:
    """Every panel asks something, but for those that are words only."""
    assert panel.json["targets"]


def test_target_logql() -> None:
    """By Loki's grammar; the functional tests ask a Loki, too."""
    found = logql.faults([re.sub(r"\$__(auto|interval|range)\b", "1m", one.expr) for one in LOGQL])
    assert [fault for fault in found if fault] == []


@each_logql
def test_target_logql_auto(target: Target) -> None:
    """What is counted over time is counted over each step, whatever the zoom; in one figure over the whole range."""
    for window in re.findall(r"\[([^\]\"]+)\]", re.sub(r'"[^"]*"|`[^`]*`', '""', target.expr)):
        assert window in {"$__auto", "$__range"}


@each_logql
def test_choices_stand_in_quotation_marks(target: Target) -> None:
    """Grafana escapes what is chosen for strings; in backticks a provider `gpt-4.1` would find nothing."""
    for text in re.findall(r"`([^`]*)`", target.expr):
        assert not re.findall(r"\$\{?(\w+)(?!\w*:raw)\b", text), text


@each_promql
def test_target_promql(target: Target) -> None:
    """Brackets pair; the rest is promtool's to say, in `test_dashboards.py`, and Prometheus' in functional tests."""
    plain = re.sub(r'"(?:[^"\\]|\\.)*"', "", target.expr)
    assert all(plain.count(first) == plain.count(last) for first, last in ("()", "[]", "{}"))


@each_promql
def test_target_rate_interval(target: Target) -> None:
    """Rates fit the zoom. An increase is over the step, the whole range, or a time that the panel's words tell."""
    columns = [one["options"] for one in target.panel.json.get("transformations", []) if one["id"] == "organize"]
    named = [name for one in columns for name in one.get("renameByName", {}).values()]
    words = " ".join([target.panel.json["title"], target.panel.json["description"], *named])
    for name, window in re.findall(
        r"\b(rate|irate|increase)\([^\[\]]*\[([^\]]+)\]", committed.as_increase(target.expr)
    ):
        if name != "increase":
            assert window in {"$__rate_interval", "$__range"} or _told(window, words), f"{name} over {window}"
        else:
            assert window in {"$__rate_interval", "$__range", "$__interval"} or _told(window, words), window


@each_promql
def test_target_counter_agg(target: Target) -> None:
    """A counter is never shown as it is: it starts from 0 with its process."""
    plain = re.sub(r'"[^"]*"', '""', committed.as_increase(target.expr))
    for match in re.finditer(r"\b\w+_total\b", plain):
        assert re.search(r"\b(?:rate|irate|increase|resets)\(\s*$", plain[: match.start()]), match[0]


@each_dashboard
def test_uneditable_dashboard(name: str) -> None:
    """Python is its source."""
    assert DASHBOARDS[name]["editable"] is False


@each_dashboard
def test_uids_stay(name: str) -> None:
    """And Grafana, Prometheus' alerts and this list agree on them."""
    assert DASHBOARDS[name]["uid"] == UIDS[name]


def test_no_dashboard_is_lost() -> None:
    """Each of the list is there."""
    assert set(DASHBOARDS) == set(UIDS)


@pytest.mark.parametrize("path", committed.FILES, ids=lambda path: path.name)
def test_each_file_is_small(path: Any) -> None:
    """Below 200 KB."""
    assert path.stat().st_size < MAX_BYTES


@each_dashboard
def test_each_variable_changes_something(name: str) -> None:
    """One that no query heeds would mislead: its choice would do nothing."""
    asked = [one.expr for one in [*PROMQL, *LOGQL] if one.panel.dashboard == name]
    asked += [str(one.json.get("query")) for one in committed.variables(name)]
    asked += [one.json["url"] for one in committed.links() if one.owner.startswith(name) and one.json.get("url")]
    asked += [one.expr for one in committed.annotation_queries() if one.dashboard == name]
    for variable in committed.variables(name):
        if variable.json["type"] != "datasource":
            label = variable.json["name"]
            assert any(re.search(rf"\$\{{?{label}\b", one) for one in asked), label


def _told(window: str, words: str) -> bool:
    """Whether a panel's words name a window such as `1h` as people do: `1 hour`, `an hour`, `24 h`, `1h`."""
    count, unit = re.fullmatch(r"(\d+)([smhdw])", window).groups()  # type: ignore[union-attr]  # else it is no window
    full = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}[unit]
    more = ["24 h", "24 hours", "today", "daily"] if window == "1d" else []
    names = [window, f"{count} {unit}", f"{count} {full[:3]}", *more]
    if count == "1":
        names += [f"an {full}", f"a {full}", f"one {full}", f"last {full}", f"per {full}", f"each {full}"]
    return any(name in words for name in names)
