"""A real sidecar answers as its OpenAPI document says, whatever it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from deskwatch.events import BotStarted, Mode
from deskwatch.sidecar.guarded import MAX_HEAD_BYTES
from tests import soak
from tests.lines import write
from tests.running import Http, sidecar

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

STREAMS = ("/stream", "/activity/stream")
"""They don't end by themselves, and have tests of their own."""
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = soak.count(20, 500)


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    home: Path = tmp_path_factory.mktemp("openapi") / "home"
    home.mkdir(mode=0o700)
    write(home, [BotStarted(pid=1, host="h", mode=Mode.STANDBY)])
    with sidecar(home) as running:
        yield running


def _head_bytes(case: Any) -> int:  # Any: schemathesis' own
    """About how long a request's head is."""
    asked = case.as_transport_kwargs()
    prepared = requests.Request(asked["method"], asked["url"], params=asked.get("params")).prepare()
    return len(prepared.url or "") + sum(len(str(value)) for value in (case.headers or {}).values())


def ask(http: Http, operation: Any, mode: schemathesis.GenerationMode) -> set[int]:  # Any: schemathesis' own
    """Ask one operation whatever its description allows, or does not; the statuses of its answers."""
    statuses: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy(generation_mode=mode),
        is_known=st.booleans(),
        token=st.sampled_from(["right"] * 9 + ["none"]),
    )
    def one(case: Any, is_known: bool, token: str) -> None:
        if is_known and "bot" in case.path_parameters:  # one that is there, so that the rest is looked at, too
            case.path_parameters["bot"] = "arb-1"
        headers = {"Authorization": f"Bearer {http.token}"} if token == "right" else {}
        try:
            response = case.call(headers=headers, timeout=10)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            assert _head_bytes(case) > MAX_HEAD_BYTES / 2  # cut off unread
            return
        statuses.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    one()
    return statuses


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_no_answer_is_a_5xx_or_outside_the_document(mode: schemathesis.GenerationMode, http: Http) -> None:
    schema = schemathesis.openapi.from_url(f"{http.url}/openapi.json")
    asked = {}
    operations: Any = schema.get_all_operations()
    for operation in (one.ok() for one in operations):
        can_be_wrong = operation.body or operation.query  # any text is a right path
        if operation.path in STREAMS or (mode.is_negative and not can_be_wrong):
            continue
        asked[operation.label] = ask(http, operation, mode)
    assert len(asked) > 4
    assert all(asked.values())
    wanted = {401, 422} if mode.is_negative else {200, 202, 401, 404}
    assert wanted <= set().union(*asked.values())
