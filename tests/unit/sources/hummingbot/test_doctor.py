"""What `deskwatch doctor` says of a Hummingbot."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from deskwatch.sources.source import Finding
from tests.brokers import Broker
from tests.fakes.hummingbot import ScriptedHummingbot
from tests.running import free_port
from tests.servers import require
from tests.sources.watching import Watching

Watch = Callable[..., Watching]


async def examined(watching: Watching) -> list[Finding]:
    return [finding async for finding in watching.source().examine()]


def faults(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if one.ok is False]


async def test_one_that_is_well_has_no_fault_and_is_not_changed(
    hummingbot: ScriptedHummingbot, watching: Watch
) -> None:
    found = await examined(watching(venue="binance", script="pmm.py"))
    assert [one.ok for one in found] == [True, True, True]
    assert found[2].what == "It replies to commands; a strategy runs: yes."
    assert hummingbot.changes == 0


async def test_what_works_less_well_is_told_with_what_to_do(hummingbot: ScriptedHummingbot, watching: Watch) -> None:
    hummingbot.tells_status = False
    found = await examined(watching())
    assert faults(found) == []
    doubts = [one for one in found if one.ok is None]
    assert len(doubts) == 3
    assert "no attribute 'strategy'" in doubts[0].what
    assert all(one.cure for one in doubts)


async def test_a_name_that_is_misspelt_is_told_with_those_that_are_heard(
    hummingbot: ScriptedHummingbot, watching: Watch
) -> None:
    (fault,) = faults(await examined(watching(instance="hb-l", silent_seconds=4.0)))
    assert fault.what == "No heartbeat of hbot/hb-l within 2 s; heard there: hb-1."


async def test_one_whose_bridge_is_off_is_told_how_to_turn_it_on(broker: Broker, watching: Watch) -> None:
    (fault,) = faults(await examined(watching(silent_seconds=1.5)))
    assert fault.cure is not None
    assert "mqtt_autostart" in fault.cure


async def test_one_that_does_not_reply_can_be_watched_only(hummingbot: ScriptedHummingbot, watching: Watch) -> None:
    hummingbot.replies = False
    found = await examined(watching(reply_seconds=0.2))
    assert faults(found) == []
    assert "can't be commanded" in next(one.what for one in found if one.ok is None)


async def test_a_broker_that_is_not_there_or_not_known_is_told(watching: Watch) -> None:
    for url in (f"mqtt://127.0.0.1:{free_port()}", "mqtt://broker.invalid"):
        (fault,) = faults(await examined(watching(url=url)))
        assert "expected a broker at" in fault.what


async def test_a_wrong_password_and_missing_rights_are_told(tmp_path: Path, watching: Watch) -> None:
    """By a broker that asks for both."""
    passwords, rights, secret = (tmp_path / name for name in ("passwords", "rights", "secret"))
    subprocess.run([require("mosquitto_passwd"), "-b", "-c", str(passwords), "desk", "right"], check=True)  # noqa: ASYNC221  a moment
    passwords.chmod(0o600)
    rights.write_text("user desk\ntopic read hbot/hb-1/hb\ntopic readwrite deskwatch/#\n")
    lines = ("allow_anonymous false", f"password_file {passwords}", f"acl_file {rights}")
    async with Broker(tmp_path, *lines) as broker:
        one = watching(url=broker.url, user="desk", password_file=str(secret), silent_seconds=1.5)
        (fault,) = faults(await examined(one))
        assert fault.what.startswith("The broker can't be used: expected the password in")
        secret.write_text("wrong\n")
        (fault,) = faults(await examined(one))
        assert "takes user 'desk'" in fault.what
        secret.write_text("right\n")
        found = await examined(one)
        assert found[0].ok
        assert "No heartbeat" in faults(found)[0].what


async def test_tls_is_spoken_and_its_faults_are_told(tmp_path: Path, watching: Watch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(  # noqa: ASYNC221  a moment
        [
            *(require("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    lines = ("allow_anonymous true", f"certfile {certificate}", f"keyfile {key}")
    async with Broker(tmp_path, *lines) as broker:
        url = f"mqtts://localhost:{broker.port}"
        trusted = await examined(watching(url=url, ca_file=str(certificate)))
        assert trusted[0].what == f"The broker at localhost:{broker.port} takes the connection."
        (fault,) = faults(await examined(watching(url=url)))
        assert "expected TLS with" in fault.what
        (fault,) = faults(await examined(watching(url=url, ca_file=str(tmp_path / "none.pem"))))
        assert "expected certificates in" in fault.what
