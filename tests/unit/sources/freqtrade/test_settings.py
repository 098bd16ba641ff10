"""What is to be known of a freqtrade, and what can't be meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskwatch.sources.freqtrade.settings import Settings

GIVEN: dict[str, Any] = {"bot": "trend", "url": "http://127.0.0.1:8080", "user": "me", "password_file": Path("p")}


@pytest.mark.parametrize(
    ("url", "base", "peer"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v1", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/api/v1", "http://127.0.0.1:8080"),
        ("https://bots.example/ft/api/v1/", "https://bots.example/ft/api/v1", "https://bots.example/ft"),
    ],
)
def test_a_url_may_have_a_path_and_may_name_the_api(url, base, peer):
    """However people write it."""
    settings = Settings(**GIVEN | {"url": url})
    assert (settings.base, settings.peer) == (base, peer)
    assert settings.stream_url == base.replace("http", "ws", 1) + "/message/ws"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"url": "127.0.0.1:8080"}, "begin with http://"),
        ({"url": "ftp://host"}, "begin with http://"),
        ({"url": "http://"}, "begin with http://"),
        ({"url": "http://host:port"}, "expected url like"),
        ({"url": "http://[::1"}, "expected url like"),
        ({"url": "http://me:hunter2@host"}, "without user and password"),
        ({"url": "http://host/?token=x"}, "without \\? and #"),
        ({"user": "a:b"}, "without a colon"),
        ({"user": ""}, "without a colon"),
        ({"password_file": None}, "password_file or password_env"),
        ({"requests_per_second": 0}, "> 0"),
        ({"timeout_seconds": -1}, "> 0"),
        ({"password": "inline"}, "unknown field"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_in_words(wrong, words):
    """And a password is never repeated."""
    given = {name: value for name, value in (GIVEN | wrong).items() if value is not None}
    with pytest.raises(msgspec.ValidationError, match=words) as refused:
        msgspec.convert(given, Settings, strict=False)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "is_local", "is_tls"),
    [
        ("http://127.0.0.1:1", True, False),
        ("http://localhost", True, False),
        ("https://[::1]:1", True, True),
        ("http://192.168.0.7", False, False),
        ("https://bots.example", False, True),
    ],
)
def test_whether_a_password_can_be_overheard_is_known(url, is_local, is_tls):
    """For doctor's warning."""
    settings = Settings(**GIVEN | {"url": url})
    assert (settings.is_local, settings.is_tls) == (is_local, is_tls)
