"""Asking a sidecar's `/metrics`."""

from __future__ import annotations

from pathlib import Path

import pytest

from deskwatch.journal import Position
from deskwatch.verify import metrics as side
from deskwatch.verify.metrics import Metrics, Unreachable, behind, parse
from tests.fakes import metrics as fake_metrics

TEXT = """# HELP deskwatch_events_total Journal lines followed.
# TYPE deskwatch_events_total counter
deskwatch_events_total{bot="b",type="quo\\"te\\\\",writer="main"} 1.2345678e+07
deskwatch_invalid_lines_total{bot="b",reason="crc",writer="main"} 2.0
deskwatch_followed_segment{bot="b",writer="main"} 1.0
deskwatch_followed_offset_bytes{bot="b",writer="main"} 6.7108864e+07
tradebot_mode{bot="b",mode="active"} 1.0
"""


def test_counters_and_places_are_read_exactly() -> None:
    scrape = parse(TEXT)
    assert scrape.events == {("b", "main", 'quo"te\\'): 12345678}
    assert scrape.invalid == {("b", "main", "crc"): 2}
    assert scrape.followed == {("b", "main"): Position(1, 67108864)}
    assert behind(scrape, {("b", "main"): Position(1, 67108865), ("c", "main"): Position(5, 0)}) == [("b", "main")]
    assert parse("").followed is None
    with pytest.raises(Unreachable, match="expected metrics in Prometheus text"):
        parse('deskwatch_events_total{bot="b\n')


def test_a_sidecar_that_is_catching_up_is_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_metrics.running() as fake:
        fake.text = TEXT
        fake.answers.extend([(503, "no"), (503, "no")])
        metrics = Metrics(fake.url, None, home)
        assert metrics.scrape().invalid.total() == 2
        monkeypatch.setattr(side, "WAIT_SECONDS", 0.0)
        for status, words in ((503, "try again later"), (401, "--token-file"), (500, "was status 500")):
            fake.answers.append((status, "no"))
            with pytest.raises(Unreachable, match=words):
                metrics.scrape()
        metrics.close()


def test_a_token_is_sent_where_one_is_given_and_the_operators_never_to_this_machine(home: Path, tmp_path: Path) -> None:
    (home / "token").write_text("the operator's own\n")
    given = tmp_path / "given"
    given.write_text("a read token\n")
    with fake_metrics.running() as fake:
        for file in (None, given):
            metrics = Metrics(fake.url, file, home)
            metrics.scrape()
            metrics.close()
        assert fake.authorizations == [None, "Bearer a read token"]
    assert Metrics("http://desk.example:9464", None, home)._headers["Authorization"] == "Bearer the operator's own"
