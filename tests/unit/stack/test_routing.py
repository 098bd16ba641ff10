"""Who hears of what: Alertmanager's routing table as amtool walks it, and names that its rules of inhibition mean."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from deskwatch import stack
from tests.servers import require

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "alertmanager" / "alertmanager.template.yml"
RULES = sorted((ROOT / "prometheus" / "rules").glob("*.yml"))
RECEIVERS = {"critical": "page", "warning": "notice", "info": "digest", "none": "nobody"}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `prepare` makes of the template."""
    folder = tmp_path_factory.mktemp("stack")
    stack.prepare(folder / "no-secrets", TEMPLATE, folder / "out")
    return folder / "out" / "alertmanager" / "alertmanager.yml"


def route(config: Path, *labels: str) -> str:
    """The receiver of an alert with these labels; more than one would be several words."""
    told = subprocess.run(
        [require("amtool"), "config", "routes", "test", f"--config.file={config}", *labels],
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.strip()


def alerts() -> set[tuple[str, str]]:
    """Name and severity of every alert."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    rules = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    return {(rule["alert"], rule["labels"]["severity"]) for rule in rules}


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        # Severity decides, whoever the alert is about.
        (["alertname=BotDown", "severity=critical", "bot=arb-1", "instance=d:9464"], "page"),
        (["alertname=DeskwatchDown", "severity=critical", "instance=d:9464"], "page"),
        (["alertname=BotOrderSuccessBudgetBurn", "severity=critical", "bot=arb-1", "slo=order_success"], "page"),
        (["alertname=BotOrderSuccessBudgetBurn", "severity=warning", "bot=arb-1", "slo=order_success"], "notice"),
        (["alertname=BotGasPriceHigh", "severity=warning", "bot=arb-1", "chain=local"], "notice"),
        (["alertname=BotSomething", "severity=info", "bot=arb-1"], "digest"),
        (["alertname=BotSomething", "severity=none", "bot=arb-1"], "nobody"),
        # The Watchdog is for the heartbeat, whatever its severity.
        (["alertname=Watchdog", "severity=none"], "heartbeat"),
        (["alertname=Watchdog", "severity=critical"], "heartbeat"),
        # What nobody thought of is still told: no severity, an unknown one, one that is spelt otherwise.
        (["alertname=Unheard"], "notice"),
        (["alertname=Unheard", "severity=page"], "notice"),
        (["alertname=Unheard", "severity=Critical"], "notice"),
    ],
)
def test_alerts_go_to_their_receiver(config: Path, labels: list[str], receiver: str) -> None:
    """Critical alerts wake somebody, others wait, and the Watchdog goes to the heartbeat alone."""
    assert route(config, *labels) == receiver


def test_every_alert_there_is_goes_where_its_severity_says(config: Path) -> None:
    """One walk for each pair of name and severity that differs in its route."""
    expected = {
        (name if name == "Watchdog" else "Any", severity): "heartbeat" if name == "Watchdog" else RECEIVERS[severity]
        for name, severity in alerts()
    }
    found = {pair: route(config, f"alertname={pair[0]}", f"severity={pair[1]}", "bot=arb-1") for pair in expected}
    assert found == expected


def test_critical_alerts_come_fast_and_again(config: Path) -> None:
    """A page within seconds of its alert; an end is told within a minute or so; once an hour while it goes on."""
    routes = {one["receiver"]: one for one in yaml.safe_load(config.read_text())["route"]["routes"]}
    page = routes["page"]
    assert (page["group_wait"], page["group_interval"], page["repeat_interval"]) == ("5s", "1m", "1h")
    assert "mute_time_intervals" not in page
    assert routes["digest"]["mute_time_intervals"] == ["quiet-hours"]
    assert [name for name, one in routes.items() if "mute_time_intervals" in one] == ["digest"]


def test_the_heart_beats_at_each_tick(config: Path) -> None:
    """Alertmanager leaves out what it repeated less than `repeat_interval` ago; a tick later is a little less."""
    routes = {one["receiver"]: one for one in yaml.safe_load(config.read_text())["route"]["routes"]}
    assert (routes["heartbeat"]["group_interval"], routes["heartbeat"]["repeat_interval"]) == ("1m", "50s")


def test_inhibition_names_alerts_that_exist() -> None:
    """A name that no rule has would silence nothing, and nobody would notice."""
    there = {name for name, _ in alerts()}
    for rule in yaml.safe_load(TEMPLATE.read_text())["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            found = re.fullmatch(r"(\w+) *(?:=~|!~|!=|=) *\"(.*)\"", matcher.strip())
            assert found is not None, matcher
            for name in found[2].split("|") if found[1] == "alertname" else ():
                assert any(re.fullmatch(name, one) for one in there), name
