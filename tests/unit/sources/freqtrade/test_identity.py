"""Which start of freqtrade it is: a reload and a stopped trader that starts are none."""

from __future__ import annotations

import pytest

from deskwatch.sources.freqtrade.identity import Vitals, boot_of, is_new_database
from deskwatch.sources.freqtrade.log_records import Logged

BEGAN = 1_795_287_880.5
BOOT = "1700000000.1795287880500"
STARTED = Logged(BEGAN, "freqtrade.worker", "INFO", "Starting worker 2026.9")


def busy(since: float) -> list[Logged]:
    """A log that no longer holds the start."""
    return [Logged(since + number, "freqtrade", "INFO", "busy") for number in range(1000)]


def health(startup: float | None = BEGAN + 8, database: str = "1700000000") -> Vitals:
    return Vitals(database, startup, None)


def test_a_start_is_named_for_the_database_and_for_when_the_process_began():
    assert boot_of(health(), [STARTED], None, None).name == BOOT


@pytest.mark.parametrize("seen", [None, BEGAN + 1400])
def test_a_busy_log_that_forgot_the_start_makes_no_new_one(seen: float | None) -> None:
    assert boot_of(health(), busy(BEGAN + 500), BOOT, seen) == (BOOT, BEGAN)


def test_a_reload_long_after_the_start_is_none():
    reloaded = health(startup=BEGAN + 86400)
    assert boot_of(reloaded, busy(BEGAN + 85000), BOOT, None).name == BOOT
    assert boot_of(reloaded, busy(BEGAN + 86390), BOOT, BEGAN + 86395).name == BOOT


def test_what_began_before_the_last_answer_is_no_new_start_for_a_watch_that_begins_anew() -> None:
    """A reload, of which a busy log holds nothing any more."""
    reloaded = health(startup=BEGAN + 5000)
    for seen, name in ((BEGAN + 5100, BOOT), (BEGAN + 4990, "1700000000.1795292880500")):
        assert boot_of(reloaded, busy(BEGAN + 6000), BOOT, seen).name == name


def test_a_restart_is_one_whether_its_log_tells_it_or_not():
    again = Logged(BEGAN + 5000, *STARTED[1:])
    assert boot_of(health(BEGAN + 5008), [again], BOOT, BEGAN + 4990).name == "1700000000.1795292880500"
    for seen in (None, BEGAN + 4990):
        hidden = boot_of(health(BEGAN + 5008), busy(BEGAN + 6000), BOOT, seen)
        assert hidden.name == "1700000000.1795292888500"
        assert boot_of(health(BEGAN + 5008), busy(BEGAN + 6000), hidden.name, seen) == hidden


def test_a_first_contact_with_a_busy_log_goes_by_when_trading_began():
    assert boot_of(health(), busy(BEGAN + 500), None, None).name == "1700000000.1795287888500"
    assert boot_of(health(None), [], None, None).name == "1700000000.0"


def test_a_database_that_is_not_known_yet_is_no_other_one():
    first = boot_of(health(None, "0"), [STARTED], None, None).name
    assert boot_of(health(), [STARTED], first, None).name == first
    assert not is_new_database(health(), "0")
    assert not is_new_database(health(database="0"), "1700000000")


def test_another_database_is_another_one():
    assert is_new_database(health(database="1800000000"), "1700000000")
    assert not is_new_database(health(), "1700000000")
    assert not is_new_database(health(), "")


def test_a_boot_that_makes_no_sense_is_replaced():
    assert boot_of(health(), [STARTED], "of another watcher", None).name == BOOT
