# Paths on disk are bytes, which pathlib does not take.
# ruff: noqa: PTH122
"""Sidecar files beside photos in a folder: `photo.jpg.xmp`, replaced at once and with the rights they had."""

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from plugin.errors import (
    AssetGone,
    ChangedMeanwhile,
    HostFull,
    HostRefused,
    HostUnreachable,
    SidecarUnusable,
    WriteLocked,
    WriteRefused,
)
from plugin.hosts.folder.root import DENIED, Root
from plugin.ports.writing import StoredSidecar

SUFFIX = b".xmp"

LARGEST_BYTES = 4 * 2**20
"""More is no sidecar; it is not even read to the end."""

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FolderSidecars:
    """Reads and writes the sidecars of one folder. Holds nothing open.

    Each is reached through its folder's descriptor and never through a link, as photos are (`Root`). A file that is
    written is first whole on the disk under another name: a power cut leaves the old or the new one.
    """

    def __init__(self, root: Root) -> None:
        self._root = root

    def read(self, path: str) -> StoredSidecar | None:
        """See `SidecarHost.read_sidecar`."""
        with self._beside(path) as (folder, photo):
            content = _content(folder, photo + SUFFIX)
            if content is None and _exists(folder, os.path.splitext(photo)[0] + SUFFIX):
                raise SidecarUnusable(
                    "The photo has a sidecar file of another name, which a new one would put out of sight",
                    code="sidecar_elsewhere",
                )
            return None if content is None else StoredSidecar(content, _version(content))

    def write(self, path: str, content: bytes, version: str | None) -> None:
        """See `SidecarHost.write_sidecar`."""
        with self._beside(path) as (folder, photo):
            if version is None and not _exists(folder, photo):
                raise AssetGone(f"{path} is no longer there")
            name = photo + SUFFIX
            new = b"." + name[:200] + b"." + secrets.token_hex(4).encode()  # names end at 255 bytes
            try:
                _write_new(folder, new, content, _rights(folder, name, photo))
                _require(folder, name, version)
                _put_in_place(folder, new, name, first=version is None)
            finally:
                with suppress(OSError):
                    os.unlink(new, dir_fd=folder)

    def remove(self, path: str, version: str) -> None:
        """See `SidecarHost.remove_sidecar`."""
        with self._beside(path) as (folder, photo):
            _require(folder, photo + SUFFIX, version)
            os.unlink(photo + SUFFIX, dir_fd=folder)

    @contextmanager
    def _beside(self, path: str) -> Iterator[tuple[int, bytes]]:
        """The open folder of a photo, and the photo's name; errors in the words of the port."""
        if "\0" in path or any(part in {"", ".", ".."} for part in path.split("/")):
            raise AssetGone(f"{path!r} is not a path inside the library's folder")
        folder, _, name = path.rpartition("/")
        try:
            relative = self._root.locate(folder) if folder else b""
        except HostRefused as error:  # about this folder only, not about the whole host
            raise WriteRefused(str(error.message), str(error.advice)) from error
        descriptor = -1
        try:
            descriptor = _open_folder(self._root.path, relative)
            yield descriptor, os.fsencode(name)
        except OSError as error:
            raise self._reason(path, error) from error
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def _reason(self, path: str, error: OSError) -> Exception:
        if error.errno in DENIED or error.errno in {errno.EROFS, errno.EISDIR, errno.ELOOP}:
            return WriteRefused(
                "The sidecar file may not be written", "Let the user that runs Kinfolk write to the folder"
            )
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return HostFull("The disk with the photos is full", "Make room on it; Kinfolk goes on by itself")
        if error.errno in {errno.EBUSY, errno.ETXTBSY, errno.EAGAIN}:
            return WriteLocked("The sidecar file is held open by another program", "It is tried again later")
        if error.errno == errno.ENAMETOOLONG:
            return WriteRefused("The sidecar file would have too long a name", "Give the photo a shorter name")
        reason = self._root.reason(path, error)
        return reason if isinstance(reason, AssetGone | HostUnreachable) else WriteRefused(str(reason))


def _open_folder(root: bytes, relative: bytes) -> int:
    at = os.open(root, _FOLDER_FLAGS)
    for part in relative.split(b"/") if relative else []:
        try:
            below = os.open(part, _FOLDER_FLAGS, dir_fd=at)
        finally:
            os.close(at)
        at = below
    return at


def _content(folder: int, name: bytes) -> bytes | None:
    try:
        descriptor = os.open(name, _READ_FLAGS, dir_fd=folder)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise SidecarUnusable("What has the name of the sidecar file is no file", code="sidecar_not_xml")
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise SidecarUnusable("The sidecar file is too large to be one", code="sidecar_too_large")
    return content


def _version(content: bytes) -> str:
    """Sidecars are small; times and sizes miss what a second write within a tick changes."""
    return hashlib.sha256(content).hexdigest()


def _exists(folder: int, name: bytes) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _rights(folder: int, name: bytes, photo: bytes) -> os.stat_result:
    """Those of the sidecar that is replaced; a new one gets its photo's."""
    return os.stat(name if _exists(folder, name) else photo, dir_fd=folder, follow_symlinks=False)


def _write_new(folder: int, name: bytes, content: bytes, like: os.stat_result) -> None:
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        with suppress(OSError):  # only root may give files away; a share may know no owners
            os.fchown(file.fileno(), like.st_uid, like.st_gid)
        with suppress(OSError):
            os.fchmod(file.fileno(), stat.S_IMODE(like.st_mode) & 0o666)
        file.flush()
        os.fsync(file.fileno())


def _require(folder: int, name: bytes, version: str | None) -> None:
    content = _content(folder, name)
    if (None if content is None else _version(content)) != version:
        raise ChangedMeanwhile("The sidecar file was changed in the meantime", "It is read again")


def _put_in_place(folder: int, new: bytes, name: bytes, *, first: bool) -> None:
    if not first:
        os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
        return
    try:
        os.link(new, name, src_dir_fd=folder, dst_dir_fd=folder)  # fails where somebody was faster, unlike a rename
    except FileExistsError:
        raise ChangedMeanwhile("The sidecar file was made by somebody in the meantime", "It is read again") from None
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}:
            raise
        os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)  # FAT and some shares know no links
