"""What SQLite says, in the words of the product."""

import errno
import shutil
import sqlite3
from pathlib import Path

from plugin.catalogue.backup_files import newest_backup
from plugin.errors import CatalogueCorrupt, CatalogueError, DiskFull, KinfolkError

BACKUP_FOLDER = "backups"
"""Beside the catalogue; where automatic backups are kept and looked for."""

DISK_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
UNUSABLE = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM})

NEARLY_NOTHING_BYTES = 1_000_000
"""With less room than this an I/O error of SQLite is a full disk: its shared memory file cannot grow."""


def disk_full(path: Path | None) -> DiskFull:
    """The error for a full disk."""
    where = f" that holds {path.parent}" if path else ""
    return DiskFull(f"The disk{where} is full; nothing was written", "Free some space; Kinfolk then goes on by itself")


def corrupt(path: Path | None, reason: str) -> CatalogueCorrupt:
    """The error for a damaged catalogue, naming the backup to use."""
    return CatalogueCorrupt(
        f"The catalogue {path or ''} is damaged ({reason}); it was left untouched", advice_for(path)
    )


def advice_for(path: Path | None) -> str:
    """Which backup brings the catalogue back, with the command to type; or that there is none."""
    if path is None:
        return ""
    folder = path.parent / BACKUP_FOLDER
    backup = newest_backup(folder)
    if backup is None:
        return f"There is no usable backup in {folder}; if you keep one elsewhere, run: kinfolk restore FILE"
    return f"The newest usable backup is {backup}; bring it back with: kinfolk restore {backup}"


def in_our_words(error: BaseException | None, path: Path | None) -> KinfolkError | None:
    """The Kinfolk error for what the database driver raised, or None where it is a mistake in our own code."""
    if not isinstance(error, sqlite3.DatabaseError):
        return None
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    translated: KinfolkError | None = None
    if code == sqlite3.SQLITE_FULL or (code in UNUSABLE and _no_room(path)):
        translated = disk_full(path)
    elif code in DAMAGED:
        translated = corrupt(path, str(error))
    elif code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        translated = _busy(path)
    elif code in UNUSABLE:
        advice = "Check that the data folder is mounted and that Kinfolk may write there"
        translated = CatalogueError(f"The catalogue {path or ''} cannot be read or written ({error})", advice)
    return translated


def full_disk_error(error: OSError) -> bool:
    """Whether the operating system says there is no room (disk or quota)."""
    return error.errno in DISK_FULL_ERRNOS


def _busy(path: Path | None) -> CatalogueError:
    busy = CatalogueError(
        f"Another program keeps the catalogue {path or ''} busy", "Close it (a database browser?) and try again"
    )
    busy.permanent = False
    return busy


def _no_room(path: Path | None) -> bool:
    return path is not None and path.parent.is_dir() and shutil.disk_usage(path.parent).free < NEARLY_NOTHING_BYTES
