"""The link to the chain: an ordinary web3 HTTP provider that tells what each request took and when the link is down."""

from __future__ import annotations

import time
from typing import Any

from requests import RequestException
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint, RPCResponse

from deskwatch import ConnectionChanged, Recorder, RequestCompleted

REQUEST_SECONDS = 5.0
"""A request that takes longer has failed."""


class Unreachable(Exception):
    """The chain did not answer."""


class JournaledProvider(HTTPProvider):
    """Journals each request's latency, and each change between reachable and not. It never retries: the bot does."""

    def __init__(self, url: str, chain: str, recorder: Recorder) -> None:
        super().__init__(url, request_kwargs={"timeout": REQUEST_SECONDS}, exception_retry_configuration=None)
        self._chain = chain
        self._recorder = recorder
        self._up: bool | None = None

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Send one request.

        Raises:
            Unreachable: There was no answer, or none that could be read.
        """
        started = time.perf_counter()
        try:
            response = super().make_request(method, params)
        except (RequestException, ValueError) as error:  # ValueError: what came was not JSON
            reason = type(error).__name__
            self._tell(method, started, reason)
            self._change(False, reason)
            raise Unreachable(f"{method}: {reason}") from error
        self._tell(method, started, "rpc_error" if "error" in response else None)
        self._change(True, None)
        return response

    def _tell(self, method: str, started: float, reason: str | None) -> None:
        latency = time.perf_counter() - started
        self._recorder.emit(
            RequestCompleted(
                venue=self._chain, operation=method, ok=reason is None, latency_seconds=latency, reason=reason
            )
        )

    def _change(self, up: bool, reason: str | None) -> None:
        if self._up is not up:
            self._up = up
            self._recorder.emit(ConnectionChanged(connection="rpc", venue=self._chain, up=up, reason=reason))


def connect(url: str, chain: str, recorder: Recorder) -> Web3:
    """A web3 client whose requests are journaled. Nothing is sent yet."""
    return Web3(JournaledProvider(url, chain, recorder))
