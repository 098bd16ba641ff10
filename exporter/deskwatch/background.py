"""What a recorder does beside its bot: one thread puts the journal on disk, another brings commands and beats.

They are two so that a disk that stalls within a sync never holds up a command to halt.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from deskwatch.errors import JournalError
from deskwatch.journal.notify import Notifier
from deskwatch.trouble import Trouble

HEARTBEAT_SECONDS = 5.0
"""How often a bot says that it lives."""
SYNC_SECONDS = 0.5
"""How often what was journaled is put on disk, and what the journal still has to be told is tried again."""


class Background:
    """A recorder's two threads.

    Args:
        bot: The bot's name, for the threads' names.
        trouble: Told of what fails.
        sync: Puts the journal on disk.
        poll: Brings commands.
        settle: Journals what could not be journaled so far.
        beat: Journals a heartbeat.
    """

    def __init__(
        self,
        bot: str,
        trouble: Trouble,
        *,
        sync: Callable[[], None],
        poll: Callable[[], None],
        settle: Callable[[], None],
        beat: Callable[[], None],
    ) -> None:
        self._trouble = trouble
        self._sync = sync
        self._poll = poll
        self._settle = settle
        self._beat = beat
        self._notifier = Notifier()
        self.stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._put_on_disk, name=f"deskwatch-{bot}-sync", daemon=True),
            threading.Thread(target=self._bring_commands, name=f"deskwatch-{bot}", daemon=True),
        ]

    def watch(self, folder: Path) -> None:
        """Look at a folder as soon as it changes. Called before `start`."""
        self._notifier.open().watch(folder)

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask both threads to end, and wait for them for a while: a disk that stalls may hold one."""
        self.stopped.set()
        self._notifier.wake()
        deadline = time.monotonic() + 2 * SYNC_SECONDS + 1
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        if not self._threads[-1].is_alive():
            self._notifier.close()

    def forked(self) -> None:
        """In a forked child both threads are gone; what they used is the parent's."""
        self.stopped = threading.Event()
        self.stopped.set()
        self._notifier.close()

    def _put_on_disk(self) -> None:
        while not self.stopped.wait(SYNC_SECONDS):
            try:
                self._sync()
            except JournalError as error:  # the disk's refusals are told by the writer, and tried again here
                self._trouble.tell("unsynced", str(error))
            except Exception as error:
                self._trouble.tell(f"sync {type(error).__name__}", f"the journal could not be kept on disk: {error}")

    def _bring_commands(self) -> None:
        beat = 0.0
        while not self.stopped.is_set():
            try:
                self._poll()
                if time.monotonic() >= beat:
                    beat = time.monotonic() + HEARTBEAT_SECONDS
                    self._beat()
                self._settle()
                self._notifier.wait(SYNC_SECONDS)
            except Exception as error:  # whatever it is, the thread goes on: it brings the operator's commands
                self._trouble.tell(type(error).__name__, f"the journal's background work failed: {error}")
                self.stopped.wait(SYNC_SECONDS)
