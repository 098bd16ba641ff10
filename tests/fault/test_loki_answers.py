"""Whatever Loki answers: only 204, or a written quarantine, moves the cursor, and nothing is lost."""

from __future__ import annotations

import contextlib
import random
import subprocess
from collections.abc import AsyncIterator
from email.utils import formatdate
from functools import partial
from pathlib import Path

import msgspec
import pytest

from deskwatch.encoding import encode
from deskwatch.events import LogRecorded
from deskwatch.sinks.loki import Access, LokiSink, Pace
from tests.fakes import loki as fake_loki
from tests.fakes.loki import Answer, FakeLoki
from tests.running import free_port
from tests.shipping import QUICK, event, owed, quarantined, shipped, writer
from tests.soak import count
from tests.waiting import eventually_async

LINES = 40
TROUBLE = {
    "200": (Answer(status=200), "200"),
    "260": (Answer(status=260, words="blocked"), "260"),
    "401": (Answer(status=401), "401"),
    "403": (Answer(status=403), "403"),
    "404": (Answer(status=404, words="page not found"), "404"),
    "429": (Answer(status=429, words="rate limit"), "429"),
    "429, Retry-After in seconds": (Answer(status=429, headers={"Retry-After": "1"}), "429"),
    "429, Retry-After as a date": (Answer(status=429, headers={"Retry-After": formatdate(usegmt=True)}), "429"),
    "500": (Answer(status=500, words="x" * 100_000), "500"),
    "500, cut in the middle": (Answer(status=500, words="x" * 100, is_cut=True), "500"),
    "503": (Answer(status=503), "503"),
    "504": (Answer(status=504), "504"),
    "504 after storing": (Answer(status=504, stores=True), "504"),
    "reset": (Answer(status=0), "ProtocolError"),
    "reset after storing": (Answer(status=0, stores=True), "ProtocolError"),
    "time-out": (Answer(status=0, seconds=0.5), "ReadTimeoutError"),
    "time-out after storing": (Answer(status=204, seconds=0.5, stores=True), "ReadTimeoutError"),
}
PACE = msgspec.structs.replace(QUICK, read_seconds=0.2)


def write(home: Path, start: int, lines: int = LINES) -> None:
    with writer(home) as one:
        for number in range(start, start + lines):
            one.append(encode(event(number)))


@contextlib.asynccontextmanager
async def sink(home: Path, url: str, access: Access | None = None) -> AsyncIterator[LokiSink]:
    async with LokiSink(home, url, access=access, pace=PACE) as one:
        yield one


async def delivers_all(home: Path, loki: FakeLoki, one: LokiSink) -> None:
    await eventually_async(lambda: shipped(loki) == owed(home) and one.backlog_bytes() == 0, 30)


@pytest.mark.parametrize("name", TROUBLE)
async def test_trouble_moves_nothing_and_loses_nothing(name: str, home: Path):
    """While the answer is this one the cursor stays; when Loki takes the push, each line is there once."""
    answer, reason = TROUBLE[name]
    write(home, 0)
    with fake_loki.running() as loki:
        loki.answers.extend([answer] * 3)
        async with sink(home, loki.url) as one:
            await eventually_async(lambda: one.failures[reason] >= 2)
            if len(loki.answers):
                assert (one.delivered, one.quarantined, dict(one.saved_positions())) == (0, 0, {})
            await delivers_all(home, loki, one)
            await eventually_async(lambda: one.delivered == LINES)
            assert one.failures == {reason: 3}
        assert quarantined(home) == []
        assert loki.repeats == (3 * LINES if "after storing" in name else 0)


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_refusals_are_halved_down_to_the_line(status: int, home: Path):
    """A push that is refused once is sent in halves; nothing that Loki takes goes into quarantine."""
    write(home, 0)
    with fake_loki.running() as loki:
        loki.answers.extend([Answer(status=status, words="no", stores=status == 400)] * 3)
        async with sink(home, loki.url) as one:
            await delivers_all(home, loki, one)
        assert quarantined(home) == []


async def test_a_partly_bad_push_loses_only_what_loki_will_never_take(home: Path):
    """Of a hundred lines one is too long for Loki and one is far too old: 98 stored live, one late, one put aside."""
    write(home, 0, 50)
    with writer(home) as one:
        one.append(encode(LogRecorded(message="long " * 1000, levelname="INFO", name="n")))
    folder = next((home / "journal" / "arb-1" / "main").glob("*.ndjson"))
    with folder.open("ab") as journal:
        journal.write(b'{"ts":1000,"type":"price_observed","venue":"amber","symbol":"WETH/USDC","price":1}\n')
    write(home, 50, 48)
    with fake_loki.running() as loki:
        loki.max_line_bytes = 4000
        async with sink(home, loki.url) as one_sink:
            await delivers_all(home, loki, one_sink)
            await eventually_async(lambda: one_sink.delivered == 99)
            assert (one_sink.quarantined, one_sink.late) == (1, 1)
        (row,) = quarantined(home)
        assert row["reason"].startswith("400 max entry size")
        assert folder.read_bytes()[row["offset"] :].startswith(row["line"].encode())


async def test_a_body_that_is_too_large_makes_pushes_smaller(home: Path):
    """A proxy that takes little: the push is halved, and the next ones are smaller from the start."""
    write(home, 0, 1000)
    with fake_loki.running() as loki:
        loki.max_body_bytes = 2500
        async with sink(home, loki.url) as one:
            await delivers_all(home, loki, one)
        assert quarantined(home) == []


async def test_a_wrong_password_is_trouble_until_its_file_is_right(home: Path, tmp_path: Path):
    """401 loses nothing; the file is read anew when it changes."""
    password = tmp_path / "password"
    password.write_text("wrong\n")
    write(home, 0)
    with fake_loki.running() as loki:
        loki.authorization = "Basic ZGVzazpyaWdodA=="
        async with sink(home, loki.url, Access(user="desk", password_file=password)) as one:
            await eventually_async(lambda: one.failures["401"] >= 2)
            password.write_text("right\n")
            await delivers_all(home, loki, one)


async def test_a_host_that_nobody_knows_is_trouble_for_later(home: Path):
    write(home, 0)
    async with sink(home, "http://no-such-host.invalid:3100") as one:
        await eventually_async(lambda: one.failures.total() >= 2, 30)
        assert (one.delivered, one.quarantined) == (0, 0)
    assert set(one.failures) == {"NameResolutionError"}


async def test_nobody_listening_is_trouble_for_later(home: Path):
    write(home, 0)
    port = free_port()
    async with sink(home, f"http://127.0.0.1:{port}") as one:
        await eventually_async(lambda: one.failures["NewConnectionError"] >= 2)
        with fake_loki.running(port=port) as loki:
            await delivers_all(home, loki, one)


async def test_a_certificate_that_nobody_signed_is_trouble_until_its_ca_is_trusted(home: Path, tmp_path: Path):
    """A TLS error delivers nothing; with the CA in the file, which is read anew, all arrives."""
    certificates = [_certificate(tmp_path, name) for name in ("right", "wrong")]
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(certificates[1][0].read_bytes())
    write(home, 0)
    with fake_loki.running(certificates[0]) as loki:
        async with sink(home, loki.url, Access(ca_file=ca_file)) as one:
            await eventually_async(lambda: one.failures["SSLError"] >= 2)
            assert one.delivered == 0
            ca_file.write_bytes(certificates[0][0].read_bytes())
            await delivers_all(home, loki, one)
        async with sink(home, loki.url) as untrusting:
            write(home, LINES)
            await eventually_async(lambda: untrusting.failures["SSLError"] >= 2)
            assert untrusting.delivered == LINES


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        [*argv, "-keyout", key, "-out", certificate, "-days", "2", *subject], check=True, capture_output=True
    )
    return certificate, key


MIXED = [
    *(answer for answer, reason in TROUBLE.values() if answer.seconds == 0),
    *(Answer(status=status, words="no", of_many=True) for status in (413, 422)),
    *(Answer(status=status, words="some", stores=True, of_many=True) for status in (400, 413)),
    *[Answer()] * 6,
]


async def test_random_answers_and_restarts_lose_nothing_and_repeat_nothing(home: Path):
    """After any mix of answers and restarts Loki holds the journal less the quarantine, each line exactly once."""
    for seed in range(count(200, 2000)):
        random_one = random.Random(seed)
        folder = home / str(seed)
        folder.mkdir()
        with fake_loki.running() as loki:
            loki.max_line_bytes = random_one.choice([500, 100_000])
            for turn in range(random_one.randint(1, 3)):
                with writer(folder, random_one.choice(["arb-1", "arb-2"])) as one:
                    for number in range(random_one.randint(1, 15)):
                        one.append(encode(event(100 * turn + number)))
                    if random_one.random() < 0.3:
                        one.append(encode(LogRecorded(message="long" * 200, levelname="INFO", name="n")))
                loki.answers.extend(random_one.choices(MIXED, k=random_one.randint(0, 8)))
                patience = random_one.choice([0.0, 0.02, 30.0])
                async with LokiSink(folder, loki.url, pace=_hasty(patience)) as sink_one:
                    if patience == 30.0:
                        await delivers_all(folder, loki, sink_one)
                    elif patience:
                        await eventually_async(partial(_was_asked, loki))
            loki.answers.clear()
            async with LokiSink(folder, loki.url, pace=QUICK) as last:
                await delivers_all(folder, loki, last)
                await eventually_async(partial(_has_counted, last, sum(owed(folder).values())))
            assert shipped(loki) == owed(folder), f"seed {seed}"
            rows = [(row["bot"], row["segment"], row["offset"]) for row in quarantined(folder)]
            assert len(rows) == len(set(rows)), f"seed {seed}"


def _was_asked(loki: FakeLoki) -> bool:
    return loki.pushes > 0


def _has_counted(one: LokiSink, lines: int) -> bool:
    return one.delivered == lines


def _hasty(patience: float) -> Pace:
    return QUICK if patience else msgspec.structs.replace(QUICK, stop_seconds=0.05)
