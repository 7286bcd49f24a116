"""Backups of the whole data folder by others (Home Assistant, restic), while Kinfolk goes on working.

A catalogue that is written while it is copied may be torn. So a consistent copy is put beside it before, the catalogue
itself is left out of the backup, and a folder that has the copy only is made whole at the first start.
"""

import logging
import secrets
from contextlib import suppress
from pathlib import Path

from plugin.assemble.data_folder import DataFolder
from plugin.catalogue.backup import write_backup
from plugin.catalogue.restore import restore_backup

log = logging.getLogger(__name__)

PART = ".kinfolk-snapshot-"


def take_snapshot(folder: DataFolder) -> Path:
    """Put a consistent copy of the catalogue beside it, replacing an earlier one; whole or not at all.

    Raises:
        NotFound, DiskFull, CatalogueError.
    """
    part = folder.path / f"{PART}{secrets.token_hex(4)}.zip"
    try:
        write_backup(folder.catalogue, part)
        part.replace(folder.snapshot)
    finally:
        part.unlink(missing_ok=True)
    return folder.snapshot


def drop_snapshot(folder: DataFolder) -> None:
    """The backup is made: the copy, and what a killed one left, may go. Nothing happens where there is none."""
    for path in (folder.snapshot, *folder.path.glob(f"{PART}*.zip")):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def restore_from_snapshot(folder: DataFolder) -> None:
    """Make a restored folder whole: one that has a copy but no catalogue. Safe to repeat after a kill.

    Raises:
        AlreadyRunning: another process is at it.
        CatalogueError, DiskFull: the copy is damaged, or there is no room; nothing was changed.
    """
    if folder.catalogue.exists() or not folder.snapshot.exists():
        return
    with folder.held("restore", "Wait until it has started"):
        if not folder.catalogue.exists():
            restore_backup(folder.snapshot, folder.catalogue)
            log.warning("The catalogue was restored from %s", folder.snapshot.name)
