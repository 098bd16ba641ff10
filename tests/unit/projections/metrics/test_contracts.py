"""Metrics of what contracts answered."""

from __future__ import annotations

from deskwatch.events import ContractObserved
from deskwatch.projections.metrics.lifetimes import CONTRACT_SECONDS
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, labels_of, samples, value


def test_an_answer_that_is_a_number_is_shown_by_its_name_and_not_by_its_address() -> None:
    metrics = fold(ContractObserved(chain="local", contract="0xab", name="total_supply", value=7.0))
    assert value(metrics, "tradebot_contract_value", kind="total_supply") == 7
    assert labels_of(metrics, "tradebot_contract_value") == {"bot": "arb-1", "chain": "local", "kind": "total_supply"}


def test_an_answer_that_is_no_number_shows_when_it_came() -> None:
    answer = ContractObserved(chain="local", contract="0xab", name="owner", data="0xcd")
    metrics = fold(record_of(answer, ts=START_NS))
    assert samples(metrics, "tradebot_contract_value") == []
    assert value(metrics, "tradebot_contract_timestamp_seconds", kind="owner") == START_NS / 1e9


def test_an_answer_goes_when_none_came_for_long() -> None:
    metrics = fold(record_of(ContractObserved(chain="local", contract="0xab", name="n", value=1.0), ts=START_NS))
    for after, shown in ((CONTRACT_SECONDS - 1, 1), (CONTRACT_SECONDS, 0)):
        assert len(samples(metrics, "tradebot_contract_value", START_NS / 1e9 + after)) == shown
