"""The bot's account: it signs and sends transactions, and follows each until its receipt.

What is journaled holds for every transaction of the account: one TransactionSent, then one TransactionConfirmed or
TransactionReverted, with the gas that the receipt says was paid.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import msgspec
from eth_abi.abi import decode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3RPCError
from web3.types import TxReceipt, Wei

from arbitrage_bot.connection import Unreachable
from arbitrage_bot.deployment import Deployment
from deskwatch import Mode, Recorder, TransactionConfirmed, TransactionReverted, TransactionSent

logger = logging.getLogger(__name__)

RESEND_SECONDS = 15.0
"""A transaction without a receipt for so long is handed to the node again, as it was signed."""
WEI = 10**18
ERROR_STRING = "0x08c379a0"
"""Selector of Solidity's and Vyper's `Error(string)`, with which a reason is returned."""


class Refused(Exception):
    """The node will not take the transaction: it is not on the chain and never will be.

    Attributes:
        reason: A short word.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Pending(msgspec.Struct, kw_only=True):
    """A signed transaction, on its way or about to be. Plain values only: it is kept across restarts."""

    hash: str
    raw: str
    nonce: int
    purpose: str
    to: str
    data: str
    gas_limit: int
    max_fee_wei: int
    trace: str | None = None
    cause: str | None = None
    sent_at: float = 0.0
    """Unix time."""
    resend_at: float = 0.0


@dataclass(frozen=True)
class Landed:
    """A transaction that was mined."""

    pending: Pending
    receipt: TxReceipt
    succeeded: bool
    gas_wei: int
    """What it cost: units of gas times the effective price, exactly."""
    reason: str | None = None
    """Why it reverted, in a short word."""
    message: str | None = None
    """The revert's own words."""


class Wallet:
    """The account and its transactions on their way.

    Attributes:
        pending: What has no receipt yet, by hash.
        sent: Transactions sent in this run.
        gas_wei: Paid for gas by receipts seen in this run, exactly.
    """

    def __init__(self, w3: Web3, deployment: Deployment, recorder: Recorder, tip_wei: int) -> None:
        self._w3 = w3
        self._deployment = deployment
        self._recorder = recorder
        self._tip_wei = tip_wei
        self._account: LocalAccount = Account.from_key(deployment.private_key)
        self.address = self._account.address
        self.pending: dict[str, Pending] = {}
        self.sent = 0
        self.gas_wei = 0
        self._nonce = 0

    def open(self, kept: list[Pending]) -> None:
        """Take up the account where the chain says it is, and what an earlier run left on its way."""
        self.pending = {each.hash: each for each in kept}
        on_chain = self._w3.eth.get_transaction_count(self.address, "pending")
        self._nonce = max([on_chain, *(each.nonce + 1 for each in kept)])

    def native_wei(self) -> int:
        """What is left for gas."""
        return self._w3.eth.get_balance(self.address)

    def prepare(
        self, to: str, data: str, *, gas: int, base_fee_wei: int, purpose: str, trace: str | None, cause: str | None
    ) -> Pending:
        """Sign a transaction with the next nonce. Nothing is sent."""
        max_fee = 3 * base_fee_wei + self._tip_wei
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": self._deployment.chain_id,
                "nonce": self._nonce,
                "gas": gas,
                "maxFeePerGas": Wei(max_fee),
                "maxPriorityFeePerGas": Wei(self._tip_wei),
                "value": Wei(0),
                "to": HexBytes(to),
                "data": HexBytes(data),
            }
        )
        return Pending(
            hash=Web3.to_hex(signed.hash),
            raw=Web3.to_hex(signed.raw_transaction),
            nonce=self._nonce,
            purpose=purpose,
            to=to,
            data=data,
            gas_limit=gas,
            max_fee_wei=max_fee,
            trace=trace,
            cause=cause,
        )

    def send(self, pending: Pending) -> None:
        """Hand a prepared transaction to the node and follow it from now on.

        A node that does not answer may have taken it all the same: it is followed then too, and sent again later.

        Raises:
            Refused: The node said no; the nonce is free again.
        """
        pending.sent_at = time.time()
        pending.resend_at = pending.sent_at + RESEND_SECONDS
        try:
            self._broadcast(pending)
        except Unreachable:
            pending.resend_at = pending.sent_at
        self._follow(pending)

    def resume(self, pending: Pending) -> bool:
        """Follow a transaction of which an earlier run did not live to say whether it was sent; False if it was not."""
        try:
            self._w3.eth.get_transaction(HexBytes(pending.hash))
        except TransactionNotFound:
            return False
        pending.sent_at = time.time()
        pending.resend_at = pending.sent_at + RESEND_SECONDS
        self._follow(pending)
        return True

    def poll(self) -> list[Landed]:
        """The transactions that were mined since the last poll, oldest first, each journaled with its outcome."""
        landed = []
        for pending in sorted(self.pending.values(), key=lambda each: each.nonce):
            try:
                receipt = self._w3.eth.get_transaction_receipt(HexBytes(pending.hash))
            except TransactionNotFound:
                if time.time() >= pending.resend_at and self._recorder.mode is not Mode.HALTED:
                    self._send_again(pending)
                continue
            del self.pending[pending.hash]
            landed.append(self._settle(pending, receipt))
        return landed

    def _follow(self, pending: Pending) -> None:
        """Journal a transaction as sent, and wait for its receipt from now on."""
        self.pending[pending.hash] = pending
        self._nonce = max(self._nonce, pending.nonce + 1)
        self.sent += 1
        self._recorder.emit(
            TransactionSent(
                chain=self._deployment.chain,
                transaction=pending.hash,
                sender=self.address,
                nonce=pending.nonce,
                purpose=pending.purpose,
                to=pending.to,
                gas_limit=pending.gas_limit,
                max_fee_wei=str(pending.max_fee_wei),
                trace=pending.trace,
                cause=pending.cause,
            )
        )

    def _settle(self, pending: Pending, receipt: TxReceipt) -> Landed:
        gas_wei = receipt["gasUsed"] * receipt["effectiveGasPrice"]
        self.gas_wei += gas_wei
        succeeded = receipt["status"] == 1
        reason, message = (None, None) if succeeded else self._why(pending, receipt)
        shared = {
            "chain": self._deployment.chain,
            "transaction": pending.hash,
            "sender": self.address,
            "block": receipt["blockNumber"],
            "gas_used": receipt["gasUsed"],
            "gas_price_wei": str(receipt["effectiveGasPrice"]),
            "gas_cost": gas_wei / WEI,
            "asset": self._deployment.native_asset,
            "purpose": pending.purpose,
            "gas_cost_quote": gas_wei / WEI * self._deployment.native_cost,
            "quote_asset": self._deployment.quote.symbol,
            "inclusion_seconds": time.time() - pending.sent_at,
            "trace": pending.trace,
            "cause": pending.cause,
        }
        if succeeded:
            self._recorder.emit(TransactionConfirmed(**shared))
        else:
            self._recorder.emit(TransactionReverted(**shared, reason=reason or "unknown", message=message))
        return Landed(pending, receipt, succeeded, gas_wei, reason, message)

    def _why(self, pending: Pending, receipt: TxReceipt) -> tuple[str, str]:
        """Why a transaction reverted: a short word, and the contract's own words.

        Some nodes put it into the receipt (`revertReason`). Else the call is asked again on the state after its block,
        where it may succeed: then what stood in its way was undone within the block.
        """
        told = receipt.get("revertReason")
        if isinstance(told, str) and told.startswith(ERROR_STRING):
            return _word(words := str(decode(["string"], bytes.fromhex(told[len(ERROR_STRING) :]))[0])), words
        if receipt["gasUsed"] >= pending.gas_limit:
            return "out_of_gas", "it used all its gas"
        try:
            self._w3.eth.call(
                {"from": self.address, "to": pending.to, "data": HexBytes(pending.data)},
                block_identifier=receipt["blockNumber"],
            )
        except ContractLogicError as error:
            words = (error.message or "").removeprefix("execution reverted").removeprefix(":").strip()
            return _word(words), words
        except (Web3RPCError, Unreachable) as error:
            return "unknown", f"the node could not tell: {error}"
        return "unknown", "its call succeeds on the state after its block"

    def _send_again(self, pending: Pending) -> None:
        pending.resend_at = time.time() + RESEND_SECONDS
        try:
            self._broadcast(pending)
        except Refused as refusal:
            if "nonce too low" not in str(refusal):  # else it was mined just now: the next poll finds the receipt
                logger.warning("transaction %s can't be sent again: %s", pending.hash, refusal)
        except Unreachable:
            pending.resend_at = 0.0
            raise

    def _broadcast(self, pending: Pending) -> None:
        try:
            self._w3.eth.send_raw_transaction(HexBytes(pending.raw))
        except Web3RPCError as error:
            message = str((error.rpc_response or {}).get("error", {}).get("message", error))
            if "already known" not in message:
                raise Refused("insufficient_funds" if "insufficient" in message else "refused", message) from error


def _word(words: str) -> str:
    """A contract's reason as a short word for the metric."""
    return words.lower() if words.isidentifier() and len(words) <= 32 else "unknown"
