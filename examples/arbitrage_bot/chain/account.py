"""An account of this process: signs transactions and hands them to the node."""

from __future__ import annotations

from eth_abi.abi import encode
from eth_account import Account as EthAccount
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.crypto import keccak

from arbitrage_bot.chain.node import CHAIN_ID, Node
from arbitrage_bot.chain.wire import to_bytes

UNLIMITED = 2**256 - 1
"""As an allowance: never counted down."""


def private_key(seed: int, role: str) -> bytes:
    """The key of a role on the chain with this seed. Anyone can compute it: for local chains only."""
    return keccak(f"arbitrage-bot/{seed}/{role}".encode())


def calldata(signature: str, *values: object) -> bytes:
    """A call by its signature, such as `transfer(address,uint256)`."""
    types = signature[signature.index("(") + 1 : -1]
    return function_signature_to_4byte_selector(signature) + encode(types.split(",") if types else [], list(values))


class Account:
    """A key with its next nonce."""

    def __init__(self, seed: int, role: str) -> None:
        self.key = private_key(seed, role)
        self._signer = EthAccount.from_key(self.key)
        self.address: str = self._signer.address
        self.raw_address = to_bytes(self.address, 20)

    def send(
        self, node: Node, to: str | None, payload: bytes, *, gas: int, tip_wei: int, max_fee_wei: int | None = None
    ) -> bytes:
        """Sign and submit a transaction, after those of this account that wait already, and return its hash.

        Args:
            node: The chain.
            to: Contract to call; None creates one from `payload`.
            payload: Calldata or creation code.
            gas: Limit.
            tip_wei: For the miner, per gas.
            max_fee_wei: Most that is paid per gas; by default twice what the next block asks.

        Raises:
            Refused: The node did not take it.
        """
        fields = {
            "type": 2,
            "chainId": CHAIN_ID,
            "nonce": node.nonce(self.raw_address, pending=True),
            "gas": gas,
            "maxFeePerGas": max_fee_wei or 2 * node.next_base_fee + tip_wei,
            "maxPriorityFeePerGas": tip_wei,
            "value": 0,
            "data": payload,
        }
        if to is not None:
            fields["to"] = to
        return node.submit(bytes(self._signer.sign_transaction(fields).raw_transaction))
