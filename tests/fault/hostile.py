"""Clients that mean no good, at the level of sockets. Each is bounded, and closes what it opened."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator

HUNDRED_MB = 100 * 1024 * 1024


@contextlib.contextmanager
def connection(port: int, seconds: float = 10.0) -> Iterator[socket.socket]:
    """A connection that is closed at the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as one:
        yield one


def head(method: str, path: str, **headers: str) -> bytes:
    """A request's head."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answer(one: socket.socket, seconds: float = 2.0) -> bytes:
    """What comes until the other side closes, or for so long."""
    deadline = time.monotonic() + seconds
    found = b""
    with contextlib.suppress(OSError):
        while (left := deadline - time.monotonic()) > 0:
            one.settimeout(left)
            if not (data := one.recv(65536)):
                break
            found += data
    return found


def exchange(port: int, data: bytes, seconds: float = 2.0) -> bytes:
    """Send something and read the answer."""
    with connection(port) as one:
        with contextlib.suppress(OSError):  # the other side may have heard enough
            one.sendall(data)
        return answer(one, seconds)


def until_closed(one: socket.socket, seconds: float) -> bool:
    """Whether the other side ends the connection within the time, whatever it says before."""
    deadline = time.monotonic() + seconds
    try:
        while (left := deadline - time.monotonic()) > 0:
            one.settimeout(left)
            if not one.recv(65536):
                return True
    except TimeoutError:
        return False
    except OSError:
        return True
    return False


def drip(port: int, data: bytes, seconds: float, *, every: float = 0.1) -> float:
    """Send a byte at a time; how long the other side bore it, at most `seconds`."""
    began = time.monotonic()
    with connection(port) as one:
        one.settimeout(0.01)
        for number in range(int(seconds / every)):
            try:
                one.send(data[number % len(data) : number % len(data) + 1])
                with contextlib.suppress(TimeoutError):
                    one.recv(65536)  # an answer, or the end
                    break
            except OSError:
                break
            time.sleep(every)
    return time.monotonic() - began


def pour(port: int, first: bytes, length: int) -> tuple[int, bytes]:
    """Send a head and then a body until it is all sent or refused; bytes sent, and the answer."""
    block = os.urandom(65536)
    sent = 0
    with connection(port) as one:
        try:
            one.sendall(first)
            while sent < length:
                one.sendall(block)
                sent += len(block)
        except OSError:
            pass
        return sent, answer(one)


@contextlib.contextmanager
def crowd(port: int, count: int, first: bytes = b"") -> Iterator[list[socket.socket]]:
    """Many connections at one time, each of which says `first` and then nothing."""
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            with contextlib.suppress(OSError):
                one = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
                one.sendall(first)
                found.append(one)
        yield found


def still_open(found: list[socket.socket]) -> int:
    """How many the other side has not closed."""
    count = 0
    for one in found:
        one.setblocking(False)
        try:
            while one.recv(65536):
                pass
        except BlockingIOError:
            count += 1
        except OSError:
            pass
    return count


def timed(call: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    began = time.monotonic()
    call()
    return time.monotonic() - began
