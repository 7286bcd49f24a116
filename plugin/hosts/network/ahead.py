"""Fetching what comes next while something else is looked at, so that the CPU never waits for the network."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO

AT_ONCE = 3
MOST_WAITING = 64
"""Fetched and not opened yet: previews of a few hundred KB. Each worker has eight at most."""


class Ahead:
    """Fetches in the background; what is not taken is closed when newer things come.

    Args:
        fetch: key -> an open file; raises what `take` is to raise.
    """

    def __init__(self, fetch: Callable[[str], BinaryIO]) -> None:
        self._fetch = fetch
        self._waiting: OrderedDict[str, Future[BinaryIO]] = OrderedDict()
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None

    def begin(self, keys: Sequence[str]) -> None:
        """Begin to fetch these, in this order."""
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(AT_ONCE, "fetch-ahead")
            for key in keys:
                if key not in self._waiting:
                    self._waiting[key] = self._threads.submit(self._fetch, key)
            while len(self._waiting) > MOST_WAITING:
                _discard(self._waiting.popitem(last=False)[1])

    def take(self, key: str) -> BinaryIO:
        """What was fetched, or fetched now."""
        with self._lock:
            waiting = self._waiting.pop(key, None)
        return self._fetch(key) if waiting is None or waiting.cancel() else waiting.result()

    def close(self) -> None:
        """Forget everything. Safe to call twice."""
        with self._lock:
            threads, self._threads = self._threads, None
            waiting = list(self._waiting.values())
            self._waiting.clear()
        for future in waiting:
            _discard(future)
        if threads is not None:
            threads.shutdown(wait=False)


def _discard(future: Future[BinaryIO]) -> None:
    future.add_done_callback(_close)
    future.cancel()


def _close(future: Future[BinaryIO]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().close()
