"""Commands for a chain that is only watched: `ping` is answered by the node, all others are failed in words."""

from __future__ import annotations

from deskwatch.command import Command
from deskwatch.sources.evm.endpoint import Endpoint
from deskwatch.sources.evm.errors import NoAnswer
from deskwatch.sources.evm.question import Answer
from deskwatch.sources.evm.rpc import Rpc
from deskwatch.sources.evm.wire import whole
from deskwatch.sources.watched import Watched

ONLY_WATCHED = "expected ping, as this chain is only watched: deskwatch holds no key of it and can send nothing"


class Obeying:
    """Takes commands while an endpoint answers; otherwise they wait, and expire."""

    def __init__(self, rpc: Rpc, watched: Watched, chain: str) -> None:
        self._rpc = rpc
        self._watched = watched
        self._chain = chain

    async def obey(self) -> None:
        """Obey until canceled."""
        while True:
            await self._carry_out(await self._watched.next_command(self._rpc.reachable))

    async def _carry_out(self, command: Command) -> None:
        if command.type != "ping":
            command.fail(f"{ONLY_WATCHED}; was {command.type}")
            return
        try:
            endpoint, number = await self._rpc.read([("eth_blockNumber", ())], _number, urgent=True)
        except NoAnswer as error:
            command.fail(str(error))
        else:
            command.succeed({"chain": self._chain, "block": number, "endpoint": endpoint})


def _number(endpoint: Endpoint, answers: list[Answer]) -> tuple[str, int]:
    return endpoint.name, whole(answers[0], "its newest block's number")
