"""A Grafana that somebody runs, asked by its API as its own pages ask it."""

from __future__ import annotations

import base64
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest

WINDOW_SECONDS = 3600
"""How far back is asked: bots seldom start."""


MISSING = (
    "needs GRAFANA_URL, with GRAFANA_TOKEN or GRAFANA_USER and GRAFANA_PASSWORD: a Grafana that is provisioned from "
    "grafana/, and whose sources hold the life of python -m tests.lively"
)


class Grafana:
    """Its API, with the reader's token or password."""

    def __init__(self, url: str, authorization: str) -> None:
        self._url = url.rstrip("/")
        self._authorization = authorization

    @classmethod
    def from_environment(cls) -> Grafana:
        """The one that GRAFANA_URL names; skips the test where it names none."""
        url, token = os.environ.get("GRAFANA_URL"), os.environ.get("GRAFANA_TOKEN")
        if not url:
            pytest.skip(MISSING)
        if token:
            return cls(url, f"Bearer {token}")
        user, password = os.environ.get("GRAFANA_USER", "admin"), os.environ.get("GRAFANA_PASSWORD", "admin")
        return cls(url, f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}")

    def get(self, path: str, **query: object) -> Any:
        """The answer's JSON.

        Raises:
            urllib.error.HTTPError: It is an error.
        """
        asked = f"?{urllib.parse.urlencode(query, doseq=True)}" if query else ""
        return self._ask(urllib.request.Request(self._url + path + asked))

    def query(self, target: dict[str, Any], expr: str, uid: str) -> tuple[str | None, int]:
        """A panel's query by `POST /api/ds/query`: what went wrong, and how many values came."""
        kind = target["datasource"]["type"]
        now = time.time() * 1000
        query = {**target, "expr": expr, "datasource": {"type": kind, "uid": uid}}
        query |= {"intervalMs": 5000, "maxDataPoints": 500}
        body = {"queries": [query], "from": f"{now - WINDOW_SECONDS * 1000:.0f}", "to": f"{now:.0f}"}
        request = urllib.request.Request(
            f"{self._url}/api/ds/query", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            (result,) = self._ask(request)["results"].values()
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode(), 0
        columns = [frame["data"]["values"] for frame in result.get("frames", [])]
        return result.get("error"), sum(len(values[0]) for values in columns if values)

    def _ask(self, request: urllib.request.Request) -> Any:
        request.add_header("Authorization", self._authorization)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
