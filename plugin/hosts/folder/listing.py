# Paths on disk are bytes, which pathlib does not take.
# ruff: noqa: PTH122
"""The walk through a folder: every photo and video once, what cannot be taken as a problem.

Memory holds the names of one folder and of the folders still ahead on the way down, however large the library is.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from plugin.domain import AssetKind, IntakeProblem
from plugin.hosts.folder import problems
from plugin.hosts.folder.links import Links
from plugin.hosts.folder.names import PHOTO_SUFFIXES, RAW_SUFFIXES, is_utf8, kind_of, printable, suffix_of
from plugin.hosts.folder.options import FolderOptions
from plugin.hosts.folder.root import VANISHED, Root
from plugin.hosts.folder.skipping import NO_MEDIA, SkipRules


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A photo or video, not opened yet. `relative` is its real path seen from the root."""

    key: str
    relative: bytes
    kind: AssetKind
    stat: os.stat_result


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to walk: the key under which a user sees it, its real path, whether a link led here."""

    key: str
    real: bytes
    linked: bool


Found = Iterator[FoundFile | IntakeProblem]


class Walk:
    """One pass over a folder; use it once.

    Args:
        root: where to begin.
        rules: what to leave out.
        options: whether to follow links and list videos.
    """

    def __init__(self, root: Root, rules: SkipRules, options: FolderOptions) -> None:
        self._root = root
        self._rules = rules
        self._videos = options.videos
        self._links = Links(root, rules, options)
        self._walked_by_link: set[bytes] = set()
        self._ahead = [_Folder("", root.path, linked=False)]

    def files(self) -> Found:
        """Every file, sorted within its folder, folders depth first.

        Raises:
            HostUnreachable, HostRefused: the root is away; what was listed so far is not everything.
        """
        while self._ahead:
            yield from self._folder(self._ahead.pop())
        self._root.verify()

    def _folder(self, folder: _Folder) -> Found:
        try:
            with os.scandir(folder.real) as opened:
                entries = sorted(opened, key=lambda entry: entry.name)
        except OSError as error:
            yield from self._unreadable(folder.key, "folder_unreadable", error)
            return
        names = {entry.name for entry in entries}
        if folder.key and NO_MEDIA in names:  # the root was named by the user, who wants it
            return
        first_below = len(self._ahead)
        for entry in entries:
            key = f"{folder.key}/{printable(entry.name)}".lstrip("/")
            try:
                yield from self._entry(folder, entry, key, names)
            except OSError as error:
                yield from self._unreadable(key, "file_unreadable", error)
        self._ahead[first_below:] = reversed(self._ahead[first_below:])

    def _entry(self, folder: _Folder, entry: "os.DirEntry[bytes]", key: str, names: set[bytes]) -> Found:
        if self._rules.skips(key):
            return
        real, linked = entry.path, folder.linked
        if entry.is_symlink():
            target = self._links.follow(folder.real, entry.path, key)
            if isinstance(target, IntakeProblem):
                yield target
            if not isinstance(target, bytes):
                return
            real, linked = target, True
        if entry.is_dir():
            yield from self._folder_ahead(_Folder(key, real, linked), is_utf8(entry.name))
        else:
            yield from self._file(entry, key, real, names)

    def _folder_ahead(self, folder: _Folder, utf8: bool) -> Found:  # noqa: FBT001 - one private caller
        if not utf8:
            yield problems.name_not_utf8(folder.key, folder=True)
        elif not folder.linked or folder.real not in self._walked_by_link:
            if folder.linked:  # only what a link led to can be met twice: everything else has one place
                self._walked_by_link.add(folder.real)
            self._ahead.append(folder)

    def _file(self, entry: "os.DirEntry[bytes]", key: str, real: bytes, names: set[bytes]) -> Found:
        kind = kind_of(key, videos=self._videos)
        if kind is None:
            if _is_lonely_raw(entry.name, names):
                yield problems.raw(key)
        elif not is_utf8(entry.name):
            yield problems.name_not_utf8(key, folder=False)
        elif not entry.is_file():
            yield problems.not_a_file(key)
        elif relative := self._root.relative(real):
            yield FoundFile(key, relative, kind, entry.stat())

    def _unreadable(self, key: str, code: str, error: OSError) -> Iterator[IntakeProblem]:
        self._root.verify()
        if not key:
            raise self._root.reason(printable(self._root.path), error)
        if error.errno not in VANISHED:  # what was deleted since its folder was read is no problem
            yield problems.unreadable(key, code, error)


def _is_lonely_raw(name: bytes, names: set[bytes]) -> bool:
    """A raw photo without its developed twin beside it; cameras write both, and the twin shows the same faces."""
    if suffix_of(printable(name)) not in RAW_SUFFIXES:
        return False
    stem = os.path.splitext(name)[0]
    return not any(stem + twin.encode() in names or stem + twin.upper().encode() in names for twin in PHOTO_SUFFIXES)
