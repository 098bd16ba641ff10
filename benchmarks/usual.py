"""What bots do without a journal: the baselines that `emit` is measured against."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import logging_loki
from prometheus_client import CollectorRegistry, Counter, Histogram
from pythonjsonlogger.json import JsonFormatter


def counters_and_json(folder: Path) -> Callable[[], None]:
    """A fill by prometheus-client's counters, and by python-json-logger into a file."""
    registry = CollectorRegistry()
    labels = ["bot", "strategy", "venue", "symbol", "side"]
    fills = Counter("fills", "Fills.", labels, registry=registry)
    volume = Counter("volume", "Volume.", labels, registry=registry)
    latency = Histogram("latency_seconds", "Latency.", ["bot"], registry=registry)
    handler = logging.FileHandler(folder / "bench.log")
    handler.setFormatter(JsonFormatter())
    logger = _logger("bench.json", handler)

    def act() -> None:
        fills.labels("bench", "arbitrage", "amber", "WETH/USDC", "buy").inc()
        volume.labels("bench", "arbitrage", "amber", "WETH/USDC", "buy").inc(1.5 * 3000.5)
        latency.labels("bench").observe(0.2)
        logger.info("order_filled", extra=_fields())

    return act


def logging_to_loki(url: str) -> Callable[[], None]:
    """A fill by python-logging-loki, which posts each record before it returns."""
    handler = logging_loki.LokiHandler(url=f"{url}/loki/api/v1/push", tags={"bot": "bench"}, version="1")
    logger = _logger("bench.loki", handler)

    def act() -> None:
        logger.info("order_filled", extra={"tags": {"kind": "orders"}, **_fields()})

    return act


def _fields() -> dict[str, object]:
    return {
        "order_id": "o-12345",
        "venue": "amber",
        "symbol": "WETH/USDC",
        "side": "buy",
        "strategy": "arbitrage",
        "quantity": 1.5,
        "price": 3000.5,
        "fee": 13.5,
        "final": True,
    }


def _logger(name: str, handler: logging.Handler) -> logging.Logger:
    logger = logging.getLogger(name)
    logger.propagate = False
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    return logger
