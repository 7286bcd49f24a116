# Paths on disk are bytes, which pathlib does not take.
# ruff: noqa: PTH116, PTH118
"""The library's folder itself: proves that it is there, and is the only door to the files in it.

Every file is opened component by component beneath the folder without following links (`openat` with `O_NOFOLLOW`),
after its path was resolved. So neither a key with `..` nor a link that is swapped in at the wrong moment can reach a
file outside: a hostile link to `/etc/shadow` is refused.
"""

import errno
import io
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugin.errors import AssetGone, HostRefused, HostUnreachable
from plugin.hosts.folder.names import printable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer  # exists for type checkers only

MOUNTED = "Is the disk mounted, or was the folder renamed? Nothing was removed"
RIGHTS = "Let the user that runs Kinfolk read it"
VANISHED = frozenset({errno.ENOENT, errno.ENOTDIR})
DENIED = frozenset({errno.EACCES, errno.EPERM})

_FOLDER_FLAGS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a pipe that took a photo's place must not wait for a writer.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Root:
    """An existing folder, as it was when it was resolved.

    Attributes:
        path: its real, absolute path.
        identity: device and inode; another identity under the same path means that a disk came or went.
    """

    path: bytes
    identity: tuple[int, int]

    @classmethod
    def resolve(cls, address: str) -> "Root":
        """Find the folder.

        Raises:
            HostUnreachable: not there, or not a folder.
            HostRefused: may not be read.
        """
        try:
            path = os.path.realpath(os.fsencode(address), strict=True)
            found = os.stat(path)
        except (OSError, ValueError) as error:
            raise _unusable(address, error) from error
        if not stat.S_ISDIR(found.st_mode):
            raise HostUnreachable(f"{address} is not a folder", MOUNTED)
        return cls(path, (found.st_dev, found.st_ino))

    def verify(self) -> None:
        """Prove that the same folder is still there. Raises `HostUnreachable` or `HostRefused`."""
        if Root.resolve(os.fsdecode(self.path)).identity != self.identity:
            raise HostUnreachable(f"{printable(self.path)} was replaced by another folder while it was read", MOUNTED)

    def is_empty(self) -> bool:
        """Whether nothing at all is in it, as in the place where a disk is not mounted.

        Raises:
            HostUnreachable, HostRefused.
        """
        try:
            with os.scandir(self.path) as entries:
                return next(entries, None) is None
        except OSError as error:
            raise _unusable(printable(self.path), error) from error

    def relative(self, real: bytes) -> bytes | None:
        """A real path as seen from this folder (b"" for the folder itself), None when it lies outside."""
        if real == self.path:
            return b""
        beginning = self.path.rstrip(b"/") + b"/"
        return real.removeprefix(beginning) if real.startswith(beginning) else None

    def locate(self, key: str) -> bytes:
        """The real path, seen from this folder, of what a key names.

        Raises:
            AssetGone: nothing is there, or could be (an absolute path, `..`).
            HostRefused: a link leads out of the folder, or may not be followed.
            HostUnreachable: the folder went away.
        """
        if "\0" in key or any(part in {"", ".", ".."} for part in key.split("/")):
            raise AssetGone(f"{key!r} is not a path inside the library's folder")
        try:
            real = os.path.realpath(os.path.join(self.path, key.encode("utf-8")), strict=True)
        except UnicodeEncodeError as error:
            raise AssetGone(f"{key!r} cannot be the name of a photo") from error
        except OSError as error:
            raise self.reason(key, error) from error
        relative = self.relative(real)
        if not relative:
            raise HostRefused(f"{key} leads out of the library's folder", "Add the place it leads to as a library")
        return relative

    def open(self, relative: bytes) -> int:
        """A file descriptor for reading the regular file at a real path as `relative` returns it.

        Raises:
            AssetGone, HostRefused, HostUnreachable: as for `locate`.
        """
        name = printable(relative)
        try:
            descriptor = _open_beneath(self.path, relative)
        except OSError as error:
            raise self.reason(name, error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise AssetGone(f"{name} is no longer a file")
        return descriptor

    def reason(self, name: str, error: OSError) -> AssetGone | HostRefused | HostUnreachable:
        """The error of the port that a failure to reach something in this folder means."""
        if error.errno in VANISHED:
            self.verify()
            if self.is_empty():
                return HostUnreachable(f"{printable(self.path)} is empty", MOUNTED)
            return AssetGone(f"{name} is no longer there")
        if error.errno in DENIED:
            return HostRefused(f"{name} may not be read", RIGHTS)
        if error.errno == errno.ELOOP:
            return HostRefused(f"{name} is a link that leads nowhere")
        return HostUnreachable(f"{name} cannot be read: {error.strerror}", MOUNTED)


class HostFile(io.FileIO):
    """A file whose disk may fail while it is read; that is the host's failure, not a broken picture."""

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read into `buffer`; raises `HostUnreachable` where a plain file raises `OSError`."""
        try:
            return super().readinto(buffer) or 0
        except OSError as error:
            raise HostUnreachable(f"Reading stopped: {error.strerror}", MOUNTED) from error

    def readall(self) -> bytes:
        """Read to the end; raises `HostUnreachable` where a plain file raises `OSError`."""
        try:
            return super().readall() or b""
        except OSError as error:
            raise HostUnreachable(f"Reading stopped: {error.strerror}", MOUNTED) from error


def _open_beneath(root: bytes, relative: bytes) -> int:
    *folders, name = relative.split(b"/")
    at = os.open(root, _FOLDER_FLAGS)
    try:
        for folder in folders:
            below = os.open(folder, _FOLDER_FLAGS, dir_fd=at)
            os.close(at)
            at = below
        return os.open(name, _FILE_FLAGS, dir_fd=at)
    finally:
        with suppress(OSError):
            os.close(at)


def _unusable(address: str, error: Exception) -> HostUnreachable | HostRefused:
    if not isinstance(error, OSError):  # a NUL or an unencodable character in the address
        return HostUnreachable(f"{address!r} cannot be the path of a folder", "Give the path of the folder of photos")
    if error.errno in DENIED:
        return HostRefused(f"{address} may not be read", RIGHTS)
    if error.errno in VANISHED:
        return HostUnreachable(f"{address} is not there", MOUNTED)
    return HostUnreachable(f"{address} cannot be read: {error.strerror}", MOUNTED)
