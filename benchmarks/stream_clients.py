"""Many WebSocket clients in one lean process, for `benchmarks.stream`: they note when each event came, and no more."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import struct
import sys
import time
from functools import partial
from typing import Any

_EVENT = re.compile(rb'"ts":(\d+),"seq":\d+,"run":"\w+","type":"log_recorded","message":"(\d+)')
_PING, _CLOSE = 9, 8


class Client(asyncio.Protocol):
    """One WebSocket. A frozen one reads nothing behind its opening."""

    def __init__(self, path: str, *, is_frozen: bool) -> None:
        self._path = path
        self._is_frozen = is_frozen
        self._data = bytearray()
        self._is_open = False
        self.opened = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self.numbers: list[int] = []
        self.frames = self.bytes = 0

    def connection_made(self, transport: Any) -> None:  # Any: whatever the loop has
        """Ask for the stream."""
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Note every whole frame."""
        now = time.time_ns()
        self._data += data
        if not self._is_open:
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return
            del self._data[: end + 4]
            self._is_open = True
            self.opened.set_result(None)
            if self._is_frozen:
                self._transport.pause_reading()
                return
        at = 0
        while (frame := self._frame(at)) is not None:
            opcode, start, at = frame
            self._take(opcode, bytes(self._data[start:at]), now)
        del self._data[:at]

    def _frame(self, at: int) -> tuple[int, int, int] | None:
        """Opcode, start and end of the frame that begins there, if it is whole."""
        data = self._data
        if len(data) < at + 2:
            return None
        size, start = data[at + 1], at + 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, start = int.from_bytes(data[start : start + width], "big"), start + width
        return (data[at] & 15, start, start + size) if len(data) >= start + size else None

    def _take(self, opcode: int, data: bytes, now: int) -> None:
        self.frames += 1
        self.bytes += len(data)
        if opcode == _PING:
            mask = bytes(4)  # which leaves the payload as it is
            self._transport.write(struct.pack("!BB", 0x8A, 0x80 | len(data)) + mask + data)
        elif opcode == _CLOSE:
            self._transport.close()
        elif b'"log_recorded"' in data and b'"type":"state"' not in data[:40]:
            for ts, number in _EVENT.findall(data):
                self.latencies.append((now - int(ts)) / 1e6)
                self.numbers.append(int(number))


async def main(port: int, path: str, frozen: int, clients: int, last: int, seconds: float) -> None:
    """Connect, say so, and go on until the last event or the time's end; then tell all on stdout."""
    loop = asyncio.get_running_loop()
    all_of_them = []
    for number in range(clients):
        made = partial(Client, path, is_frozen=number < frozen)
        _, client = await loop.create_connection(made, "127.0.0.1", port)
        await client.opened
        all_of_them.append(client)
    reading = all_of_them[frozen:]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(not one.numbers or one.numbers[-1] < last for one in reading):  # noqa: ASYNC110  all are looked at, seldom
        await asyncio.sleep(0.05)
    told = {
        "latencies": sorted(latency for one in reading for latency in one.latencies),
        "complete": sum(one.numbers == list(range(1, last + 1)) for one in reading),
        "frames": sum(one.frames for one in reading) / len(reading),
        "bytes": sum(one.bytes for one in reading) / len(reading),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    port_, path_, frozen_, clients_, last_, seconds_ = sys.argv[1:]
    asyncio.run(main(int(port_), path_, int(frozen_), int(clients_), int(last_), float(seconds_)))
