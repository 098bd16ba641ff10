"""`deskwatch journal stats | check | tail | grep`, as typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from deskwatch import cli
from deskwatch.encoding import encode
from deskwatch.events import ErrorOccurred, OrderFilled, PriceObserved
from deskwatch.harmless import _UNSAFE
from deskwatch.journal import Writer, names
from tests import removal, strategies
from tests.lines import BOT, line_of, segment_files, write
from tests.waiting import eventually

EVIL = "\x1b]0;owned\x07\u202e"
PRICE = PriceObserved(venue="amber", symbol="WETH/USDC", price=3000.5)
ERROR = ErrorOccurred(component="feed", kind="Timeout", message=f"late {EVIL} by 3 s")
FILL = OrderFilled(order_id="o-1", venue="amber", symbol="WETH/USDC", side="buy", quantity=1, price=2, final=True)


@pytest.fixture
def journal(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a journal command on a home with two bots; its status and what it said."""
    write(home, [PRICE, ERROR, FILL])
    write(home, [PRICE], bot="arb-2")
    monkeypatch.setenv("DESKWATCH_HOME", str(home))

    def run(*words: str) -> tuple[int, str]:
        status = cli.main(["journal", words[0], "--home", str(home), *words[1:]])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def shown(out: str) -> list[Any]:
    return [json.loads(line) for line in out.splitlines()]


def test_stats_tells_what_each_journal_holds(home: Path, journal: Any) -> None:
    with segment_files(home)[0].open("ab") as file:
        file.write(b"no event\n")
    status, out = journal("stats")
    assert status == 0
    rows = [line.split() for line in out.splitlines()]
    assert rows[0][:6] == ["journal", "files", "size", "events", "invalid", "seq"]
    assert rows[1][0] == "arb-1/main"
    assert rows[1][4:8] == ["3", "1", "1..3", "1"]
    assert rows[2][0] == "arb-2/main"
    one, another = shown(journal("stats", "--json", "--types")[1])
    assert (one["events"], one["invalid"], one["runs"], one["last_seq"]) == (3, {"json": 1}, 1, 3)
    assert one["types"] == {"error_occurred": 1, "order_filled": 1, "price_observed": 1}
    assert (another["bot"], another["events"]) == ("arb-2", 1)
    assert ["arb-2", "main", "price_observed", "1"] in [
        line.split() for line in journal("stats", "--types")[1].splitlines()
    ]


def test_check_has_nothing_to_say_of_a_sound_journal(journal: Any) -> None:
    assert journal("check") == (0, "4 lines of 2 journals: nothing wrong\n")
    assert shown(journal("check", "--json", "--bot", "arb-2")[1]) == [
        {"lines": 1, "journals": 1, "findings": 0, "by": {}}
    ]


def test_check_finds_each_kind_of_damage_at_its_place(home: Path, journal: Any) -> None:
    run = b"fedcba9876543210"
    lines = [line_of(PRICE, seq=seq, run=run) for seq in (4, 5, 9, 9, 8)]
    bad_crc = line_of(PRICE, seq=10, run=run).replace(b"3000.5", b"4000.5")
    segment = segment_files(home)[0]
    size = segment.stat().st_size
    with segment.open("ab") as file:
        file.write(b"\n".join([*lines, bad_crc, b"\x1b[2J garbage", b"torn"]))
    folder = segment.parent
    (folder / names.segment_name(20)).write_bytes(line_of(PRICE, seq=11, run=run) + b"\n")
    (folder / "notes\x1b.txt").touch()
    (home / "journal" / "not a bot").mkdir()
    status, out = journal("check", "--json")
    assert status == 1
    *found, total = shown(out)
    assert "\x1b" not in out
    assert total["by"] == {"crc": 1, "duplicate": 1, "foreign": 2, "gap": 2, "json": 1, "order": 2, "torn": 1}
    of = {what: [one for one in found if one["what"] == what] for what in total["by"]}
    third = size + sum(len(line) + 1 for line in lines[:2])
    assert [(one["file"], one["offset"]) for one in of["duplicate"]] == [
        (f"arb-1/main/{segment.name}", third + len(lines[2]) + 1)
    ]
    assert of["gap"][0]["offset"] == third
    assert "seq 6 to 7 are missing (2)" in of["gap"][0]["detail"]
    assert of["gap"][1]["offset"] == 0
    assert of["order"][0]["detail"] == "seq 8 comes after 9"
    assert "named for seq 20" in of["order"][1]["detail"]
    assert [one["file"] for one in of["foreign"]] == ["arb-1/main/notes\x1b.txt", "not a bot"]
    status, out = journal("check", "--limit", "1")
    assert status == 1
    assert "\x1b" not in out
    assert "--limit 10 prints all" in out


@pytest.mark.parametrize("words", [("stats",), ("check",), ("tail", "-n", "100"), ("grep", "-c", "WETH")])
def test_segments_that_retention_removes_meanwhile_are_done_without(
    home: Path, journal: Any, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    with_segments = Writer(names.writer_folder(home, "arb-3", "main"), segment_bytes=300).open()
    for _ in range(10):
        with_segments.append(encode(PRICE))
    with_segments.close()
    files = len(segment_files(home, bot="arb-3"))
    gone = removal.after_listing(monkeypatch, times=2)
    status, out = journal(*words, "--bot", "arb-3", "--json")
    assert (status, gone()) == (0, 2), out
    told = shown(out)
    assert len(segment_files(home, bot="arb-3")) == files - 2 > 1
    kept = sum(len(file.read_bytes().splitlines()) for file in segment_files(home, bot="arb-3"))
    counted = {"stats": "events", "check": "lines", "grep": "count"}.get(words[0])
    assert (len(told) if counted is None else told[0][counted]) == kept


def test_tail_shows_the_newest_of_all_writers_by_time(journal: Any) -> None:
    status, out = journal("tail", "-n", "2")
    assert status == 0
    first, second = out.splitlines()
    assert first.split(" ", 2)[2].startswith("arb-1/main #3 order_filled order_id=o-1 venue=amber symbol=WETH/USDC")
    assert second.split(" ", 2)[2] == "arb-2/main #1 price_observed venue=amber symbol=WETH/USDC price=3000.5"
    assert journal("tail", "-n", "0") == (0, "")
    assert len(journal("tail")[1].splitlines()) == 4
    assert len(journal("tail", "--kind", "market", "--bot", BOT)[1].splitlines()) == 1
    assert "order_filled" in journal("tail", "--type", "order_filled")[1]


def test_what_a_terminal_would_obey_is_shown_as_text(home: Path, journal: Any) -> None:
    with segment_files(home)[0].open("ab") as file:
        file.write(b'{"type":"\x1b[2J"}\n{"ts":1,"type":"a\\u001b\\u202eb","\\u0007":[1]}\n\x9b\xff\n')
    for words in (
        ("tail",),
        ("tail", "--json"),
        ("grep", "."),
        ("grep", ".", "--json"),
        ("stats", "--types"),
        ("check",),
    ):
        out = journal(*words)[1]
        assert not _UNSAFE.search(out.replace("\n", ""))
    assert r"late \u001b]0;owned\u0007\u202e by 3 s" in journal("tail")[1]
    assert r"\x9b\xff" in journal("tail")[1]


def test_json_has_the_place_and_the_line_itself(home: Path, journal: Any) -> None:
    with segment_files(home)[0].open("ab") as file:
        file.write(b'{"ts":1,\t"type":"tabs"}\r\n[1]\nnonsense\n')
    rows = shown(journal("tail", "--bot", BOT, "--json")[1])
    text = segment_files(home)[0].read_bytes()
    *events, tabs, array, nonsense = rows
    assert [one["event"]["type"] for one in events] == ["price_observed", "error_occurred", "order_filled"]
    assert all(json.loads(text[one["offset"] :].partition(b"\n")[0]) == one["event"] for one in [*events, tabs, array])
    assert (array["invalid"], nonsense["invalid"], nonsense["text"]) == ("envelope", "json", "nonsense")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(strategies.lines | strategies.garbage)
def test_any_line_is_shown_without_harm(home: Path, capsys: pytest.CaptureFixture[str], line: bytes) -> None:
    folder = names.writer_folder(home, "odd", "main")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names.segment_name(1)).write_bytes(line + b"\n")
    for words in (["tail"], ["tail", "--json"]):
        assert cli.main(["journal", *words, "--home", str(home), "--bot", "odd"]) == 0
        out = capsys.readouterr().out
        assert out.count("\n") == 1
        assert not _UNSAFE.search(out.rstrip("\n"))
    msgspec.json.decode(out)


def test_grep_finds_by_pattern_type_and_time(journal: Any) -> None:
    assert journal("grep", "TIMEOUT")[0] == 1
    assert journal("grep", "TIMEOUT", "-i")[0] == 0
    assert journal("grep", r"WETH.USDC", "-c") == (0, "3\n")
    assert journal("grep", "WETH", "-c", "--type", "order_filled", "--json") == (0, '{"count":1}\n')
    assert journal("grep", "WETH", "-c", "--since", "1h") == (0, "3\n")
    assert journal("grep", "WETH", "-c", "--until", "1h") == (1, "0\n")
    assert len(journal("grep", "WETH", "--writer", "main")[1].splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("grep", "("), "expected a regular expression"),
        (("grep", "x", "--since", "long ago"), "expected a time such as"),
        (("tail", "--kind", "orderz"), "expected --kind to be one of"),
        (("tail", "--type", "orders"), "use --kind orders"),
        (("tail", "-n", "-1"), "expected -n to be 0 or more"),
        (("stats", "--bot", "nobody"), "expected a journal of nobody/"),
    ],
)
def test_a_wrong_flag_is_told_in_one_line(words: tuple[str, ...], said: str, journal: Any) -> None:
    status, out = journal(*words)
    assert status == 2
    assert said in out
    assert out.count("\n") == 1


def test_following_shows_new_lines_of_new_bots_until_it_is_interrupted(home: Path, tmp_path: Path) -> None:
    write(home, [PRICE])
    output = tmp_path / "out"
    argv = ["env", "--default-signal=INT"]  # a shell's background job, which these tests may run in, ignores it
    argv += [sys.executable, "-m", "deskwatch", "journal", "tail", "-f", "-n", "1", "--home", str(home)]
    with output.open("wb") as file:
        child = subprocess.Popen(argv, stdout=file, stderr=subprocess.STDOUT, env=os.environ)
    try:
        eventually(lambda: "price_observed" in output.read_text(), 20)
        write(home, [FILL], bot="arb-9")
        eventually(lambda: "arb-9/main #1 order_filled" in output.read_text(), 20)
        write(home, [ERROR])
        eventually(lambda: "arb-1/main #2 error_occurred" in output.read_text(), 20)
        child.send_signal(signal.SIGINT)
        assert child.wait(60) == 0
    finally:
        child.kill()
        child.wait()
    assert len(output.read_text().splitlines()) == 3
