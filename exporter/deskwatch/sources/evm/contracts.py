"""Contracts: configured view calls, read at each head."""

from __future__ import annotations

from typing import Any

from deskwatch import events as ev
from deskwatch.sources.evm.abi import Undecodable, answer, calldata, plain, view
from deskwatch.sources.evm.complaints import Complaints
from deskwatch.sources.evm.errors import RpcError
from deskwatch.sources.evm.head import Head
from deskwatch.sources.evm.question import Answer, Question
from deskwatch.sources.evm.reading import Due, at
from deskwatch.sources.evm.settings import Call, Settings
from deskwatch.sources.watched import Watched


class Contracts:
    """The configured calls."""

    def __init__(self, watched: Watched, settings: Settings, complaints: Complaints) -> None:
        self._watched = watched
        self._chain = settings.chain
        self._complaints = complaints
        self._calls = [(one, view(one.signature)) for one in settings.contracts]
        self._due = Due(settings.observe_seconds)

    async def prepare(self) -> None:
        """There is nothing to know before."""

    def questions(self, head: Head) -> list[Question]:
        """All calls."""
        return [
            ("eth_call", ({"to": one.address, "data": calldata(call, one.args)}, at(head))) for one, call in self._calls
        ]

    async def take(self, head: Head, answers: list[Answer]) -> None:  # noqa: ARG002  the port's
        """Journal the answers that changed."""
        for (one, call), told in zip(self._calls, answers, strict=True):
            about = f"contract {one.name}"
            try:
                if isinstance(told, RpcError):
                    raise told
                values = answer(call, told)
            except (RpcError, Undecodable) as error:
                self._complaints.raise_(about, str(error))
                continue
            self._complaints.settle(about)
            if self._due.is_due(one.name, values, one.every_seconds):
                self._watched.emit(self._observed(one, values))

    def _observed(self, one: Call, values: tuple[Any, ...]) -> ev.ContractObserved:
        value = figure(one, values)
        return ev.ContractObserved(
            chain=self._chain,
            contract=one.address,
            name=one.name,
            value=value,
            data=None if value is not None else plain(values[0] if len(values) == 1 else values),
        )


def figure(one: Call, values: tuple[Any, ...]) -> float | None:
    """An answer as a number: a single whole one, with its decimals, or a truth as 0 or 1; None where it is none."""
    if len(values) != 1 or not isinstance(values[0], int):
        return None
    return float(values[0]) if isinstance(values[0], bool) else values[0] / 10 ** (one.decimals or 0)
