"""Wallets: what they hold, what waits of theirs, and how long their coin lasts."""

from __future__ import annotations

import time

from deskwatch import events as ev
from deskwatch.sources.evm.abi import Undecodable, answer, calldata
from deskwatch.sources.evm.complaints import Complaints
from deskwatch.sources.evm.errors import RpcError
from deskwatch.sources.evm.head import Head
from deskwatch.sources.evm.ledger import Ledger
from deskwatch.sources.evm.question import Answer, Question
from deskwatch.sources.evm.reading import Due, at
from deskwatch.sources.evm.settings import Settings, Wallet
from deskwatch.sources.evm.tokens import BALANCE_OF, KnownToken, Tokens
from deskwatch.sources.evm.transactions import Nonces, Transactions
from deskwatch.sources.evm.wire import count, quantity
from deskwatch.sources.watched import Watched

NATIVE_DECIMALS = 18
RETRY_SECONDS = 60.0
"""What was no token is asked again after so long."""
OWN_QUESTIONS = 3
"""Of each wallet, before its tokens."""


class Wallets:
    """The configured ones. Their transactions are followed once their nonces say that there are some."""

    def __init__(
        self,
        watched: Watched,
        settings: Settings,
        ledger: Ledger,
        tokens: Tokens,
        transactions: Transactions,
        complaints: Complaints,
    ) -> None:
        self._watched = watched
        self._settings = settings
        self._ledger = ledger
        self._tokens = tokens
        self._transactions = transactions
        self._complaints = complaints
        self._known: list[KnownToken] = []
        self._next_try = 0.0
        self._due = Due(settings.observe_seconds)
        self._due_held = Due(settings.observe_seconds)

    async def prepare(self) -> None:
        """Find out the tokens' digits."""
        configured = self._settings.tokens if self._settings.wallets else ()
        if len(self._known) == len(configured) or time.monotonic() < self._next_try:
            return
        self._next_try = time.monotonic() + RETRY_SECONDS
        found = await self._tokens.find([one.address for one in configured])
        self._known = []
        for one in configured:
            token, about = found[one.address.lower()], f"token {one.symbol}"
            if isinstance(token, str):
                self._complaints.raise_(about, token)
            else:
                self._complaints.settle(about)
                self._known.append(token)

    def questions(self, head: Head) -> list[Question]:
        """Of each wallet: its balance, its nonce, its nonce with what waits; then its tokens."""
        return [question for wallet in self._settings.wallets for question in self._of(wallet, at(head))]

    def _of(self, wallet: Wallet, block: str) -> list[Question]:
        held = calldata(BALANCE_OF, (wallet.address.lower(),))
        return [
            ("eth_getBalance", (wallet.address, block)),
            ("eth_getTransactionCount", (wallet.address, block)),
            ("eth_getTransactionCount", (wallet.address, "pending")),
            *(("eth_call", ({"to": token.address, "data": held}, block)) for token in self._known),
        ]

    async def take(self, head: Head, answers: list[Answer]) -> None:
        """Journal what changed, and follow the transactions."""
        each = OWN_QUESTIONS + len(self._known)
        natives: dict[str, float | None] = {}
        nonces: dict[str, Nonces] = {}
        for place, wallet in enumerate(self._settings.wallets):
            native, mined, pending, *held = answers[place * each : (place + 1) * each]
            natives[wallet.name] = self._native(wallet, native)
            self._hold(wallet, held)
            if (nonce := count(mined)) is None:
                self._complaints.raise_(f"the nonce of wallet {wallet.name}", _why(mined))
                continue
            self._complaints.settle(f"the nonce of wallet {wallet.name}")
            upcoming = count(pending)  # some nodes can't say; and one that lags says less than was mined
            nonces[wallet.address.lower()] = Nonces(nonce, None if upcoming is None else max(0, upcoming - nonce))
        if not await self._transactions.follow(head, nonces):
            return
        for wallet in self._settings.wallets:
            if (found := nonces.get(wallet.address.lower())) is not None:
                self._show(wallet, head, found, natives[wallet.name])

    def _native(self, wallet: Wallet, told: Answer) -> float | None:
        about = f"the balance of wallet {wallet.name}"
        if (wei := quantity(told)) is None:
            self._complaints.raise_(about, _why(told))
            return None
        self._complaints.settle(about)
        native = float(wei / 10**NATIVE_DECIMALS)
        self._balance(wallet, self._settings.asset, native)
        return native

    def _hold(self, wallet: Wallet, held: list[Answer]) -> None:
        for token, told in zip(self._known, held, strict=True):
            about = f"{token.symbol} of wallet {wallet.name}"
            try:
                if isinstance(told, RpcError):
                    raise told
                (raw,) = answer(BALANCE_OF, told)
            except (RpcError, Undecodable) as error:
                self._complaints.raise_(about, str(error))
                continue
            self._complaints.settle(about)
            self._balance(wallet, token.symbol, token.units(raw))

    def _balance(self, wallet: Wallet, asset: str, total: float) -> None:
        if self._due_held.is_due(f"{asset} {wallet.name}", total):
            self._watched.emit(ev.BalanceObserved(venue=wallet.name, asset=asset, total=total))

    def _show(self, wallet: Wallet, head: Head, nonces: Nonces, native: float | None) -> None:
        cost = self._ledger.usual_cost(wallet.address)
        left = None if native is None or not cost else native / cost
        seen = self._ledger.wallets.get(wallet.address.lower())
        if (
            self._due.is_due(wallet.name, nonces)
            or seen is None
            or seen.nonce != nonces.mined
            or seen.block > head.number
        ):
            self._watched.emit(
                ev.WalletObserved(
                    chain=self._settings.chain,
                    venue=wallet.name,
                    address=wallet.address,
                    block=head.number,
                    nonce=nonces.mined,
                    pending=nonces.pending,
                    transactions_left=left,
                )
            )


def _why(told: Answer) -> str:
    return str(told) if isinstance(told, RpcError) else f"expected a number as 0x and hex digits, was {told!r}"
