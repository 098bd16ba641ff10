"""The chain itself: state and execution by py-evm, a mempool in front, blocks mined when told to.

Blocks hold what pays the most, and the base fee follows their fullness by EIP-1559, so that gas has a real price here.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import Any

from eth.abc import BlockHeaderAPI, SignedTransactionAPI
from eth.exceptions import VMError
from eth.vm.spoof import SpoofTransaction
from eth_tester import PyEVMBackend  # type: ignore[import-untyped]  # it carries no types
from eth_utils.exceptions import ValidationError

from arbitrage_bot.chain.archive import Archive, Entry
from arbitrage_bot.chain.mempool import Mempool, Refused
from arbitrage_bot.chain.pruning import prune
from arbitrage_bot.chain.records import block_record, receipt_records, transaction_record
from arbitrage_bot.chain.wire import Wire, data

CHAIN_ID = 31337
"""The id that development chains use."""
GAS_LIMIT = 1_100_000
"""Per block. Small, so that a handful of swaps is a full block and the base fee lives."""
KEPT_STATES = 128
"""Blocks whose state can be asked for, as with geth's full nodes."""
KEPT_HEADERS = 300
"""Headers in py-evm's store; a contract may ask for the hashes of 256."""
PRUNE_BLOCKS = 64
"""How often older state is deleted."""


class Reverted(Exception):
    """A call failed in the EVM.

    Attributes:
        output: What the contract returned: an ABI-encoded `Error(string)`, or nothing.
    """

    def __init__(self, output: bytes) -> None:
        super().__init__(revert_reason(output))
        self.output = output


class UnknownBlock(LookupError):
    """No block has that number or hash."""


class Node:
    """One chain in memory. Every method may be called from any thread.

    Args:
        balances: Wei that accounts own from the start.
    """

    def __init__(self, balances: dict[bytes, int]) -> None:
        accounts = {
            account: {"balance": balance, "nonce": 0, "code": b"", "storage": {}}
            for account, balance in balances.items()
        }
        genesis = PyEVMBackend.generate_genesis_params(
            {"gas_limit": GAS_LIMIT, "timestamp": int(time.time()) - 1, "mix_hash": os.urandom(32)}
        )
        self._chain: Any = PyEVMBackend(genesis_parameters=genesis, genesis_state=accounts).chain  # untyped library
        self._chain.chain_id = CHAIN_ID
        self._lock = threading.RLock()
        self._mempool = Mempool()
        self._archive = Archive(block_record(self._chain.get_canonical_block_by_number(0)))
        self._headers: deque[BlockHeaderAPI] = deque([self._chain.get_canonical_head()], maxlen=KEPT_HEADERS)

    @property
    def height(self) -> int:
        """Number of the newest block."""
        return self._archive.height

    @property
    def timestamp(self) -> int:
        """Unix time of the newest block."""
        return self._headers[-1].timestamp

    @property
    def next_base_fee(self) -> int:
        """Base fee of the block to come, in wei."""
        fee: int = self._chain.header.base_fee_per_gas
        return fee

    @property
    def waiting(self) -> int:
        """Transactions in the mempool."""
        return len(self._mempool)

    def submit(self, raw: bytes) -> bytes:
        """Take a signed transaction into the mempool and return its hash.

        Raises:
            Refused: It can never be mined as it stands.
        """
        with self._lock:
            try:
                transaction: SignedTransactionAPI = self._chain.get_transaction_builder().decode(raw)
                transaction.validate()
                sender = transaction.sender
            except Exception as error:  # the decoder raises whatever its parts raise
                raise Refused(f"invalid transaction: {error}") from error
            chain_id = getattr(transaction, "chain_id", None)
            if chain_id is not None and chain_id != CHAIN_ID:
                raise Refused(f"invalid chain id: expected {CHAIN_ID}, was {chain_id}")
            if transaction.nonce < self.nonce(sender):
                raise Refused("nonce too low")
            if transaction.gas > GAS_LIMIT:
                raise Refused("exceeds block gas limit")
            if transaction.gas < transaction.intrinsic_gas:
                raise Refused("intrinsic gas too low")
            if self.balance(sender) < transaction.gas * transaction.max_fee_per_gas + transaction.value:
                raise Refused("insufficient funds for gas * price + value")
            self._mempool.add(transaction, sender, self.height)
            return transaction.hash

    def mine(self) -> Wire:
        """Make the next block of what waits and fits, and return its record."""
        with self._lock:
            header = self._chain.header.copy(timestamp=max(int(time.time()), self._head().timestamp + 1))
            vm = self._chain.get_vm(header)
            taken: list[SignedTransactionAPI] = []
            receipts, outputs = [], []
            while waiting := self._mempool.best(
                header.base_fee_per_gas, header.gas_limit - header.gas_used, vm.state.get_nonce
            ):
                self._mempool.remove(waiting)
                try:
                    receipt, computation = vm.apply_transaction(header, waiting.transaction)
                except (ValidationError, VMError):
                    continue  # its sender spent the funds in the meantime
                header = vm.add_receipt_to_header(header, receipt)
                taken.append(waiting.transaction)
                receipts.append(receipt)
                outputs.append(computation.output if computation.is_error else b"")
            filled = vm.set_block_transactions_and_withdrawals(vm.get_block(), header, taken, receipts)
            block = vm.mine_block(filled, mix_hash=os.urandom(32), blob_gas_used=0).block
            self._chain.persist_block(block)
            self._chain.header = self._chain.create_header_from_parent(block.header)
            self._headers.append(block.header)
            entry = Entry(block_record(block), receipt_records(block, receipts, outputs))
            self._archive.add(entry)
            self._mempool.drop_old(block.number)
            if block.number % PRUNE_BLOCKS == 0:
                states = list(self._headers)[-KEPT_STATES:]
                hashes = [each.hash for each in self._headers]
                prune(self._chain.chaindb.db.wrapped_db, [each.state_root for each in states], hashes)
            return entry.block

    def call(self, sender: bytes, to: bytes, calldata: bytes, value: int = 0, number: int | None = None) -> bytes:
        """Execute a message on the state after block `number` (the newest by default) and forget its effects.

        Raises:
            Reverted: The message failed.
        """
        with self._lock:
            vm = self._chain.get_vm(self._header(number))
            computation = vm.execute_bytecode(
                origin=sender,
                gas_price=0,
                gas=GAS_LIMIT,
                to=to,
                sender=sender,
                value=value,
                data=calldata,
                code=vm.state.get_code(to),
            )
            if computation.is_error:
                raise Reverted(computation.output)
            output: bytes = computation.output
            return output

    def estimate_gas(self, sender: bytes, to: bytes, calldata: bytes, value: int = 0) -> int:
        """Gas that a transaction needs on the newest state.

        Raises:
            Reverted: It would fail.
        """
        with self._lock:
            if to:
                self.call(sender, to, calldata, value)
            unsigned = self._chain.get_transaction_builder().new_unsigned_dynamic_fee_transaction(
                chain_id=CHAIN_ID,
                nonce=self.nonce(sender),
                max_priority_fee_per_gas=0,
                max_fee_per_gas=self._head().base_fee_per_gas,
                gas=GAS_LIMIT,
                to=to,
                value=value,
                data=calldata,
                access_list=(),
            )
            gas: int = self._chain.estimate_gas(SpoofTransaction(unsigned, from_=sender))
            return gas

    def balance(self, account: bytes, number: int | None = None) -> int:
        """Wei of an account."""
        with self._lock:
            wei: int = self._chain.get_vm(self._header(number)).state.get_balance(account)
            return wei

    def nonce(self, account: bytes, number: int | None = None, *, pending: bool = False) -> int:
        """Transactions that an account has had mined; with `pending`, those that wait as well."""
        with self._lock:
            nonce: int = self._chain.get_vm(self._header(number)).state.get_nonce(account)
            return self._mempool.next_nonce(account, nonce) if pending else nonce

    def code(self, account: bytes, number: int | None = None) -> bytes:
        """Code of a contract; empty for other accounts."""
        with self._lock:
            code: bytes = self._chain.get_vm(self._header(number)).state.get_code(account)
            return code

    def storage(self, account: bytes, slot: int, number: int | None = None) -> int:
        """One word of a contract's storage."""
        with self._lock:
            word: int = self._chain.get_vm(self._header(number)).state.get_storage(account, slot)
            return word

    def entry(self, number: int) -> Entry | None:
        """A block with its receipts, if it is remembered."""
        with self._lock:
            return self._archive.entry(number)

    def number_of(self, block_hash: str) -> int | None:
        """A remembered block's number by its hash."""
        with self._lock:
            return self._archive.number_of(block_hash)

    def transaction(self, transaction_hash: str) -> Wire | None:
        """A mined or waiting transaction by its hash."""
        with self._lock:
            if mined := self._archive.transaction(transaction_hash):
                return mined
            waiting = self._mempool.get(bytes.fromhex(transaction_hash[2:]))
            return transaction_record(waiting) if waiting else None

    def receipt(self, transaction_hash: str) -> Wire | None:
        """Receipt of a mined transaction."""
        with self._lock:
            return self._archive.receipt(transaction_hash)

    def _head(self) -> BlockHeaderAPI:
        head: BlockHeaderAPI = self._chain.get_canonical_head()
        return head

    def _header(self, number: int | None) -> BlockHeaderAPI:
        if number is None or number == self.height:
            return self._head()
        if not 0 <= number < self.height:
            raise UnknownBlock(f"no block {number}: the newest is {self.height}")
        back = self.height - number
        if back >= KEPT_STATES:
            raise UnknownBlock(
                f"missing trie node: the state of the newest {KEPT_STATES} blocks is kept, not of {number}"
            )
        return self._headers[-1 - back]


def revert_reason(output: bytes) -> str:
    """A revert's own words: `execution reverted: SLIPPAGE`, or without words if the contract gave none."""
    if output[:4] == bytes.fromhex("08c379a0") and len(output) >= 68:
        length = int.from_bytes(output[36:68], "big")
        return f"execution reverted: {output[68 : 68 + length].decode('utf-8', 'replace')}"
    return "execution reverted" if not output else f"execution reverted: {data(output)}"
