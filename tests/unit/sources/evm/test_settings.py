"""What a person may write of a chain, and what is said where it is wrong."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from deskwatch.sources.evm.address import check_address, checksummed
from deskwatch.sources.evm.endpoint import names_of
from deskwatch.sources.evm.settings import Settings

VITALIK = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
"""An address that everybody has seen, with its checksum; those below are EIP-55's own examples."""
EIP55 = (
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
)
FULL: dict[str, Any] = {
    "bot": "treasury",
    "urls": ["https://node.example/v3/key", "http://127.0.0.1:8545"],
    "ws_url": "wss://node.example/ws",
    "chain": "ethereum",
    "chain_id": 1,
    "wallets": [{"name": "hot", "address": VITALIK}],
    "tokens": [{"symbol": "USDC", "address": VITALIK.lower(), "decimals": 6}],
    "pools": [{"name": "uniswap", "address": VITALIK, "base": "WETH"}],
    "contracts": [
        {"name": "supply", "address": VITALIK, "signature": "totalSupply()(uint256)", "decimals": 18},
        {
            "name": "locked",
            "address": VITALIK,
            "signature": "f(address,uint8,bool)((int256,bytes)[])",
            "args": [VITALIK, "1", True],
        },
    ],
}


def test_everything_may_be_given() -> None:
    told = msgspec.convert(FULL, Settings)
    assert told.wallets[0].address == VITALIK
    assert told.contracts[1].args == (VITALIK, "1", True)


@pytest.mark.parametrize("address", EIP55)
def test_addresses_have_their_checksum_or_none(address: str) -> None:
    assert checksummed(address) == address
    for good in (address, address.lower(), "0x" + address[2:].upper()):
        assert check_address(good) == good


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"wallets": [{"name": "hot", "address": VITALIK[:-1] + "6"}]}, r"whose capitals fit.*wallets\[0\]"),
        ({"wallets": [{"name": "hot", "address": "vitalik.eth"}]}, r"0x and 40 hex digits.*'vitalik\.eth'"),
        ({"wallets": [{"name": "hot", "address": VITALIK + "0"}]}, "0x and 40 hex digits"),
        ({"wallets": [{"name": "hot", "address": VITALIK}, {"name": "hot", "address": EIP55[0]}]}, "'hot' twice"),
        (
            {"wallets": [{"name": "a", "address": VITALIK}, {"name": "b", "address": VITALIK.lower()}]},
            "wallets to have an address of its own",
        ),
        (
            {"tokens": [{"symbol": "A", "address": VITALIK}, {"symbol": "B", "address": VITALIK}]},
            "tokens to have an address of its own",
        ),
        ({"tokens": [{"symbol": "ETH", "address": VITALIK}]}, "tokens to have a name of its own, was 'ETH' twice"),
        ({"wallets": [{"name": "<b>", "address": VITALIK}]}, "matching regex"),
        ({"wallets": [{"name": "hot", "adress": VITALIK}]}, "unknown field `adress`"),
        ({"contracts": [{"name": "s", "address": VITALIK, "signature": "totalSupply()"}]}, "types of the arguments"),
        ({"contracts": [{"name": "s", "address": VITALIK, "signature": "f(uint7)(bool)"}]}, "was 'uint7'"),
        ({"contracts": [{"name": "s", "address": VITALIK, "signature": "f(uint8)(bool)"}]}, "expected 1 arguments"),
        ({"urls": ["ftp://node.example"]}, "begins with http:// or https://"),
        ({"urls": ["node.example:8545"]}, "begins with http:// or https://"),
        ({"urls": ["http://node.example:99999/"]}, "a port from 1 to 65535"),
        ({"urls": ["http://node.example:secret/"]}, "a port from 1 to 65535"),
        ({"urls": ["http://:8545/"]}, "expected a host"),
        ({"urls": ["http://[::1/"]}, "expected a host"),
        ({"urls": ["http://me:secret@node.example/"]}, "without user and password, was one of node.example"),
        ({"ws_url": "http://node.example"}, "begins with ws:// or wss://"),
        ({"calls_per_second": 0}, "> 0"),
        ({"chain_id": "1"}, "Expected `int"),
    ],
)
def test_what_is_wrong_is_said_in_words_without_secrets(change: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words) as told:
        msgspec.convert(FULL | change, Settings)
    assert "secret" not in str(told.value)


def test_endpoints_are_named_without_what_may_hold_a_key() -> None:
    urls = [
        "https://mainnet.example/v3/0123456789abcdef",
        "https://mainnet.example/v3/fedcba9876543210",
        "http://user:password@10.0.0.7:8545/",
        "http://[::1]:8545",
        "https://mainnet.example/",
    ]
    assert names_of(urls) == [
        "mainnet.example",
        "mainnet.example#2",
        "10.0.0.7:8545",
        "::1:8545",
        "mainnet.example#3",
    ]
