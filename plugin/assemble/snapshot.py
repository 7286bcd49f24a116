"""Backups of the whole data folder by others (Home Assistant, restic), while Kinfolk goes on working.

A catalogue that is written while it is copied may be torn. So a consistent copy is put beside it before, the catalogue
itself is left out of the backup, and a folder that has the copy only is made whole at the first start. Who copies
the folder of an add-on that is stopped, or was killed, finds the copy of its last stop or of its last hour.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from plugin.assemble.data_folder import DataFolder
from plugin.catalogue.backup import newest_backup, write_backup
from plugin.catalogue.backup_files import ANY_AGE, PREFIX, forget_parts, mark_of_backup
from plugin.catalogue.backup_mark import backup_mark
from plugin.catalogue.restore import finish_restore, restore_backup
from plugin.errors import AlreadyRunning, KinfolkError
from plugin.mqtt.left import LeftAtBroker

log = logging.getLogger(__name__)

PART = ".kinfolk-part-snapshot-"

FRESH_SECONDS = 3600.0
"""How old the copy of a running add-on may be when it is killed; each one reads and writes the whole catalogue."""

FIRST_AFTER_SECONDS = 60.0
"""After a start: soon, since it may follow a kill, but not while everything else begins."""


def take_snapshot(folder: DataFolder) -> Path:
    """Put a consistent copy of the catalogue beside it, replacing an earlier one; whole or not at all.

    Raises:
        NotFound, DiskFull, CatalogueError, AlreadyRunning.
    """
    with folder.copying():
        forget_parts(folder.path)
        part = folder.path / f"{PART}{secrets.token_hex(4)}.zip"
        try:
            write_backup(folder.catalogue, part)
            part.replace(folder.snapshot)
        finally:
            part.unlink(missing_ok=True)
    return folder.snapshot


def forget_killed_copies(folder: DataFolder) -> None:
    """At a start: whole copies of the catalogue that a kill left, which nobody who forgets somebody knows of."""
    with suppress(OSError, AlreadyRunning), folder.held("copy", "Wait"):
        for path in (folder.path, folder.backups):
            forget_parts(path, ANY_AGE)


def drop_snapshot(folder: DataFolder) -> None:
    """The backup is made: the copy, and what a killed one left, may go. Nothing happens where there is none."""
    for path in (folder.snapshot, *folder.path.glob(f"{PART}*.zip")):
        with suppress(OSError):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        forget_parts(folder.path)


class FreshSnapshot:
    """Keeps a copy in the folder of an add-on while it works: one that is killed asks nobody before it is backed up.

    Args:
        folder: the data folder.
        clock: seconds that only grow.
    """

    def __init__(self, folder: DataFolder, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._due = clock() + FIRST_AFTER_SECONDS
        self._copied: object = None
        self._looking = threading.Lock()

    def look(self) -> None:
        """Take one where the catalogue changed since the last, an hour ago or more; else this costs next to nothing.

        Asked for again while it copies, which may take longer than a minute, it goes away: threads are few.
        """
        if self._clock() < self._due or not self._looking.acquire(blocking=False):
            return
        try:
            self._renew()
        finally:
            self._looking.release()

    def _renew(self) -> None:
        state = self._folder.catalogue_state()
        if state == self._copied and self._folder.snapshot.exists():
            return
        mark = backup_mark(self._folder.catalogue)
        if mark and mark == mark_of_backup(self._folder.snapshot):  # a comparison that found nothing, or a start
            self._copied = state
            return
        self._due = self._clock() + FRESH_SECONDS  # before: whatever goes wrong goes wrong once an hour
        self._copied = state if leave_snapshot(self._folder) else None
        self._due = self._clock() + FRESH_SECONDS


def leave_snapshot(folder: DataFolder) -> bool:
    """Take one for a backup that is made while Kinfolk does not run; neither a stop nor work fails for it."""
    try:
        take_snapshot(folder)
    except (KinfolkError, OSError) as error:
        log.warning("A backup made while Kinfolk is stopped lacks the newest changes: %s", error)
        return False
    return True


def make_whole(folder: DataFolder) -> None:
    """Restore the catalogue of a folder without one, from its snapshot or else its newest backup.

    Nothing happens where there is neither, or where the catalogue is. Safe to repeat after a kill.

    Raises:
        AlreadyRunning: another process is at it.
        CatalogueError, DiskFull: no copy is sound, or there is no room; nothing was changed.
    """
    if folder.catalogue.exists() or copy_to_restore(folder) is None:
        return
    with folder.held("restore", "Wait until it has started"):
        # What `kinfolk restore` decided before it was killed comes before what is found here.
        finish_restore(folder.catalogue)
        copy = copy_to_restore(folder)
        if folder.catalogue.exists() or copy is None:
            return
        LeftAtBroker(folder.path).look_again()
        restore_backup(copy, folder.catalogue)
    log.warning("There was no catalogue; it was restored from %s", copy.relative_to(folder.path))


def copy_to_restore(folder: DataFolder) -> Path | None:
    """The copy that a missing catalogue is restored from.

    Where no backup is sound it is the last of those that Kinfolk named: restoring it fails and says why, instead of
    beginning with nothing beside the names of years.
    """
    if folder.snapshot.exists():
        return folder.snapshot
    return newest_backup(folder.backups) or max(folder.backups.glob(f"{PREFIX}*.zip"), default=None)
