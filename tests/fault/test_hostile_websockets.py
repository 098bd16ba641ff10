"""WebSockets that mean no good: bad frames, bad handshakes, and what comes before a handshake is answered."""

from __future__ import annotations

import base64
import contextlib
import os
import time
from collections.abc import Iterator

import pytest

from tests.fault import hostile
from tests.fault.attacked import Desk, attacked


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with attacked(tmp_path_factory.mktemp("hostile") / "home") as one:
        yield one


OPENING = (
    b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
)
KEY = b"Sec-WebSocket-Key: " + base64.b64encode(bytes(16)) + b"\r\n"
FRAMES = {
    "unmasked": b"\x81\x05hello",
    "a reserved opcode": b"\x83\x80\x00\x00\x00\x00",
    "reserved bits": b"\xf1\x80\x00\x00\x00\x00",
    "a length of 2^63": b"\x81\xff" + b"\x7f" + b"\xff" * 7 + bytes(4),
    "a frame of 100 MB": b"\x81\xff" + (100_000_000).to_bytes(8, "big") + bytes(100_000),
    "a long ping": b"\x89\xfe\x01\x00" + bytes(260),
    "a ping in pieces": b"\x09\x80\x00\x00\x00\x00",
    "a rest of nothing": b"\x80\x80\x00\x00\x00\x00",
    "no UTF-8": b"\x81\x82\x00\x00\x00\x00\xff\xfe",
    "a close of one byte": b"\x88\x81\x00\x00\x00\x00\x03",
    "random": os.urandom(2000),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_a_bad_frame_ends_its_websocket_and_nothing_else(frame: bytes, desk: Desk) -> None:
    with hostile.connection(desk.port) as one:
        one.sendall(OPENING + KEY + b"\r\n")
        assert one.recv(12) == b"HTTP/1.1 101"
        with contextlib.suppress(OSError):
            one.sendall(frame)
        assert hostile.until_closed(one, 5)
    desk.in_command()


UNREADABLE = (
    KEY + b"".join(b"X-%d: 1\r\n" % number for number in range(140)),
    KEY + b"X-Long: " + b"y" * 9000 + b"\r\n",
)
"""Within the limits of HTTP, and beyond those of the WebSocket's own parser."""


@pytest.mark.parametrize(
    "more",
    [
        b"",
        b"Sec-WebSocket-Key: short\r\n",
        KEY + KEY,
        KEY + b"Origin: http://evil.example\r\n",
        KEY + b"Origin: null\r\n",
        *UNREADABLE,
    ],
    ids=["no key", "a short key", "two keys", "another origin", "no origin", "many fields", "a long field"],
)
def test_a_bad_handshake_opens_nothing_and_is_ended(more: bytes, desk: Desk) -> None:
    with hostile.connection(desk.port) as one:
        one.sendall(OPENING + more + b"\r\n")
        with contextlib.suppress(ConnectionResetError):
            said = one.recv(65536)
            assert not said.startswith((b"HTTP/1.1 101", b"HTTP/1.1 5")), said[:200]
        assert hostile.until_closed(one, 5)
    desk.in_command()


def test_handshakes_that_nobody_can_read_take_no_place_from_the_operator(desk: Desk) -> None:
    """One after the other, so that each is handed over before the next one comes."""
    with contextlib.ExitStack() as stack:
        held = []
        for _ in range(500):
            one = stack.enter_context(hostile.connection(desk.port))
            with contextlib.suppress(OSError):
                one.sendall(OPENING + KEY + UNREADABLE[0] + b"\r\n")
                held.append(one)
                one.settimeout(0.005)
                one.recv(1)
        desk.in_command()
        assert hostile.still_open(held) < 10


def test_frames_before_the_answer_end_the_websocket(desk: Desk) -> None:
    """A wrong token is held up; what comes meanwhile is no client's of ours, and must not fill the log."""
    wrong = b"Authorization: Bearer " + b"w" * 40 + b"\r\n\r\n"
    for frame in (b"\x81\xfe\xff\xff" + bytes(70_000), b"\xff" * 100, b"\x89\x80\x00\x00\x00\x00"):
        with hostile.connection(desk.port) as one:
            one.sendall(OPENING + KEY + wrong)
            with contextlib.suppress(OSError):
                time.sleep(0.01)  # if the answer was quicker, it ends all the same
                one.sendall(frame)
            assert hostile.until_closed(one, 5)
    desk.in_command()
