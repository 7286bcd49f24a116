"""Notices that something was not used for a while; meanwhile nothing wakes up."""

import threading
import time
from collections.abc import Callable


class IdleWatch:
    """Calls back, from a thread of its own, once something was not used for so long.

    Args:
        seconds: how long; None: never.
        on_idle: called then; it may have been used again meanwhile.
        now: the time, in seconds.
    """

    def __init__(
        self, seconds: float | None, on_idle: Callable[[], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._on_idle = on_idle
        self._now = now
        self._lock = threading.Lock()
        self._last = now()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def used(self) -> None:
        """It is used now."""
        self._last = self._now()
        if self._seconds is None or self._thread is not None:
            return
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._watch, args=(self._seconds,), name="idle", daemon=True)
                self._thread.start()

    def is_over(self) -> bool:
        """Whether it was not used for so long."""
        return self._seconds is not None and self._now() - self._last >= self._seconds

    def close(self) -> None:
        """Watch no more."""
        self._stop.set()

    def _watch(self, seconds: float) -> None:
        while not self._stop.wait(max(0.0, self._last + seconds - self._now())):
            if self.is_over():
                break
        with self._lock:
            self._thread = None
        if not self._stop.is_set():
            self._on_idle()
