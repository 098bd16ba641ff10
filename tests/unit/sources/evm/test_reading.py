"""Looking at everything at each head."""

from __future__ import annotations

import pytest

from deskwatch.sources.evm.errors import NoAnswer
from deskwatch.sources.evm.head import Head
from deskwatch.sources.evm.question import Answer, Question
from deskwatch.sources.evm.reading import Readings
from tests.fakes.evm_chain import FakeChain


class Look:
    """Asks for a balance of its own, and fails at will."""

    def __init__(self, address: str, fault: Exception | None = None) -> None:
        self.address = address
        self.fault = fault
        self.took: list[Answer] = []

    async def prepare(self) -> None:
        """Nothing is to be known."""

    def questions(self, head: Head) -> list[Question]:
        return [("eth_getBalance", (self.address, hex(head.number)))]

    async def take(self, head: Head, answers: list[Answer]) -> None:
        self.took += answers
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def chain() -> FakeChain:
    chain = FakeChain()
    chain.balances = {"0xa": 1, "0xb": 2}
    return chain


async def test_each_gets_the_answers_to_its_own_questions(chain: FakeChain):
    looks = [Look("0xa"), Look("0xb")]
    await Readings(chain, looks).at_head(chain.head())
    assert [look.took for look in looks] == [["0x1"], ["0x2"]]
    assert chain.batches == 1


async def test_ones_fault_keeps_no_other_from_looking_and_is_told(chain: FakeChain):
    looks = [Look("0xa", ValueError("odd")), Look("0xb")]
    with pytest.raises(ValueError, match="odd"):
        await Readings(chain, looks).at_head(chain.head())
    assert looks[1].took == ["0x2"]


async def test_no_answer_ends_the_look_at_once(chain: FakeChain):
    looks = [Look("0xa", NoAnswer("away")), Look("0xb")]
    with pytest.raises(NoAnswer):
        await Readings(chain, looks).at_head(chain.head())
    assert looks[1].took == []


async def test_who_watches_nothing_asks_nothing(chain: FakeChain):
    await Readings(chain, []).at_head(chain.head())
    assert chain.batches == 0
