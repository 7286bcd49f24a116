"""Keeps one watch per library that can be watched. A watch is a hint; the periodic rescan finds what it missed."""

import logging
import threading
import time
from collections.abc import Callable

from plugin.domain import Library, LibraryId
from plugin.errors import HostError
from plugin.ports.host import Host, Watch, WatchableHost
from plugin.ports.libraries import LibraryRows

log = logging.getLogger(__name__)


class Watchers:
    """Starts and stops watches as libraries come and go.

    Args:
        libraries: which libraries there are.
        host_of: the host of a library.
        on_change: called with the library when something changed there.
    """

    def __init__(
        self, libraries: LibraryRows, host_of: Callable[[Library], Host], on_change: Callable[[LibraryId], None]
    ) -> None:
        self._libraries = libraries
        self._host_of = host_of
        self._on_change = on_change
        self._watches: dict[LibraryId, Watch | None] = {}
        self._watched: dict[LibraryId, Host] = {}
        self._since: dict[LibraryId, float] = {}
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Watch libraries that are new, whose disk came back or whose login or choices changed, none that was removed.

        Cheap without changes.
        """
        with self._lock:
            libraries = {library.id: library for library in self._libraries.all()}
            for library_id in self._watches.keys() - libraries.keys():
                self._stop(library_id)
            for library_id in [key for key, watch in self._watches.items() if watch is not None and not watch.holds]:
                self._stop(library_id)
            for library in libraries.values():
                host = self._host_of(library)
                if library.id in self._watches and host is not self._watched[library.id]:
                    self._stop(library.id)
                if library.id not in self._watches:
                    self._start(library, host)

    def tells_since(self, library_id: LibraryId) -> float | None:
        """Since when every change of a library is told (`time.monotonic`); None: not each is. Waits for nobody."""
        watch = self._watches.get(library_id)
        return self._since.get(library_id) if watch is not None and watch.sees_everything else None

    def stop(self) -> None:
        """End every watch. Safe to call twice."""
        with self._lock:
            for library_id in list(self._watches):
                self._stop(library_id)

    def _stop(self, library_id: LibraryId) -> None:
        watch = self._watches.pop(library_id)
        self._watched.pop(library_id, None)
        if watch is not None:
            watch.stop()

    def _start(self, library: Library, host: Host) -> None:
        """Watch it, or remember that its host cannot be watched; one that is away is tried again at the next look."""
        watch = None
        try:
            if isinstance(host, WatchableHost):
                watch = host.watch(lambda: self._on_change(library.id))
                self._since[library.id] = time.monotonic()
            self._watches[library.id], self._watched[library.id] = watch, host
        except HostError as error:
            log.info("Library %s is not watched now: %s", library.name, error)
