"""The audit trail, and what is found when somebody changed it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskwatch import base, cli
from deskwatch.audit import read
from deskwatch.audit.trail import Key
from deskwatch.encoding import encode
from deskwatch.errors import ConfigError
from deskwatch.events import CommandAccepted, CommandExpired, SignInRefused, TokenMade
from deskwatch.journal import Position, names
from deskwatch.journal.chained import ChainedWriter, digest
from deskwatch.journal.line import frame
from deskwatch.journal.walk import Walk
from deskwatch.projections import Projections
from tests.lines import line_of, segment_files, write


def accepted(number: int, reason: str | None = "a test") -> CommandAccepted:
    return CommandAccepted(
        command_id=f"c{number}", command="ping", params={"n": number}, actor="night", expires_ts=1, reason=reason
    )


def chain(home: Path, *events: Any, bot: str = "arb-1", segment_bytes: int = 10**6) -> Path:
    """Journal events as the sidecar does; the first segment."""
    writer = ChainedWriter(names.writer_folder(home, bot, names.CONTROL), segment_bytes=segment_bytes).open()
    for event in events:
        writer.append(encode(event))
    writer.close()
    return segment_files(home, bot=bot, writer=names.CONTROL)[0]


def test_it_says_who_did_what_when_and_why_newest_first(home: Path) -> None:
    chain(home, accepted(1), CommandExpired(command_id="c1", command="ping"))
    chain(home, SignInRefused(route="GET /", remote="10.0.0.9", problem="wrong", attempts=7), bot="_sidecar")
    chain(home, TokenMade(name="day", scopes=["read"]), bot="_sidecar")
    found = read(home)
    assert [(one.bot, one.type, one.actor, one.reason) for one in found.entries] == [
        ("_sidecar", "token_made", "sidecar", None),
        ("_sidecar", "sign_in_refused", "10.0.0.9", None),
        ("arb-1", "command_expired", "sidecar", None),
        ("arb-1", "command_accepted", "night", "a test"),
    ]
    assert found.entries[1].details == {"route": "GET /", "problem": "wrong", "attempts": 7}
    assert found.entries[3].details["params"] == {"n": 1}
    assert (found.breaks, found.unchained, found.lines) == ([], 0, 4)
    assert [one.bot for one in read(home, ["arb-1"]).entries] == ["arb-1", "arb-1"]
    assert read(home, ["arb-2"]).entries == []


def test_pages_make_up_the_whole(home: Path) -> None:
    for bot in ("a", "b", "c"):
        chain(home, *map(accepted, range(7)), bot=bot)
    whole = read(home).entries
    paged: list[Any] = []
    before = None
    while True:
        page = read(home, limit=4, before=before)
        paged += page.entries
        if not page.has_more:
            break
        before = Key.parse(str(page.entries[-1].key))
    assert paged == whole
    assert len(whole) == 21


@pytest.mark.parametrize("text", ["", "1", "1.2", "x.1.a", "1.x.a", "1.1.", "9" * 30 + ".1.a", "-1.1.a"])
def test_a_page_that_is_none_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="`next` of an earlier page"):
        Key.parse(text)


def forged(lines: list[bytes], at: int) -> bytes:
    """A sound line of its own, with a good CRC."""
    return line_of(accepted(99), seq=at + 1)


def edit(lines: list[bytes], at: int) -> list[bytes]:
    return [*lines[:at], forged(lines, at), *lines[at + 1 :]]


def remove(lines: list[bytes], at: int) -> list[bytes]:
    return [*lines[:at], *lines[at + 1 :]]


def insert(lines: list[bytes], at: int) -> list[bytes]:
    return [*lines[:at], forged(lines, at), *lines[at:]]


def swap(lines: list[bytes], at: int) -> list[bytes]:
    return [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]


def double(lines: list[bytes], at: int) -> list[bytes]:
    return [*lines[: at + 1], *lines[at:]]


def garble(lines: list[bytes], at: int) -> list[bytes]:
    return [*lines[:at], lines[at].replace(b"night", b"nighT"), *lines[at + 1 :]]


@settings(max_examples=60)
@given(
    change=st.sampled_from([edit, remove, insert, swap, double, garble]),
    at=st.integers(0, 7),
    segment_bytes=st.sampled_from([400, 900, 10**6]),
)
def test_whoever_changes_a_line_is_found_out_at_the_place(
    change: Callable[[list[bytes], int], list[bytes]],
    at: int,
    segment_bytes: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("home")
    chain(home, *map(accepted, range(10)), segment_bytes=segment_bytes)
    assert read(home).breaks == []
    files = segment_files(home, writer=names.CONTROL)
    lines = [line for file in files for line in file.read_bytes().splitlines()]
    for file in files[1:]:
        file.unlink()
    changed = change(lines, at)
    files[0].write_bytes(b"".join(line + b"\n" for line in changed))
    breaks = read(home).breaks
    assert breaks
    first = len(b"".join(line + b"\n" for line in changed[:at]))
    assert first <= breaks[0].offset <= first + len(changed[at]) + 1
    assert breaks[0].file == f"arb-1/control/{files[0].name}"


def test_lines_of_a_version_that_made_no_chain_are_counted_and_the_chain_begins_behind_them(home: Path) -> None:
    write(home, map(accepted, range(3)), writer=names.CONTROL)
    chain(home, accepted(3), accepted(4))
    found = read(home)
    assert (found.breaks, found.unchained, found.lines) == ([], 3, 5)
    (file,) = segment_files(home, writer=names.CONTROL)
    lines = file.read_bytes().splitlines()
    file.write_bytes(b"".join(line + b"\n" for line in edit(lines, 2)))
    assert [one.seq for one in read(home).breaks] == [4]


def test_lines_whose_predecessors_retention_removed_are_whole_and_others_are_not(home: Path) -> None:
    chain(home, *map(accepted, range(10)), segment_bytes=900)
    first, *_ = segment_files(home, writer=names.CONTROL)
    end = first.stat().st_size
    first.unlink()
    (only,) = read(home).breaks
    assert only.offset == 0
    assert "retention did not remove" in only.detail
    removed = base.Base().with_more(Projections(), ("arb-1", names.CONTROL), Position(1, end), is_whole=True)
    removed.save(home)
    assert read(home).breaks == []


def test_the_command_prints_it_and_its_status_tells(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["audit", "--home", str(home)]) == 0
    assert "0 lines; the chain is whole" in capsys.readouterr().out
    file = chain(home, accepted(1, "look \x1b[31mhere"), accepted(2), accepted(3))
    assert cli.main(["audit", "--home", str(home), "--bot", "arb-1"]) == 0
    said = capsys.readouterr().out
    assert "night" in said
    assert "look \\x1b[31mhere" in said
    assert "\x1b[31mhere" not in said
    lines = file.read_bytes().splitlines()
    file.write_bytes(b"".join(line + b"\n" for line in edit(lines, 1)))
    assert cli.main(["audit", "--home", str(home)]) == 1
    assert f"broken at arb-1/control/{file.name} at byte {len(lines[0]) + 1} (seq 2)" in capsys.readouterr().out
    assert cli.main(["audit", "--home", str(home), "--json", "-n", "1"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["chain"] == "broken"
    assert [one["details"]["command_id"] for one in document["entries"]] == ["c3"]
    assert cli.main(["audit", "--home", str(home), "--bot", "../x"]) == 2
    assert cli.main(["audit", "--home", str(home), "--bot", "arb-1", "--bot", "abr-1"]) == 2
    assert "was abr-1" in capsys.readouterr().err


def test_a_figure_beyond_all_bounds_does_not_stop_the_reading(home: Path) -> None:
    """A line of somebody's own, sound in its frame; none of its words may keep the others from being read."""
    file = chain(home, accepted(1))
    last = file.read_bytes().splitlines()[-1]
    body = b'{"type":"x","figure":1e999,"prev":"%b"}' % digest(last).encode()
    with file.open("ab") as more:
        more.write(frame(body, ts=2**62, seq=2, run=b"r"))
    newest, other = read(home).entries
    assert "1e999" in newest.details["unreadable"]
    assert other.actor == "night"


def test_retention_that_goes_on_meanwhile_breaks_no_chain(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It remembers a segment and then removes it: also between two steps of whoever reads."""
    chain(home, *map(accepted, range(10)), segment_bytes=900)
    first, *_ = segment_files(home, writer=names.CONTROL)

    def late(*args: Any) -> Any:
        if first.exists():
            removed = Position(1, first.stat().st_size)
            base.Base().with_more(Projections(), ("arb-1", names.CONTROL), removed, is_whole=True).save(home)
            first.unlink()
        return Walk(*args)

    monkeypatch.setattr("deskwatch.audit.trail.Walk", late)
    assert read(home).breaks == []
