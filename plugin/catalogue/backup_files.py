"""Backups as files: what is in them, which is the newest, which may go."""

import hashlib
import json
import os
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from plugin.catalogue.migrations import REVISIONS

DATABASE_MEMBER = "catalogue.db"
MANIFEST_MEMBER = "manifest.json"
MANIFEST_LIMIT_BYTES = 64 * 1024
PREFIX = "kinfolk-"
BEFORE = ".before-restore-"
"""In the name of what a restored backup took the place of."""
PART_PREFIX = ".kinfolk-part-"
"""Unfinished files; a kill leaves them, `prune_backups` takes them away."""

PART_AGE_SECONDS = 86_400

ANY_AGE = -1e9
"""For who knows that nobody writes one; a clock that was set back makes files of the future."""

FREE_RATIO_BYTES = 64 * 1024 * 1024
LARGEST_RATIO = 200
"""A catalogue is mostly embeddings, which hardly shrink; one that unpacks to more than this many times is a bomb."""

CHUNK = 1024 * 1024

UNREADABLE = (
    OSError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,  # an encrypted member
)
"""What `zipfile` raises for files that are no sound archives."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says about itself. `created` is ISO 8601 in UTC, `sha256` and `size` are of the database inside.

    `mark`: see `plugin.catalogue.backup_mark`; "" in older ones.
    """

    kinfolk: str
    revision: str
    created: str
    sha256: str
    size: int
    mark: str = ""

    def to_json(self) -> str:
        """As written into the archive."""
        return json.dumps(asdict(self), indent=2)


def read_manifest(archive: zipfile.ZipFile) -> Manifest:
    """The manifest of an open backup, after everything that can be checked without unpacking.

    Raises:
        ValueError: with the reason why this is not a backup, or a hostile one.
    """
    members = {member.filename: member for member in archive.infolist()}
    if set(members) != {DATABASE_MEMBER, MANIFEST_MEMBER} or len(archive.infolist()) != 2:
        raise ValueError("it does not hold exactly a catalogue and a manifest")
    if members[MANIFEST_MEMBER].file_size > MANIFEST_LIMIT_BYTES:
        raise ValueError("its manifest is too large")
    manifest = _parse(archive.read(MANIFEST_MEMBER))
    database = members[DATABASE_MEMBER]
    if database.file_size != manifest.size:
        raise ValueError("the size of its catalogue is not what the manifest says")
    if database.file_size > max(FREE_RATIO_BYTES, LARGEST_RATIO * database.compress_size):
        raise ValueError("its catalogue would unpack to an absurd size")
    return manifest


def verified_manifest(path: Path) -> Manifest | None:
    """The manifest of the backup at `path` when its checksum holds and this version can read it, else None."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = read_manifest(archive)
            digest = hashlib.sha256()
            with archive.open(DATABASE_MEMBER) as member:
                while chunk := member.read(CHUNK):
                    digest.update(chunk)
    except UNREADABLE:
        return None
    sound = digest.hexdigest() == manifest.sha256 and manifest.revision in REVISIONS
    return manifest if sound else None


def mark_of_backup(path: Path) -> str:
    """What the backup says it holds (`plugin.catalogue.backup_mark`); "" where it says nothing, or is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return read_manifest(archive).mark
    except UNREADABLE:
        return ""


def newest_backup(folder: Path) -> Path | None:
    """The newest backup in `folder` that `kinfolk restore` would take, or None. Reads files until one is sound."""
    candidates = sorted(((created, path) for path in _archives(folder) if (created := _created(path))), reverse=True)
    return next((path for _, path in candidates if verified_manifest(path)), None)


def prune_backups(folder: Path, keep: int) -> list[Path]:
    """Delete all but the `keep` newest backups that Kinfolk itself named, and unfinished files of a killed run.

    Files under other names are the user's and stay; so does the newest sound backup, whatever `keep` is.

    Returns:
        What was deleted.
    """
    ours = sorted(
        ((created, path) for path in _archives(folder) if path.name.startswith(PREFIX) and (created := _created(path))),
        reverse=True,
    )
    newest = newest_backup(folder)
    old = [path for _, path in ours[max(keep, 0) :] if path != newest]
    for path in old:
        path.unlink(missing_ok=True)
    forget_parts(folder)
    return old


def forget_parts(folder: Path, older_than: float = PART_AGE_SECONDS) -> None:
    """Take unfinished files away that a kill left a day ago or earlier, or so many seconds ago; below 0: all."""
    for path in _listed(folder):
        if path.name.startswith(PART_PREFIX) and _age_seconds(path) > older_than:
            path.unlink(missing_ok=True)


def kept_copies(catalogue_path: Path, backups: Path) -> list[Path]:
    """Every earlier state of the catalogue that Kinfolk itself put down, oldest first: backups, what a restore left."""
    ours = [path for path in _archives(backups) if path.name.startswith(PREFIX)]
    aside = [path for path in _listed(catalogue_path.parent) if path.name.startswith(f"{catalogue_path.name}{BEFORE}")]
    return sorted((*ours, *aside), key=lambda path: (path.stat().st_mtime, path.name))


def backup_name(at: datetime, label: str = "") -> str:
    """The file name Kinfolk gives its own backups; sorts by time."""
    return f"{PREFIX}{at.astimezone(UTC):%Y%m%dT%H%M%S%fZ}{'-' + label if label else ''}.zip"


@contextmanager
def part_file(folder: Path) -> Iterator[Path]:
    """An unfinished file in `folder`, private, removed at the end unless it was renamed."""
    handle, name = tempfile.mkstemp(prefix=PART_PREFIX, dir=folder)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _parse(raw: bytes) -> Manifest:
    try:
        values = json.loads(raw)
        manifest = Manifest(
            kinfolk=str(values["kinfolk"]),
            revision=str(values["revision"]),
            created=str(values["created"]),
            sha256=str(values["sha256"]),
            size=int(values["size"]),
            mark=str(values.get("mark", "")),
        )
        datetime.fromisoformat(manifest.created)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("its manifest cannot be read") from error
    return manifest


def _created(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            return read_manifest(archive).created
    except UNREADABLE:
        return None


def _archives(folder: Path) -> list[Path]:
    return [path for path in _listed(folder) if path.suffix == ".zip" and path.is_file()]


def _listed(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _age_seconds(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:  # finished meanwhile
        return 0
