"""Configured view calls."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import ContractObserved, LogRecorded
from deskwatch.sources.evm.errors import RpcError
from deskwatch.sources.evm.settings import Call
from tests.fakes.evm_chain import FakeChain
from tests.unit.sources.evm.watching import Watching
from tests.unit.sources.evm.words import ALICE, ROUTER, returned, selector


def call(signature: str = "totalSupply()(uint256)", **more: Any) -> Call:
    return Call(**{"name": "reading", "address": ROUTER, "signature": signature, **more})


async def looked(one: Call, answer: object) -> Watching:
    chain = FakeChain()
    chain.views[ROUTER, selector(one.signature.partition(")(")[0] + ")")] = answer
    watching = Watching(chain, wallets=(), contracts=(one,))
    await watching.look()
    return watching


@pytest.mark.parametrize(
    ("signature", "decimals", "values", "value", "data"),
    [
        ("totalSupply()(uint256)", None, [7], 7.0, None),
        ("totalSupply()(uint256)", 18, [25 * 10**17], 2.5, None),
        ("delta()(int256)", 2, [-150], -1.5, None),
        ("paused()(bool)", None, [True], 1.0, None),
        ("owner()(address)", None, [ALICE], None, ALICE),
        ("name()(string)", None, ["a\nb"], None, "a\\nb"),
        ("slot0()(uint160,int24)", None, [2**100, -5], None, [str(2**100), -5]),
        ("all()(uint256[])", None, [[1, 2]], None, [1, 2]),
    ],
)
async def test_an_answer_is_a_number_where_it_is_one_and_data_else(
    signature: str, decimals: int | None, values: list[Any], value: float | None, data: object
):
    types = signature.rpartition("(")[2].removesuffix(")").split(",")
    (told,) = (await looked(call(signature, decimals=decimals), returned(types, *values))).told(ContractObserved)
    assert (told.name, told.contract, told.value, told.data) == ("reading", ROUTER, value, data)


async def test_an_answer_is_told_when_it_changed_and_not_else():
    watching = await looked(call(), returned(["uint256"], 1))
    await watching.look()
    watching.chain.views[ROUTER, selector("totalSupply()")] = returned(["uint256"], 2)
    await watching.look()
    assert [told.value for told in watching.told(ContractObserved)] == [1.0, 2.0]


async def test_a_call_may_be_told_again_in_a_rhythm_of_its_own():
    watching = await looked(call(every_seconds=1e-9), returned(["uint256"], 1))
    await watching.look()
    assert len(watching.told(ContractObserved)) == 2


@pytest.mark.parametrize("answer", ["0x", "0x01", None, 5, RpcError(3, "execution reverted: paused")])
async def test_what_does_not_answer_is_told_once_in_words_and_heals(answer: object):
    watching = await looked(call(), answer)
    await watching.look()
    assert watching.told(ContractObserved) == []
    (told,) = watching.told(LogRecorded)
    assert told.message.startswith("contract reading: ")
    watching.chain.views[ROUTER, selector("totalSupply()")] = returned(["uint256"], 2)
    await watching.look()
    assert len(watching.told(ContractObserved)) == 1


@pytest.mark.parametrize("signature", ["f(uint256)(bool)", "f(nothing)(bool)", "f()()"])
def test_a_call_that_can_not_be_made_is_refused_before_anything_is_watched(signature: str):
    with pytest.raises(ValueError, match="expected"):
        call(signature)
