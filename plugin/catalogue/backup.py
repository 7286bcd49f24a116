"""Writing and restoring backups: one zip with a consistent copy of the catalogue and a manifest."""

import errno
import hashlib
import os
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import plugin
from plugin.catalogue.backup_files import (
    DATABASE_MEMBER,
    MANIFEST_MEMBER,
    Manifest,
    backup_name,
    newest_backup,
    part_file,
    prune_backups,
    sync_folder,
)
from plugin.catalogue.backup_mark import backup_mark
from plugin.catalogue.failures import BACKUP_FOLDER, disk_full, full_disk_error, in_our_words
from plugin.catalogue.opening import revision_of
from plugin.catalogue.restore import SPARE_BYTES, restore_backup
from plugin.catalogue.transactions import Clock, utc_now
from plugin.errors import CatalogueError, NotFound, Refused

__all__ = ["newest_backup", "prune_backups", "restore_backup", "write_backup"]


def write_backup(catalogue_path: Path, target: Path, clock: Clock = utc_now) -> Path:
    """Write a backup of the catalogue, also while Kinfolk runs; whole or not at all.

    Args:
        catalogue_path: the catalogue's file.
        target: where the backup shall be; its folder exists.
        clock: what time it is.

    Returns:
        `target`.

    Raises:
        NotFound: there is no catalogue.
        Refused: `target` exists already, or its folder does not.
        DiskFull: there is no room; nothing is left behind.
        CatalogueError: the catalogue cannot be read.
    """
    if not catalogue_path.is_file():
        raise NotFound(f"There is no catalogue at {catalogue_path}")
    if not target.parent.is_dir():
        raise Refused(f"There is no folder {target.parent}", "Create it first")
    if target.exists():
        raise _exists(target)
    _look_for_room(catalogue_path, target)
    try:
        with part_file(target.parent) as copy, part_file(target.parent) as archive:
            _copy_database(catalogue_path, copy)
            _write_archive(copy, archive, clock)
            _put_in_place(archive, target)
    except OSError as error:
        if full_disk_error(error):
            raise disk_full(target) from error
        raise CatalogueError(f"The backup {target} cannot be written ({error})", "Choose another place") from error
    except sqlite3.DatabaseError as error:
        raise in_our_words(error, catalogue_path) or error from error
    return target


def backup_before_migration(catalogue_path: Path, clock: Clock = utc_now) -> Path:
    """A backup in the data folder's `backups/`, so that a new version that disappoints can be left again."""
    folder = catalogue_path.parent / BACKUP_FOLDER
    folder.mkdir(exist_ok=True, mode=0o700)
    return write_backup(catalogue_path, folder / backup_name(clock(), "before-update"), clock)


def _look_for_room(catalogue_path: Path, target: Path) -> None:
    """For the copy and its archive, which are there at once: a disk that fills up stops more than a backup."""
    if shutil.disk_usage(target.parent).free < 2 * catalogue_path.stat().st_size + SPARE_BYTES:
        raise disk_full(target)


def _copy_database(source: Path, copy: Path) -> None:
    """SQLite's own online backup (https://www.sqlite.org/backup.html): one state, whoever writes meanwhile."""
    uri = f"{source.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=30)) as reader, closing(sqlite3.connect(copy)) as writer:
        reader.backup(writer)
        # One file, without a write-ahead log beside it.
        writer.execute("PRAGMA journal_mode = DELETE")


def _write_archive(copy: Path, archive: Path, clock: Clock) -> None:
    with copy.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    manifest = Manifest(
        kinfolk=plugin.__version__,
        revision=revision_of(copy) or "",
        created=clock().isoformat(),
        sha256=digest,
        size=copy.stat().st_size,
        mark=backup_mark(copy),
    )
    # Level 1: embeddings hardly shrink, whatever the effort.
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as members:
        members.write(copy, DATABASE_MEMBER)
        members.writestr(MANIFEST_MEMBER, manifest.to_json())
    with archive.open("rb+") as file:
        os.fsync(file.fileno())


def _put_in_place(archive: Path, target: Path) -> None:
    try:
        # Unlike a rename this fails when somebody was faster; never overwrite a backup.
        target.hardlink_to(archive)
    except FileExistsError:
        raise _exists(target) from None
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}:
            raise
        # A USB stick with FAT or a network share: no hard links there.
        if target.exists():
            raise _exists(target) from None
        archive.replace(target)
    sync_folder(target.parent)


def _exists(target: Path) -> Refused:
    return Refused(f"{target} exists already", "Choose another name; a backup is never overwritten")
