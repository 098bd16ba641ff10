"""Indicators of the objectives: how many requests and failures there were, over windows from 5 minutes to 30 days.

The method is that of "Alerting on SLOs" in Google's SRE Workbook (chapter 5). Everything longer than 5 minutes is
summed over recordings of the 5 minutes before, made every 30 seconds: each request is in ten of them, failures and
requests alike, so that ratios are exact but for 5 minutes at the ends of their window. Over the raw series of a bot, of
which there are dozens, 30 days would be read many times over.

Objectives of time (fresh prices, a sidecar that answers) are judged at each evaluation; a request is a minute there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from deskwatch.rules import objectives, origin
from deskwatch.rules.objectives import SIDECAR, Objective

FILE = "slo.yml"
SECONDS = 30
"""Between two evaluations of the fast group."""
REPEATS = 5 * 60 // SECONDS
"""Recordings of 5 minutes that each request is in."""
_FAST = ("30m", "1h", "2h", "6h")
_SLOW = ("1d", "3d", "30d")
_COUNTED = {"1h": True, "6h": True, "1d": False, "3d": False}
"""Long windows of alerts, whose requests are counted → whether it is in the fast group."""
_Lines = list[str]


def text(folder: Path) -> str:
    """The recording rules that `objectives.yml` in a folder makes.

    Raises:
        ConfigError: The file is wrong.
    """
    promised = objectives.read(folder)
    lines = ["groups:", "  - name: slo", f"    interval: {SECONDS}s", "    rules:"]
    for one in promised:
        lines += _SOURCES[one.slo](one)
    lines += ["      # Objectives of time, in minutes."]
    lines += _rule("bot_slo:requests:increase5m", [f"count_over_time(bot_slo:violated:ratio[5m]) * {SECONDS} / 60"])
    lines += _rule("bot_slo:errors:increase5m", [f"sum_over_time(bot_slo:violated:ratio[5m]) * {SECONDS} / 60"])
    lines += ["      # What is promised, for each bot that was judged in the last day."]
    for one in promised:
        lines += _rule("bot_slo:objective:ratio", list(_promise(one)), one.slo)
    lines += ["      # From here on all objectives are alike."]
    ratio = "bot_slo:errors:increase5m / (bot_slo:requests:increase5m > 0)"
    lines += _rule("bot_slo:sli_error:ratio_rate5m", [f"clamp_max({ratio}, 1)"])
    lines += [line for window in _FAST for line in _window(window)]
    lines += [line for window, fast in _COUNTED.items() if fast for line in _count(window)]
    lines += _rule("bot_slo:burn_rate:ratio1h", ["bot_slo:sli_error:ratio_rate1h / (1 - bot_slo:objective:ratio)"])
    # A query finds a sample for 5 minutes, so that the slow group has to be faster than that.
    lines += ["  - name: slo_days", "    interval: 2m", "    rules:"]
    lines += [line for window in _SLOW for line in _window(window)]
    lines += [line for window, fast in _COUNTED.items() if not fast for line in _count(window)]
    budget = "1 - bot_slo:sli_error:ratio_rate30d / (1 - bot_slo:objective:ratio)"
    lines += _rule("bot_slo:error_budget_remaining:ratio30d", [budget])
    return origin.heading(objectives.SOURCE) + "\n".join(lines).rstrip() + "\n"


def _rule(name: str, expression: _Lines, slo: str | None = None) -> _Lines:
    """One recording rule."""
    lines = [f"      - record: {name}"]
    if len(expression) == 1 and len(expression[0]) < 100:
        lines.append(f"        expr: {expression[0]}")
    else:
        lines += ["        expr: >-", *(f"          {line}" for line in expression)]
    if slo is not None:
        lines.append(f"        labels: {{slo: {slo}}}")
    return [*lines, ""]


def _window(window: str) -> _Lines:
    errors = f"sum_over_time(bot_slo:errors:increase5m[{window}])"
    requests = f"sum_over_time(bot_slo:requests:increase5m[{window}])"
    lines = ["clamp_max(", f"  {errors}", f"  / ({requests} > 0)", "  , 1", ")"]
    return _rule(f"bot_slo:sli_error:ratio_rate{window}", lines)


def _count(window: str) -> _Lines:
    expression = f"sum_over_time(bot_slo:requests:increase5m[{window}]) / {REPEATS}"
    return _rule(f"bot_slo:requests:increase{window}", [expression])


def _steps(*selectors: str) -> _Lines:
    """By bot, how far counters went in 5 minutes.

    `increase` does not see the first step of a new series: there all counts, if Prometheus watched the bot before.
    """
    lines = ["sum by (bot) ("]
    for place, one in enumerate(selectors):
        lines += [
            f"  {'or ' if place else ''}{one}",
            f"  unless {one} offset 5m",
            "  and on (job, instance, bot) tradebot_last_event_timestamp_seconds offset 5m",
            f"  or increase({one}[5m])",
        ]
    return [*lines, ")"]


def _order_success(one: Objective) -> _Lines:
    failed = [
        *_steps('tradebot_orders_failed_total{reason!="reverted"}'),
        "or sum by (bot) (tradebot_orders_submitted_total) * 0",
    ]
    return [
        "      # Orders refused, of those submitted. Races that were lost on a chain are none of it.",
        *_rule("bot_slo:requests:increase5m", _steps("tradebot_orders_submitted_total"), one.slo),
        *_rule("bot_slo:errors:increase5m", failed, one.slo),
    ]


def _execution_latency(one: Objective) -> _Lines:
    buckets = [
        f"tradebot_order_latency_seconds_bucket{{{_le(bound)}{', ' * bool(bots)}{bots}}}"
        for bound, bots in _by_bot(one, "within_seconds")
    ]
    requests = f'bot_slo:requests:increase5m{{slo="{one.slo}"}}'
    own = sorted(bot for bot, numbers in one.of_bots.items() if "within_seconds" in numbers)
    others = f', bot!~"{_either(own)}"' if own else ""
    resting = f'unless on (bot) max by (bot) (tradebot_watched{{kind=~"freqtrade|hummingbot"{others}}}) == 1'
    judged = [*_steps("tradebot_order_latency_seconds_count"), resting]
    late = ["clamp_min(", f"  {requests} - on (bot)", *(f"  {line}" for line in _steps(*buckets)), "  , 0", ")"]
    return [
        "      # Orders filled too late, of those filled. Limit orders of freqtrade and Hummingbot rest in the market",
        "      # by design: such a bot is judged where it has a number of its own.",
        *_rule("bot_slo:requests:increase5m", judged, one.slo),
        *_rule("bot_slo:errors:increase5m", late, one.slo),
    ]


def _command_confirmation(one: Objective) -> _Lines:
    failed = [
        *_steps("tradebot_commands_expired_total"),
        "+",
        *_steps("tradebot_commands_unconfirmed_total"),
    ]
    running = "and on (bot) max by (bot) (min_over_time(tradebot_running[5m])) == 1"
    return [
        "      # Commands not begun or not seen to take effect in time, of those accepted. What a stopped bot",
        "      # is told waits for its start.",
        *_rule("bot_slo:requests:increase5m", [*_steps("tradebot_commands_accepted_total"), running], one.slo),
        *_rule("bot_slo:errors:increase5m", [*failed, running], one.slo),
    ]


def _data_freshness(one: Objective) -> _Lines:
    ages = [
        f"time() - max by (bot) (tradebot_price_timestamp_seconds{f'{{{bots}}}' * bool(bots)}) > bool {limit:g}"
        for limit, bots in _by_bot(one, "within_seconds")
    ]
    judged = [f"  {'or ' if place else ''}{age}" for place, age in enumerate(ages)]
    judges = [
        "and on (bot) max by (bot) (tradebot_running) == 1",
        'unless on (bot) max by (bot) (tradebot_mode{mode="halted"}) == 1',
        "unless on (bot) (",
        '  max by (bot) (tradebot_watched{kind="freqtrade"}) == 1',
        "  unless on (bot) sum by (bot) (tradebot_positions_open) > 0",
        ")",
    ]
    return [
        "      # Is the newest price too old? Not asked of a bot that was stopped or halted, nor of a freqtrade that",
        "      # holds nothing: prices are known of what it holds.",
        *_rule("bot_slo:violated:ratio", ["(", *judged, ")", *judges], one.slo),
    ]


def _sidecar_availability(one: Objective) -> _Lines:
    return [
        "      # The part of the last minute's scrapes that failed, over all sidecars.",
        *_rule("bot_slo:violated:ratio", ['1 - avg(avg_over_time(up{job="deskwatch"}[1m]))'], one.slo),
    ]


_SOURCES: dict[str, Callable[[Objective], _Lines]] = {
    "order_success": _order_success,
    "execution_latency": _execution_latency,
    "command_confirmation": _command_confirmation,
    "data_freshness": _data_freshness,
    SIDECAR: _sidecar_availability,
}


def _promise(one: Objective) -> Iterator[str]:
    """An objective's expression. A bot's own stands first: of series with the same labels the first wins."""
    if one.slo == SIDECAR:
        yield f"vector({one.numbers['objective']!r})"
        return
    terms = [*((number, bots) for number, bots in _by_bot(one, "objective") if number != one.numbers["objective"])]
    for place, (number, bots) in enumerate([*terms, (one.numbers["objective"], "")]):
        selector = f'{{slo="{one.slo}"{", " * bool(bots)}{bots}}}'
        yield (
            f"{'or ' if place else ''}group by (bot) (last_over_time(bot_slo:requests:increase5m{selector}[1d]))"
            f" * {number!r}"
        )


def _by_bot(one: Objective, name: str) -> list[tuple[float, str]]:
    """Values of a number, with a matcher of the bots that have it; of the default: all others, or no matcher."""
    own = one.of(name)
    others = sorted(bot for bots in own.values() for bot in bots)
    default = f'bot!~"{_either(others)}"' if others else ""
    return [(one.numbers[name], default), *((number, f'bot=~"{_either(bots)}"') for number, bots in own.items())]


def _either(bots: list[str]) -> str:
    """A regular expression of names, in which only the dot means more than itself."""
    return "|".join(bot.replace(".", "[.]") for bot in bots)


def _le(bound: float) -> str:
    """A bucket's matcher: Prometheus 3 stores 5 as 5.0, older ones as it was scraped."""
    whole = f"{bound:g}"
    return f'le="{whole}"' if "." in whole else f'le=~"{whole}|{whole}[.]0"'
