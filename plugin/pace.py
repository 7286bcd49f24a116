"""How fast photos are looked at, remembered after the work ended."""

import threading
import time
from collections import deque
from collections.abc import Callable

LATEST = 200
"""Photos the pace is taken from: enough to even videos and portraits out."""

BREAK_SECONDS = 30.0
"""A pause this long begins a new stretch of work, so that resting is not taken for slowness."""

ENOUGH = 3


class Pace:
    """Photos per second over the last stretch of work. Thread-safe.

    Args:
        now: the time, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._finished: deque[float] = deque(maxlen=LATEST)
        self._by = ""

    def note(self, by: str) -> None:
        """One more photo is finished, by this provider; what others did says nothing about it."""
        now = self._now()
        with self._lock:
            if by != self._by or (self._finished and now - self._finished[-1] > BREAK_SECONDS):
                self._finished.clear()
            self._by = by
            self._finished.append(now)

    def per_second(self) -> float | None:
        """The pace; None until a few photos were looked at."""
        with self._lock:
            if len(self._finished) < ENOUGH:
                return None
            took = self._finished[-1] - self._finished[0]
            return (len(self._finished) - 1) / took if took > 0 else None
