"""Expressions that panels share, evaluated by promtool over series that are made up."""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dashboards.committed import DASHBOARDS
from tests.servers import require

with warnings.catch_warnings():  # the SDK advises against the classic form as it is imported
    warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
    from deskwatch.dashboards import expressions, promql

RESOLVED = "tradebot_prediction_resolved_probability_ratio_bucket"
OCCURRED = "tradebot_prediction_occurred_probability_ratio_bucket"


def evaluated(folder: Path, expr: str, series: dict[str, str], expected: dict[str, float]) -> None:
    """Fail where an expression gives anything else after ten minutes.

    Args:
        folder: Where to write.
        expr: PromQL with Grafana's macros and variables.
        series: Series → values, one a minute.
        expected: Labels → value.
    """
    for macro, value in (
        ("$__rate_interval", "10m"),
        ("$__range", "10m"),
        ("$bot", ".+"),
        ("$strategy", ".*"),
        ("$provider", ".*"),
    ):
        expr = expr.replace(macro, value)
    case: dict[str, Any] = {
        "expr": expr,
        "eval_time": "10m",
        "exp_samples": [{"labels": labels, "value": value} for labels, value in expected.items()],
    }
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    path = folder / "case.yml"
    path.write_text(
        yaml.safe_dump(
            {"fuzzy_compare": True, "tests": [{"interval": "1m", "input_series": inputs, "promql_expr_test": [case]}]}
        )
    )
    told = subprocess.run([require("promtool"), "test", "rules", path], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def calibration() -> list[str]:
    """Expressions of the panel: what came true, and what was said."""
    (panel,) = [one for one in DASHBOARDS["decisions"]["panels"] if one["title"] == "Calibration"]
    return [target["expr"] for target in panel["targets"]]


def test_a_part_is_0_where_there_is_none_of_it_and_nothing_without_a_whole(tmp_path: Path) -> None:
    """A bot that never failed shows 0 %, one that did nothing shows nothing, and no division by 0 is seen."""
    part = promql.part(promql.increase("failed_total", "bot"), promql.increase("sent_total", "bot"))
    series = {
        'sent_total{bot="some"}': "0+4x10",
        'failed_total{bot="some"}': "0+1x10",
        'sent_total{bot="none"}': "0+4x10",
        'sent_total{bot="idle"}': "0x10",
    }
    evaluated(tmp_path, part, series, {'{bot="some"}': 0.25, '{bot="none"}': 0})


@pytest.mark.parametrize(
    ("failed", "expected"),
    [({}, {'{reason="none"}': 0}), ({'failed_total{bot="a", reason="x"}': "0+1x10"}, {'{reason="x"}': 10})],
)
def test_what_never_happened_is_0_until_it_does(
    tmp_path: Path, failed: dict[str, str], expected: dict[str, float]
) -> None:
    """Nobody knows a reason before the first failure; afterwards `none` is gone."""
    expr = promql.or_none(promql.increase("failed_total", "reason"), "sent_total", "reason")
    evaluated(tmp_path, expr, {'sent_total{bot="a"}': "0+1x10", **failed}, expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("_x4 1x6", 1),  # the first of its kind: `increase` would say 0
        ("_x4 1x3 3x3", 3),
        ("7x10", 0),
        ("7x4 8x6", 1),
        ("7x4 0x2 2x4", 2),  # its journal was removed
    ],
)
def test_the_first_of_a_kind_is_counted(tmp_path: Path, values: str, expected: float) -> None:
    """A bot that was there and had no error before the window had none; a whole number comes of it."""
    alive = {'tradebot_last_event_timestamp_seconds{bot="a", job="j", instance="i"}': "1x10"}
    counted = {'tradebot_errors_total{bot="a", job="j", instance="i", kind="MemoryError"}': values}
    expr = promql.grown("tradebot_errors_total", "bot", "kind")
    evaluated(tmp_path, expr, alive | counted, {'{bot="a", kind="MemoryError"}': expected})


def test_what_a_bot_brings_along_is_not_counted(tmp_path: Path) -> None:
    """Prometheus sees it for the first time within the window: when its errors were is not known."""
    series = {
        'tradebot_last_event_timestamp_seconds{bot="a", job="j", instance="i"}': "_x4 1x6",
        'tradebot_errors_total{bot="a", job="j", instance="i"}': "_x4 5x3 6x3",
    }
    evaluated(tmp_path, promql.grown("tradebot_errors_total", "bot"), series, {'{bot="a"}': 1})


def test_a_bot_that_two_sidecars_tell_of_has_one_mode(tmp_path: Path) -> None:
    """Numbers of modes are not added up: halted here and active there is no fifth mode."""
    series = {
        f'tradebot_mode{{bot="a", job="j", instance="{instance}", mode="{mode}"}}': f"{int(mode == now)}x10"
        for instance, now in (("one", "halted"), ("two", "active"))
        for mode, _ in expressions.MODES.values()
    }
    evaluated(tmp_path, expressions.mode(), series, {'{bot="a"}': 4})


def test_a_threshold_is_one_line_the_tightest(tmp_path: Path) -> None:
    """However many bots are chosen."""
    expr, legend = promql.limit("drawdown_warning_ratio", "warns")
    series = {
        f'bot:drawdown_warning_ratio:threshold{{bot="{bot}"}}': f"{at}x10" for bot, at in (("a", 0.1), ("b", 0.2))
    }
    evaluated(tmp_path, expr, series, {"{}": 0.1})
    assert legend == "warns"


def test_calibration_tells_tenths_apart_and_leaves_empty_ones_out(tmp_path: Path) -> None:
    """Buckets count all below their bound, and a bound of 1 is written in two ways."""
    bounds = ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]
    resolved = [10, 10, 10, 10, 10, 10, 10, 20, 20, 30]
    occurred = [0, 0, 0, 0, 0, 0, 0, 6, 6, 15]
    series = {
        f'{name}{{bot="a", provider="p", le="{le}"}}': f"0+{count}x10"
        for name, counted in ((RESOLVED, resolved), (OCCURRED, occurred))
        for le, count in zip(bounds, counted, strict=True)
    }
    expected = {'{said="0-10 %"}': 0.0, '{said="70-80 %"}': 0.6, '{said="90-100 %"}': 0.9}
    came_true, _ = calibration()
    evaluated(tmp_path, came_true, series, expected)
    without = {name: values for name, values in series.items() if not name.startswith(OCCURRED)}
    evaluated(tmp_path, came_true, without, dict.fromkeys(expected, 0.0))


def test_what_was_said_is_the_middle_of_each_tenth(tmp_path: Path) -> None:
    """So that both bars of a tenth can be compared."""
    _, said = calibration()
    series = {'tradebot_predictions_resolved_total{bot="a"}': "0+1x10"}
    expected = {f'{{said="{tenth * 10}-{tenth * 10 + 10} %"}}': tenth / 10 + 0.05 for tenth in range(10)}
    evaluated(tmp_path, said, series, expected)
