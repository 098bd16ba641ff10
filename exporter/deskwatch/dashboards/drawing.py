"""What all panels have: an id, words, a source, a unit, a place and steps. And the queries that feed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import Threshold, ThresholdsMode, ValueMap, ValueMappingResult
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deskwatch.dashboards.variables import PROMETHEUS

Query = tuple[str, str]
"""An expression and its legend."""
Steps = Sequence[tuple[float | None, str]]
"""From which value on (None: the least), and which colour."""
Names = Mapping[int, tuple[str, str]]
"""A value's word and colour."""

_ANYTHING = -1e18
"""Below all figures that there are."""
WIDTH = 24
"""Columns of Grafana's grid."""
REF_IDS = "ABCDEFGHIJKLMN"
"""What a panel's queries are called, in their order."""


class Panel(Protocol):
    """What the SDK's builders of panels have in common."""

    def id(self, id_val: int, /) -> Self:
        """Its number, unique on its dashboard: links to it stay valid."""

    def title(self, title: str, /) -> Self:
        """What is shown."""

    def description(self, description: str, /) -> Self:
        """What it means, and what to do about it."""

    def datasource(self, datasource: DataSourceRef, /) -> Self:
        """Where it reads."""

    def unit(self, unit: str, /) -> Self:
        """Grafana's name of the unit."""

    def span(self, w: int, /) -> Self:
        """Columns."""

    def height(self, h: int, /) -> Self:
        """Rows of the grid."""

    def no_value(self, no_value: str, /) -> Self:
        """What stands where there is nothing to show."""

    def thresholds(self, thresholds: ThresholdsConfig, /) -> Self:
        """From which value on it has which colour."""


P = TypeVar("P", bound=Panel)


def described(
    panel: P,
    panel_id: int,
    title: str,
    description: str,
    *,
    unit: str,
    span: int,
    height: int,
    steps: Steps | None = None,
    source: DataSourceRef = PROMETHEUS,
    no_value: str = "none",
) -> P:
    """The panel with what every panel has. Without steps: one plain step in place of Grafana's red from 80."""
    given = steps if steps is not None else ((None, "text"),)
    return (
        panel.id(panel_id)
        .title(title)
        .description(description)
        .datasource(source)
        .unit(unit)
        .span(span)
        .height(height)
        .no_value(no_value)
        .thresholds(
            ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(value=at, color=to) for at, to in given])
        )
    )


def known(steps: Steps) -> Steps:
    """The same with what is not known in plain text: Grafana gives it the first colour, and green it would be good."""
    (_, first), *rest = steps
    return steps if first == "text" else ((None, "text"), (_ANYTHING, first), *rest)


def named(names: Names) -> ValueMap:
    """Words and colours in place of values."""
    return ValueMap(
        options={
            str(value): ValueMappingResult(text=text, color=colour, index=index)
            for index, (value, (text, colour)) in enumerate(names.items())
        }
    )


def over_time(query: Query, ref_id: str, *, exemplars: bool = False) -> prometheus.Dataquery:
    """A query of the whole time range; with exemplars where it is of a histogram's buckets."""
    made = prometheus.Dataquery().datasource(PROMETHEUS).expr(query[0]).legend_format(query[1]).ref_id(ref_id).range()
    return made.exemplar(True) if exemplars else made


def at_the_end(query: Query, ref_id: str, *, table: bool = False) -> prometheus.Dataquery:
    """A query of the end of the time range, mostly now; as a table, if asked for, with a column for each label."""
    made = prometheus.Dataquery().datasource(PROMETHEUS).expr(query[0]).legend_format(query[1]).ref_id(ref_id).instant()
    return made.format(PromQueryFormat.TABLE) if table else made
