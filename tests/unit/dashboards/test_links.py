"""Links lead somewhere: from dashboards, panels and figures, and from alerts."""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

import pytest
import yaml

from tests.dashboards import committed
from tests.dashboards.committed import DASHBOARDS, ROOT, Link, Panel

BY_UID = {dashboard["uid"]: name for name, dashboard in DASHBOARDS.items()}
DASHBOARD_URL = re.compile(r"/d/(?P<uid>[\w-]+)(?:/[\w-]*)?(?:\?(?P<query>.*))?$", re.DOTALL)
LINKS = [one for one in committed.links() if one.json.get("url")]
TO_DASHBOARDS = [one for one in LINKS if DASHBOARD_URL.search(one.json["url"])]
ALERTS: list[dict[str, Any]] = [
    rule
    for folder in ("prometheus", "loki")
    for path in sorted((ROOT / folder / "rules").rglob("*.y*ml"))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]


def leads_somewhere(url: str) -> None:
    """Fail where a dashboard's URL names a dashboard, a variable or a panel that there is not."""
    match = DASHBOARD_URL.search(url)
    assert match is not None, url
    assert match["uid"] in BY_UID, f"no dashboard has the uid {match['uid']}"
    name = BY_UID[match["uid"]]
    offered = {one.json["name"] for one in committed.variables(name)}
    query = re.sub(r"\$?\{\{?[^{}]*\}?\}", "x", match["query"] or "")  # templates hold & and = of their own
    for key, values in urllib.parse.parse_qs(query, keep_blank_values=True).items():
        if key.startswith("var-"):
            assert key.removeprefix("var-") in offered, f"{name} has no variable {key.removeprefix('var-')}"
        if key == "viewPanel":
            ids = {str(panel["id"]) for panel in committed.within(DASHBOARDS[name])}
            assert values[0].removeprefix("panel-") in ids


@pytest.mark.parametrize("link", TO_DASHBOARDS, ids=lambda one: one.id)
def test_links_lead_to_dashboards_and_variables_that_there_are(link: Link) -> None:
    """Else the reader would land on all bots, or on nothing."""
    leads_somewhere(link.json["url"])


@pytest.mark.parametrize("link", TO_DASHBOARDS, ids=lambda one: one.id)
def test_links_keep_the_time(link: Link) -> None:
    """Whoever looks at last night goes on looking at last night."""
    assert "${__url_time_range}" in link.json["url"] or link.json.get("keepTime") or "from=" in link.json["url"]


@pytest.mark.parametrize("link", [one for one in LINKS if one not in TO_DASHBOARDS], ids=lambda one: one.id)
def test_other_links_name_no_host_of_ours(link: Link) -> None:
    """They begin with a variable, or are paths of Grafana's own, or lead to the project's runbooks."""
    assert re.match(r"\$\{\w+(:\w+)?\}|/|https://|docs/", link.json["url"]), link.json["url"]


@pytest.mark.parametrize("panel", committed.texts(), ids=lambda one: one.id)
def test_links_in_words_lead_somewhere(panel: Panel) -> None:
    """Those of text panels, in Markdown."""
    for url in re.findall(r"\]\((/d/[^)]+)\)", panel.json["options"]["content"]):
        leads_somewhere(url)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda one: f"{one['alert']}-{one['labels']['severity']}")
def test_alerts_lead_to_dashboards_and_variables_that_there_are(rule: dict[str, Any]) -> None:
    """What a message links to exists."""
    leads_somewhere(rule["annotations"]["dashboard_url"])
