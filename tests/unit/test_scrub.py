"""Secrets in text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.events import CommandFailed, Event
from deskwatch.scrub import REDACTED, names_secret, scrub, scrub_value, scrubbed
from tests import strategies

KEY = "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"private_key={KEY}", KEY),
        (f"the private key: {KEY} leaked", KEY),
        (f'{{"privateKey": "{KEY}"}}', KEY),
        (f"PRIVATE_KEY='{KEY}'", KEY),
        (f"mnemonic: {WORDS}", "sausage"),
        (f"seed phrase = {WORDS} {WORDS}", "sausage"),
        (f'"mnemonic": "{WORDS}"', "sausage"),
        ("postgres://trader:hunter2@db/trades", "hunter2"),
        ("https://:s3cr3t-token@rpc.example.org/v1", "s3cr3t-token"),
        ("Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop"),
        ("authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("api_key=k-12345&symbol=ETH", "k-12345"),
        ("API-KEY: k-12345", "k-12345"),
        ("binance_secret = topsecret", "topsecret"),
        ('{"password": "hunter2", "user": "u"}', "hunter2"),
        ("DB_PASSWORD=hunter2", "hunter2"),
        ("passphrase: swordfish", "swordfish"),
        ("access_key=AKIA1234", "AKIA1234"),
        ("https://api.telegram.org/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawx/send", "AAHdqTcvCH1vGWJxfSeofSAs"),
        ("https://hooks.slack.com/services/T000/B000/XXXXXXXX", "XXXXXXXX"),
        ("use dwt_abcdefghijklmnopqrstuvwxyz0123456789-_ABCDE please", "dwt_abc"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijklmnop", "eyJzdWIi"),
        ("secret_key=topsecret", "topsecret"),
        ('{"secretKey": "topsecret"}', "topsecret"),
        ("your private key is " + KEY, KEY),
        ("postgres://trader:hunt@er2@db/trades", "er2"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X-Y,AB\n\nMIIEow",
            "MIIEow",
        ),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBF\n-----END PGP PRIVATE KEY BLOCK-----", "lQOYBF"),
        ("cut off: -----BEGIN PRIVATE KEY-----\nMIIEvQ", "MIIEvQ"),
        ("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIB\n-----END EC PRIVATE KEY-----", "MHcCAQEEIB"),
    ],
)
def test_secrets_are_taken_out(text: str, secret: str) -> None:
    assert secret not in scrub(text)
    assert REDACTED in scrub(text)
    assert scrub(scrub(text)) == scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        "sent 0x88df016429689c079f3b2f6ad39fa052532c56795b733da78a91ebe340d4a0c3 at nonce 7",
        "order 17 filled at 1812.50 USDT, slippage 0.1 %",
        "https://rpc.example.org:8545/path?symbol=ETH",
        "GET http://127.0.0.1:9464/metrics 200",
        "the seed of the random numbers is 17",
        "the bearer of bad news",
        "prompt_tokens: 512, completion_tokens: 7",
        "swapped 3 tokens: WETH, USDC and DAI",
        WORDS,
        "Traceback (most recent call last):\n  File \"bot.py\", line 3, in <module>\nKeyError: 'ETH/USDT'",
        "time 12:30:05, ratio 3:1, bot: arb-1",
        "",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert scrub(text) == text


def test_what_stands_beside_a_secret_stays() -> None:
    assert scrub("login api_key=k-12345&symbol=ETH done") == f"login api_key={REDACTED}&symbol=ETH done"


@given(before=strategies.text, secret=st.text("abcdefghij0123456789", min_size=8), after=strategies.text)
def test_a_named_secret_never_comes_through(before: str, secret: str, after: str) -> None:
    assert f"password={secret}" not in scrub(f"{before} password={secret} {after}")


@pytest.mark.parametrize("part", ["a.", "a+", "token ", "password" + " " * 50, "seed phrase ", "ab ", "x", "://", ":@"])
def test_hostile_text_takes_no_long_time(part: str) -> None:
    text = part * (64 * 1024 // len(part))
    began = time.thread_time()
    scrub(text)
    assert time.thread_time() - began < 1


@pytest.mark.parametrize("name", ["password", "API_KEY", "binance_secret", "token", "private_key", "dbPassword"])
def test_names_of_secrets_are_known(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize("name", ["symbol", "prompt_tokens", "order_id", "passed", "tokens", ""])
def test_other_names_are_no_secrets(name: str) -> None:
    assert not names_secret(name)


@pytest.mark.parametrize("text", ["compass: north-north-west", "bypass=enabled here"])
def test_words_that_end_like_a_secret_are_left_alone(text: str):
    """Only a name that is a secret's is one."""
    assert scrub(text) == text


@pytest.mark.parametrize("text", ["pass: hunter22", "db_pass=hunter22", "mypassword=hunter22"])
def test_short_names_of_secrets_are_known(text: str):
    """A secret's name is known alone and within a longer name."""
    assert "hunter22" not in scrub(text)


def test_a_value_is_scrubbed_within_and_its_names_stay() -> None:
    value = {"a": [f"private key: {KEY}", 7, None], "token": "USDC", "b": {"c": "postgres://u:hunter2@db/x"}}
    assert scrub_value(value) == {
        "a": [f"private key: {REDACTED}", 7, None],
        "token": "USDC",
        "b": {"c": f"postgres://u:{REDACTED}@db/x"},
    }


def test_a_known_secret_is_taken_out_whatever_it_looks_like() -> None:
    known = "Zk3-abcdefgh_ijklmnop"
    assert scrub_value(f"I used ({known}), sorry", known.__eq__) == f"I used ({REDACTED}), sorry"
    assert scrub_value(f"tx {KEY}", known.__eq__) == f"tx {KEY}"


def test_an_event_is_scrubbed_but_for_its_ids() -> None:
    event = CommandFailed(command_id="password=hunter2", command="ping", error="at https://u:hunter2@rpc failed")
    assert scrubbed(event) == CommandFailed(
        command_id="password=hunter2", command="ping", error=f"at https://u:{REDACTED}@rpc failed"
    )
    harmless = CommandFailed(command_id="c", command="ping", error="it failed")
    assert scrubbed(harmless) is harmless


@given(strategies.any_event)
def test_scrubbing_twice_is_scrubbing_once(event: Event) -> None:
    assert scrubbed(scrubbed(event)) == scrubbed(event)
