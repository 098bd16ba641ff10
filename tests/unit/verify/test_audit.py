"""`deskwatch verify` from end to end, against a fake Loki and metrics that tests decide."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskwatch import cli
from deskwatch.journal import names
from deskwatch.journal.line import frame
from deskwatch.journal.walk import Walk
from deskwatch.sinks.loki.push import Push
from deskwatch.verify import metrics as metrics_side
from tests.fakes import loki as fake_loki
from tests.fakes import metrics as fake_metrics
from tests.fakes.loki import FakeLoki
from tests.fakes.loki_query import entries_of
from tests.lines import BOT, line_of, segment_files, write
from tests.unit.verify.world import ERROR, FILL, PRICE, append, entry_of, events, forget, put_aside, ship


class World:
    """A home with a journal, a Loki and a sidecar's metrics; `verify` runs the command."""

    def __init__(self, home: Path, loki: FakeLoki, metrics: fake_metrics.FakeMetrics, capsys: Any) -> None:
        self.home = home
        self.loki = loki
        self.metrics = metrics
        self._capsys = capsys

    def follow(self, *, followed: bool = True) -> None:
        """The sidecar follows the journals to their end."""
        self.metrics.text = fake_metrics.of_journals(self.home, followed=followed)

    def verify(self, *flags: str) -> tuple[int, Any]:
        """Status and the JSON document."""
        status, out, err = self.say("--json", *flags)
        assert err == "", err
        return status, json.loads(out)

    def say(self, *flags: str) -> tuple[int, str, str]:
        """Status, stdout and stderr."""
        sides = ["--home", str(self.home), "--url", self.metrics.url, "--loki-url", self.loki.url]
        status = cli.main(["verify", *sides, *flags])
        said = self._capsys.readouterr()
        return status, said.out, said.err


@pytest.fixture
def world(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Thirty events of three kinds, followed and shipped."""
    monkeypatch.setattr(metrics_side, "WAIT_SECONDS", 0.3)
    with fake_loki.running() as loki, fake_metrics.running() as metrics:
        one = World(home, loki, metrics, capsys)
        write(home, events(30))
        one.follow()
        ship(home, loki)
        yield one


def told(document: Any) -> list[tuple[str, str, int, list[list[int]]]]:
    return [(one["what"], one["kind"], one["count"], one["ranges"]) for one in document["differences"]]


@pytest.mark.parametrize("followed", [True, False], ids=["exact", "between scrapes"])
def test_all_agree_where_nothing_was_lost(world: World, followed: bool) -> None:
    world.follow(followed=followed)
    status, document = world.verify()
    assert (status, document["ok"], document["differences"]) == (0, True, [])
    whole, *kinds = document["rows"]
    assert (whole["kind"], whole["journal"], whole["metrics"], whole["loki"]) == ("all", 30, 30, 30)
    assert [(row["kind"], row["first_seq"], row["last_seq"], row["loki"]) for row in kinds] == [
        ("logs", 2, 29, 10),
        ("market", 1, 28, 10),
        ("orders", 3, 30, 10),
    ]


def test_a_line_that_loki_lost_is_named_and_mended(world: World) -> None:
    forget(world.loki, 7, 8, 9, 20)
    status, document = world.verify()
    assert status == 1
    assert told(document) == [
        ("missing", "logs", 2, [[8, 8], [20, 20]]),
        ("missing", "market", 1, [[7, 7]]),
        ("missing", "orders", 1, [[9, 9]]),
    ]
    status, out, _ = world.say()
    assert status == 1
    assert "arb-1/main logs: 2 lines missing in Loki: seq 8, 20\n" in out
    assert "differ: 3 differences over 30 lines" in out
    status, document = world.verify("--repair")
    assert (status, document["repaired"]["shipped"], document["ok"]) == (0, 4, True)
    late = [
        (line, dict(metadata), ts)
        for key, stored in world.loki.streams.items()
        for ts, line, metadata in entries_of(stored)
        if dict(key)["lane"] == "late"
    ]
    assert sorted(int(metadata["seq"]) for _, metadata, _ in late) == [7, 8, 9, 20]
    assert all(json.loads(line)["ts"] == int(metadata["event_ts"]) < ts for line, metadata, ts in late)
    assert "agree on 30 lines" in world.say()[1]


def test_a_repair_that_loki_puts_off_is_the_same_push_again(world: World) -> None:
    forget(world.loki, 7, 8)
    world.loki.answers.extend([503, -1, 0])  # -1 stores and hangs up: it is pushed again, and known
    status, document = world.verify("--repair")
    assert (status, document["repaired"]["shipped"], world.loki.repeats) == (0, 2, 2)


def test_a_repair_ends_when_its_time_is_over(world: World) -> None:
    forget(world.loki, 7)
    world.loki.down = True
    status, out, _ = world.say("--repair", "--repair-seconds", "0.2")
    assert status == 1
    assert "repair: 0 lines shipped again into the late lane; not all, as the time was over (503)" in out


def test_entries_twice_unknown_and_changed_are_told_apart(world: World) -> None:
    push = Push(world.loki.url)
    first, second, *_ = Walk(world.home, BOT, "main")
    run = json.loads(first.text)["run"].encode()
    again = entry_of(first, BOT, "main")
    again = msgspec.structs.replace(again, metadata={**again.metadata, "level": "debug"})
    stranger = entry_of(first._replace(text=line_of(PRICE, seq=77, ts=time.time_ns())), BOT, "main")
    later = json.loads(second.text)["ts"] + 5
    changed = entry_of(second._replace(text=frame(b'{"type":"x"}', ts=later, seq=2, run=run)[:-1]), BOT, "main")
    forget(world.loki, 2)
    assert push.send([again, stranger, changed]).outcome == "stored"
    push.close()
    status, document = world.verify()
    assert status == 1
    assert sorted(told(document)) == [
        ("changed", "logs", 1, [[2, 2]]),
        ("duplicates", "market", 1, [[1, 1]]),
        ("unexpected", "market", 1, [[77, 77]]),
    ]


@pytest.mark.parametrize("key", [("seq", "--5"), ("seq", "9" * 5000), ("at", "9" * 5000 + ":0"), ("at", "x")])
def test_an_entry_whose_key_is_no_number_is_in_no_journal(world: World, key: tuple[str, str]) -> None:
    push = Push(world.loki.url)
    entry = entry_of(next(iter(Walk(world.home, BOT, "main"))), BOT, "main")
    metadata = {name: text for name, text in entry.metadata.items() if name != "seq"}
    odd = msgspec.structs.replace(entry, ts=entry.ts + 1, line='{"odd":1}', metadata={**metadata, key[0]: key[1]})
    assert push.send([odd]).outcome == "stored"
    push.close()
    status, document = world.verify()
    assert (status, told(document)) == (1, [("unexpected", "market", 1, [])])


def test_what_the_sink_has_not_delivered_is_not_missing(world: World) -> None:
    write(world.home, events(5))
    world.follow()
    status, document = world.verify()
    assert (status, document["rows"][0]["journal"], document["rows"][0]["loki"]) == (0, 35, 30)
    assert document["notes"] == ["5 of the newest lines were not delivered to Loki yet, and not asked for"]


def test_metrics_that_counted_otherwise_are_told_by_type(world: World) -> None:
    world.metrics.text = world.metrics.text.replace(
        'type="order_filled",writer="main"} 10.0', 'type="order_filled",writer="main"} 9.0'
    )
    status, document = world.verify()
    assert status == 1
    assert [one["words"] for one in document["differences"]] == [
        "order_filled: expected 10 events in the metrics as in the journal, was 9"
    ]
    world.metrics.text += 'deskwatch_events_total{bot="ghost",type="x",writer="main"} 3.0\n'
    assert "there is no such journal in this home" in world.say()[1]
    assert world.verify("--bot", BOT)[1]["differences"] == document["differences"]


def test_types_that_found_no_room_in_the_metrics_are_no_difference(world: World) -> None:
    counted = f'{{bot="{BOT}",type="order_filled",writer="main"}}'
    world.metrics.text = world.metrics.text.replace(counted, f'{{bot="{BOT}",type="__other__",writer="__other__"}}')
    status, document = world.verify()
    assert (status, document["differences"]) == (0, [])
    assert "10 events are counted under __other__: too many series to compare each" in document["notes"]


def test_a_journal_that_grew_since_the_scrape_is_compared_at_the_scrapes_place(world: World) -> None:
    write(world.home, events(7))
    status, document = world.verify("--bot", BOT)
    assert [one["what"] for one in document["differences"]] == ["followed"]  # it was given time, and did not follow
    assert status == 1
    assert document["rows"][0]["metrics"] == 30


def test_a_journal_cut_behind_what_was_followed_is_told(world: World) -> None:
    file = segment_files(world.home)[0]
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-2]))
    status, document = world.verify()
    assert status == 1
    assert {one["what"] for one in document["differences"]} == {"followed", "metrics", "changed"}


def test_invalid_lines_are_counted_by_reason_and_belong_in_the_quarantine(world: World) -> None:
    append(world.home, b"no event\n" + line_of(PRICE, seq=31).replace(b"3000.5", b"9000.5") + b"\n")
    world.follow()
    for entries in (world.loki.streams.values(),):
        for stored in entries:
            entries_of(stored).clear()
    world.loki._known.clear()
    ship(world.home, world.loki)
    status, document = world.verify()
    assert (status, document["differences"]) == (0, [])
    row = document["rows"][1]
    assert (row["kind"], row["journal"], row["metrics"], row["loki"], row["quarantined"]) == ("(no event)", 2, 2, 0, 2)
    (world.home / "sinks" / "loki.quarantine.ndjson").unlink()
    status, document = world.verify()
    assert (status, told(document)) == (1, [("quarantine", "(no event)", 2, [])])


def test_rows_of_an_older_quarantine_excuse_one_line_each(world: World) -> None:
    forget(world.loki, 4, 5)
    lines = list(Walk(world.home, BOT, "main"))
    put_aside(world.home, BOT, "main", lines[3], "400", with_place=False)
    assert told(world.verify()[1]) == [("missing", "logs", 1, [[5, 5]])]


def test_gaps_and_repeats_of_the_journal_are_faults(world: World) -> None:
    file = segment_files(world.home)[0]
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:10], *lines[12:], lines[20]]))
    world.follow(followed=False)
    status, document = world.verify("--no-metrics")
    assert status == 1
    by_what = {one["what"]: one for one in document["differences"]}
    assert by_what["gaps"]["ranges"] == [[11, 12]]
    assert document["rows"][0]["gaps"] == 2
    assert by_what["repeats"]["count"] == 1


def test_lines_without_seq_are_known_by_their_place(world: World) -> None:
    now = time.time_ns()
    append(world.home, b"".join(b'{"ts":%d,"type":"heartbeat"}\n' % now for _ in range(3)))
    ship(world.home, world.loki)
    world.follow()
    assert world.verify()[0] == 0
    stored = next(one for key, one in world.loki.streams.items() if dict(key)["kind"] == "other")
    del entries_of(stored)[1]
    status, document = world.verify()
    assert status == 1
    assert [one["words"] for one in document["differences"]] == ["1 line missing in Loki: 1 line without seq"]
    assert world.verify("--repair")[0] == 0


def test_lines_shipped_by_an_older_sink_are_known_by_their_bytes(world: World) -> None:
    append(world.home, frame(b'{"type":"price_observed","venue":1.5}', ts=time.time_ns(), seq=31, run=b"another"))
    *_, last = Walk(world.home, BOT, "main")
    entry = entry_of(last, BOT, "main")
    nameless = msgspec.structs.replace(entry, ts=time.time_ns(), metadata={"writer": "main", "invalid": "fields"})
    ship(world.home, world.loki, without=lambda one: one.metadata.get("seq") == "31")
    world.follow()
    assert told(world.verify()[1]) == [("missing", "(no event)", 1, [[31, 31]])]
    push = Push(world.loki.url)
    push.send([nameless])
    push.close()
    assert world.verify()[0] == 0


def test_old_lines_that_loki_may_not_show_yet_are_not_shipped_again_unasked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fakes.loki_query.CONFIG", "querier:\n  query_ingesters_within: 1ms\n")
    forget(world.loki, 7)
    status, document = world.verify("--repair")
    assert (status, document["repaired"]["shipped"]) == (1, 0)
    assert "verify again later" in document["hints"][0]
    status, document = world.verify("--repair", "--repair-older")
    assert (status, document["repaired"]["shipped"]) == (0, 1)


def test_where_the_oldest_of_every_kind_are_missing_loki_may_have_deleted_them(world: World) -> None:
    old = time.time_ns() - 3 * 86400 * 10**9
    file = segment_files(world.home)[0]
    of_old = [line_of((PRICE, ERROR, FILL)[seq % 3], seq=seq, ts=old + seq) + b"\n" for seq in range(1, 7)]
    file.write_bytes(b"".join([*of_old, *file.read_bytes().splitlines(keepends=True)[6:]]))
    world.loki.streams.clear()
    world.loki._known.clear()
    ship(world.home, world.loki)
    world.follow()
    assert world.verify()[0] == 0
    forget(world.loki, *range(1, 7))
    assert world.verify("--loki-keeps", "2d")[0] == 0
    assert world.verify("--loki-keeps", "4d")[0] == 1
    status, document = world.verify("--repair")
    assert (status, document["repaired"]) == (1, None)
    assert "--loki-keeps 30d" in document["hints"][0]
    status, document = world.verify("--repair", "--loki-keeps", "forever")
    assert (status, document["repaired"]["shipped"]) == (0, 6)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--no-metrics", "--loki-url", ""], "expected --loki-url to start with"),
        (["--loki-url", "loki:3100"], "expected --loki-url to start with"),
        (["--loki-url", "http://127.0.0.1:1"], "check --loki-url"),
        (["--url", "http://127.0.0.1:1"], "--no-metrics"),
        (["--bot", "nobody"], "expected a journal of nobody"),
        (["--loki-keeps", "long"], "expected a duration"),
        (["--token-file", "/nowhere"], "expected a token in /nowhere"),
    ],
)
def test_what_can_not_be_asked_is_told_in_one_line_with_status_2(world: World, flags: list[str], words: str) -> None:
    status, out, err = world.say(*flags)
    assert (status, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_nothing_to_compare_with_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DESKWATCH_LOKI_URL", raising=False)
    names.writer_folder(home, BOT, "main").mkdir(parents=True)
    assert cli.main(["verify", "--home", str(home), "--no-metrics"]) == 2
    assert cli.main(["verify", "--home", str(home), "--repair"]) == 2
    assert "expected something to compare the journals with" in capsys.readouterr().err
