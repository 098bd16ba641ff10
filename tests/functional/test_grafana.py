"""The dashboards in a Grafana that GRAFANA_URL names: provisioned without an error, and queried by its own API."""

from __future__ import annotations

import re

import pytest

from tests.dashboards import committed
from tests.dashboards.committed import DASHBOARDS, Target, Variable
from tests.dashboards.filling import Chosen, everything, fill_variables
from tests.dashboards.grafana import Grafana
from tests.functional.test_dashboards import EMPTY

UIDS = {"prometheus": "prometheus", "loki": "loki"}
"""Data sources, as they are provisioned."""
TARGETS = [*committed.targets("prometheus"), *committed.targets("loki")]


@pytest.fixture(scope="module")
def grafana() -> Grafana:
    """Somebody's."""
    return Grafana.from_environment()


@pytest.mark.parametrize("uid", UIDS.values())
def test_data_sources_are_provisioned_and_answer(grafana: Grafana, uid: str) -> None:
    """Under the uids that the files say, read-only, and healthy."""
    assert grafana.get(f"/api/datasources/uid/{uid}")["readOnly"] is True
    assert grafana.get(f"/api/datasources/uid/{uid}/health")["status"] == "OK"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboards_are_read_back_as_they_are_committed(grafana: Grafana, name: str) -> None:
    """By their uids, from the file, with all their panels: Grafana left out none and made no fault of any."""
    sent = DASHBOARDS[name]
    read = grafana.get(f"/api/dashboards/uid/{sent['uid']}")
    assert read["meta"]["provisioned"] is True
    assert read["meta"]["provisionedExternalId"] == f"{name}.json"
    assert read["dashboard"]["title"] == sent["title"]
    found = {(panel["id"], panel["type"]) for panel in committed.within(read["dashboard"])}
    assert found == {(panel["id"], panel["type"]) for panel in committed.within(sent)}
    assert len(read["dashboard"]["templating"]["list"]) == len(sent["templating"]["list"])


@pytest.mark.parametrize("target", TARGETS, ids=lambda one: one.id)
def test_each_query_shows_data(grafana: Grafana, target: Target) -> None:
    """By `/api/ds/query`, with All of each variable; Grafana's server fills in the macros."""
    choices = {one.json["name"]: _everything(one) for one in committed.variables(target.panel.dashboard)}
    expr = fill_variables(target.expr, target.source, choices)
    error, values = grafana.query(target.json, expr, UIDS[target.source])
    assert error is None
    assert values or target.id in EMPTY, expr


@pytest.mark.parametrize("variable", committed.query_variables(), ids=lambda one: one.id)
def test_each_variable_offers_something(grafana: Grafana, variable: Variable) -> None:
    """Through the data source's own resource, as the picker asks it."""
    assert _values(grafana, variable)


def _values(grafana: Grafana, variable: Variable) -> list[str]:
    source = variable.json["datasource"]["type"]
    match = re.fullmatch(r"label_values\((?:(.+),)?\s*(\w+)\s*\)", str(variable.query), re.DOTALL)
    assert match is not None
    choices = {one.json["name"]: _everything(one) for one in committed.variables(variable.dashboard)}
    more = {"match[]": fill_variables(match[1], source, choices)} if match[1] else {}
    path = f"/api/datasources/uid/{UIDS[source]}/resources/api/v1/label/{match[2]}/values"
    found: list[str] = grafana.get(path, **more)["data"]
    return found


def _everything(variable: Variable) -> Chosen:
    """All of a variable; each says what that means, so that nobody need ask for its values."""
    if variable.json.get("includeAll"):
        values = [one.rpartition(" : ")[2].strip() for one in str(variable.query).split(",")]
        return everything(variable, values)
    return Chosen((str(variable.json.get("query") or ""),), is_multi=False)
