"""Libraries whose hosts asked to be left alone for a while: nothing of them is looked at until then.

Kept in memory, as what the hosts said is: after a restart they are asked once more.
"""

import threading
import time
from collections.abc import Callable

from plugin.domain import LibraryId

LONG_SECONDS = 600.0
"""Shorter rests come in the middle of a backlog: nobody's people are to be founded from the part that is through."""


class RestingLibraries:
    """Which libraries rest now. Thread-safe.

    Args:
        clock: seconds that only go on.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[LibraryId, float] = {}
        self._since: dict[LibraryId, float] = {}
        self._lock = threading.Lock()

    def rest(self, library_id: LibraryId, seconds: float) -> None:
        """Let it rest for so long from now, or longer where that was said before."""
        with self._lock:
            now = self._clock()
            self._since.setdefault(library_id, now)
            self._until[library_id] = max(now + seconds, self._until.get(library_id, 0.0))

    def answered(self, library_id: LibraryId) -> None:
        """Its host gave something: rests before now say nothing about those to come."""
        with self._lock:
            self._since.pop(library_id, None)
            if library_id in self._until:  # what is under way was asked for before; how long it is still counts
                self._since[library_id] = self._clock()

    def now(self) -> frozenset[LibraryId]:
        """The libraries that rest."""
        at = self._clock()
        with self._lock:
            self._until = {library_id: until for library_id, until in self._until.items() if until > at}
            return frozenset(self._until)

    def long(self) -> frozenset[LibraryId]:
        """Those of them that rest for long: at once, or by one short rest after the other with nothing in between."""
        resting = self.now()
        with self._lock:
            spans = {
                library_id: self._until.get(library_id, 0.0) - self._since[library_id] for library_id in self._since
            }
        return frozenset(one for one in resting if spans.get(one, 0.0) >= LONG_SECONDS)
