"""How far the download of a model pack is, for the pages."""

import threading
import time

from plugin.domain import Fetching

FORGOTTEN_AFTER = 15.0
"""Seconds without news after which nothing is being fetched any more, however it ended."""


class FetchWatch:
    """Remembers what a download said last; its `note` is the progress callback of the model packs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[float, Fetching] | None = None

    def note(self, done: int, total: int | None, what: str) -> None:
        """So many bytes of a file are here."""
        with self._lock:
            self._last = (time.monotonic(), Fetching(what, done, total))

    def now(self) -> Fetching | None:
        """What is being fetched, or None."""
        with self._lock:
            if self._last is None or time.monotonic() - self._last[0] > FORGOTTEN_AFTER:
                return None
            return self._last[1]
