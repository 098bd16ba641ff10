"""What `deskwatch doctor` says of a freqtrade."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskwatch.sources.freqtrade import doctor
from deskwatch.sources.freqtrade.settings import Settings
from deskwatch.sources.source import Finding
from tests.unit.sources.freqtrade.conftest import settings_for
from tests.unit.sources.freqtrade.stand_in import StandIn


@pytest.fixture(autouse=True)
def _private(password_file: Path) -> None:
    password_file.chmod(0o600)


async def examined(settings: Settings) -> list[Finding]:
    """All that it finds."""
    findings = [finding async for finding in doctor.examine(settings)]
    for words in (words for finding in findings for words in (finding.what, finding.cure) if words):
        assert words[0].isupper(), words
        assert words.endswith("."), words
    return findings


def said(findings: list[Finding], ok: bool | None) -> str:
    """What it found so."""
    return " ".join(finding.what + " " + (finding.cure or "") for finding in findings if finding.ok is ok)


async def test_a_freqtrade_that_is_fine_is_said_to_be(settings: Settings, freqtrade: StandIn):
    """What it is, plainly; and nothing was changed there."""
    freqtrade.log("freqtrade", "INFO", "hello")
    findings = await examined(settings)
    assert said(findings, ok=False) == ""
    good = said(findings, ok=True)
    for words in (
        "It answers at",
        "freqtrade 2026.9 (API 2.50)",
        "a dry run, with simulated money: Busy trades spot at binance in USDT",
        "the mode is active",
        "Its history holds 0 closed trades",
        "Its log can be read",
        "WebSocket is open",
        "clock agrees",
    ):
        assert words in good
    assert {each.split()[0] for each in freqtrade.asked} <= {"GET", "POST"}
    assert [each for each in freqtrade.asked if each.startswith("POST")] == ["POST token/login"]


@pytest.mark.parametrize(
    ("config", "ok", "words"),
    [
        ({"dry_run": False}, True, "LIVE, with real money"),
        ({"dry_run": None}, True, "LIVE, with real money"),
        ({"version": "2024.11"}, None, "can't be seen to pause"),
        ({"version": "2025.4"}, True, "tested with 2026.9"),
        ({"version": "docker-2026.9-abcdef"}, None, "tested with 2026.9"),
        ({"version": 7, "strategy": None, "exchange": ["x"]}, True, "(not said) trades spot at (not said)"),
        ({"runmode": "webserver"}, False, "trades nothing"),
        ({"api_version": "x"}, True, "API not said"),
    ],
    ids=str,
)
async def test_what_it_is_is_said_plainly(settings: Settings, freqtrade: StandIn, config: dict[str, Any], ok, words):
    """Whatever it says; what it does not say is never taken for harmless."""
    freqtrade.config.update(config)
    assert words in said(await examined(settings), ok=ok)


@pytest.mark.parametrize(
    ("state", "ok", "words"),
    [("paused", True, "standby"), ("stopped", None, "halted"), ("reload_config", None, "reading its configuration")],
)
async def test_its_state_is_told_as_a_mode(settings: Settings, freqtrade: StandIn, state, ok, words):
    """In the words of this project."""
    freqtrade.state = state
    assert words in said(await examined(settings), ok=ok)


async def test_a_wrong_password_is_told_from_a_wrong_address(settings: Settings, freqtrade: StandIn):
    """It answers pings to anybody."""
    freqtrade.password = "another"
    findings = await examined(settings)
    assert "It answers at" in said(findings, ok=True)
    assert "lets nobody in" in said(findings, ok=False)
    assert "first-password" not in str(findings)


async def test_a_password_that_can_not_be_read_is_not_called_wrong(settings: Settings):
    """It was never shown to freqtrade."""
    findings = await examined(msgspec.structs.replace(settings, password_file=Path("/nowhere/password")))
    assert "password can't be read" in said(findings, ok=False)
    assert "lets nobody in" not in said(findings, ok=False)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"url": "http://127.0.0.1:1"}, "enable api_server"),
        ({"url": "http://nowhere.invalid"}, "Compare the host's name"),
        ({"password_file": Path("/nowhere/password")}, "password can't be read"),
    ],
    ids=str,
)
async def test_what_keeps_it_from_working_is_said_with_a_cure(freqtrade: StandIn, password_file, what, words):
    """As a person would."""
    settings = msgspec.structs.replace(settings_for(freqtrade, password_file), **what)
    assert words in said(await examined(settings), ok=False)


async def test_something_else_at_that_address_is_no_freqtrade(settings: Settings, freqtrade: StandIn):
    """Any web server answers something."""
    freqtrade.refuses["ping"] = (200, "<html>", {})
    assert "Something else than freqtrade" in said(await examined(settings), ok=False)
    freqtrade.refuses["ping"] = (404, "", {})
    assert "Compare url" in said(await examined(settings), ok=False)


async def test_a_stream_that_can_not_be_had_is_no_reason_to_stop(freqtrade: StandIn, password_file, tmp_path):
    """All is seen without it, only later."""
    token = tmp_path / "token"
    token.write_text("wrong")
    token.chmod(0o644)
    findings = await examined(settings_for(freqtrade, password_file, ws_token_file=token))
    assert "WebSocket can't be had (unauthorized)" in said(findings, ok=None)
    assert "Others on this machine can read" in said(findings, ok=None)
    assert said(findings, ok=False) == ""


async def test_what_is_risky_or_odd_is_told(freqtrade: StandIn, password_file, monkeypatch):
    """A still loop, a clock that is off, a password in the clear, a pace that costs."""
    monkeypatch.setattr(doctor, "STILL_SECONDS", -10)
    monkeypatch.setattr(doctor, "CLOCK_SECONDS", -1)
    told = said(await examined(settings_for(freqtrade, password_file)), ok=None)
    assert "ended no round" in told
    assert "NTP" in told
    assert "Up to 100 requests a second" in told
    there = settings_for(freqtrade, password_file, url="http://192.0.2.1", timeout_seconds=0.05)
    assert "unencrypted" in said(await examined(there), ok=None)


async def test_older_versions_lack_what_they_lack(settings: Settings, freqtrade: StandIn):
    """No endpoint that is missing ends the examination."""
    for path in ("health", "trades", "logs"):
        freqtrade.refuses[path] = (404, '{"detail": "Not Found"}', {})
    began = time.monotonic()
    findings = await examined(settings)
    assert said(findings, ok=False) == ""
    assert "WebSocket is open" in said(findings, ok=True)
    assert time.monotonic() - began < 60
