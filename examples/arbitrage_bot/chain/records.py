"""What the chain tells about a mined block, made once when it is mined, in JSON-RPC's form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth.abc import BlockAPI, ReceiptAPI, SignedTransactionAPI
from eth_utils.crypto import keccak
from rlp import encode  # type: ignore[import-untyped]  # it carries no types

from arbitrage_bot.chain.wire import Wire, address, data, quantity


def tip_per_gas(transaction: SignedTransactionAPI, base_fee: int) -> int:
    """What the miner gets for a unit of gas, in wei; negative if the transaction can't pay the base fee."""
    return min(transaction.max_priority_fee_per_gas, transaction.max_fee_per_gas - base_fee)


def transaction_record(transaction: Any, block: BlockAPI | None = None, index: int | None = None) -> Wire:
    """A transaction; without `block` it is pending. `Any`: py-evm's classes for each type share no typed interface."""
    record: Wire = {
        "type": quantity(getattr(transaction, "type_id", 0) or 0),
        "hash": data(transaction.hash),
        "nonce": quantity(transaction.nonce),
        "blockHash": data(block.hash) if block else None,
        "blockNumber": quantity(block.number) if block else None,
        "transactionIndex": quantity(index) if index is not None else None,
        "from": address(transaction.sender),
        "to": address(transaction.to) if transaction.to else None,
        "value": quantity(transaction.value),
        "gas": quantity(transaction.gas),
        "maxFeePerGas": quantity(transaction.max_fee_per_gas),
        "maxPriorityFeePerGas": quantity(transaction.max_priority_fee_per_gas),
        "input": data(transaction.data),
        "r": quantity(transaction.r),
        "s": quantity(transaction.s),
    }
    if record["type"] == "0x0":
        record["v"] = quantity(transaction.v)
        record["gasPrice"] = record["maxFeePerGas"]
        del record["maxFeePerGas"], record["maxPriorityFeePerGas"]
    else:
        record["v"] = record["yParity"] = quantity(transaction.y_parity)
        record["chainId"] = quantity(transaction.chain_id)
        record["accessList"] = []
        base_fee = block.header.base_fee_per_gas if block else None
        paid = transaction.max_fee_per_gas if base_fee is None else base_fee + tip_per_gas(transaction, base_fee)
        record["gasPrice"] = quantity(paid)
    return record


def receipt_records(block: BlockAPI, receipts: Sequence[ReceiptAPI], outputs: Sequence[bytes]) -> list[Wire]:
    """The receipts of a block's transactions, with their logs, in order.

    A failed transaction's receipt has `revertReason`, what its contract returned, as Besu's receipts have it.
    """
    records: list[Wire] = []
    gas_before, log_index = 0, 0
    base_fee = block.header.base_fee_per_gas or 0
    for index, (transaction, receipt) in enumerate(zip(block.transactions, receipts, strict=True)):
        where = {
            "blockHash": data(block.hash),
            "blockNumber": quantity(block.number),
            "transactionHash": data(transaction.hash),
            "transactionIndex": quantity(index),
        }
        logs = []
        for log in receipt.logs:
            logs.append(
                {
                    **where,
                    "logIndex": quantity(log_index),
                    "address": address(log.address),
                    "data": data(log.data),
                    "topics": [data(topic.to_bytes(32, "big")) for topic in log.topics],
                    "removed": False,
                }
            )
            log_index += 1
        created = None if transaction.to else address(contract_address(transaction.sender, transaction.nonce))
        records.append(
            {
                **where,
                "type": quantity(getattr(transaction, "type_id", 0) or 0),
                "from": address(transaction.sender),
                "to": address(transaction.to) if transaction.to else None,
                "contractAddress": created,
                "status": quantity(int.from_bytes(receipt.state_root, "big")),
                "gasUsed": quantity(receipt.gas_used - gas_before),
                "cumulativeGasUsed": quantity(receipt.gas_used),
                "effectiveGasPrice": quantity(base_fee + tip_per_gas(transaction, base_fee)),
                "logs": logs,
                "logsBloom": data(receipt.bloom.to_bytes(256, "big")),
            }
        )
        if records[-1]["status"] == "0x0":
            records[-1]["revertReason"] = data(outputs[index])
        gas_before = receipt.gas_used
    return records


def block_record(block: BlockAPI) -> Wire:
    """A block with its transactions in full."""
    header = block.header
    return {
        "number": quantity(header.block_number),
        "hash": data(header.hash),
        "parentHash": data(header.parent_hash),
        "nonce": data(header.nonce),
        "sha3Uncles": data(header.uncles_hash),
        "logsBloom": data(header.bloom.to_bytes(256, "big")),
        "transactionsRoot": data(header.transaction_root),
        "receiptsRoot": data(header.receipt_root),
        "stateRoot": data(header.state_root),
        "miner": address(header.coinbase),
        "difficulty": quantity(header.difficulty),
        "totalDifficulty": "0x0",
        "mixHash": data(header.mix_hash),
        "extraData": data(header.extra_data),
        "size": quantity(len(encode(block))),
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "timestamp": quantity(header.timestamp),
        "baseFeePerGas": quantity(header.base_fee_per_gas or 0),
        "uncles": [],
        "transactions": [transaction_record(each, block, index) for index, each in enumerate(block.transactions)],
    }


def contract_address(sender: bytes, nonce: int) -> bytes:
    """The address of a contract that `sender` creates with its transaction `nonce`."""
    return keccak(encode([sender, nonce]))[12:]
