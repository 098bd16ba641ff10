"""A node of an EVM chain without an EVM: its JSON-RPC as documented, and every way in which providers fail.

    chain = Chain(); chain.mine(3)
    with running(chain) as node, running(chain) as other:
        node.frozen_at = 2            # lies stale; see `Node` for what else can be wrong with it
        chain.reorganize(2)

It keeps to the documented shapes (ethereum/execution-apis; batches by JSON-RPC 2.0; `eth_subscribe` as geth has it).
What it can't do (state, calls) is answered by `Chain.answers`, a function for each method.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from tests.fakes import http_server

BLOCK_SECONDS = 2
NO_METHOD = -32601


class Chain:
    """The blocks that nodes tell of.

    Attributes:
        blocks: Each as `eth_getBlockByNumber` has it, in order from 0.
        chain_id: Its number.
        answers: Method → what it answers to its parameters, for methods beyond blocks and fees.
    """

    def __init__(self, chain_id: int = 5) -> None:
        self.chain_id = chain_id
        self.answers: dict[str, Callable[..., Any]] = {}
        self.grown = threading.Condition()
        self._branch = 0
        self.blocks: list[dict[str, Any]] = []
        self._began = int(time.time()) - 3600
        self.mine()

    def mine(self, count: int = 1, transactions: list[dict[str, Any]] | None = None) -> None:
        """Add blocks; the first holds the transactions."""
        with self.grown:
            for _ in range(count):
                self.blocks.append(self._block(len(self.blocks), transactions or []))
                transactions = None
            self.grown.notify_all()

    def reorganize(self, depth: int, mined: int | None = None) -> None:
        """Leave the newest blocks for others: as many, or `mined`."""
        with self.grown:
            self._branch += 1
            del self.blocks[-depth:]
            self._began += 1  # what takes their place is newer
        self.mine(depth if mined is None else mined)

    def _block(self, number: int, transactions: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "number": hex(number),
            "hash": _hash(f"{self.chain_id} {self._branch} {number}"),
            "parentHash": self.blocks[-1]["hash"] if self.blocks else "0x" + "0" * 64,
            "timestamp": hex(self._began + BLOCK_SECONDS * number),
            "baseFeePerGas": hex(10**9 + number),
            "gasUsed": hex(21_000 * len(transactions)),
            "gasLimit": hex(30_000_000),
            "transactions": transactions,
        }


class Node:
    """One endpoint.

    Attributes:
        url: Where it answers.
        ws_url: Where its subscriptions are.
        asked: The methods of each request, in order; a batch is one request.
        heads: Connections that are told of new heads.
        frozen_at: It knows no newer block than this; None: it is up to date.
        slow_seconds: It waits so long before it answers.
        status: HTTP status of all its answers, with `body`.
        headers: Sent with each answer.
        body: What it answers, whatever is asked; None: the truth.
        most_calls: Longer batches are refused with HTTP 413; 1: batches are refused as a node does that knows none.
        chain_id: What it says its chain is; None: the truth.
        garble: What becomes of each result, by method; see `tests/unit/sources/evm`.
        refuses_streams: Whether it lets nobody subscribe.
        words: How it says that.
    """

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.url = self.ws_url = ""
        self.asked: list[list[str]] = []
        self.heads: list[ServerConnection] = []
        self.closing = threading.Event()
        self.mend()

    def mend(self) -> None:
        """Nothing is wrong with it any more."""
        self.frozen_at: int | None = None
        self.slow_seconds = 0.0
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body: bytes | None = None
        self.most_calls = 1000
        self.chain_id: int | None = None
        self.garble: Callable[[str, Any], Any] = lambda _, found: found
        self.refuses_streams = False
        self.words = "no streams"

    @property
    def methods(self) -> list[str]:
        """All methods that were asked, in order."""
        return [method for request in list(self.asked) for method in request]

    def tell_head(self, text: str | None = None) -> None:
        """Send subscribers the newest block, or some other text."""
        head = {key: value for key, value in self.chain.blocks[-1].items() if key != "transactions"}
        told = {"jsonrpc": "2.0", "method": "eth_subscription", "params": {"subscription": "0x1", "result": head}}
        for connection in list(self.heads):
            with contextlib.suppress(ConnectionClosed):
                connection.send(json.dumps(told) if text is None else text)

    def cut_streams(self) -> None:
        """Close the connections that are told of new heads."""
        for connection in list(self.heads):
            connection.close()

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """Status and body."""
        request = json.loads(body)
        calls = request if isinstance(request, list) else [request]
        self.asked.append([call["method"] for call in calls])
        if self.slow_seconds:
            self.closing.wait(self.slow_seconds)
        if self.body is not None or self.status != 200:
            return self.status, self.body or b""
        if isinstance(request, list) and len(calls) > self.most_calls:
            if self.most_calls > 1:
                return 413, b"too large"
            return 200, json.dumps({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no"}}).encode()
        told = [self._one(call) for call in calls]
        return 200, json.dumps(told if isinstance(request, list) else told[0]).encode()

    def _one(self, call: dict[str, Any]) -> dict[str, Any]:
        method, params = call["method"], call["params"]
        try:
            found = self.garble(method, self._result(method, params))
        except LookupError:
            error = {"code": NO_METHOD, "message": f"the method {method} does not exist/is not available"}
            return {"jsonrpc": "2.0", "id": call["id"], "error": error}
        return {"jsonrpc": "2.0", "id": call["id"], "result": found}

    def _result(self, method: str, params: list[Any]) -> Any:
        blocks = self.chain.blocks[: None if self.frozen_at is None else self.frozen_at + 1]
        match method:
            case "eth_chainId":
                return hex(self.chain_id or self.chain.chain_id)
            case "eth_blockNumber":
                return hex(len(blocks) - 1)
            case "eth_getBlockByNumber":
                number = len(blocks) - 1 if params[0] == "latest" else int(params[0], 16)
                if number >= len(blocks):
                    return None
                block = blocks[number]
                if params[1]:
                    return block
                return {**block, "transactions": [one["hash"] for one in block["transactions"]]}
            case "eth_gasPrice":
                return hex(3 * 10**9)
            case "eth_feeHistory":
                return {"oldestBlock": "0x1", "reward": [["0x3b9aca00"], ["0x77359400"]], "gasUsedRatio": [0.5, 0.5]}
            case _:
                return self.chain.answers[method](*params)

    def stream(self, connection: ServerConnection) -> None:
        """One subscriber."""
        with contextlib.suppress(ConnectionClosed):
            asked = json.loads(connection.recv())
            if self.refuses_streams:
                connection.send(json.dumps({"id": asked["id"], "error": {"code": NO_METHOD, "message": self.words}}))
                return
            connection.send(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": "0x1"}))
            self.heads.append(connection)
            try:
                for _ in connection:
                    pass
            finally:
                self.heads.remove(connection)


@contextlib.contextmanager
def running(chain: Chain, port: int = 0, *, streams: bool = False) -> Iterator[Node]:
    """A node that answers on 127.0.0.1 until the block ends; then its port is closed."""
    node = Node(chain)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        timeout = 30

        def do_POST(self) -> None:
            status, body = node.answer(self.rfile.read(int(self.headers["Content-Length"])))
            if node.closing.is_set():
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **node.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with contextlib.ExitStack() as stack:
        if streams:
            server = stack.enter_context(serve(node.stream, "127.0.0.1", 0))
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            stack.callback(node.cut_streams)
            node.ws_url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        node.url = stack.enter_context(http_server.serving(Handler, port, None, node.closing))
        yield node


def _hash(text: str) -> str:
    return "0x" + hashlib.sha256(text.encode()).hexdigest()
