"""A host in memory: files in a dictionary, and knobs for everything a real host does wrong.

`stable_keys=True` behaves like Nextcloud (file ids that survive a rename), `False` like a folder (the path is the key).
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from plugin.domain import AssetKind, HostAsset, IntakeProblem
from plugin.errors import AssetGone, HostRefused, HostUnreachable
from plugin.ports.host import KnownContent


@dataclass
class FakeFile:
    key: str
    data: bytes
    version: int


class FakeHost:
    """Set the knobs at any time, also in the middle of a listing.

    Attributes:
        unreachable: the host is away.
        refused: it is there and says no.
        fails_after: a listing loses the host after so many entries.
        problems: listed after the files, as they are.
        unreadable: paths that are there but cannot be listed; each comes as a problem that hides what is below it.
        broken: paths whose content the disk cannot deliver; problems too.
        reads: keys whose content was read (not `known`), in order.
    """

    def __init__(self, *, stable_keys: bool = False) -> None:
        self.stable_keys = stable_keys
        self.files: dict[str, FakeFile] = {}
        self.unreachable = False
        self.refused = False
        self.fails_after: int | None = None
        self.problems: list[IntakeProblem] = []
        self.unreadable: set[str] = set()
        self.broken: set[str] = set()
        self.reads: list[str] = []
        self._versions = 0

    def put(self, path: str, data: bytes) -> None:
        """Create or overwrite a file."""
        self._versions += 1
        key = str(1000 + self._versions) if self.stable_keys else path
        if path in self.files:
            key = self.files[path].key
        self.files[path] = FakeFile(key, data, self._versions)

    def move(self, old: str, new: str) -> None:
        """Rename, over an existing file too; as on a disk, the time of modification stays."""
        moved = self.files.pop(old)
        self.files[new] = FakeFile(moved.key if self.stable_keys else new, moved.data, moved.version)

    def swap(self, one: str, other: str) -> None:
        self.move(one, "\0swap")
        self.move(other, one)
        self.move("\0swap", other)

    def remove(self, path: str) -> None:
        del self.files[path]

    def key_of(self, path: str) -> str:
        return self.files[path].key

    def check(self) -> None:
        if self.unreachable:
            raise HostUnreachable("The fake host is away", "Set unreachable to False")
        if self.refused:
            raise HostRefused("The fake host says no", "Set refused to False")

    def listing(self, known: KnownContent) -> Iterator[HostAsset | IntakeProblem]:
        self.check()
        for count, path in enumerate(sorted(self.files)):
            self.check()
            if count == self.fails_after:
                raise HostUnreachable("The fake host went away", "Set fails_after to None")
            if path in self.broken:
                yield IntakeProblem(path, "file_unreadable", "Input/output error", hides_below=True)
            elif not self._is_unreadable(path):
                yield self._asset(path, known)
        for path in sorted(self.unreadable):
            yield IntakeProblem(path, "folder_unreadable", "Permission denied", hides_below=True)
        yield from self.problems

    def look_up(self, host_key: str, known: KnownContent) -> HostAsset | None:
        self.check()
        path = self._path(host_key)
        if path is None:
            return None
        if self._is_unreadable(path):
            raise HostRefused(f"{path} may not be read")
        if path in self.broken:
            raise HostUnreachable(f"{path} cannot be read: Input/output error")
        return self._asset(path, known)

    def open(self, host_key: str) -> AbstractContextManager[BinaryIO]:
        self.check()
        path = self._path(host_key)
        if path is None:
            raise AssetGone(f"{host_key} is no longer there")
        return BytesIO(self.files[path].data)

    def link(self, host_key: str) -> str | None:
        return f"https://photos.example/f/{host_key}" if self.stable_keys else None

    def _path(self, host_key: str) -> str | None:
        return next((path for path, file in self.files.items() if file.key == host_key), None)

    def _is_unreadable(self, path: str) -> bool:
        return any(path == place or path.startswith(f"{place}/") for place in self.unreadable)

    def _asset(self, path: str, known: KnownContent) -> HostAsset:
        file = self.files[path]
        change_key = f"v{file.version}"
        content = known(file.key, change_key)
        if content is None:
            self.reads.append(file.key)
            content = hashlib.sha256(file.data).hexdigest()
        kind = AssetKind.VIDEO if path.endswith(".mp4") else AssetKind.PHOTO
        return HostAsset(file.key, path, kind, content, change_key, len(file.data))


class FakeWatchableHost(FakeHost):
    """A host that tells of changes; call `changed()` to be the host."""

    def __init__(self, *, stable_keys: bool = False) -> None:
        super().__init__(stable_keys=stable_keys)
        self.watching: list[Callable[[], None]] = []
        self.watches: list[FakeWatch] = []

    def changed(self) -> None:
        for on_change in list(self.watching):
            on_change()

    def watch(self, on_change: Callable[[], None]) -> "FakeWatch | None":
        self.watching.append(on_change)
        self.watches.append(FakeWatch(self.watching, on_change))
        return self.watches[-1]


@dataclass
class FakeWatch:
    watching: list[Callable[[], None]]
    on_change: Callable[[], None]
    holds: bool = True
    sees_everything: bool = True

    def stop(self) -> None:
        if self.on_change in self.watching:
            self.watching.remove(self.on_change)
