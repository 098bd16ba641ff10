"""Calibration: of what was said to be so likely, which part came true? A bar for each tenth, beside what was said."""

from __future__ import annotations

from collections.abc import Callable

from grafana_foundation_sdk.builders import barchart
from grafana_foundation_sdk.models.common import StackingMode, VisibilityMode
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from deskwatch.dashboards.drawing import at_the_end, described
from deskwatch.dashboards.panels import plain_legend
from deskwatch.dashboards.promql import SHOWN, increase
from deskwatch.dashboards.variables import matching

_SAID = "said"
"""The label, made here, that names a tenth."""
_RESOLVED = "tradebot_prediction_resolved_probability_ratio_bucket"
_OCCURRED = "tradebot_prediction_occurred_probability_ratio_bucket"


def calibration(panel_id: int, where: str, *, span: int = 8, height: int = 8) -> barchart.Panel:
    """Two bars for each tenth of probability: its middle, which is what was said, and the part that came true.

    A bucket counts all that is below its bound, so that a tenth is a bound's count less that of the bound before.
    """
    return (
        described(
            barchart.Panel(),
            panel_id,
            "Calibration",
            "Of the predictions resolved in the time shown that gave a tenth its probability, the part that came true, "
            "beside the middle of the tenth. Bars of one height are a provider that can be taken at its word; lower "
            "ones that it is too sure. Tenths without predictions have no bar.",
            unit="percentunit",
            span=span,
            height=height,
        )
        .x_field(_SAID)
        .stacking(StackingMode.NONE)
        .show_value(VisibilityMode.NEVER)
        .x_tick_label_rotation(-45)
        .min(0)
        .max(1)
        .legend(plain_legend())
        .with_target(at_the_end((_of_each_tenth(_came_true, where), "came true"), "A", table=True))
        .with_target(at_the_end((_of_each_tenth(_middle, where), "said"), "B", table=True))
        .with_transformation(DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(DataTransformerConfig(id_val="sortBy", options={"sort": [{"field": _SAID}]}))
        .with_transformation(
            DataTransformerConfig(
                id_val="organize",
                options={
                    "excludeByName": {"Time": True},
                    "renameByName": {"Value #A": "came true", "Value #B": "was said"},
                    "indexByName": {_SAID: 0, "Value #B": 1, "Value #A": 2},
                },
            )
        )
        .override_by_name("came true", [_coloured("blue")])
        .override_by_name("was said", [_coloured("text")])
    )


def _of_each_tenth(of: Callable[[int, str], str], where: str) -> str:
    """One series for each tenth, named by its bounds in per cent; they sort as words, too."""
    return " or ".join(
        f'label_replace({of(tenth, where)}, "{_SAID}", "{tenth * 10}-{tenth * 10 + 10} %", "", "")'
        for tenth in range(10)
    )


def _came_true(tenth: int, where: str) -> str:
    return f"clamp_max(({_count(_OCCURRED, tenth, where)}) / (({_count(_RESOLVED, tenth, where)}) > 0.5), 1)"


def _middle(tenth: int, where: str) -> str:
    return f"sum(increase(tradebot_predictions_resolved_total{{{where}}}[{SHOWN}])) * 0 + {tenth / 10 + 0.05:.2f}"


def _count(histogram: str, tenth: int, where: str) -> str:
    """Observations within a tenth. None below the first: there is no bound 0."""
    upper = _below(histogram, tenth + 1, where)
    return upper if tenth == 0 else f"{upper} - {_below(histogram, tenth, where)}"


def _below(histogram: str, bound: int, where: str) -> str:
    """Prometheus writes the bound 1 as `1.0` from its version 3 on. What never came true has no buckets: 0."""
    le = 'le=~"1|1.0"' if bound == 10 else f'le="0.{bound}"'
    counted = increase(histogram, where=matching(where, le), window=SHOWN)
    return f"({counted} or vector(0))" if histogram == _OCCURRED else counted


def _coloured(colour: str) -> DynamicConfigValue:
    return DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})
