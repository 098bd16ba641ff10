"""Metrics of the bot's own risk alerts."""

from __future__ import annotations

from deskwatch.events import RiskAlertCleared, RiskAlertRaised
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, value


def raised(symbol: str | None = None) -> RiskAlertRaised:
    return RiskAlertRaised(alert="exposure", severity="critical", symbol=symbol)


def test_a_risk_alert_is_active_until_it_is_cleared_and_counts_each_time() -> None:
    metrics = fold(raised())
    assert value(metrics, "tradebot_risk_alert", kind="exposure") == 1
    fold(
        RiskAlertCleared(alert="exposure"),
        raised(),
        record_of(RiskAlertCleared(alert="exposure"), ts=START_NS),
        into=metrics,
    )
    assert value(metrics, "tradebot_risk_alert", kind="exposure") == 0
    assert value(metrics, "tradebot_risk_alerts_raised_total", kind="exposure") == 2
    assert value(metrics, "tradebot_risk_alert_timestamp_seconds", kind="exposure") == START_NS / 1e9


def test_alerts_of_several_symbols_are_kept_apart() -> None:
    metrics = fold(raised("ETH"), raised("BTC"), RiskAlertCleared(alert="exposure", symbol="ETH"))
    assert value(metrics, "tradebot_risk_alert", symbol="ETH") == 0
    assert value(metrics, "tradebot_risk_alert", symbol="BTC") == 1


def test_an_alert_that_is_cleared_without_a_symbol_is_cleared_for_all() -> None:
    other = RiskAlertRaised(alert="drawdown", severity="warning", symbol="ETH")
    metrics = fold(raised("ETH"), raised("BTC"), other, record_of(raised("ETH"), bot="arb-2"))
    fold(RiskAlertCleared(alert="exposure"), into=metrics)
    for symbol in ("ETH", "BTC"):
        assert value(metrics, "tradebot_risk_alert", bot="arb-1", kind="exposure", symbol=symbol) == 0
    assert value(metrics, "tradebot_risk_alert", kind="drawdown") == 1
    assert value(metrics, "tradebot_risk_alert", bot="arb-2") == 1


def test_an_alert_that_was_never_raised_is_shown_as_such_when_it_is_cleared() -> None:
    metrics = fold(RiskAlertCleared(alert="exposure"))
    assert value(metrics, "tradebot_risk_alert", kind="exposure") == 0
    assert value(metrics, "tradebot_risk_alerts_raised_total", kind="exposure") == 0
