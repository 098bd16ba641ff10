"""The committed contracts are what their sources compile to."""

from __future__ import annotations

from importlib import resources

import pytest

from arbitrage_bot.contracts import CONTRACTS

pytest.importorskip("vyper", reason="needs vyper, a development dependency")


@pytest.mark.parametrize("name", CONTRACTS)
def test_compiling_a_contract_gives_its_committed_artifact(name: str):
    from arbitrage_bot.contracts.compile import compiled

    assert compiled(name) == (resources.files("arbitrage_bot.contracts") / f"{name}.json").read_text()
