"""The dashboards: the committed JSON, held to the rules of dashboard-linter and to the metrics that exist."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deskwatch.exposition import _client_exemplar
from deskwatch.projections.metrics import Exemplar
from deskwatch.sinks.loki.entries import _METADATA
from tests.dashboards import committed
from tests.reference import served
from tests.servers import require

TAG = "deskwatch"
ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
RULES = sorted((ROOT / "prometheus" / "rules").glob("*.yml"))
DASHBOARDS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text()) for path in FILES}
NAME = re.compile(r"\b(?:tradebot|deskwatch)_\w+|\b\w+:\w+:\w+")
each_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All panels, those of collapsed rows too."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


PANELS = [
    pytest.param(panel, id=f"{name}-{panel['title']}")
    for name, dashboard in DASHBOARDS.items()
    for panel in panels(dashboard)
    if panel["type"] not in ("row", "text")
]
PROMQL = [
    pytest.param(target["expr"], id=f"{param.id}-{target['refId']}")
    for param in PANELS
    for target in param.values[0]["targets"]  # type: ignore[index]  # pytest keeps the type of values to itself
    if target["datasource"]["type"] == "prometheus"
]
each_panel = pytest.mark.parametrize("panel", PANELS)
each_promql = pytest.mark.parametrize("expr", PROMQL)


def test_there_are_dashboards() -> None:
    """The checks below look at something."""
    assert "overview" in DASHBOARDS
    assert len(PANELS) > 15


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_are_small_enough_to_review(path: Path) -> None:
    """Below 200 KB."""
    assert path.stat().st_size < 200_000


@each_dashboard
def test_dashboards_are_found_linked_and_not_edited_by_hand(dashboard: dict[str, Any]) -> None:
    """A fixed uid, the shared tag with a link by it that keeps time and variables, one to the page, and no editing."""
    assert dashboard["uid"].startswith(f"{TAG}-")
    assert dashboard["tags"] == [TAG]
    assert dashboard["editable"] is False
    assert dashboard["description"].endswith(".")
    link, page = dashboard["links"]
    assert page["url"] == "${sidecar_url:raw}/"
    assert link["tags"] == [TAG]
    assert link["asDropdown"]
    assert link["includeVars"]
    assert link["keepTime"]
    assert int(dashboard["refresh"].removesuffix("s")) >= 5


@each_dashboard
def test_the_reader_chooses_sources_and_bots(dashboard: dict[str, Any]) -> None:
    """The variables have the same names on every dashboard, are read anew with the time range, and start with all."""
    variables = {one["name"]: one for one in dashboard["templating"]["list"]}
    assert variables["prometheus_datasource"]["query"] == "prometheus"
    assert variables["prometheus_datasource"]["label"] == "Prometheus data source"
    assert variables["loki_datasource"]["query"] == "loki"
    assert variables["sidecar_url"]["query"] == "http://localhost:9464"
    assert variables["bot"]["type"] == "query"
    for one in variables.values():
        if one["type"] == "query":
            assert one["refresh"] == 2
            assert one["includeAll"]
            assert one["multi"]


@each_dashboard
def test_panels_have_ids_of_their_own_and_do_not_overlap(dashboard: dict[str, Any]) -> None:
    """Links to a panel stay valid, and nothing lies on top of something else."""
    found = list(panels(dashboard))
    ids = [panel["id"] for panel in found]
    assert all(isinstance(one, int) and one > 0 for one in ids)
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in found:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


@each_panel
def test_panels_explain_themselves(panel: dict[str, Any]) -> None:
    """A title, a description in sentences, a unit, and at least one query."""
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]


@each_panel
def test_panels_name_no_data_source_of_ours(panel: dict[str, Any]) -> None:
    """Only variables, so that the JSON works in any Grafana."""
    for one in (panel, *panel["targets"]):
        kind = one["datasource"]["type"]
        assert one["datasource"]["uid"] == f"${{{kind}_datasource}}"


@each_panel
def test_thresholds_are_ours(panel: dict[str, Any]) -> None:
    """Grafana's default, red from 80, says nothing about anything here."""
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert steps[0]["value"] is None
    assert 80 not in [step["value"] for step in steps]


@each_panel
def test_a_tables_columns_keep_their_names_while_others_are_empty(panel: dict[str, Any]) -> None:
    """Grafana calls a value `Value` where one query alone has an answer: a companion, not shown, has one always."""
    targets = {one["refId"]: one for one in panel["targets"]}
    if panel["type"] == "table" and len(targets) > 1:
        assert targets["Z"]["expr"] == "vector(0)"
        first, *_, last = panel["transformations"]
        assert first == {"id": "filterByRefId", "options": {"include": "/^[^Z]$/"}}
        assert {f"Value #{one}" for one in targets if one != "Z"} <= set(last["options"]["renameByName"])


@each_panel
def test_what_is_not_known_is_not_green(panel: dict[str, Any]) -> None:
    """Grafana gives the first colour to what has no value: nobody knows the age of the newest block is no good news."""
    config = panel["fieldConfig"]
    looks = [one["value"] for each in config["overrides"] for one in each["properties"] if one["id"] == "thresholds"]
    if panel["type"] == "stat" and panel["datasource"]["type"] == "prometheus":  # no lines in Loki are 0 lines
        looks.append(config["defaults"]["thresholds"])
    assert {one["steps"][0]["color"] for one in looks} <= {"text"}


@each_promql
def test_queries_follow_the_chosen_bots(expr: str, of_bots: set[str]) -> None:
    """Every selector of a bot's series is narrowed to the bots chosen; those of the host and the sidecar have none."""
    for match in re.finditer(r"\b(\w+(?::\w+:\w+)?)\b(\{[^{}]*\})?", re.sub(r'(?<==)"[^"$]*"', '""', expr)):
        if match[1] in of_bots or match[1].startswith("bot"):
            assert match[1] in {"bot", "bots"} or 'bot=~"$bot' in (match[2] or ""), match[0]


@each_panel
def test_lines_are_those_of_the_chosen_bots(panel: dict[str, Any]) -> None:
    """But what was done to the sidecar itself, which belongs to none, is told whichever are chosen."""
    for target in panel["targets"]:
        if target["datasource"]["type"] == "loki":
            assert re.search(r'bot=~"\$bot|bot="_sidecar"', target["expr"])


@each_promql
def test_counters_are_always_wrapped_and_rates_fit_the_zoom(expr: str) -> None:
    """`_total` only inside rate or increase; rate over `$__rate_interval`."""
    expr = committed.as_increase(expr)
    for match in re.finditer(r"\w+_total\b", expr):
        assert re.search(r"\b(?:rate|increase)\($", expr[: match.start()])
    for window in re.findall(r"\brate\([^()]*\[([^\]]+)\]", expr):
        assert window == "$__rate_interval"


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every series that a sidecar serves or a rule records."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    recorded = {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    return recorded | served.names(served.families(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def of_bots(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every series of a sidecar that belongs to a bot."""
    families = served.families(tmp_path_factory.mktemp("home"))
    return served.names([family for family in families if family.labels[:1] == ("bot",)])


@each_promql
def test_queries_name_only_series_that_exist(expr: str, known: set[str]) -> None:
    """No panel that no metric feeds: each name is the sidecar's, a sample's, or recorded by a rule."""
    assert set(NAME.findall(expr)) <= known


def test_queries_are_promql(tmp_path: Path) -> None:
    """Promtool parses every expression, with Grafana's macros filled in."""
    promtool = require("promtool")
    filled = [str(param.values[0]) for param in PROMQL]
    for macro, value in (("$__rate_interval", "1m"), ("$__range", "1h"), ("$__interval", "1m")):
        filled = [expr.replace(macro, value) for expr in filled]
    rules = [{"record": f"panel:query{number}:value", "expr": expr} for number, expr in enumerate(filled)]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    told = subprocess.run([promtool, "check", "rules", path], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_provisioning_and_panels_agree() -> None:
    """The data sources exist under the kinds that the variables ask for, and dashboards are looked for in a mount."""
    provisioning = ROOT / "grafana" / "provisioning"
    sources = yaml.safe_load((provisioning / "datasources" / "deskwatch.yml").read_text())["datasources"]
    assert {source["uid"]: source["type"] for source in sources} == {
        "prometheus": "prometheus",
        "loki": "loki",
        "alertmanager": "alertmanager",
    }
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "deskwatch.yml").read_text())["providers"]
    assert provider["allowUiUpdates"] is False
    mounts = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]["volumes"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in mounts


def test_a_trace_leads_to_its_lines() -> None:
    """From an exemplar (by the label that the sidecar gives it) and from a line, to the text search, on any host."""
    path = ROOT / "grafana" / "provisioning" / "datasources" / "deskwatch.yml"
    sources = {source["uid"]: source["jsonData"] for source in yaml.safe_load(path.read_text())["datasources"]}
    (exemplar,) = sources["prometheus"]["exemplarTraceIdDestinations"]
    (derived,) = sources["loki"]["derivedFields"]
    observed = Exemplar(trace="4bf92f3577b34da6a3ce929d0e0e4736", value=1, seconds=1)
    assert set(_client_exemplar(observed).labels) == {exemplar["name"]}
    assert derived["matcherRegex"] in _METADATA
    for way in (exemplar, derived):
        assert way["url"].startswith(f"/d/{DASHBOARDS['activity']['uid']}?var-search=$${{__value.raw}}&")
    assert "search" in {one["name"] for one in DASHBOARDS["activity"]["templating"]["list"]}


@each_panel
def test_runbooks_that_are_named_exist(panel: dict[str, Any]) -> None:
    """Who reads a panel at night finds the page that it names."""
    for path in re.findall(r"docs/runbooks/\w+\.md", panel["description"]):
        assert (ROOT / path).is_file()


@each_dashboard
def test_marks_spare_the_bars_of_states(dashboard: dict[str, Any]) -> None:
    """They would cut them to pieces. What may come by the hundred is off until it is asked for."""
    states = {one["id"] for one in panels(dashboard) if one["type"] in ("state-timeline", "status-history")}
    for mark in dashboard["annotations"]["list"]:
        if states:
            assert mark["filter"]["exclude"]
            assert states <= set(mark["filter"]["ids"])
    shown = {mark["name"]: mark["enable"] for mark in dashboard["annotations"]["list"]}
    assert {"Modes": True, "Starts": True, "Alerts": False, "Risk alerts": False}.items() <= shown.items()


@each_dashboard
def test_what_is_chosen_at_first_is_said(dashboard: dict[str, Any]) -> None:
    """So that every Grafana opens it alike: all bots, all kinds, and the address of the page."""
    for one in dashboard["templating"]["list"]:
        if one.get("includeAll"):
            assert one["current"]["value"] == ["$__all"]
        if one["type"] == "textbox":
            assert one["current"]["value"] == one["query"]
