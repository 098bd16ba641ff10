"""`deskwatch kubernetes build` and `check`."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import pytest

from deskwatch import kubernetes
from deskwatch.errors import ConfigError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with two files of rules and two dashboards, and no manifest."""
    rules = tmp_path / "prometheus" / "rules"
    boards = tmp_path / "grafana" / "dashboards"
    for folder in (rules, boards):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / "prometheus" / "prometheus.yml", rules.parent)
    for name in ("lifecycle.yml", "orders.yml"):
        shutil.copy(ROOT / "prometheus" / "rules" / name, rules)
    for name in ("overview", "bot"):
        (boards / f"{name}.json").write_text(f'{{\n  "uid": "deskwatch-{name}"\n}}\n')
    return tmp_path


def run(*given: str) -> int:
    parser = argparse.ArgumentParser()
    kubernetes.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["kubernetes", *given])
    status: int = arguments.run(arguments)
    return status


def test_committed_manifests_are_what_their_sources_say() -> None:
    """Whoever changes a rule or a dashboard without the manifests is told here."""
    assert kubernetes.check(ROOT) == []


def test_building_twice_makes_the_same_bytes(checkout: Path) -> None:
    """Nothing depends on time or order, so that a build changes only what was changed."""
    written = kubernetes.build(checkout)
    first = {path: path.read_bytes() for path in written}
    assert {path: path.read_bytes() for path in kubernetes.build(checkout)} == first


def test_each_source_becomes_a_manifest_that_its_kustomization_lists(checkout: Path) -> None:
    """One object for each file, named as the file, and nothing else."""
    written = {str(path.relative_to(checkout / "deploy" / "kubernetes")) for path in kubernetes.build(checkout)}
    assert written == {
        "dashboards/bot.yaml",
        "dashboards/kustomization.yaml",
        "dashboards/overview.yaml",
        "rules/kustomization.yaml",
        "rules/lifecycle.yaml",
        "rules/orders.yaml",
        "servicemonitor.yaml",
    }
    listed = (checkout / "deploy" / "kubernetes" / "rules" / "kustomization.yaml").read_text()
    assert listed.endswith("resources:\n  - lifecycle.yaml\n  - orders.yaml\n")


def test_check_tells_of_missing_changed_and_foreign_manifests(checkout: Path) -> None:
    """Each kind of drift is a sentence with the way out."""
    assert "bot.yaml is missing; run: deskwatch kubernetes build" in kubernetes.check(checkout)[0]
    kubernetes.build(checkout)
    folder = checkout / "deploy" / "kubernetes"
    rules = checkout / "prometheus" / "rules" / "orders.yml"
    rules.write_text(rules.read_text().replace("severity: warning", "severity: critical"))
    (folder / "rules" / "by-hand.yaml").write_text("{}\n")

    changed, foreign = kubernetes.check(checkout)
    assert "orders.yaml is not what its source says" in changed
    assert "by-hand.yaml is made from nothing" in foreign


def test_a_source_that_is_gone_takes_its_manifest_along(checkout: Path) -> None:
    """A build leaves no rule behind that Prometheus no longer has, and touches nothing that is written by hand."""
    kubernetes.build(checkout)
    folder = checkout / "deploy" / "kubernetes"
    (folder / "kustomization.yaml").write_text("by hand\n")
    (checkout / "prometheus" / "rules" / "orders.yml").unlink()
    kubernetes.build(checkout)
    assert not (folder / "rules" / "orders.yaml").exists()
    assert (folder / "kustomization.yaml").read_text() == "by hand\n"
    assert kubernetes.check(checkout) == []


def test_the_command_builds_then_finds_no_fault(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Build prints what it wrote; check succeeds in silence, and fails with words where there is drift."""
    assert run("check", "--root", str(checkout)) == 1
    assert "is missing" in capsys.readouterr().err
    assert run("build", "--root", str(checkout)) == 0
    assert "lifecycle.yaml" in capsys.readouterr().out
    assert run("check", "--root", str(checkout)) == 0
    assert capsys.readouterr() == ("", "")


def test_links_lead_to_the_grafana_that_is_named(checkout: Path, tmp_path: Path) -> None:
    """Alerts of a cluster link to its own Grafana, in manifests of their own."""
    mine = tmp_path / "mine"
    kubernetes.build(checkout, mine, "https://grafana.example.com/")
    text = (mine / "rules" / "orders.yaml").read_text()
    assert "https://grafana.example.com/d/deskwatch-" in text
    assert "localhost" not in text
    assert not (checkout / "deploy").exists()


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("prometheus/rules/orders.yml", "groups: 3", "expected prometheus/rules/orders.yml to hold groups of rules"),
        ("prometheus/rules/orders.yml", "", "expected prometheus/rules/orders.yml to hold groups of rules"),
        ("prometheus/rules/orders.yml", "groups: [", "expected prometheus/rules/orders.yml to hold groups of rules"),
        ("prometheus/rules/Orders!.yml", "groups: []", "expected a file name of a-z, 0-9 and -"),
        ("grafana/dashboards/bot.json", "{", "expected JSON in grafana/dashboards/bot.json"),
        ("prometheus/prometheus.yml", "global: {}", "to give `global` its intervals"),
    ],
)
def test_a_source_that_is_none_is_told(checkout: Path, file: str, text: str, told: str) -> None:
    """With the file, what was expected, and without a traceback."""
    (checkout / file).write_text(text)
    with pytest.raises(ConfigError, match=told):
        kubernetes.build(checkout)


@pytest.mark.parametrize("missing", ["prometheus/prometheus.yml", "prometheus/rules", "grafana/dashboards"])
def test_the_wrong_place_is_told(checkout: Path, missing: str) -> None:
    """Outside a checkout the command says where it looked."""
    path = checkout / missing
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(ConfigError, match="run from the root of a checkout, or give --root"):
        kubernetes.check(checkout)
