"""JSON-RPC 2.0 over a node: the methods, their parameters, and what goes wrong, in Ethereum's words."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from eth_utils.crypto import keccak

from arbitrage_bot.chain.mempool import Refused
from arbitrage_bot.chain.node import CHAIN_ID, Node, Reverted, UnknownBlock
from arbitrage_bot.chain.wire import Malformed, Wire, data, quantity, to_bytes, to_int

logger = logging.getLogger(__name__)

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
INTERNAL_ERROR, SERVER_ERROR = -32603, -32000
REVERTED = 3
"""geth's code for a call that reverted; `data` holds what the contract returned."""
USUAL_TIP_WEI = 1_000_000_000
"""What `eth_maxPriorityFeePerGas` advises, as development chains do."""
LOG_RANGE_BLOCKS = 5000
"""Most blocks that one eth_getLogs may span."""
BATCH_LIMIT = 200
"""Most requests in a batch."""


class Rpc:
    """Answers JSON-RPC requests from a node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._methods: dict[str, Callable[..., Any]] = {
            "web3_clientVersion": lambda: "arbitrage-bot-chain/py-evm",
            "web3_sha3": lambda text: data(keccak(to_bytes(text))),
            "net_version": lambda: str(CHAIN_ID),
            "eth_chainId": lambda: quantity(CHAIN_ID),
            "eth_syncing": lambda: False,
            "eth_accounts": list,
            "eth_blockNumber": lambda: quantity(node.height),
            "eth_gasPrice": lambda: quantity(node.next_base_fee + USUAL_TIP_WEI),
            "eth_maxPriorityFeePerGas": lambda: quantity(USUAL_TIP_WEI),
            "eth_feeHistory": self._fee_history,
            "eth_getBalance": lambda who, at="latest": quantity(node.balance(to_bytes(who, 20), self._number(at))),
            "eth_getTransactionCount": lambda who, at="latest": quantity(
                node.nonce(to_bytes(who, 20), self._number(at), pending=at == "pending")
            ),
            "eth_getCode": lambda who, at="latest": data(node.code(to_bytes(who, 20), self._number(at))),
            "eth_getStorageAt": lambda who, slot, at="latest": data(
                node.storage(to_bytes(who, 20), to_int(slot), self._number(at)).to_bytes(32, "big")
            ),
            "eth_call": self._call,
            "eth_estimateGas": self._estimate_gas,
            "eth_sendRawTransaction": lambda raw: data(node.submit(to_bytes(raw))),
            "eth_getTransactionByHash": lambda text: node.transaction(data(to_bytes(text, 32))),
            "eth_getTransactionReceipt": lambda text: node.receipt(data(to_bytes(text, 32))),
            "eth_getBlockByNumber": lambda at, full=False: self._block(self._number(at), full),
            "eth_getBlockByHash": lambda text, full=False: self._block(node.number_of(data(to_bytes(text, 32))), full),
            "eth_getBlockReceipts": self._block_receipts,
            "eth_getLogs": self._logs,
        }

    def answer(self, body: bytes) -> bytes:
        """The response to a request's or a batch's JSON text; empty if there is nothing to say to notifications."""
        try:
            request = json.loads(body)
        except ValueError as error:
            return json.dumps(_error(None, PARSE_ERROR, f"parse error: {error}")).encode()
        if not isinstance(request, list):
            response = self._one(request)
            return json.dumps(response).encode() if response else b""
        if not request or len(request) > BATCH_LIMIT:
            message = f"expected a batch of 1 to {BATCH_LIMIT} requests, was {len(request)}"
            return json.dumps(_error(None, INVALID_REQUEST, message)).encode()
        responses = [response for each in request if (response := self._one(each))]
        return json.dumps(responses).encode() if responses else b""

    def _one(self, request: object) -> Wire | None:
        if not isinstance(request, dict):
            return _error(None, INVALID_REQUEST, "expected a request object")
        identity = request.get("id")
        method, params = request.get("method"), request.get("params", [])
        if request.get("jsonrpc") != "2.0" or not isinstance(method, str) or not isinstance(params, list):
            return _error(identity, INVALID_REQUEST, 'expected "jsonrpc": "2.0", a method and a list of params')
        response = self._result(identity, method, params)
        return response if "id" in request else None

    def _result(self, identity: Any, method: str, params: list[Any]) -> Wire:
        function = self._methods.get(method)
        if function is None:
            return _error(identity, NO_METHOD, f"the method {method} does not exist/is not available")
        try:
            return {"jsonrpc": "2.0", "id": identity, "result": function(*params)}
        except Reverted as error:
            return _error(identity, REVERTED, str(error), data(error.output))
        except (Refused, UnknownBlock) as error:
            return _error(identity, SERVER_ERROR, str(error))
        except (Malformed, TypeError, AttributeError) as error:
            return _error(identity, INVALID_PARAMS, f"invalid params: {error}")
        except Exception as error:  # whatever py-evm raises must not take the connection down
            logger.exception("expected %s to be answered", method)
            return _error(identity, INTERNAL_ERROR, f"internal error: {type(error).__name__}")

    def _number(self, at: object) -> int | None:
        """The block number that a block parameter means; None is the newest."""
        if at in ("latest", "pending", "safe", "finalized"):
            return None
        return 0 if at == "earliest" else to_int(at)

    def _block(self, number: int | None, full: bool) -> Wire | None:
        entry = self._node.entry(self._node.height if number is None else number)
        if entry is None:
            return None
        record = entry.block
        return record if full else {**record, "transactions": [each["hash"] for each in record["transactions"]]}

    def _block_receipts(self, at: object) -> list[Wire] | None:
        number = self._number(at)
        entry = self._node.entry(self._node.height if number is None else number)
        return entry.receipts if entry else None

    def _message(self, fields: Wire) -> tuple[bytes, bytes, bytes, int]:
        return (
            to_bytes(fields.get("from", "0x" + "00" * 20), 20),
            to_bytes(fields["to"], 20) if fields.get("to") else b"",
            to_bytes(fields.get("input") or fields.get("data") or "0x"),
            to_int(fields.get("value", "0x0")),
        )

    def _call(self, fields: Wire, at: object = "latest") -> str:
        sender, to, calldata, value = self._message(fields)
        if not to:
            raise Malformed("expected the contract to call (`to`)")
        return data(self._node.call(sender, to, calldata, value, self._number(at)))

    def _estimate_gas(self, fields: Wire, _at: object = "latest") -> str:
        return quantity(self._node.estimate_gas(*self._message(fields)))

    def _fee_history(self, count: Any, newest: object, _percentiles: object = None) -> Wire:
        last = self._number(newest)
        last = self._node.height if last is None else last
        wanted = count if isinstance(count, int) else to_int(count)
        if not 1 <= wanted <= 1024:
            raise Malformed(f"expected 1 to 1024 blocks, was {wanted}")
        found = [self._node.entry(number) for number in range(max(0, last - wanted + 1), last + 1)]
        blocks = [entry.block for entry in found if entry]
        after = self._node.entry(last + 1)
        upcoming = after.block["baseFeePerGas"] if after else quantity(self._node.next_base_fee)
        return {
            "oldestBlock": blocks[0]["number"] if blocks else quantity(last),
            "baseFeePerGas": [block["baseFeePerGas"] for block in blocks] + [upcoming],
            "gasUsedRatio": [to_int(block["gasUsed"]) / to_int(block["gasLimit"]) for block in blocks],
        }

    def _logs(self, wanted: Wire) -> list[Wire]:
        if "blockHash" in wanted:
            number = self._node.number_of(wanted["blockHash"])
            if number is None:
                raise UnknownBlock("unknown block")
            first = last = number
        else:
            ends = (self._number(wanted.get(key, "latest")) for key in ("fromBlock", "toBlock"))
            first, last = (self._node.height if end is None else end for end in ends)
            last = min(last, self._node.height)
        if last - first >= LOG_RANGE_BLOCKS:
            raise Malformed(f"expected at most {LOG_RANGE_BLOCKS} blocks, was {last - first + 1}")
        addresses = wanted.get("address") or []
        emitters = {each.lower() for each in ([addresses] if isinstance(addresses, str) else addresses)}
        entries = (self._node.entry(number) for number in range(first, last + 1))
        return [
            log
            for entry in entries
            for receipt in (entry.receipts if entry else [])
            for log in receipt["logs"]
            if (not emitters or log["address"].lower() in emitters)
            and _topics_match(log["topics"], wanted.get("topics") or [])
        ]


def _topics_match(topics: list[str], wanted: list[Any]) -> bool:
    """Whether a log's topics fit a filter: by place, null for any, a list for one of several."""
    if len(wanted) > len(topics):
        return False
    for topic, pattern in zip(topics, wanted, strict=False):
        choices = pattern if isinstance(pattern, list) else [pattern]
        if pattern is not None and topic.lower() not in {each.lower() for each in choices}:
            return False
    return True


def _error(identity: Any, code: int, message: str, output: str | None = None) -> Wire:
    error: Wire = {"code": code, "message": message}
    if output is not None:
        error["data"] = output
    return {"jsonrpc": "2.0", "id": identity, "error": error}
