"""Asking a chain: several endpoints, of which the first that is well answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from deskwatch.sources.evm.endpoint import Endpoint
from deskwatch.sources.evm.errors import EndpointFault, NoAnswer, RpcError
from deskwatch.sources.evm.question import Answer, Question
from deskwatch.sources.evm.wire import required
from deskwatch.sources.watched import Watched

T = TypeVar("T")
logger = logging.getLogger(__name__)

CONNECTION = "rpc"
"""What an endpoint's connection is called in the journal."""
STALE = "stale"
"""Reason of the fault of an endpoint that answers, but of a chain as it was: only newer blocks end it."""
WRONG_CHAIN = "wrong_chain"
WRONG_CHAIN_SECONDS = 300.0
"""Time until an endpoint of another chain is looked at again."""


class Rpc:
    """Questions go to the first endpoint that has no fault, in the order of the settings; upon a fault to the next.

    An endpoint with a fault is asked again by `deskwatch.sources.evm.rounds` only, unless all have one: so no question
    waits for a dead endpoint while another lives.

    Attributes:
        endpoints: All of them, the preferred one first.
        chain_id: The chain's number: as configured, or as the first endpoint said. None before that.
        reachable: Set while an endpoint answers.
    """

    def __init__(self, endpoints: Sequence[Endpoint], watched: Watched, *, chain_id: int | None = None) -> None:
        self.endpoints = tuple(endpoints)
        self.chain_id = chain_id
        self.reachable = asyncio.Event()
        self._watched = watched

    async def call(self, method: str, params: Sequence[Any] = ()) -> Any:  # Any: whatever JSON the node answers
        """One method's result.

        Raises:
            RpcError: The node said no.
            NoAnswer: No endpoint answers.
        """
        (found,) = await self.batch([(method, params)])
        if isinstance(found, RpcError):
            raise found
        return found

    async def batch(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers, in the questions' order: a result or an `RpcError` each. All are of one endpoint.

        Raises:
            NoAnswer: No endpoint answers.
        """
        return await self.read(questions, lambda _, found: found)

    async def read(
        self, questions: Sequence[Question], reader: Callable[[Endpoint, list[Answer]], T], *, urgent: bool = False
    ) -> T:
        """What `reader` makes of the endpoint that answered, and of its answers.

        Args:
            questions: As in `batch`.
            reader: Raises EndpointFault (Garbled) where the answers can't be so: the next endpoint is asked then.
            urgent: Whether a person waits.

        Raises:
            NoAnswer: No endpoint answers.
        """
        well = [one for one in self.endpoints if one.fault is None]
        for endpoint in well or [one for one in self.endpoints if one.may_be_asked()]:
            try:
                found = await self.ask_one(endpoint, questions, urgent=urgent)
            except EndpointFault:
                continue
            try:
                return reader(endpoint, found)
            except EndpointFault as fault:
                self.distrust(endpoint, fault)
        self.reachable.clear()
        self._watched.health.lost()
        told = "; ".join(f"{one.name}: {one.fault}" for one in self.endpoints)
        raise NoAnswer(f"no endpoint answers ({told})", min(one.retry_seconds for one in self.endpoints))

    async def ask_one(self, endpoint: Endpoint, questions: Sequence[Question], *, urgent: bool = False) -> list[Answer]:
        """The answers of this endpoint. How it fared is remembered and told.

        Raises:
            EndpointFault: It did not answer well, or is of another chain.
        """
        try:
            if endpoint.chain_id is None:
                await self._check_chain(endpoint)
            found = await endpoint.ask(questions, urgent=urgent)
        except EndpointFault as fault:
            self.distrust(endpoint, fault)
            raise
        if endpoint.fault is None or endpoint.fault.reason != STALE:
            self.trust(endpoint)
        self._watched.health.heard(endpoint.latency_seconds)
        self.reachable.set()
        return found

    def distrust(self, endpoint: Endpoint, fault: EndpointFault) -> None:
        """Ask this endpoint no more for a while, and tell so."""
        if endpoint.fault is None:
            logger.warning(
                "an endpoint is left alone",
                extra={"endpoint": endpoint.name, "bot": self._watched.bot, "why": str(fault)},
            )
        endpoint.failed(fault, WRONG_CHAIN_SECONDS if fault.reason == WRONG_CHAIN else 0.0)
        self._watched.health.failed(fault.reason)
        self._watched.connected(CONNECTION, endpoint.name, up=False, reason=f"{fault.reason}: {fault}")

    def trust(self, endpoint: Endpoint) -> None:
        """This endpoint is well."""
        if endpoint.fault is not None:
            logger.info("an endpoint is well again", extra={"endpoint": endpoint.name, "bot": self._watched.bot})
        endpoint.served()
        self._watched.connected(CONNECTION, endpoint.name, up=True)

    async def _check_chain(self, endpoint: Endpoint) -> None:
        (told,) = await endpoint.ask([("eth_chainId", ())])
        if isinstance(told, RpcError):
            raise EndpointFault("refused", f"it does not say which chain it is of: {told}")
        found = required(told, "the chain's number")
        if self.chain_id is None:
            self.chain_id = found
        elif found != self.chain_id:
            raise EndpointFault(
                WRONG_CHAIN, f"expected chain {self.chain_id}, was {found}; give it a URL of that chain"
            )
        endpoint.chain_id = found
