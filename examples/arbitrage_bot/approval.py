"""Allowances: before a pool may pull a token, the wallet approves it, once, by a transaction of its own."""

from __future__ import annotations

from web3 import Web3

from arbitrage_bot.contracts import artifact
from arbitrage_bot.deployment import Deployment
from arbitrage_bot.market import Venue, View
from arbitrage_bot.wallet import Wallet

UNLIMITED = 2**256 - 1
ENOUGH = 2**128
"""An allowance above this needs no renewal."""
APPROVE_GAS = 80_000


class Approvals:
    """Which allowances are missing."""

    def __init__(self, w3: Web3, wallet: Wallet, deployment: Deployment, venues: tuple[Venue, ...]) -> None:
        self._wallet = wallet
        abi = artifact("Token")["abi"]
        self._pairs = [
            (w3.eth.contract(address=Web3.to_checksum_address(token.address), abi=abi), venue)
            for token in (deployment.base, deployment.quote)
            for venue in venues
        ]
        self.complete = False

    def ask(self, view: View) -> None:
        """Send an approval for each allowance that the chain says is missing; `complete` once none is."""
        missing = [
            (token, venue)
            for token, venue in self._pairs
            if token.functions.allowance(self._wallet.address, venue.address).call() < ENOUGH
        ]
        self.complete = not missing
        for token, venue in missing:
            pending = self._wallet.prepare(
                token.address,
                token.encode_abi("approve", args=[venue.address, UNLIMITED]),
                gas=APPROVE_GAS,
                base_fee_wei=view.base_fee_wei,
                purpose="approve",
                trace=None,
                cause=None,
            )
            self._wallet.send(pending)
