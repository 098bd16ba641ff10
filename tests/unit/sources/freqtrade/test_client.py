"""Asking freqtrade over REST, and what is made of its answers."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from deskwatch.sources.freqtrade import client as module
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.errors import Refused, Unauthorized, Unreachable
from deskwatch.sources.health import Health
from tests.unit.sources.freqtrade.conftest import settings_for
from tests.unit.sources.freqtrade.stand_in import StandIn


async def test_what_is_read_comes_decoded_and_the_health_knows(client, freqtrade, health):
    """An answer is decoded, and the source's health has it counted."""
    assert (await client.get("show_config"))["state"] == "running"
    assert freqtrade.asked == ["POST token/login", "GET show_config"]
    assert (health.up, health.requests, dict(health.failures)) == (True, 2, {})
    assert health.latency_seconds > 0
    assert client.reachable.is_set()
    assert abs(client.ahead_seconds) <= 2


async def test_what_is_posted_arrives_with_its_body(client, freqtrade):
    """A body goes as JSON."""
    freqtrade.open_trade()
    await client.post("forceexit", {"tradeid": "1"})
    assert freqtrade.asked[-1] == 'POST forceexit {"tradeid":"1"}'


async def test_a_trader_that_does_not_run_has_refused_and_is_there(client, freqtrade, health):
    """A 502 in freqtrade's own words is an answer: the peer is up."""
    freqtrade.state = "stopped"
    with pytest.raises(Refused) as refused:
        await client.post("forceexit", {"tradeid": "all"})
    assert refused.value.is_not_running
    assert refused.value.status == 502
    assert health.up


async def test_what_an_older_version_lacks_is_told_apart(client):
    """No such endpoint."""
    with pytest.raises(Refused) as refused:
        await client.get("no_such")
    assert refused.value.is_unknown
    assert not refused.value.is_not_running


@pytest.mark.parametrize(
    ("status", "body", "headers", "reason"),
    [
        (502, "<html>bad gateway</html>", {}, "gateway"),
        (504, "", {}, "gateway"),
        (429, "slow down", {"retry-after": "0"}, "busy"),
        (503, "", {"retry-after": "0.1"}, "busy"),
        (302, "", {"location": "https://elsewhere"}, "redirect"),
        (200, "<html>welcome</html>", {}, "garbage"),
        (200, "[" * 100_000, {}, "garbage"),
        (200, b'"\xff"', {}, "garbage"),
        (200, "x", {"content-encoding": "br"}, "garbage"),
    ],
)
async def test_what_is_not_freqtrades_answer_is_no_answer(client, freqtrade, health, status, body, headers, reason):
    """Whatever stands between or in its place counts as unreachable, by a word."""
    await client.get("status")
    freqtrade.refuses["status"] = (status, body, headers)
    with pytest.raises(Unreachable) as unreachable:
        await client.get("status")
    assert unreachable.value.reason == reason
    assert health.failures[reason] == 1
    assert not health.up


async def test_a_503_in_freqtrades_words_is_its_answer(client, freqtrade):
    """Its webserver mode knows no trades."""
    freqtrade.refuses["status"] = (503, '{"detail": "Bot is not in the correct state."}', {})
    with pytest.raises(Refused, match="not in the correct state"):
        await client.get("status")


async def test_its_words_are_bounded_one_line_and_without_secrets(client, freqtrade):
    """What a peer says goes into journals and pages."""
    words = "line\\nnext \\u0000 password=hunter2secret " + "y" * 5000
    freqtrade.refuses["status"] = (502, f'{{"error": "{words}"}}', {})
    with pytest.raises(Refused) as refused:
        await client.get("status")
    assert refused.value.message.startswith("line next password=[redacted] yyy")
    assert len(refused.value.message) <= 300


async def test_told_to_wait_only_what_is_urgent_goes(client, freqtrade):
    """A `Retry-After` holds polls back, and no command."""
    await client.get("status")
    for seconds in (0.3, 60.0):
        freqtrade.refuses["status"] = (429, "", {"retry-after": str(seconds)})
        began = time.monotonic()
        with pytest.raises(Unreachable) as busy:
            await client.get("status")
        assert busy.value.retry_seconds == seconds
        freqtrade.refuses.clear()
        poll = asyncio.create_task(client.get("status"))
        await asyncio.sleep(0)
        await client.post("pause")
        assert freqtrade.state == "paused"
        if seconds < 1.0:
            await poll
            assert time.monotonic() - began >= seconds
        else:
            assert not poll.done(), "the command waited, too, or the poll did not"
            poll.cancel()
            await asyncio.gather(poll, return_exceptions=True)


async def test_an_answer_beyond_all_bounds_is_not_kept(client, freqtrade, monkeypatch):
    """Memory is bounded, whatever the peer sends."""
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    freqtrade.garbled = b"[" + b"1," * 1000
    with pytest.raises(Unreachable) as unreachable:
        await client.get("status")
    assert unreachable.value.reason == "too_large"


async def test_a_peer_that_is_away_is_unreachable_and_then_back(client, freqtrade, health):
    """Nothing listens, then something does: nothing has to be made anew."""
    await client.get("status")
    freqtrade.away()
    with pytest.raises(Unreachable) as unreachable:
        await client.get("status")
    assert unreachable.value.reason in ("refused", "broken")
    assert not client.reachable.is_set()
    assert not health.up
    freqtrade.back()
    assert await client.get("status") == []
    assert client.reachable.is_set()
    assert health.up


async def test_a_peer_that_is_slow_is_given_up_in_time(freqtrade, password_file, health):
    """An answer that takes too long is none, and may have been carried out."""
    async with Client(settings_for(freqtrade, password_file, timeout_seconds=2.0), health) as client:
        await client.get("status")
        freqtrade.delay_seconds = 60.0
        with pytest.raises(Unreachable) as unreachable:
            await client.post("pause")
        assert unreachable.value.reason == "timeout"
        assert unreachable.value.arrived


@pytest.mark.parametrize(("url", "reason"), [("http://127.0.0.1:1", "refused"), ("http://nowhere.invalid", "dns")])
async def test_why_there_is_no_way_is_said_in_a_word(
    password_file: Path, health: Health, freqtrade: StandIn, url, reason
):
    """Nothing was sent, so nothing can have arrived."""
    async with Client(settings_for(freqtrade, password_file, url=url), health) as client:
        with pytest.raises(Unreachable) as unreachable:
            await client.post("pause")
        assert (unreachable.value.reason, unreachable.value.arrived) == (reason, False)


async def test_plain_http_at_a_tls_address_is_told_as_tls(password_file, health, freqtrade):
    """The wrong scheme is a common mistake."""
    async with Client(
        settings_for(freqtrade, password_file, url=freqtrade.url.replace("http", "https")), health
    ) as one:
        with pytest.raises(Unreachable) as unreachable:
            await one.get("status")
        assert unreachable.value.reason == "tls"


async def test_the_pace_is_kept_and_commands_go_ahead(freqtrade, password_file, health):
    """Polls wait for their turn; what is urgent does not."""
    async with Client(settings_for(freqtrade, password_file, requests_per_second=10.0), health) as client:
        began = time.monotonic()
        await asyncio.gather(*(client.get("status") for _ in range(12)))  # 10 at once, a login before them
        assert time.monotonic() - began >= 0.2
        await client.post("pause")
        assert freqtrade.state == "paused"


async def test_nobody_let_in_is_an_error_of_its_own(freqtrade, settings, health):
    """A wrong password: said with where it was looked for, and never the password."""
    freqtrade.password = "another-password"
    async with Client(settings, health) as client:
        with pytest.raises(Unauthorized) as unauthorized:
            await client.get("status")
        assert str(settings.password_file) in str(unauthorized.value)
        assert "first-password" not in str(unauthorized.value)
        assert health.failures["unauthorized"] == 1
        assert not client.reachable.is_set()
