"""`ctl watch`: how an event is printed."""

from __future__ import annotations

import json

import msgspec

from deskwatch.control.watching import for_people, for_scripts
from deskwatch.live import Entry

RAW = {"type": "log_recorded", "message": "\x1b[2J\u202e", "order_id": "1", "price": None}
ENTRY = Entry(id="a/main/1.0", bot="a", kind="logs", type="log_recorded", raw=msgspec.Raw(json.dumps(RAW).encode()))


def test_people_get_one_harmless_line() -> None:
    assert for_people(ENTRY).endswith(r" a log_recorded message \x1b[2J\u202e, order_id 1")


def test_scripts_get_json_that_says_the_same_and_holds_no_escape_code() -> None:
    shown = for_scripts(ENTRY)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert json.loads(shown) == {"bot": "a", "id": "a/main/1.0", "event": RAW}
