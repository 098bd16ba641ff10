"""Where links lead and when it is quiet: from the environment into Alertmanager's configuration and its messages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deskwatch import stack
from deskwatch.errors import ConfigError
from deskwatch.stack.preferences import LINKS, from_environment

TEMPLATE = Path(__file__).parents[3] / "alertmanager" / "alertmanager.template.yml"


def interval(out: Path) -> list[dict[str, Any]]:
    """The quiet hours of the finished configuration."""
    (one,) = yaml.safe_load((out / "alertmanager" / "alertmanager.yml").read_text())["time_intervals"]
    assert one["name"] == "quiet-hours"
    found: list[dict[str, Any]] = one["time_intervals"]
    return found


def times(hours: str) -> list[str]:
    """Ranges that these quiet hours make, as begin-end."""
    configuration = {"time_intervals": [{"name": "quiet-hours", "time_intervals": []}]}
    from_environment({"QUIET_HOURS": hours}).set_quiet_hours(configuration)
    ranges: list[Any] = configuration["time_intervals"][0]["time_intervals"]  # type: ignore[assignment]  # as YAML
    return [f"{one['start_time']}-{one['end_time']}" for entry in ranges for one in entry["times"]]


def test_without_settings_everything_is_as_the_checkout_has_it(tmp_path: Path) -> None:
    """An empty environment, as compose passes it, changes neither links nor quiet hours."""
    empty = dict.fromkeys(["GRAFANA_URL", "DESKWATCH_URL", "RUNBOOKS_URL", "TIME_ZONE", "QUIET_HOURS"], "")
    assert from_environment(empty) == stack.Preferences() == from_environment({})
    stack.prepare(tmp_path, TEMPLATE, tmp_path / "out")
    committed = yaml.safe_load(TEMPLATE.read_text())
    assert interval(tmp_path / "out") == committed["time_intervals"][0]["time_intervals"]
    links = (tmp_path / "out" / "alertmanager" / "templates" / LINKS).read_text()
    assert links == (TEMPLATE.parent / "templates" / LINKS).read_text()


def test_settings_reach_links_times_and_quiet_hours(tmp_path: Path) -> None:
    """Each setting stands at each of its places, and none of the defaults is left."""
    preferences = from_environment(
        {
            "GRAFANA_URL": "https://grafana.example/",
            "DESKWATCH_URL": "https://desk.example:9464",
            "RUNBOOKS_URL": "https://git.example/desk/runbooks",
            "TIME_ZONE": "Europe/Berlin",
            "QUIET_HOURS": "23:30-06:15",
        }
    )
    stack.prepare(tmp_path, TEMPLATE, tmp_path / "out", preferences=preferences)
    links = (tmp_path / "out" / "alertmanager" / "templates" / LINKS).read_text()
    assert set(re.findall(r'(\$\w+) := "([^"]*)"', links)) == {
        ("$grafana", "https://grafana.example"),
        ("$deskwatch", "https://desk.example:9464"),
        ("$runbooks", "https://git.example/desk/runbooks"),
        ("$zone", "Europe/Berlin"),
    }
    (quiet,) = interval(tmp_path / "out")
    assert quiet["location"] == "Europe/Berlin"
    assert [one["start_time"] for one in quiet["times"]] == ["23:30", "00:00"]


@pytest.mark.parametrize(
    ("hours", "ranges"),
    [
        ("22:00-07:00", ["22:00-24:00", "00:00-07:00"]),
        ("01:00-05:30", ["01:00-05:30"]),
        ("22:00-00:00", ["22:00-24:00"]),
        ("00:00-00:00", ["00:00-24:00"]),
        ("none", []),
    ],
)
def test_no_range_goes_over_midnight(hours: str, ranges: list[str]) -> None:
    """Alertmanager takes no range that ends before it begins."""
    assert times(hours) == ranges


def test_all_faults_are_told_at_once() -> None:
    """Each setting that can't be used is named with what was expected and what it was."""
    wrong = {
        "GRAFANA_URL": "grafana.example",
        "DESKWATCH_URL": "https://x/$1",
        "RUNBOOKS_URL": 'https://x/"}}{{ evil }}',
        "TIME_ZONE": "Mars/Olympus",
        "QUIET_HOURS": "22-7",
    }
    with pytest.raises(ConfigError) as told:
        from_environment(wrong)
    for name, value in wrong.items():
        assert re.search(rf"{name} to be .*, was {re.escape(repr(value))}", str(told.value)), name


@pytest.mark.parametrize("zone", ["../../etc/passwd", "Europe", "/etc/localtime", "localtime", "right/UTC", "UTC\n"])
def test_only_names_of_zones_are_zones(zone: str) -> None:
    """Neither a path nor a region alone; white space around a name does not matter."""
    if zone.strip() == "UTC":
        assert from_environment({"TIME_ZONE": zone}).time_zone == "UTC"
    else:
        with pytest.raises(ConfigError, match="TIME_ZONE"):
            from_environment({"TIME_ZONE": zone})
