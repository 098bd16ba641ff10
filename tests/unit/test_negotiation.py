"""What a scraper is given, by what it asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.exposition import OPENMETRICS, TEXT
from deskwatch.negotiation import accepts_gzip, content_type

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
"""As Prometheus 3.5 asks."""
PROTOBUF_FIRST = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6," + PROMETHEUS
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/plain;version=0.0.4;q=0.5", TEXT),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", OPENMETRICS),
        ("application/openmetrics-text;q=0.2, text/plain;q=0.5", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
        ("APPLICATION/OPENMETRICS-TEXT; Q=1", OPENMETRICS),
        ("application/openmetrics-text;q=nonsense", TEXT),
        ("text/html,application/xhtml+xml", TEXT),
        (PROMETHEUS, OPENMETRICS),
        (PROTOBUF_FIRST, OPENMETRICS),
    ],
)
def test_the_form_that_is_asked_for_most_is_given(accept: str, form: str) -> None:
    assert content_type(accept) == form


@pytest.mark.parametrize(
    ("header", "may"),
    [
        ("", False),
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("identity", False),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
    ],
)
def test_an_answer_is_compressed_for_whoever_takes_it(header: str, may: bool) -> None:
    assert accepts_gzip(header) is may


@given(header=st.text())
def test_any_header_has_an_answer(header: str) -> None:
    assert content_type(header) in (TEXT, OPENMETRICS)
    assert accepts_gzip(header) in (True, False)
