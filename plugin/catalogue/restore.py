"""Bringing a backup back, so that a kill at any moment leaves either the former catalogue or the restored one.

The restored database is completed and checked under a name of its own; renaming that to `catalogue.db.restoring-TIME`
is the decision. From then on `finish_restore`, run at every opening, only renames: the former catalogue and its
write-ahead log aside, then the restored one into place.
"""

import hashlib
import shutil
import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC
from pathlib import Path

from sqlalchemy import URL, create_engine, delete, text, update
from sqlalchemy.pool import NullPool

from plugin.catalogue.backup_files import (
    BEFORE,
    CHUNK,
    DATABASE_MEMBER,
    UNREADABLE,
    Manifest,
    part_file,
    read_manifest,
    sync_folder,
)
from plugin.catalogue.counting import counting_triggers
from plugin.catalogue.event_triggers import trigger_statements
from plugin.catalogue.failures import disk_full, full_disk_error
from plugin.catalogue.migrations import REVISIONS
from plugin.catalogue.opening import SQLITE_MAGIC, full_check, migrate, prepare_sqlite, revision_of
from plugin.catalogue.tables import embedding, index_status, index_tombstone
from plugin.catalogue.transactions import WRITES, Clock, utc_now
from plugin.errors import CatalogueCorrupt, CatalogueError, CatalogueNewer, DiskFull, NotFound

RESTORING = ".restoring-"
SPARE_BYTES = 16 * 1024 * 1024
"""Room that must be left beside the restored catalogue, for its migration and write-ahead log."""


def restore_backup(backup: Path, catalogue_path: Path, clock: Clock = utc_now) -> Path | None:
    """Replace the catalogue by the one in `backup`. Nothing else may have the catalogue open.

    Everything is verified before anything is touched. The embedding index does not belong to a backup: in the restored
    catalogue it is marked as dirty and every embedding as still to add.

    Args:
        backup: written by `plugin.catalogue.backup.write_backup`.
        catalogue_path: where the catalogue is, or will be; its folder exists.
        clock: what time it is.

    Returns:
        Where the former catalogue was put aside, or None where there was none.

    Raises:
        NotFound: there is no such file.
        CatalogueCorrupt: not a backup, or damaged; the catalogue was left as it was.
        CatalogueNewer: made by a newer Kinfolk; the catalogue was left as it was.
        DiskFull: no room; the catalogue was left as it was.
    """
    if not backup.is_file():
        raise NotFound(f"There is no backup {backup}")
    finish_restore(catalogue_path)
    time = f"{clock().astimezone(UTC):%Y%m%dT%H%M%S%fZ}"
    try:
        with part_file(catalogue_path.parent) as part:
            _unpack(backup, part)
            _check(part, backup)
            _prepare(part)
            part.rename(catalogue_path.with_name(f"{catalogue_path.name}{RESTORING}{time}"))
            sync_folder(catalogue_path.parent)
    except OSError as error:
        if full_disk_error(error):
            raise disk_full(catalogue_path) from error
        raise CatalogueError(f"The backup {backup} cannot be restored ({error})") from error
    return finish_restore(catalogue_path)


def finish_restore(catalogue_path: Path) -> Path | None:
    """Finish what `restore_backup` decided; nothing happens where nothing is left to do. Safe to repeat.

    Returns:
        Where the former catalogue was put aside, or None.
    """
    decided = sorted(catalogue_path.parent.glob(f"{catalogue_path.name}{RESTORING}*"))
    if not decided:
        return None
    restored = decided[-1]
    time = restored.name.removeprefix(f"{catalogue_path.name}{RESTORING}")
    aside = catalogue_path.with_name(f"{catalogue_path.name}{BEFORE}{time}")
    # Both before the restored one arrives: it must never find the log of another.
    for ending in ("-wal", ""):
        former = catalogue_path.with_name(f"{catalogue_path.name}{ending}")
        if former.exists():
            former.rename(aside.with_name(f"{aside.name}{ending}"))
    catalogue_path.with_name(f"{catalogue_path.name}-shm").unlink(missing_ok=True)
    sync_folder(catalogue_path.parent)
    restored.rename(catalogue_path)
    sync_folder(catalogue_path.parent)
    return aside if aside.exists() else None


def _unpack(backup: Path, part: Path) -> None:
    try:
        with zipfile.ZipFile(backup) as archive:
            manifest = read_manifest(archive)
            if manifest.revision not in REVISIONS:
                raise _newer(backup, manifest.revision)
            if manifest.size + SPARE_BYTES > shutil.disk_usage(part.parent).free:
                raise disk_full(part)
            _copy_verified(archive, manifest, part)
    except (CatalogueError, DiskFull):
        raise
    except UNREADABLE as error:
        if isinstance(error, OSError) and full_disk_error(error):
            raise
        raise _no_backup(backup, str(error)) from error


def _copy_verified(archive: zipfile.ZipFile, manifest: Manifest, part: Path) -> None:
    digest = hashlib.sha256()
    with archive.open(DATABASE_MEMBER) as member, part.open("wb") as file:
        while chunk := member.read(CHUNK):
            if file.tell() == 0 and not chunk.startswith(SQLITE_MAGIC):
                raise ValueError("there is no SQLite database in it")
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != manifest.sha256:
        raise ValueError("its checksum is wrong")


def _check(part: Path, backup: Path) -> None:
    """A checksum only says that the file is as it was written; this says that it is a whole catalogue."""
    try:
        revision = revision_of(part)
        with closing(sqlite3.connect(f"{part.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            programs = connection.execute("SELECT sql FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchall()
    except (sqlite3.DatabaseError, ValueError) as error:
        raise _no_backup(backup, str(error)) from error
    if revision not in REVISIONS:
        raise _newer(backup, revision or "none")
    foreign = {sql for (sql,) in programs}.difference(trigger_statements(), counting_triggers())
    if found != "ok" or foreign:
        # Triggers and views that Kinfolk did not write: somebody else put them there, to run at the first change.
        raise _no_backup(backup, "its catalogue is damaged" if found != "ok" else "its catalogue contains programs")


def _prepare(part: Path) -> None:
    """Migrate, and forget what the index was said to hold."""
    engine = create_engine(URL.create("sqlite", database=str(part)), poolclass=NullPool)
    prepare_sqlite(engine)
    with engine.connect() as connection:
        connection.execution_options(**{WRITES: True})
        with connection.begin():
            if connection.execute(text("SELECT version_num FROM alembic_version")).scalar() != REVISIONS[-1]:
                migrate(connection)
            connection.execute(update(embedding).values(indexed=False))
            connection.execute(delete(index_tombstone))
            connection.execute(update(index_status).values(dirty=True))
        problems = full_check(connection)
    engine.dispose()
    if problems:
        raise CatalogueCorrupt(problems[0].rstrip("."), "Choose another backup")


def _no_backup(backup: Path, reason: str) -> CatalogueCorrupt:
    return CatalogueCorrupt(
        f"{backup} is not a usable backup ({reason}); the catalogue was left as it was", "Choose another backup"
    )


def _newer(backup: Path, revision: str) -> CatalogueNewer:
    return CatalogueNewer(
        f"{backup} was made by a newer Kinfolk (revision {revision}); the catalogue was left as it was",
        "Install that version, or choose another backup",
    )
