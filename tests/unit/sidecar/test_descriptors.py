"""The limit on open files."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from deskwatch.sidecar import descriptors


@pytest.fixture
def hard() -> Iterator[int]:
    """The hard limit; the soft one is put back afterwards."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def soft() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@pytest.mark.parametrize("wanted", [300, 10**9], ids=["within", "beyond"])
def test_it_is_raised_as_far_as_it_may_be(wanted: int, hard: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "WANTED", wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    descriptors.raise_limit()
    assert soft() == (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard))


def test_one_that_is_higher_already_stays(hard: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "WANTED", 300)
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, hard))
    descriptors.raise_limit()
    assert soft() == 400


def test_a_system_that_refuses_is_no_error(hard: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError

    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    with monkeypatch.context() as broken:
        broken.setattr(resource, "setrlimit", refuse)
        descriptors.raise_limit()
    assert soft() == 200
