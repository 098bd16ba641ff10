"""How freqtrade is shown who asks."""

from __future__ import annotations

import json

import pytest

from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.errors import FreqtradeError, Unauthorized
from tests.unit.sources.freqtrade.stand_in import StandIn


def logins(freqtrade: StandIn) -> int:
    """How often it was asked for a login."""
    return freqtrade.asked.count("POST token/login")


async def test_one_login_serves_many_requests(client, freqtrade):
    """The token is kept."""
    for _ in range(5):
        await client.get("status")
    assert logins(freqtrade) == 1


async def test_a_token_is_refreshed_before_it_expires(client, freqtrade):
    """No request fails for it: the lifetime is the token's own, whatever the clocks say."""
    freqtrade.token_seconds = 0
    await client.get("status")  # a lifetime of less than a second counts as one
    client._login._due = 0.0
    await client.get("status")
    assert freqtrade.asked[-2:] == ["POST token/refresh", "GET status"]
    assert logins(freqtrade) == 1


async def test_tokens_that_are_void_lead_to_a_new_login(client, freqtrade):
    """The peer was given another `jwt_secret_key`: refresh fails, the password does not."""
    await client.get("status")
    freqtrade.jwt_key = "otherwise"
    assert await client.get("status") == []
    assert freqtrade.asked[-4:] == ["GET status", "POST token/refresh", "POST token/login", "GET status"]


async def test_a_password_changed_on_both_sides_is_found(client, freqtrade, password_file, settings):
    """The secret is read again when what it gave is refused, and at once when it has changed."""
    await client.get("status")
    freqtrade.password, freqtrade.jwt_key = "second-password", "otherwise"
    with pytest.raises(Unauthorized):
        await client.get("status")
    password_file.write_text("second-password")
    assert await client.get("status") == []


async def test_a_refused_password_is_not_tried_at_once_again(client, freqtrade):
    """So that nobody is locked out by us, and no log is filled."""
    freqtrade.password = "another"
    for _ in range(20):
        with pytest.raises(Unauthorized):
            await client.get("status")
    assert logins(freqtrade) == 1


async def test_a_refused_password_is_tried_again_after_a_while(client, freqtrade):
    """The other side may have been mended."""
    freqtrade.password = "another"
    with pytest.raises(Unauthorized):
        await client.get("status")
    freqtrade.password = "first-password"
    client._login._denied_until = 0.0
    assert await client.get("status") == []


async def test_without_logins_the_password_goes_with_each_request(client, freqtrade):
    """A proxy may let no login pass."""
    freqtrade.knows_login = False
    for _ in range(3):
        await client.get("status")
    assert freqtrade.asked == ["POST token/login", *["GET status"] * 3]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_login_that_a_proxy_answers_meanwhile_is_tried_again(client, freqtrade, status):
    """Before freqtrade is there: else the stream would never have a token."""
    freqtrade.refuses["token/login"] = status, "<html>Bad Gateway</html>", {}
    with pytest.raises(FreqtradeError):
        await client.get("status")
    assert freqtrade.asked == ["POST token/login"]
    freqtrade.refuses.clear()
    assert await client.stream_token()
    assert await client.get("status") == []


async def test_where_tokens_are_not_taken_the_password_is(client, freqtrade):
    """A proxy of its own Basic authentication gives a login, and refuses the token."""
    freqtrade.takes_tokens = False
    for _ in range(3):
        assert await client.get("status") == []
    assert freqtrade.asked == ["POST token/login", *["GET status"] * 4]


async def test_a_password_that_cannot_be_read_is_said(client, freqtrade, password_file, health):
    """A secret's file that is gone is no crash, and asks nothing."""
    password_file.unlink()
    with pytest.raises(Unauthorized, match="expected the password in"):
        await client.get("status")
    assert freqtrade.asked == []
    password_file.write_text("first-password")
    assert await client.get("status") == []


async def test_a_peer_that_was_away_is_asked_for_a_login_anew(client, freqtrade):
    """It may be another process, with another password: a token would hide that."""
    await client.get("status")
    freqtrade.away()
    with pytest.raises(Exception, match=r"nothing listens|ended"):
        await client.get("status")
    with pytest.raises(Exception, match="nothing listens"):
        await client.get("status")
    freqtrade.back()
    await client.get("status")
    assert logins(freqtrade) == 2


@pytest.mark.parametrize(
    "token", [None, 7, "", "two words", "ünicode", "x" * 10_000, "line\nbreak"], ids=lambda token: str(token)[:9]
)
async def test_what_is_no_token_is_not_sent(freqtrade, settings, health, token):
    """A hostile answer to a login can't forge headers: the password is sent instead."""
    freqtrade.refuses["token/login"] = (200, json.dumps({"access_token": token}), {})
    async with Client(settings, health) as client:
        assert await client.get("status") == []


@pytest.mark.parametrize("lifetime", ["x.e30.x", "x.!!!.x", "x.eyJpYXQiOiJhIn0.x", "no.dots", "a.b"])
async def test_a_token_without_a_lifetime_is_good_until_it_is_refused(freqtrade, settings, health, lifetime):
    """Its claims are not ours to trust."""
    freqtrade.refuses["token/login"] = (200, json.dumps({"access_token": lifetime}), {})
    async with Client(settings, health) as client:
        assert await client.get("status") == []
        assert client._login._due == float("inf")
