"""Where a source's calls that block run: names looked up, files synced. None of them holds up the process's end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MOST_THREADS = 16
"""Calls at a time; others wait."""


class DaemonThreads(ThreadPoolExecutor):
    """A daemon thread for each call. Python waits at exit for the threads of other executors, however long that takes.

    It is a ThreadPoolExecutor since a loop takes no other as its default.
    """

    def __init__(self) -> None:
        super().__init__(max_workers=1)  # it never starts one of its own
        self._room = threading.Semaphore(MOST_THREADS)

    def submit(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Begin a call."""
        future: Future[T] = Future()

        def run() -> None:
            with self._room:
                if not future.set_running_or_notify_cancel():
                    return
                try:
                    result = call(*args, **kwargs)
                except BaseException as error:  # whoever awaits it raises it
                    future.set_exception(error)
                else:
                    future.set_result(result)

        threading.Thread(target=run, name="deskwatch-blocking", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for nothing."""
        del wait
        super().shutdown(wait=False, cancel_futures=cancel_futures)
