"""Alerts about error budgets that are used up too fast, by the Workbook's four pairs of windows.

A page: 14.4 times too fast over 1 h (2 % of 30 days' budget in an hour) or 6 times over 6 h (5 % in 6 h). A notice: 3
times over a day or once over 3 days (10 % each). The short window beside each long one lets an alert end soon after its
cause does. Recommended parameters: Google's SRE Workbook, chapter 5, table 5-8.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deskwatch.rules import objectives, origin
from deskwatch.rules.objectives import FASTEST_BURN, SIDECAR, Objective

FILE = "burn.yml"
_PAIRS: dict[str, tuple[tuple[float, str, str], ...]] = {
    "critical": ((FASTEST_BURN, "1h", "5m"), (6, "6h", "30m")),
    "warning": ((3, "1d", "2h"), (1, "3d", "6h")),
}
"""Severity → times too fast, long window, short window."""


@dataclass(frozen=True, kw_only=True)
class _Words:
    """What an alert says."""

    alert: str
    summary: str
    description: str
    """What goes wrong; how fast, and what is left, is said of all alike."""
    action: str
    dashboard: str = "slo"


_WORDS = {
    "order_success": _Words(
        alert="BotOrderSuccessBudgetBurn",
        summary="A bot's orders fail too often for its objective.",
        description="Venues or chains refuse orders of {{ $labels.bot }}",
        action="Look at the reasons (Execution dashboard); put it in standby if each refusal costs fees or gas.",
    ),
    "execution_latency": _Words(
        alert="BotExecutionLatencyBudgetBurn",
        summary="A bot's orders are filled too late for its objective.",
        description="Orders of {{ $labels.bot }} take longer to be filled than they may",
        action="See whether venue, node or bot is slow (Execution dashboard); put it in standby if slippage grows.",
    ),
    "command_confirmation": _Words(
        alert="BotCommandConfirmationBudgetBurn",
        summary="A bot does not confirm commands in time.",
        description="Commands to {{ $labels.bot }} are not begun or not confirmed in time",
        action="Look at the bot's mode and positions at the venue: what was asked for may not have happened.",
    ),
    "data_freshness": _Words(
        alert="BotDataFreshnessBudgetBurn",
        summary="A bot often trades on prices that are too old.",
        description="The newest price that {{ $labels.bot }} knows is too old in too many minutes",
        action="Look at its connections and feeds; put it in standby while prices are old.",
    ),
    SIDECAR: _Words(
        alert="DeskwatchAvailabilityBudgetBurn",
        summary="The bots are not watched as reliably as promised.",
        description="Scrapes of the sidecar fail in too many minutes",
        action="Look at its restarts and its log; see whether Prometheus reaches it.",
    ),
}
_MONEY = """\
{{ define "amounts" }}{{ range $place, $one := . | sortByLabel "asset" }}{{ if $place }},{{ end }}
{{- if and (ne .Value 0.0) (lt -1.0 .Value) (lt .Value 1.0) }} {{ printf "%.4f" .Value }}
{{- else }} {{ printf "%.2f" .Value }}{{ end }} {{ .Labels.asset }}{{ end }}.{{ end -}}
{{ with printf "max by (asset) (bot:tradebot_equity:sum{bot=%q})" $labels.bot | query -}}
Equity{{ template "amounts" . }}{{ end }}
{{- with printf "max by (asset) (bot:tradebot_pnl:delta1d{bot=%q})" $labels.bot | query }} Profit in 24 h
{{- template "amounts" . }}{{ end }}
{{- with printf "max by (asset) (bot:tradebot_exposure_gross:sum{bot=%q} > 0)" $labels.bot | query }} Open
{{- template "amounts" . }}{{ end }}"""
"""The figures of money that alerts about a bot carry; see rules/risk.yml for what they read."""


def text(folder: Path) -> str:
    """The alerts that `objectives.yml` in a folder makes.

    Raises:
        ConfigError: The file is wrong.
    """
    lines = ["groups:", "  - name: burn", "    rules:"]
    for place, one in enumerate(objectives.read(folder)):
        lines += _alerts(one, first=place == 0)
    return origin.heading(objectives.SOURCE) + "\n".join(lines).rstrip() + "\n"


def _alerts(one: Objective, *, first: bool) -> list[str]:
    """The page and the notice of an objective."""
    words = _WORDS[one.slo]
    lines: list[str] = []
    for severity, pairs in _PAIRS.items():
        lines += [f"      - alert: {words.alert}", "        expr: >-"]
        lines += [f"          {line}" for line in _expression(one, pairs)]
        lines += [
            "        for: 1m",
            "        keep_firing_for: 5m",
            "        labels:",
            f"          severity: {severity}",
        ]
        if severity == "critical":
            lines += [f"        annotations: &{one.slo}", *_annotations(one, words, first=first), ""]
        else:
            lines += [f"        annotations: *{one.slo}", ""]
    return lines


def _expression(one: Objective, pairs: tuple[tuple[float, str, str], ...]) -> list[str]:
    """How many times too fast, where it is too fast over a long window and over its short one."""
    own = f'{{slo="{one.slo}"}}'
    lines = ["("]
    for place, (times, long, short) in enumerate(pairs):
        lines += [f"  {'or ' if place else ''}{_burn(long, own)} > {times:g}", f"  and {_burn(short)} > {times:g}"]
        requests, least = f"bot_slo:requests:increase{long}", one.numbers
        lines.append(f"  and {requests} >= {least['least_requests']:g}")
        lines.append(f"  and {requests} * bot_slo:sli_error:ratio_rate{long} >= {least['least_failures']:g}")
    return [*lines, ")" if one.slo == SIDECAR else ") unless on (bot) max by (bot) (tradebot_running) == 0"]


def _burn(window: str, selector: str = "") -> str:
    return f"bot_slo:sli_error:ratio_rate{window}{selector} / (1 - bot_slo:objective:ratio)"


def _annotations(one: Objective, words: _Words, *, first: bool) -> list[str]:
    of_bot = one.slo != SIDECAR
    left = "bot_slo:error_budget_remaining:ratio30d{slo='" + one.slo + "'" + (",bot=%q}" if of_bot else "}")
    description = [
        f"{words.description}: the error budget is used up",
        '{{ $value | printf "%.1f" }} times as fast as it may be.',
        f'{{{{- with printf "{left}" $labels.bot' if of_bot else f'{{{{- with "{left}"',
        "| query }} Of 30 days' budget, {{ . | first | value | humanizePercentage }} is left.{{ end }}",
    ]
    lines = [f"          summary: {words.summary}", "          description: >-", *_indented(description)]
    lines += ["          action: >-", *_indented([words.action])]
    if of_bot and first:
        lines += ["          money: &money >-", *_indented(_MONEY.splitlines())]
    elif of_bot:
        lines.append("          money: *money")
    bot = "?var-bot={{ $labels.bot }}" if of_bot else ""
    lines.append(f"          dashboard_url: http://localhost:3000/d/deskwatch-{words.dashboard}{bot}")
    lines.append(f"          runbook_url: docs/runbooks/{words.alert.lower()}.md")
    return lines


def _indented(lines: list[str]) -> list[str]:
    """Lines of a text that YAML joins by blanks."""
    return [f"            {line}" for line in lines]
