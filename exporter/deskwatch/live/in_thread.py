"""A blocking call beside the event loop, in a thread that nobody waits for at the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """The call's result, or its exception.

    Unlike asyncio's own, the thread is a daemon: a sidecar that hangs keeps no program from ending. Cancelled, the call
    goes on to its end by itself, and its result is dropped.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def finish(result: T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # None only where T is

    def run() -> None:
        result, error = None, None
        try:
            result = call()
        except Exception as raised:  # whatever it is, it is the caller's
            error = raised
        if not loop.is_closed():
            try:
                loop.call_soon_threadsafe(finish, result, error)
            except RuntimeError:  # the loop was closed just now
                return

    threading.Thread(target=run, name="deskwatch-live", daemon=True).start()
    return await future
