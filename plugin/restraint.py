"""How much of the machine the work in the background may take: its priority, and its share of the processors."""

import ctypes
import os
import platform
import threading
import time
from collections.abc import Callable
from contextlib import suppress

NICENESS = 5
"""Whoever else wants the processor gets three times as much, and an idle one is used in full. Not lower: pages wait for
a thread in the background to leave Python's lock, and it leaves late when it hardly gets to run."""

SET_IO_PRIORITY = {"x86_64": 251, "aarch64": 30}
"""The number of the system call `ioprio_set`, which the C library has no name for."""

THIS_THREAD = 1
LAST_OF_THE_OTHERS = (2 << 13) | 7
"""Class "best effort", level 7 of 0 to 7; the class "idle" could wait for ever on a busy disk."""

WAKES_EVERY = 0.5


def lower_priority() -> None:
    """Let everything else go first, for the calling thread and those it starts. Cannot be taken back. Linux only.

    On Linux a niceness belongs to a thread (see setpriority(2), notes); elsewhere it would slow the pages, too.
    """
    if platform.system() != "Linux":
        return
    thread = threading.get_native_id()
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
    number = SET_IO_PRIORITY.get(platform.machine())
    if number is not None:
        ctypes.CDLL(None).syscall(number, THIS_THREAD, 0, LAST_OF_THE_OTHERS)


class CpuShare:
    """Rests between photos, so that finding faces takes no more than a part of the processors.

    Args:
        percent: of all processors together; 100: no limit.
        workers: threads that share it.
        processors: how many there are.
    """

    def __init__(self, percent: int, workers: int, processors: int | None = None) -> None:
        allowed = percent / 100 * (processors or os.cpu_count() or 1)
        self._of_one = allowed / workers

    @property
    def limited(self) -> bool:
        """Whether a worker ever has to rest."""
        return self._of_one < 1.0

    def rest_after(self, computed: float, took: float) -> float:
        """Seconds to rest after so many seconds of computing in so many seconds of time."""
        return max(0.0, computed / self._of_one - took) if self.limited else 0.0

    def begin(self) -> "Stint":
        """Start to work."""
        return Stint(self)


class Stint:
    """One piece of work of this thread, and the rest after it."""

    def __init__(self, share: CpuShare) -> None:
        self._share = share
        self._computed = time.thread_time()
        self._began = time.monotonic()

    def rest(self, should_stop: Callable[[], bool]) -> None:
        """Rest as long as the share asks for, or until told to stop. Call from the thread that began."""
        took = time.monotonic() - self._began
        left = self._share.rest_after(time.thread_time() - self._computed, took)
        while left > 0 and not should_stop():
            time.sleep(min(left, WAKES_EVERY))
            left -= WAKES_EVERY
