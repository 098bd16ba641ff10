"""PromQL's syntax trees, as Prometheus' `parse_query` gives them: what they name, and which labels come out of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

SELECTORS = ("vectorSelector", "matrixSelector")
COMPARISONS = {"==", "!=", "<", ">", "<=", ">="}
SETS = {"and", "or", "unless"}
_NO_LABELS = {"time", "vector", "scalar", "pi"}
Labels = frozenset[str] | None
"""None: any label may be there, as nothing is known of the metric."""


class Place(NamedTuple):
    """A node and what is around it."""

    node: Any
    above: tuple[Any, ...]
    """The nodes around it, the nearest last."""


def places(tree: Any, above: tuple[Any, ...] = ()) -> Iterator[Place]:
    """All nodes of a tree."""
    yield Place(tree, above)
    for below in _below(tree):
        yield from places(below, (*above, tree))


def selectors(tree: Any) -> Iterator[Place]:
    """All selectors of a tree."""
    return (one for one in places(tree) if one.node["type"] in SELECTORS)


def _below(tree: Any) -> Iterator[Any]:
    for key in ("expr", "lhs", "rhs", "param"):
        if isinstance(tree.get(key), dict):
            yield tree[key]
    yield from tree.get("args") or ()


def labels(tree: Any, known: Callable[[str], Labels]) -> Labels:
    """Labels that series of the answer may have.

    Args:
        tree: The expression.
        known: Labels of a metric, None where they are not known.
    """
    match tree["type"]:
        case "vectorSelector" | "matrixSelector":
            return known(tree["name"])
        case "numberLiteral" | "stringLiteral":
            return frozenset()
        case "aggregation":
            return _aggregated(tree, labels(tree["expr"], known))
        case "call":
            return _called(tree, known)
        case "binaryExpr":
            return _joined(tree, labels(tree["lhs"], known), labels(tree["rhs"], known))
        case _:
            return labels(tree["expr"], known)


def _aggregated(tree: Any, inner: Labels) -> Labels:
    grouping = frozenset(tree["grouping"])
    if tree["op"] in ("topk", "bottomk", "limitk"):
        return inner
    if tree["without"]:
        return None if inner is None else inner - grouping
    return grouping if inner is None else grouping & inner


def _called(tree: Any, known: Callable[[str], Labels]) -> Labels:
    name, arguments = tree["func"]["name"], tree["args"]
    if name in _NO_LABELS or not arguments:
        return frozenset()
    if name in ("absent", "absent_over_time"):
        matchers = [one for place in selectors(arguments[0]) for one in place.node["matchers"]]
        return frozenset(one["name"] for one in matchers if one["type"] == "=" and one["name"] != "__name__")
    inner = labels(next((one for one in arguments if _is_vector(one)), arguments[0]), known)
    if name == "label_replace" and inner is not None:
        return inner | {arguments[1]["val"]}
    return inner - {"le"} if name == "histogram_quantile" and inner is not None else inner


def _joined(tree: Any, left: Labels, right: Labels) -> Labels:
    if not _is_vector(tree["rhs"]):
        return left
    if not _is_vector(tree["lhs"]):
        return right
    if tree["op"] == "or":
        return None if left is None or right is None else left | right
    if tree["op"] in SETS:
        return left
    matching = tree["matching"] or {"card": "one-to-one", "on": False, "labels": [], "include": []}
    if matching["card"] == "one-to-many":
        left = right
    if matching["card"] != "one-to-one":
        return None if left is None else left | frozenset(matching["include"])
    if matching["on"]:
        return frozenset(matching["labels"])
    return None if left is None else left - frozenset(matching["labels"])


def _is_vector(tree: Any) -> bool:
    """Whether it is no number."""
    match tree["type"]:
        case "numberLiteral" | "stringLiteral":
            return False
        case "parenExpr" | "unaryExpr":
            return _is_vector(tree["expr"])
        case "call":
            return tree["func"]["name"] not in ("time", "scalar", "pi")
        case "binaryExpr":
            return _is_vector(tree["lhs"]) or _is_vector(tree["rhs"])
    return True
