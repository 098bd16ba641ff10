"""docker-compose.yml: the specification's schema, and the promises that a schema can't hold."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deskwatch import stack
from tests.servers import require

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
each_service = pytest.mark.parametrize("name", SERVICES)


def test_it_follows_the_compose_specification() -> None:
    """check-jsonschema, with the schema that it brings along."""
    told = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"),
            ROOT / "docker-compose.yml",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr


@each_service
def test_ports_are_published_on_loopback_only(name: str) -> None:
    """Prometheus, Alertmanager and Loki know no passwords, so nobody else may reach them."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@each_service
def test_containers_may_do_little(name: str) -> None:
    """No rights, no new ones, a read-only root, bounded memory and processes, bounded logs."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["CHOWN", "DAC_READ_SEARCH"] if name == "setup" else [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert {"mem_limit", "pids_limit", "logging"} <= service.keys()
    assert "privileged" not in service


@each_service
def test_images_are_pinned(name: str) -> None:
    """A full version, or our own build."""
    assert SERVICES[name].get("build") == "." or re.search(r":v?\d+\.\d+\.\d+$", SERVICES[name]["image"])


@each_service
def test_whoever_reads_a_generated_file_waits_for_it_and_mounts_only_its_own(name: str) -> None:
    """Each consumer mounts one volume under /stack, read-only, and starts after `setup` succeeded."""
    mounts = [mount.split(":") for mount in SERVICES[name]["volumes"] if ":/stack/" in mount]
    if name == "setup":
        assert {volume.removeprefix("stack-") for volume, _ in mounts} == set(stack.OWNERS)
    elif mounts:
        assert mounts == [[f"stack-{name}", f"/stack/{name}", "ro"]]
        assert SERVICES[name]["depends_on"]["setup"] == {"condition": "service_completed_successfully"}
    else:
        assert "/stack/" not in str(SERVICES[name])


@each_service
def test_every_running_service_has_a_health_check(name: str) -> None:
    """Ours is the image's own; `setup` ends by itself; the others' call a program that their image has."""
    if name == "deskwatch":
        assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()
    elif name == "setup":
        assert SERVICES[name]["restart"] == "no"
    else:
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@each_service
def test_what_is_mounted_from_the_checkout_exists_and_stays_as_it_is(name: str) -> None:
    """A missing source would be made by Docker as an empty folder of root's."""
    for mount in SERVICES[name]["volumes"]:
        source, _, rest = mount.partition(":")
        if source.startswith("."):
            assert (ROOT / source).exists()
            assert rest.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]


def test_grafana_has_no_default_password_and_lets_nobody_in_without_one() -> None:
    """Its password comes from the generated file, and strangers can neither look nor sign up."""
    environment = SERVICES["grafana"]["environment"]
    assert environment["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/stack/grafana/admin-password"
    assert "GF_SECURITY_ADMIN_PASSWORD" not in environment
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == environment["GF_USERS_ALLOW_SIGN_UP"] == "false"


def test_a_path_in_alertmanagers_url_moves_no_api() -> None:
    """Its prefix is the URL's path unless it is told: then Prometheus and Loki would post to where nothing is."""
    command = SERVICES["alertmanager"]["command"]
    assert any("--web.external-url=${ALERTMANAGER_URL:-" in flag for flag in command)
    assert "--web.route-prefix=/" in command


def test_the_image_runs_as_the_user_that_its_secrets_are_given_to() -> None:
    """The Dockerfile's user is the owner that `stack prepare` names."""
    uid = stack.OWNERS["deskwatch"]
    assert f"\nUSER {uid}:{uid}\n" in (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize(("name", "binary"), [("prometheus", "promtool"), ("alertmanager", "amtool")])
def test_the_stack_runs_the_minor_version_that_the_tests_use(name: str, binary: str) -> None:
    """What is checked here is what runs there."""
    told = subprocess.run([require(binary), "--version"], capture_output=True, text=True, check=True).stdout
    here = re.search(r"version (\d+\.\d+)\.", told)
    there = re.search(r":v(\d+\.\d+)\.", SERVICES[name]["image"])
    assert here is not None
    assert there is not None
    assert here[1] == there[1]


def test_the_build_takes_no_secrets_and_no_journals() -> None:
    """.dockerignore lets in what the Dockerfile copies, and nothing else."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert {one for group in copied for one in group.split()} == allowed
