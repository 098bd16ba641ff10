"""Secrets in a command's parameters."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.sidecar.problems import Problem
from deskwatch.sidecar.secret_params import refuse_secrets

WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"


@pytest.mark.parametrize(
    "params",
    [
        {"password": "hunter2"},
        {"venue": "x", "api_key": "k-12345"},
        {"login": {"secretKey": "s"}},
        {"logins": [{"passphrase": "s"}]},
        {"mnemonic": WORDS},
        {"seed_phrase": WORDS},
        {"auth_token": "abcdef"},
        {"note": "api_key=k-12345"},
        {"note": "use abcdefghijklmnop"},
    ],
)
def test_what_is_named_or_looks_like_a_secret_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(Problem, match="without secrets") as refused:
        refuse_secrets(params, lambda word: word == "abcdefghijklmnop")
    assert "hunter2" not in str(refused.value.detail)


@pytest.mark.parametrize(
    "params",
    [
        {"token": "WETH"},
        {"base_token": "WETH", "quote_token": "USDC"},
        {"password": ""},
        {"pass": 3, "secret": None, "token": {"address": "0x" + "ab" * 20}},
        {"symbols": ["BTC", "ETH"]},
    ],
)
def test_what_is_traded_passes(params: dict[str, Any]) -> None:
    refuse_secrets(params, lambda _: False)
