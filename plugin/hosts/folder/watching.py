# Paths on disk are bytes, which pathlib does not take.
# ruff: noqa: PTH119
"""Tells that something changed in a folder, once it is quiet again. A hint only: inotify misses network shares."""

import logging
import os
import threading
import time
from collections.abc import Callable

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from plugin.hosts.folder.mounts import Ground, ground_of
from plugin.hosts.folder.names import is_utf8, kind_of
from plugin.hosts.folder.options import FolderOptions
from plugin.hosts.folder.root import Root
from plugin.hosts.folder.skipping import NO_MEDIA, SkipRules
from plugin.ports.host import Watch

log = logging.getLogger(__name__)

# Not among them: opened and closed unwritten, which Kinfolk's own reading causes.
CHANGES: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]


def watch_folder(root: Root, rules: SkipRules, options: FolderOptions, on_change: Callable[[], None]) -> Watch | None:
    """Watch a folder and everything below it.

    Returns:
        The running watch, or None (with the reason in the log) when the system has no watches left.
    """
    settling = Settling(on_change, options.settle_seconds, options.longest_settle_seconds)
    observer, ground = Observer(), ground_of(root.path)
    changes = _Changes(root, rules, options, settling.changed)
    try:
        observer.schedule(
            changes,
            os.fsdecode(root.path),
            recursive=True,
            event_filter=CHANGES,
        )
        observer.start()
    except OSError as error:
        settling.stop()
        log.warning(
            "%s is not watched (%s); changes are found by the regular rescan. "
            "Raise fs.inotify.max_user_watches or max_user_instances with sysctl to watch it",
            os.fsdecode(root.path),
            error.strerror,
        )
        return None
    return FolderWatch(observer, settling, root.path, ground, changes.new_folder)


class FolderWatch:
    """A running observation and its two threads.

    Args:
        observer: started.
        settling: what it tells.
        folder: what is watched.
        ground: what that stood on when the observation began.
        new_folder: set once there is a folder that may not be watched: watchdog takes in what is made in its sight, but
            not what is moved there from elsewhere, nor what comes when the system has no watches left.
    """

    def __init__(
        self,
        observer: BaseObserver,
        settling: "Settling",
        folder: bytes,
        ground: Ground | None,
        new_folder: threading.Event,
    ) -> None:
        self._observer = observer
        self._settling = settling
        self._folder = folder
        self._ground = ground
        self._new_folder = new_folder

    @property
    def holds(self) -> bool:
        """Whether it still observes everything: no folder is new, the disk is the same, and no thread ended."""
        alive = [thread.is_alive() for thread in (self._observer, *self._observer.emitters)]
        return all(alive) and not self._new_folder.is_set() and ground_of(self._folder) == self._ground

    @property
    def sees_everything(self) -> bool:
        """Whether every change is told: a disk of this machine, not a network share."""
        return self._ground is not None and self._ground.tells_everything and self.holds

    def stop(self) -> None:
        """End both threads. Safe to call twice, and from the callback."""
        self._observer.stop()
        if self._observer.is_alive():
            self._observer.join()
        self._settling.stop()


class Settling:
    """Calls back once after a burst of changes, at the latest after a while.

    Args:
        callback: called from a thread of its own, never twice at a time.
        settle_seconds: quiet time before the call.
        longest_seconds: from the first change to the call while changes go on.
    """

    def __init__(self, callback: Callable[[], None], settle_seconds: float, longest_seconds: float) -> None:
        self._callback = callback
        self._settle = settle_seconds
        self._longest = longest_seconds
        self._wake = threading.Condition()
        self._first: float | None = None
        self._last = 0.0
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="folder-watch", daemon=True)
        self._thread.start()

    def changed(self) -> None:
        """Something changed now."""
        with self._wake:
            self._last = time.monotonic()
            if self._first is None:
                self._first = self._last
                self._wake.notify()

    def stop(self) -> None:
        """End the thread; a change that has not settled is forgotten."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while self._settled():
            try:
                self._callback()
            except Exception:  # the watch outlives a callback that fails; the next change calls it again
                log.exception("A change in a watched folder could not be reported")

    def _settled(self) -> bool:
        """Wait until a call is due; False once stopped."""
        with self._wake:
            while not self._stopped:
                if self._first is None:
                    self._wake.wait()
                    continue
                due = min(self._last + self._settle, self._first + self._longest)
                left = due - time.monotonic()
                if left <= 0:
                    self._first = None
                    return True
                self._wake.wait(left)
            return False


class _Changes(FileSystemEventHandler):
    """Lets through what can change a listing."""

    def __init__(self, root: Root, rules: SkipRules, options: FolderOptions, changed: Callable[[], None]) -> None:
        self._root = root
        self._rules = rules
        self._videos = options.videos
        self._changed = changed
        self.new_folder = threading.Event()

    def on_any_event(self, event: FileSystemEvent) -> None:
        if any(
            path and self._matters(os.fsencode(path), event.is_directory) for path in (event.src_path, event.dest_path)
        ):
            if isinstance(event, DirCreatedEvent | DirMovedEvent):
                self.new_folder.set()
            self._changed()

    def _matters(self, path: bytes, is_folder: bool) -> bool:  # noqa: FBT001 - one private caller
        relative = self._root.relative(path)
        if not relative:
            return False
        if os.path.basename(path) == NO_MEDIA:
            return True
        if not is_utf8(relative) or self._rules.skips_on_the_way(relative.decode()):
            return False
        return is_folder or kind_of(relative.decode(), videos=self._videos) is not None
