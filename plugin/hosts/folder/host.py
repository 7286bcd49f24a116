# Paths on disk are bytes, which pathlib does not take.
# ruff: noqa: PTH116, PTH118
"""The folder host: a plain folder behind the host port."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from io import BufferedReader
from typing import BinaryIO

from plugin.domain import AssetKind, HostAsset, IntakeProblem
from plugin.errors import AssetGone, HostRefused, HostUnreachable, WriteRefused
from plugin.hosts.folder import problems
from plugin.hosts.folder.content import change_key, content_key
from plugin.hosts.folder.links import Links
from plugin.hosts.folder.listing import FoundFile, Walk
from plugin.hosts.folder.names import UNCOMPRESSED_SUFFIXES, kind_of, printable, suffix_of
from plugin.hosts.folder.options import FolderOptions
from plugin.hosts.folder.root import HostFile, Root
from plugin.hosts.folder.sidecars import FolderSidecars
from plugin.hosts.folder.skipping import SkipRules
from plugin.hosts.folder.watching import watch_folder
from plugin.ports.host import KnownContent, Watch
from plugin.ports.writing import StoredSidecar


class FolderHost:
    """A folder of photos. Holds nothing open, so a disk may come and go; used by several threads at once.

    Args:
        address: path of the folder.
        options: what to leave out and to follow.
    """

    stable_keys = False

    def __init__(self, address: str, options: FolderOptions) -> None:
        self._address = address
        self._options = options
        self._rules = SkipRules(options.skip)

    def check(self) -> None:
        """Prove that the folder is there and may be read. Raises `HostUnreachable`, `HostRefused`."""
        Root.resolve(self._address).is_empty()

    def listing(self, known: KnownContent) -> Iterator[HostAsset | IntakeProblem]:
        """Every photo and video, sorted within each folder.

        Raises:
            HostUnreachable: the folder is away, or another one took its place while it was read.
            HostRefused: it may not be read.
        """
        root = Root.resolve(self._address)
        for found in Walk(root, self._rules, self._options).files():
            if isinstance(found, IntakeProblem):
                yield found
                continue
            try:
                yield _asset(root, found, known)
            except AssetGone:
                continue  # deleted since its folder was read
            except (HostRefused, HostUnreachable) as error:
                root.verify()
                yield problems.unreadable(found.key, "file_unreadable", error.__cause__)

    def look_up(self, host_key: str, known: KnownContent) -> HostAsset | None:
        """The asset under this key, or None when it is not there, left out, or listed under another key.

        Raises:
            HostUnreachable, HostRefused: it may be there, but cannot be looked at.
        """
        root = Root.resolve(self._address)
        kind = self._kind(host_key)
        if kind is None:
            return None
        try:
            relative = root.locate(host_key)
            through_link = relative != host_key.encode()
            listed = Links(root, self._rules, self._options).listed_at(relative)
            # What is listed at its real place is not listed through a link, and the other way round.
            if listed == through_link or (through_link and not self._options.follow_symlinks):
                return None
            found = _stat(root, relative)
            return _asset(root, FoundFile(host_key, relative, kind, found), known) if found else None
        except AssetGone:
            return None

    def open(self, host_key: str) -> AbstractContextManager[BinaryIO]:
        """The file, for reading.

        Raises:
            AssetGone: deleted, or not a file this host lists.
            HostRefused: the key leads out of the folder, or the file may not be read.
            HostUnreachable: the folder is away.
        """
        root = Root.resolve(self._address)
        relative = root.locate(host_key)
        if self._kind(host_key) is None:
            raise AssetGone(f"{host_key} is left out of this library")
        return BufferedReader(HostFile(root.open(relative)))

    def link(self, host_key: str) -> str | None:  # noqa: ARG002 - the port's signature
        """A folder has no interface of its own."""
        return None

    def read_sidecar(self, path: str) -> StoredSidecar | None:
        """See `SidecarHost`."""
        return FolderSidecars(Root.resolve(self._address)).read(path)

    def write_sidecar(self, path: str, content: bytes, version: str | None) -> None:
        """See `SidecarHost`."""
        FolderSidecars(Root.resolve(self._address)).write(path, content, version)

    def remove_sidecar(self, path: str, version: str) -> None:
        """See `SidecarHost`."""
        FolderSidecars(Root.resolve(self._address)).remove(path, version)

    def stored_picture(self, path: str) -> AbstractContextManager[BinaryIO]:
        """As `open`: a folder knows no previews. Raises `WriteRefused` for one that may not be read."""
        try:
            return self.open(path)
        except HostRefused as error:
            raise WriteRefused(str(error.message), str(error.advice)) from error

    def watch(self, on_change: Callable[[], None]) -> Watch | None:
        """Call `on_change` from another thread once changes have settled; None where the system cannot watch.

        Raises:
            HostUnreachable, HostRefused.
        """
        return watch_folder(Root.resolve(self._address), self._rules, self._options, on_change)

    def _kind(self, host_key: str) -> AssetKind | None:
        """None also for what the rules leave out."""
        return None if self._rules.skips_on_the_way(host_key) else kind_of(host_key, videos=self._options.videos)


def _stat(root: Root, relative: bytes) -> os.stat_result | None:
    """None for what is not a regular file."""
    try:
        found = os.stat(os.path.join(root.path, relative), follow_symlinks=False)
    except OSError as error:
        raise root.reason(printable(relative), error) from error
    return found if stat.S_ISREG(found.st_mode) else None


def _asset(root: Root, found: FoundFile, known: KnownContent) -> HostAsset:
    """The asset with its content key, read only when `known` does not have it.

    Raises:
        AssetGone, HostRefused, HostUnreachable.
    """
    change, size = change_key(found.stat, time.time()), found.stat.st_size
    content = known(found.key, change) if change else None
    if content is None:
        with BufferedReader(HostFile(root.open(found.relative))) as stream:
            # The state before reading: a write during it makes the next pass read again.
            opened = os.fstat(stream.fileno())
            change, size = change_key(opened, time.time()), opened.st_size
            content = content_key(stream, size, whole=suffix_of(found.key) in UNCOMPRESSED_SUFFIXES)
    return HostAsset(found.key, found.key, found.kind, content, change, size)
