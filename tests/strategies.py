"""Hypothesis strategies: events of every family, records, and the lines of journals.

An event's strategy is made from its fields' types, so that a new event is covered as soon as it exists.
"""

from __future__ import annotations

import enum
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from deskwatch import events as ev
from deskwatch.events import EVENTS, Event
from deskwatch.journal import Record
from tests.lines import START_NS, line_of, record_of, writer_of

text = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
"""Any text that UTF-8 can hold: quotes, newlines, controls and all."""
names = st.sampled_from(("a", "b", "ETH/USDT", 'quo"te\\', "new\nline", "")) | text
"""Few different names, so that events meet, and now and then any text."""
integers = st.integers(-(2**63), 2**63 - 1)
counts = st.integers(0, 2**40)
numbers = st.floats(allow_nan=False, allow_infinity=False)
"""Whatever a float64 holds, up to its limits."""
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | numbers | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
bots = st.sampled_from(("arb-1", "arb-2"))
near = st.integers(-(10**12), 10**12)
"""Nanoseconds before or after the start."""
anywhen = near | st.sampled_from((-START_NS, -(2**62), 2**62))
"""The same of a clock that may be off by centuries."""


Plain = dict[Any, st.SearchStrategy[Any]]
"""Values of the types that others are made of."""
USUAL: Plain = {
    Any: json_values,
    types.NoneType: st.none(),
    bool: st.booleans(),
    str: names,
    float: numbers,
    int: integers,
}
HOSTILE: Plain = {
    **USUAL,
    str: st.sampled_from(("a", "", "\0\r\n\x7f", "x" * 2000, "__other__", "-5", "9" * 400, "1e999", "NaN", "\u0663"))
    | names,
    float: st.sampled_from((0.0, -0.0, -1.0, 0.5, 1.0, 1.5, 1e308, -1e308, 5e-324, -5e-324, 2.0**63, 1e19)) | numbers,
    int: st.sampled_from((0, -1, 1, 2**63 - 1, -(2**63))) | integers,
}
"""What a faulty bot writes: figures beyond all bounds, and text that is no name and no number."""


def of_type(hint: Any, plain: Plain) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return of_type(arguments[0], plain)
    if origin in (Union, types.UnionType):
        return st.one_of(*(of_type(each, plain) for each in arguments))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is dict:
        return st.dictionaries(text, of_type(arguments[1], plain), max_size=3)
    if origin is list:
        return st.lists(of_type(arguments[0], plain), max_size=3)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return st.sampled_from(list(hint))
    return plain[hint]


def events_of(cls: type[Event], plain: Plain = USUAL) -> st.SearchStrategy[Event]:
    """Events of one class, with and without their optional fields."""
    hints = get_type_hints(cls, include_extras=True)
    fields = msgspec.structs.fields(cls)
    required = {field.name: of_type(hints[field.name], plain) for field in fields if field.required}
    optional = {field.name: of_type(hints[field.name], plain) for field in fields if not field.required}
    return st.fixed_dictionaries(required, optional=optional).map(lambda values: cls(**values))


any_event = st.sampled_from(sorted(EVENTS)).flatmap(lambda tag: events_of(EVENTS[tag]))
"""An event of any type."""
hostile_event = st.sampled_from(sorted(EVENTS)).flatmap(lambda tag: events_of(EVENTS[tag], HOSTILE))
"""An event of any type, with values that nobody can mean."""


@st.composite
def records(
    draw: st.DrawFn,
    *,
    max_size: int = 20,
    events: st.SearchStrategy[Event] = any_event,
    times: st.SearchStrategy[int] = near,
) -> list[Record]:
    """What followers of several bots may see: records of any type, in any order."""
    found = []
    for seq, event in enumerate(draw(st.lists(events, max_size=max_size)), 1):
        ts = START_NS + draw(times)
        run = draw(st.sampled_from((b"aaaaaaaaaaaaaaaa", b"bbbbbbbbbbbbbbbb")))
        found.append(record_of(event, bot=draw(bots), writer=writer_of(event), seq=seq, ts=ts, run=run))
    return found


lines = st.builds(line_of, any_event, seq=st.integers(1, 2**62), ts=st.integers(0, 2**62))
"""Lines as the writer frames them."""

garbage = st.binary(max_size=40).filter(lambda data: b"\n" not in data and data != b"")
"""A line that is most likely no event."""


ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ping", {}),
    ("close_all", {}),
    ("close_position", {"symbol": "S"}),
    ("close_position", {"position_id": "p1"}),
    ("close_position", {"position_id": "p1", "ratio": 0.5}),
    ("close_position", {"symbol": "S", "quantity": 1.0}),
    ("cancel_orders", {}),
    ("cancel_orders", {"symbol": "S"}),
    ("set_mode", {"mode": "active"}),
    ("set_mode", {"mode": "halted"}),
    ("set_watchlist", {"symbols": ["S", "T"]}),
    ("reload_config", {}),
    ("rebalance", {"ratio": 1}),
)
"""Types of commands with parameters."""
_where: Any = {"venue": "v", "symbol": "S"}
_HAPPENS: tuple[ev.Event, ...] = (
    *(ev.ModeChanged(mode=mode) for mode in (ev.Mode.ACTIVE, ev.Mode.HALTED)),
    ev.HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.0, mode=ev.Mode.ACTIVE),
    *(
        ev.PositionOpened(position_id=name, side="long", quantity=2.0, entry_price=1.0, asset="A", **_where)
        for name in ("p1", "p2")
    ),
    ev.PositionUpdated(position_id="p1", quantity=1.0),
    *(ev.PositionClosed(position_id=name, realized_pnl=0.0, asset="A", **_where) for name in ("p1", "p2")),
    ev.OrderSubmitted(order_id="o1", side="buy", quantity=1.0, **_where),
    ev.OrderSubmitted(order_id="o2", venue="v", symbol="T", side="buy", quantity=1.0),
    ev.OrderFilled(order_id="o1", side="buy", quantity=1.0, price=1.0, final=True, **_where),
    ev.OrderCanceled(order_id="o1", **_where),
    ev.OrderCanceled(order_id="o2", venue="v", symbol="T"),
    ev.WatchlistChanged(symbols=["T", "S"]),
    ev.WatchlistChanged(symbols=["S"]),
    ev.ConfigReloaded(),
    ev.BotStarted(pid=1, host="h", mode=ev.Mode.STANDBY),
    ev.BotStarted(pid=1, host="h", mode=ev.Mode.ACTIVE),
    ev.BotStopped(reason="closed"),
    ev.WatchStarted(source="freqtrade", peer="http://f"),
)
"""What a bot's journal may show while commands are on their way."""


@st.composite
def commands_of_a_bot(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """What the sidecar and the bot said about some commands, and what happened: `control` and `main`, each in order."""
    control: list[Event] = []
    words: list[list[Event]] = []
    for number in range(draw(st.integers(1, 3))):
        kind, params = draw(st.sampled_from(ASKED))
        named = {"command_id": f"c{number}", "command": kind}
        expires = START_NS + 30 * 10**9
        control.append(ev.CommandAccepted(params=params, actor="operator", expires_ts=expires, **named))
        end = draw(st.sampled_from(("none", "expired", "unconfirmed")))
        if end == "expired":
            control.append(ev.CommandExpired(**named))
        if end == "unconfirmed":
            control.append(ev.CommandUnconfirmed(error="not seen", **named))
        said: list[Event] = []
        if draw(st.booleans()):
            said.append(ev.CommandStarted(params=params or None, **named))
            outcome = draw(st.sampled_from(("none", "succeeded", "failed")))
            if outcome == "succeeded":
                said.append(ev.CommandSucceeded(result={"closed": 1}, **named))
            if outcome == "failed":
                said.append(ev.CommandFailed(error="no", **named))
        words.append(said)
    words.append(draw(st.lists(st.sampled_from(_HAPPENS), max_size=12)))
    main: list[Event] = []
    while any(words):
        main.append(draw(st.sampled_from([one for one in words if one])).pop(0))
    return control, main
