"""Backups and other copies of the catalogue, as `plugin.privacy` asks for them."""

from datetime import UTC, datetime
from pathlib import Path

from plugin.assemble.data_folder import DataFolder
from plugin.catalogue.backup import write_backup
from plugin.catalogue.backup_files import ANY_AGE, backup_name, forget_parts, kept_copies
from plugin.privacy import Copy


class KeptCopies:
    """`Copies` in the data folder."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder

    def all(self) -> list[Copy]:
        """Oldest first."""
        return [_copy(path) for path in self._kept()]

    def renew(self) -> int:
        """Write a backup of the present state, then delete all earlier copies; returns how many were deleted.

        In this order: at no moment there is none. A kill in between leaves copies that the next call deletes.
        A copy that is being made is waited for, or it would bring back what was forgotten.
        """
        with self._folder.copying():
            return self._renew()

    def _renew(self) -> int:
        earlier = self._kept()
        self._folder.backups.mkdir(exist_ok=True, mode=0o700)
        write_backup(self._folder.catalogue, self._folder.backups / backup_name(datetime.now(UTC)))
        for path in earlier:
            path.unlink(missing_ok=True)
        for folder in (self._folder.path, self._folder.backups):
            forget_parts(folder, ANY_AGE)
        return len(earlier)

    def _kept(self) -> list[Path]:
        snapshot = [self._folder.snapshot] if self._folder.snapshot.exists() else []
        return [*kept_copies(self._folder.catalogue, self._folder.backups), *snapshot]


def _copy(path: Path) -> Copy:
    about = path.stat()
    return Copy(path.name, about.st_size, datetime.fromtimestamp(about.st_mtime, UTC))
