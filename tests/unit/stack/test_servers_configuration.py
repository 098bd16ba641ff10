"""Every server's own checker on its configuration, and what the checkers don't look at."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deskwatch.events import KINDS
from deskwatch.sinks.loki.entries import SERVICE
from tests.reference import served
from tests.servers import require

ROOT = Path(__file__).parents[3]
RULES = sorted((ROOT / "prometheus" / "rules").glob("*.yml"))
LOG_RULES = sorted((ROOT / "loki" / "rules" / "fake").glob("*.yml"))
OTHERS = {
    "up",
    "ALERTS",
    "alertmanager_notifications_failed_total",
    "prometheus_config_last_reload_success_timestamp_seconds",
    "prometheus_config_last_reload_successful",
    "prometheus_notifications_dropped_total",
    "prometheus_rule_evaluation_failures_total",
    "prometheus_rule_group_iterations_missed_total",
}
"""Names that other servers make."""
NAME = re.compile(r"\b(?:tradebot|deskwatch|prometheus|alertmanager)_\w+|\b\w+:\w+:\w+")


def check(*command: str | Path) -> str:
    """Run a checker; its words, or a failure with them."""
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout + told.stderr


def all_rules(paths: list[Path] = RULES) -> list[dict[str, Any]]:
    groups = [group for path in paths for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in all_rules() if "alert" in rule]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every series name that the sidecar can serve, or that a rule records."""
    recorded = {rule["record"] for rule in all_rules() if "record" in rule}
    return OTHERS | recorded | served.names(served.families(tmp_path_factory.mktemp("home")))


def test_prometheus_accepts_its_configuration(tmp_path: Path) -> None:
    """promtool, with every lint, on the configuration, the rules it names and the token's file."""
    promtool = require("promtool")
    shutil.copytree(ROOT / "prometheus", tmp_path / "prometheus")
    config = tmp_path / "prometheus" / "prometheus.yml"
    config.write_text(config.read_text().replace("/stack/prometheus", str(tmp_path)))
    (tmp_path / "scrape-token").write_text("token")
    told = check(promtool, "check", "config", "--lint=all", "--lint-fatal", config)
    assert told.count("rules found") == len(RULES)


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_rules_do_what_their_tests_say(path: Path) -> None:
    """Each file of rules has a file of tests under the same name: firing, silent and clearing."""
    promtool = require("promtool")
    check(promtool, "check", "rules", "--lint=all", "--lint-fatal", path)
    check(promtool, "test", "rules", ROOT / "prometheus" / "tests" / path.name)


@pytest.mark.parametrize("name", sorted({rule["alert"] for rule in alerts()}))
def test_every_alert_has_a_case_where_it_fires_and_one_where_it_does_not(name: str) -> None:
    """The tests expect each alert at one time and its absence at another (the Watchdog always fires)."""
    cases: list[bool] = []
    for path in (ROOT / "prometheus" / "tests").glob("*.yml"):
        for test in yaml.safe_load(path.read_text())["tests"]:
            cases += [bool(c["exp_alerts"]) for c in test.get("alert_rule_test", []) if c["alertname"] == name]
    assert set(cases) == ({True} if name == "Watchdog" else {True, False})


@pytest.mark.parametrize(
    "rule", alerts() + all_rules(LOG_RULES), ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}"
)
def test_alerts_tell_what_a_person_needs(rule: dict[str, Any]) -> None:
    """A static sentence, the figures, what to do, a dashboard that exists and a runbook that exists."""
    said = rule["annotations"]
    assert set(said) - {"money"} == {"summary", "description", "action", "dashboard_url", "runbook_url"}
    assert re.fullmatch(r"[A-Z][^{}]+\.", said["summary"])
    assert said["action"].endswith(".")
    assert rule["alert"].startswith(("Bot", "Deskwatch", "Watchdog"))
    assert rule["labels"]["severity"] in {"critical", "warning", "info", "none"}
    if rule["alert"].startswith("Bot"):
        assert "{{ $labels.bot }}" in said["description"]
        assert said["dashboard_url"].endswith("?var-bot={{ $labels.bot }}")
    uid = re.search(r"/d/([\w-]+)", said["dashboard_url"])
    assert uid is not None
    assert any(f'"uid": "{uid[1]}"' in path.read_text() for path in (ROOT / "grafana" / "dashboards").glob("*.json"))
    assert said["runbook_url"] == f"docs/runbooks/{rule['alert'].lower()}.md"
    runbook = (ROOT / said["runbook_url"]).read_text()
    headings = [f"# {rule['alert']}", "## Meaning", "## Impact", "## Diagnosis", "## Mitigation"]
    assert re.findall(r"^#+ .+$", runbook, re.MULTILINE) == headings


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_name_only_series_that_exist(rule: dict[str, Any], names: set[str]) -> None:
    """A rule over a misspelt series would be silent for ever."""
    assert set(NAME.findall(rule["expr"])) <= names


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "runbooks").glob("*.md")), ids=lambda path: path.name)
def test_runbooks_belong_to_an_alert_and_name_only_series_that_exist(path: Path, names: set[str]) -> None:
    """At night is no time to find out that a query is wrong."""
    assert path.stem in {rule["alert"].lower() for rule in alerts() + all_rules(LOG_RULES)}
    assert set(NAME.findall(path.read_text())) <= names


def test_loki_accepts_its_configuration() -> None:
    """Loki's own check."""
    check(require("loki"), "-verify-config", f"-config.file={ROOT / 'loki' / 'loki.yml'}")


def test_log_rules_read_what_the_sink_sends() -> None:
    """Streams are chosen by the sink's labels only, and by kinds that there are; old lines raise no alert."""
    for rule in all_rules(LOG_RULES):
        selectors = [
            dict(re.findall(r'(\w+)=~?"([^"]*)"', chosen)) for chosen in re.findall(r"{([^}]*)}", rule["expr"])
        ]
        assert selectors
        assert selectors[0]["lane"] == "live"
        for selector in selectors:
            assert selector.keys() <= {"service_name", "bot", "kind", "lane"}
            assert selector["service_name"] == SERVICE
            assert set(selector["kind"].split("|")) <= set(KINDS.values())


def test_loki_finds_the_rules_where_they_are_mounted() -> None:
    """The folder below it is the tenant, `fake` where there is no sign-in; compose mounts loki/ as /etc/loki."""
    ruler = yaml.safe_load((ROOT / "loki" / "loki.yml").read_text())["ruler"]
    assert ruler["storage"] == {"type": "local", "local": {"directory": "/etc/loki/rules"}}
    volumes = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["loki"]["volumes"]
    assert "./loki:/etc/loki:ro" in volumes
    assert LOG_RULES


def test_lokis_check_can_fail(tmp_path: Path) -> None:
    """A key that Loki does not know is found, so that the check above means something."""
    loki = require("loki")
    wrong = tmp_path / "loki.yml"
    wrong.write_text((ROOT / "loki" / "loki.yml").read_text() + "\nretention: forever\n")
    assert subprocess.run(
        [loki, "-verify-config", f"-config.file={wrong}"], capture_output=True, check=False
    ).returncode


def test_loki_takes_what_the_sink_may_send_and_forgets_in_time() -> None:
    """Limits are above the sink's largest push and a journal's longest line; retention has all that it needs."""
    config = yaml.safe_load((ROOT / "loki" / "loki.yml").read_text())
    limits = config["limits_config"]
    assert limits["ingestion_burst_size_mb"] >= limits["ingestion_rate_mb"] >= 32
    assert int(limits["max_line_size"].removesuffix("KB")) > 64
    assert limits["allow_structured_metadata"]
    assert limits["reject_old_samples_max_age"] == limits["retention_period"]
    assert config["compactor"]["retention_enabled"]
    assert config["compactor"]["delete_request_store"] == "filesystem"
    (schema,) = config["schema_config"]["configs"]
    assert (schema["store"], schema["schema"]) == ("tsdb", "v13")
