"""The example pod: a bot and its sidecar that share a volume, and little else."""

from __future__ import annotations

import argparse
import re
from typing import Any

import pytest
import yaml

from deskwatch.flags import add_settings, settings_of
from tests.unit.kubernetes.manifests import FOLDER, ROOT, read

STATEFUL_SET = read(FOLDER / "bot" / "statefulset.yaml")["spec"]
POD: dict[str, Any] = STATEFUL_SET["template"]["spec"]
CONTAINERS: dict[str, dict[str, Any]] = {one["name"]: one for one in POD["containers"]}
SIDECAR = CONTAINERS["deskwatch"]
each_container = pytest.mark.parametrize("name", CONTAINERS)


@each_container
def test_containers_may_do_as_little_as_compose_s(name: str) -> None:
    """No rights, no new ones, a read-only root, bounded memory, no token of Kubernetes."""
    container = CONTAINERS[name]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"].keys() == {"memory"}
    assert POD["automountServiceAccountToken"] is False
    assert POD["securityContext"]["runAsNonRoot"] is True


def test_both_run_as_the_user_of_the_image() -> None:
    """Whoever writes the journals is trusted for them, so bot and sidecar are one user: the image's."""
    (uid, gid) = re.search(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE).groups()  # type: ignore[union-attr]  # a failure is the test's
    context = POD["securityContext"]
    assert [context[key] for key in ("runAsUser", "runAsGroup", "fsGroup")] == [int(uid), int(gid), int(gid)]
    assert not any({"runAsUser", "runAsGroup"} & one["securityContext"].keys() for one in CONTAINERS.values())


def test_both_have_one_home_on_the_volume_that_stays() -> None:
    """Below the mount: the home is made by deskwatch, for its user alone, while the mount is the cluster's."""
    (claim,) = STATEFUL_SET["volumeClaimTemplates"]
    for container in CONTAINERS.values():
        (mount,) = [one for one in container["volumeMounts"] if one["name"] == claim["metadata"]["name"]]
        environment = {one["name"]: one["value"] for one in container["env"]}
        assert environment["DESKWATCH_HOME"].startswith(mount["mountPath"] + "/")
        assert not mount.get("readOnly")


def test_every_mount_has_a_volume() -> None:
    """And every volume is mounted."""
    volumes = {one["name"] for one in POD["volumes"]} | {
        one["metadata"]["name"] for one in STATEFUL_SET["volumeClaimTemplates"]
    }
    assert {mount["name"] for one in CONTAINERS.values() for mount in one["volumeMounts"]} == volumes


def test_the_sidecar_understands_its_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are its own; beyond loopback it asks for a token, and what it keeps fits on the volume."""
    monkeypatch.setenv("DESKWATCH_HOME", "/data/deskwatch")
    command, *flags = SIDECAR["args"]
    assert command == "sidecar"
    parser = argparse.ArgumentParser()
    add_settings(parser)
    settings = settings_of(parser.parse_args(flags))
    assert (settings.host, settings.port) == ("0.0.0.0", SIDECAR["ports"][0]["containerPort"])
    (mount,) = [one for one in SIDECAR["volumeMounts"] if one["name"] == "scrape"]
    assert str(settings.read_token_file) == f"{mount['mountPath']}/token"
    storage = STATEFUL_SET["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"]
    keep = settings.limits
    assert keep.bots.budget_bytes + keep.control.budget_bytes < int(storage.removesuffix("Gi")) * 1024**3


def test_no_two_copies_ever_trade() -> None:
    """One replica, of a set that ends the old pod before it starts the new one."""
    assert read(FOLDER / "bot" / "statefulset.yaml")["kind"] == "StatefulSet"
    assert STATEFUL_SET["replicas"] == 1


def test_the_sidecar_outlives_the_bot_but_not_the_pod() -> None:
    """It waits before it stops, and both have time to end in good order."""
    waited = float(SIDECAR["lifecycle"]["preStop"]["exec"]["command"][1])
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["deskwatch"]
    grace = float(compose["stop_grace_period"].removesuffix("s"))
    assert POD["terminationGracePeriodSeconds"] >= waited + grace


def test_whoever_is_not_the_bot_reaches_the_sidecar_alone() -> None:
    """Labels of pod, Service and policy are the same, and the policy opens the sidecar's port only."""
    labels = STATEFUL_SET["template"]["metadata"]["labels"]
    policy = read(FOLDER / "bot" / "networkpolicy.yaml")["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert read(FOLDER / "bot" / "service.yaml")["spec"]["selector"].items() <= labels.items()
    assert [port["port"] for rule in policy["ingress"] for port in rule["ports"]] == [SIDECAR["ports"][0]["name"]]
    assert not any("ports" in one for name, one in CONTAINERS.items() if name != "deskwatch")
