"""What lies where in the data folder, and who may use it now."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from plugin.errors import AlreadyRunning, DiskFull, SettingsError

COPY_SECONDS = 600.0
"""How long a copy of a large catalogue on a slow disk is waited for."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The data folder. Everything in it is readable by its owner only."""

    path: Path

    @property
    def catalogue(self) -> Path:
        """The truth; the only file a backup needs."""
        return self.path / "catalogue.db"

    @property
    def index(self) -> Path:
        """Chroma's folder: disposable, never copied."""
        return self.path / "index"

    @property
    def models(self) -> Path:
        """Model packs, verified."""
        return self.path / "models"

    @property
    def compiled(self) -> Path:
        """What accelerators compiled; may be deleted any time, and then takes minutes again."""
        return self.path / "compiled"

    @property
    def cache(self) -> Path:
        """Thumbnails and previews; may be deleted any time."""
        return self.path / "cache"

    @property
    def backups(self) -> Path:
        """Daily copies of the catalogue."""
        return self.path / "backups"

    def catalogue_state(self) -> list[tuple[int, int]]:
        """Another one after every change of the catalogue, whoever made it; costs next to nothing."""
        files = (self.catalogue, self.catalogue.with_name(f"{self.catalogue.name}-wal"))
        states = [(about.st_mtime_ns, about.st_size) for file in files if file.exists() and (about := file.stat())]
        return [state for state in states if state[1]]  # an empty log is made by whoever looks

    @property
    def snapshot(self) -> Path:
        """A consistent copy of the catalogue for a backup of the whole folder that is being made."""
        return self.path / "snapshot.zip"

    def create(self) -> None:
        """Make the folder, for its owner only.

        Raises:
            SettingsError: it cannot be made or written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise SettingsError(
                f"The data folder {self.path} cannot be written: {error.strerror}",
                "Choose another one with --data or KINFOLK_DATA, or make room and set its owner",
            ) from error

    @contextmanager
    def temporary_files(self) -> Iterator[None]:
        """Keep files without a name in the cache: in containers `/tmp` is small and part of the memory.

        That holds for the whole process, which is Kinfolk's own.
        """
        folder = self.cache / "incoming"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        before, tempfile.tempdir = tempfile.tempdir, str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before

    def drop_old_queue(self) -> None:
        """The queue of versions that kept it on disk; ids only, of no value."""
        for old in [*self.path.glob("queue.db*"), self.path / "queue.key"]:
            with suppress(OSError):
                old.unlink(missing_ok=True)

    def secret(self, name: str) -> bytes:
        """32 random bytes that stay the same from start to start, in a file only its owner can read."""
        path = self.path / f"{name}.key"
        try:
            return bytes.fromhex(path.read_text(encoding="ascii").strip())
        except (FileNotFoundError, ValueError):
            return self._new_secret(path)

    @contextmanager
    def held(self, role: str, advice: str, patience: float = 0.0) -> Iterator[None]:
        """Hold the folder for one role (`web` or `worker`); the lock ends with the process, however it dies.

        Raises:
            AlreadyRunning: another process has that role, for `patience` seconds now.
        """
        lock = FileLock(self.path / f"{role}.lock", mode=0o600)
        try:
            lock.acquire(timeout=patience)
        except Timeout as error:
            raise AlreadyRunning(f"Kinfolk is already running on {self.path}", advice) from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def copying(self) -> Iterator[None]:
        """While the catalogue is copied into this folder, or copies are deleted: one after the other.

        Raises:
            AlreadyRunning: another copy takes very long.
        """
        with self.held("copy", "Wait until the backup that is being written is there", COPY_SECONDS):
            yield

    def _new_secret(self, path: Path) -> bytes:
        secret = secrets.token_bytes(32)
        try:
            handle, name = tempfile.mkstemp(dir=self.path, prefix=".key-")
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secret.hex())
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError as error:
            raise DiskFull(f"{path} cannot be written: {error.strerror}", "Make room in the data folder") from error
        return secret
