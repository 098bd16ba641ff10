"""The sidecar's settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from deskwatch.config import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_addresses_are_known(host: str) -> None:
    assert Settings(home=Path("h"), host=host).is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", "", "localhost.example.org"])
def test_whatever_else_can_be_reached_from_elsewhere(host: str) -> None:
    assert not Settings(home=Path("h"), host=host).is_loopback
