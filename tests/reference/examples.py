"""An example query for each family: by its type and unit, or a better one where there is one."""

from __future__ import annotations

from typing import Any

from deskwatch.projections.metrics import Counter, Family, Histogram
from tests.reference.served import scraped_name

WINDOW = "5m"
_KEPT = ("bot", "strategy", "provider", "asset", "kind", "reason", "mode", "writer")
"""Labels that an example keeps apart; it sums over venues, symbols, sides and chains, never over assets."""
BETTER = {
    "deskwatch_backlog_bytes": 'deriv(deskwatch_backlog_bytes{kind!="feed"}[10m])',
    "deskwatch_base_whole": "deskwatch_base_whole == 0",
    "deskwatch_build_info": "count by (version) (deskwatch_build_info)",
    "deskwatch_container_cpu_throttled_periods": (
        "rate(deskwatch_container_cpu_throttled_periods_total[5m]) / rate(deskwatch_container_cpu_periods_total[5m])"
    ),
    "deskwatch_container_memory_usage_bytes": (
        "deskwatch_container_memory_usage_bytes / deskwatch_container_memory_limit_bytes"
    ),
    "deskwatch_container_tasks": "deskwatch_container_tasks / deskwatch_container_tasks_limit",
    "deskwatch_host_cpu_seconds": (
        '1 - sum(rate(deskwatch_host_cpu_seconds_total{mode="idle"}[5m]))'
        " / sum(rate(deskwatch_host_cpu_seconds_total[5m]))"
    ),
    "deskwatch_host_disk_free_bytes": "predict_linear(deskwatch_host_disk_free_bytes[1h], 24 * 3600) < 0",
    "deskwatch_host_load1": "deskwatch_host_load1 / deskwatch_host_cpus",
    "deskwatch_host_memory_available_bytes": (
        "deskwatch_host_memory_available_bytes / deskwatch_host_memory_size_bytes"
    ),
    "deskwatch_host_open_fds": "deskwatch_host_open_fds / deskwatch_host_max_fds",
    "deskwatch_host_swap_free_bytes": "1 - deskwatch_host_swap_free_bytes / deskwatch_host_swap_size_bytes",
    "deskwatch_http_failures": 'rate(deskwatch_http_failures_total{reason="5xx"}[5m])',
    "deskwatch_journal_unreadable": "max by (bot, writer) (deskwatch_journal_unreadable) == 1",
    "deskwatch_process_open_fds": "deskwatch_process_open_fds / deskwatch_process_max_fds",
    "deskwatch_series": "topk(5, deskwatch_series)",
    "deskwatch_series_fullest": "deskwatch_series_fullest / on (instance) group_left () deskwatch_series_limit > 0.8",
    "tradebot_best_trade": "max by (bot, asset) (tradebot_best_trade)",
    "tradebot_connection_up": "min by (bot, venue) (tradebot_connection_up) == 0",
    "tradebot_desired_mode": "tradebot_desired_mode == 1 unless on (instance, bot, mode) tradebot_mode == 1",
    "tradebot_drawdown_ratio": "max by (bot, strategy, asset) (tradebot_drawdown_ratio) > 0.1",
    "tradebot_equity": "sum by (bot, asset) (tradebot_equity)",
    "tradebot_info": "count by (version) (tradebot_info)",
    "tradebot_mode": "tradebot_mode == 1",
    "tradebot_position_liquidation_distance_ratio": "tradebot_position_liquidation_distance_ratio < 0.1",
    "tradebot_process_open_fds": "tradebot_process_open_fds / tradebot_process_max_fds",
    "tradebot_process_up": "tradebot_process_up == 0",
    "tradebot_resource_used": "tradebot_resource_used / tradebot_resource_capacity",
    "tradebot_risk_alert": "tradebot_risk_alert == 1",
    "tradebot_running": "tradebot_running == 1 and tradebot_process_up == 0",
    "tradebot_worst_trade": "min by (bot, asset) (tradebot_worst_trade)",
}
"""By the family's name, without `_total`."""


def example(family: Family[Any]) -> str:
    """PromQL that shows what the family is for."""
    if family.name in BETTER:
        return BETTER[family.name]
    name = scraped_name(family)
    kept = [label for label in family.labels if label in _KEPT]
    by = f" by ({', '.join(kept)})" if kept else ""
    if isinstance(family, Histogram):
        kept_bucket = ", ".join(["le", *kept])
        return f"histogram_quantile(0.95, sum by ({kept_bucket}) (rate({name}_bucket[{WINDOW}])))"
    if isinstance(family, Counter):
        is_flow = family.unit in ("seconds", "bytes")
        inner = f"rate({name}[{WINDOW}])" if is_flow else f"increase({name}[1h])"
        return f"sum{by} ({inner})" if set(kept) != set(family.labels) else inner
    if family.name.endswith(("_timestamp_seconds", "_start_time_seconds", "_boot_time_seconds")):
        return f"{name} - time()" if "_next_" in family.name else f"time() - {name}"
    return name
