"""Units of queries, reckoned from the names of metrics through PromQL, and what Grafana may call them.

Units: `s`, `timestamp` (Unix time, s), `bytes`, `ratio` (0 to 1), `percent`, `number` (counts, money, prices, wei),
also per second (`bytes/s`); `part` (a quotient of numbers), and `any` where a query mixes what has no one unit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SHOWN_AS: dict[str, set[str]] = {
    "s": {"s", "dtdurations", "dthms", "clocks"},
    "timestamp": set(),  # Grafana's dates are in ms
    "timestamp ms": {"dateTimeAsIso", "dateTimeAsLocal", "dateTimeFromNow", "dateTimeAsSystem"},
    "bytes": {"bytes", "decbytes"},
    "bytes/s": {"Bps", "binBps"},
    "ratio": {"percentunit"},
    "percent": {"percent"},
    "s/s": {"percentunit", "none", "short"},
    "number/s": {"ops", "reqps", "cps", "wps", "rps", "eps", "mps", "short"},
    "number/min": {"cpm", "opm", "rpm", "wpm", "none", "short"},
    "number": {"none", "short", "locale", "sishort", "bool", "string"},
    "part": {"percentunit", "none", "short", "locale"},
}
"""Unit → Grafana's names. Where it is `number`, currencies and words before or behind count too."""
_PER_TIME = {60.0, 3600.0, 86_400.0}
_MILLI = 1000.0
_RATES = {"rate", "irate", "deriv"}
_KEEPING = {
    "increase", "delta", "idelta", "abs", "ceil", "floor", "round", "clamp", "clamp_min", "clamp_max", "sort",
    "sort_desc", "scalar", "vector", "predict_linear", "last_over_time", "max_over_time", "min_over_time",
    "avg_over_time", "sum_over_time", "stddev_over_time", "median_over_time", "first_over_time",
}  # fmt: skip
_FIRST_ARGUMENT = {"label_replace", "label_join", "sort_by_label", "sort_by_label_desc"}


def of(tree: Any, recorded: Callable[[str], str | None]) -> str:
    """The unit of an expression.

    Args:
        tree: Its syntax tree, as Prometheus' `parse_query` gives it.
        recorded: The unit of a series that a rule records; None where it records none of this name.
    """
    match tree["type"]:
        case "vectorSelector" | "matrixSelector":
            return recorded(tree["name"]) or of_name(tree["name"])
        case "parenExpr" | "unaryExpr" | "subquery" | "stepInvariantExpr":
            return of(tree["expr"], recorded)
        case "numberLiteral":
            return "constant"
        case "aggregation":
            inner = of(tree["expr"], recorded)
            return "number" if tree["op"] in {"count", "group", "count_values"} else inner
        case "call":
            return _call(tree, recorded)
        case "binaryExpr":
            return _binary(tree, recorded)
    return "any"


def of_name(name: str) -> str:
    """A metric's unit, as its name says."""
    if name.endswith(("_bucket", "_count")):
        return "number"
    bare = name.removesuffix("_total").removesuffix("_sum")
    if name == "ALERTS_FOR_STATE" or bare.endswith(("_timestamp_seconds", "_start_time_seconds", "_boot_time_seconds")):
        return "timestamp"
    for suffix, unit in (("_seconds", "s"), ("_bytes", "bytes"), ("_ratio", "ratio")):
        if bare.endswith(suffix):
            return unit
    return "number"


def agrees(unit: str, shown: str) -> bool:
    """Whether Grafana's unit can show it."""
    if unit in ("any", "constant"):
        return True
    if unit in ("number", "part") and shown.startswith(("currency", "suffix:", "prefix:", "si:")):
        return True
    return shown in SHOWN_AS.get(unit, set())


def _call(tree: Any, recorded: Callable[[str], str | None]) -> str:
    name, arguments = tree["func"]["name"], tree["args"]
    if name in _RATES:
        return _per_second(of(arguments[0], recorded))
    if name in ("time", "timestamp"):
        return "timestamp"
    if name == "histogram_quantile":
        return of_name(_bucket(arguments[1]))
    if name == "quantile_over_time":
        return of(arguments[1], recorded)
    if name in _KEEPING | _FIRST_ARGUMENT:
        return of(arguments[0], recorded) if arguments else "any"
    if name in ("absent", "absent_over_time", "count_over_time", "changes", "resets", "sgn", "present_over_time"):
        return "number"
    return "any"


def _binary(tree: Any, recorded: Callable[[str], str | None]) -> str:
    left, right, op = of(tree["lhs"], recorded), of(tree["rhs"], recorded), tree["op"]
    if op in ("==", "!=", "<", ">", "<=", ">="):
        return "number" if tree["bool"] else left
    if op in ("and", "unless"):
        return left
    if op in ("or", "+", "%"):
        return right if left == "constant" else left if right in (left, "constant") else "any"
    if op == "-":
        return "s" if left == right == "timestamp" else _minus(left, right)
    if op == "*":
        if "constant" in (left, right):
            other, number = (right, tree["lhs"]) if left == "constant" else (left, tree["rhs"])
            return _scaled(other, _number(number))
        return _times(left, right)
    return _divided(left, right, _number(tree["rhs"]) if op == "/" else None)


def _minus(left: str, right: str) -> str:
    if left == "constant":
        return right
    return left if right in (left, "constant") else "any"


def _times(left: str, right: str) -> str:
    units = {left, right}
    if "ratio" in units or "part" in units:
        (other,) = units - {"ratio", "part"} or {"ratio"}
        return other
    return "number" if units == {"number"} else "any"


def _scaled(unit: str, by: float | None) -> str:
    if by == 0:
        return "constant"
    if unit == "timestamp" and by == _MILLI:
        return "timestamp ms"
    if unit == "ratio" and by == 100:
        return "percent"
    if by in _PER_TIME and unit.endswith("/s"):
        return "number/min" if (unit, by) == ("number/s", 60) else unit.removesuffix("/s") if unit != "s/s" else "any"
    return unit


def _divided(left: str, right: str, by: float | None) -> str:
    if by is not None:
        return left if left != "ratio" else "any"
    if left == "constant":
        return "any"
    if left == right:
        return "part" if left in ("number", "number/s", "number/min", "ratio", "part") else "ratio"
    if left.endswith("/s") and right == "number/s":
        return left.removesuffix("/s")
    if right in ("number", "number/s", "ratio", "part"):
        return left.removesuffix("/s") if right.endswith("/s") else left
    return "any"


def _per_second(unit: str) -> str:
    return unit if unit == "any" else f"{unit}/s" if unit != "ratio" else "any"


def _number(tree: Any) -> float | None:
    while tree["type"] == "parenExpr":
        tree = tree["expr"]
    if tree["type"] == "numberLiteral":
        return float(tree["val"])
    return None


def _bucket(tree: Any) -> str:
    """The name of the histogram whose buckets an expression is about."""
    while tree["type"] not in ("vectorSelector", "matrixSelector"):
        tree = tree["args"][0] if tree["type"] == "call" else tree.get("expr") or tree["lhs"]
    return str(tree["name"]).removesuffix("_bucket")
