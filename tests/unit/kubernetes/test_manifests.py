"""The committed manifests: formed as Kubernetes has it, complete, and the same as what compose runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.unit.kubernetes.manifests import FOLDER, ROOT, objects, read

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
APIS = {
    "ConfigMap": "v1",
    "Service": "v1",
    "StatefulSet": "apps/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PrometheusRule": "monitoring.coreos.com/v1",
    "ServiceMonitor": "monitoring.coreos.com/v1",
}
GROUP_KEYS = {"name", "interval", "rules", "labels", "limit", "query_offset"}
RULE_KEYS = {"alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"}
"""What the Operator's definition of a PrometheusRule knows; it refuses, or drops, anything else."""
MAX_CONFIG_MAP_BYTES = 1024 * 1024
MAX_ANNOTATIONS_BYTES = 256 * 1024
PROMETHEUS = yaml.safe_load((ROOT / "prometheus" / "prometheus.yml").read_text())
RULES = sorted((ROOT / "prometheus" / "rules").glob("*.yml"))
DASHBOARDS = sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
each_object = pytest.mark.parametrize(("path", "manifest"), objects().items(), ids=objects())


@each_object
def test_an_object_says_what_it_is(path: str, manifest: dict[str, object]) -> None:
    """Kind, API and a name that Kubernetes allows (DNS-1123)."""
    assert APIS[str(manifest["kind"])] == manifest["apiVersion"]
    metadata = manifest["metadata"]
    assert isinstance(metadata, dict)
    assert LABEL.fullmatch(metadata["name"])
    assert metadata["labels"]["app.kubernetes.io/part-of"] == "deskwatch"
    assert "namespace" not in metadata  # whoever applies it chooses


def test_no_two_objects_share_a_name() -> None:
    """Of one kind, or the later would take the place of the earlier."""
    names = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in objects().values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("kustomization.yaml")), ids=lambda path: str(path.parent.name))
def test_a_kustomization_lists_every_file_beside_it(path: Path) -> None:
    """What it doesn't list is never applied; bot/ is an example, and applied by itself."""
    kustomization = read(path)
    assert kustomization["apiVersion"] == "kustomize.config.k8s.io/v1beta1"
    assert kustomization["kind"] == "Kustomization"
    beside = {one.name for one in path.parent.glob("*.yaml")} - {path.name}
    below = {one.parent.name for one in path.parent.glob("*/kustomization.yaml")} - {"bot"}
    assert sorted(kustomization["resources"]) == sorted(beside | below)
    for generator in kustomization.get("configMapGenerator", []):
        assert all((path.parent / name).is_file() for name in generator["files"])


@pytest.mark.parametrize("source", RULES, ids=lambda path: path.stem)
def test_rules_are_those_of_compose(source: Path) -> None:
    """Groups, expressions and templates (`{{ }}`) are the same; a group that said no interval has Prometheus' own."""
    expected = yaml.safe_load(source.read_text())
    for group in expected["groups"]:
        group.setdefault("interval", PROMETHEUS["global"]["evaluation_interval"])
    manifest = read(FOLDER / "rules" / f"{source.stem}.yaml")
    assert manifest["kind"] == "PrometheusRule"
    assert manifest["spec"] == expected


@pytest.mark.parametrize("source", RULES, ids=lambda path: path.stem)
def test_the_operator_knows_every_key_of_the_rules(source: Path) -> None:
    """A key that its definition lacks would be lost without a word."""
    for group in read(FOLDER / "rules" / f"{source.stem}.yaml")["spec"]["groups"]:
        assert group.keys() <= GROUP_KEYS
        for rule in group["rules"]:
            assert rule.keys() <= RULE_KEYS


def test_there_is_a_manifest_for_each_file_of_rules_and_each_dashboard() -> None:
    """No more and no less."""
    assert sorted(Path(path).stem for path in objects("rules")) == [path.stem for path in RULES]
    assert sorted(Path(path).stem for path in objects("dashboards")) == [path.stem for path in DASHBOARDS]


@pytest.mark.parametrize("source", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboards_are_those_of_compose(source: Path) -> None:
    """The same JSON, found by the label that Grafana's sidecar looks for, under a file name that no other has."""
    manifest = read(FOLDER / "dashboards" / f"{source.stem}.yaml")
    assert manifest["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert list(manifest["data"]) == [f"deskwatch-{source.stem}.json"]
    (text,) = manifest["data"].values()
    assert json.loads(text) == json.loads(source.read_text())


@pytest.mark.parametrize("source", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_small_enough_for_kubernetes(source: Path) -> None:
    """A ConfigMap has 1 MiB; the annotation in which `kubectl apply` keeps it as JSON, 256 KiB with all others."""
    manifest = read(FOLDER / "dashboards" / f"{source.stem}.yaml")
    assert sum(len(text.encode()) for text in manifest["data"].values()) < MAX_CONFIG_MAP_BYTES
    assert len(json.dumps(manifest).encode()) < MAX_ANNOTATIONS_BYTES


def test_the_service_monitor_scrapes_as_compose_does() -> None:
    """The same pace, the same job name in the end, and a token from the Secret that the bot's pod mounts."""
    monitor = read(FOLDER / "servicemonitor.yaml")["spec"]
    service = read(FOLDER / "bot" / "service.yaml")
    (endpoint,) = monitor["endpoints"]
    assert endpoint["interval"] == PROMETHEUS["global"]["scrape_interval"]
    assert endpoint["scrapeTimeout"] == PROMETHEUS["global"]["scrape_timeout"]
    assert service["metadata"]["labels"][monitor["jobLabel"]] == PROMETHEUS["scrape_configs"][0]["job_name"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    volumes = read(FOLDER / "bot" / "statefulset.yaml")["spec"]["template"]["spec"]["volumes"]
    (secret,) = [volume["secret"] for volume in volumes if "secret" in volume]
    assert endpoint["authorization"]["credentials"] == {"name": secret["secretName"], "key": "token"}
