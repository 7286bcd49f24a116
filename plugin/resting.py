"""Libraries whose hosts asked to be left alone for a while: nothing of them is looked at until then.

Kept in memory, as what the hosts said is: after a restart they are asked once more.
"""

import threading
import time
from collections.abc import Callable

from plugin.domain import LibraryId


class RestingLibraries:
    """Which libraries rest now. Thread-safe.

    Args:
        clock: seconds that only go on.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[LibraryId, float] = {}
        self._lock = threading.Lock()

    def rest(self, library_id: LibraryId, seconds: float) -> None:
        """Let it rest for so long from now, or longer where that was said before."""
        with self._lock:
            self._until[library_id] = max(self._clock() + seconds, self._until.get(library_id, 0.0))

    def now(self) -> frozenset[LibraryId]:
        """The libraries that rest."""
        at = self._clock()
        with self._lock:
            self._until = {library_id: until for library_id, until in self._until.items() if until > at}
            return frozenset(self._until)
