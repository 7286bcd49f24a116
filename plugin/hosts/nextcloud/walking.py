"""Listing a user's files with as few requests as the server allows, and only where something changed.

A folder's ETag changes whenever anything at or below it does, so a folder whose ETag is the known one is not looked
into. A folder that was never listed is asked for with everything below it at once (`Depth: infinity`); where the server
does not answer that, or breaks off, it is listed by itself and its folders one by one.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from plugin.domain import IntakeProblem, ListedFolder
from plugin.errors import AnswerFailed, AssetGone, BadListing, HostBusy, HostRefused, HostUnreachable, LoginRefused
from plugin.hosts.nextcloud.files import MARKERS, RemoteFile, UserFiles
from plugin.hosts.nextcloud.options import NextcloudOptions
from plugin.hosts.nextcloud.raws import LonelyRaws
from plugin.ports.host import KnownMark, Listed
from plugin.sentences import Sentence

log = logging.getLogger(__name__)

FEW = 50
"""Up to so many new folders are asked for one by one: each is remembered when it is through, whatever comes then."""

MARKERS_AT_MOST = 1000
"""Folders with a `.nomedia`; with more, the folders are listed one by one."""


CLAMPED_AT_MOST = 3
"""After so many answers of one level only, the server is taken for one that never gives more."""


@dataclass(slots=True)
class _Found:
    """What listing a folder gave besides files: whether all of it and below was seen."""

    complete: bool = True


@dataclass(slots=True)
class Walk:
    """One pass over the files of a user.

    Attributes:
        files: how the server is asked.
        options: what is chosen.
        known: the marks of folders listed before.
    """

    files: UserFiles
    options: NextcloudOptions
    known: KnownMark
    _hidden: frozenset[str] = frozenset()
    _may_ask_below: bool = True
    _markers_known: bool = False
    _clamped: int = 0
    _generation: str = field(init=False)

    def __post_init__(self) -> None:
        self._generation = self.options.generation

    def run(self) -> Iterator[Listed | RemoteFile]:
        """Every chosen file, and the folders they are in.

        Raises:
            HostUnreachable, HostRefused: the listing is not complete.
        """
        try:
            root = self.files.one("")
        except AssetGone:
            raise HostRefused(
                "Nextcloud does not show this user's files", "Log in at Nextcloud once, then try again"
            ) from None
        if self._is_known(root):
            yield ListedFolder("", self._mark(root), unchanged=True)
            return
        state = _Found()
        for start in self.options.starts():
            yield from self._start(start, state)
        if state.complete:
            yield ListedFolder("", self._mark(root))

    def _start(self, start: str, state: _Found) -> Iterator[Listed | RemoteFile]:
        """A chosen folder. One that is not there (renamed, unmounted) is told, and nothing in it is taken for gone."""
        try:
            yield from self._folder(start, None, state, itself=bool(start))
        except AssetGone:
            state.complete = False
            yield IntakeProblem(
                start,
                "folder_missing",
                Sentence("The chosen folder is not there any more. Choose folders again"),
                hides_below=True,
            )

    def _folder(
        self, path: str, listed: RemoteFile | None, state: _Found, *, itself: bool = True
    ) -> Iterator[Listed | RemoteFile]:
        """One folder with everything below it. `listed`: as its parent told of it."""
        if listed is not None and self._is_known(listed):
            yield ListedFolder(path, self._mark(listed), unchanged=True)
            return
        if itself and self.known(path) is None and self._may_ask_all(path):
            try:
                yield from self._all_below(path, state)
            except _Divide:
                pass
            else:
                return
        yield from self._one_by_one(path, state, itself=itself)

    def _one_by_one(self, path: str, state: _Found, *, itself: bool) -> Iterator[Listed | RemoteFile]:
        """The folder's own files, then its folders."""
        below = _Found()
        with self.files.listing(path, "1") as found:
            inside = list(found)
        own = next((file for file in inside if file.path == path), None)
        if own is None:
            raise BadListing("Nextcloud's listing does not name the folder that was asked for", "It is tried again")
        if not any(is_marker(file) for file in inside):
            inside = [file for file in inside if file.path != path and self._is_taken(file)]
            yield from (file for file in inside if not file.is_folder)
            yield from lonely_raws(file for file in inside if not file.is_folder)
            yield from self._folders([file for file in inside if file.is_folder], path, below)
        state.complete &= below.complete
        if below.complete and itself:
            yield ListedFolder(path, self._mark(own))

    def _folders(self, folders: list[RemoteFile], parent: str, below: _Found) -> Iterator[Listed | RemoteFile]:
        new = [folder for folder in folders if not self._is_known(folder)]
        if len(new) > FEW and 2 * len(new) > len(folders) and self._may_ask_all(parent):
            try:
                yield from self._all_below(parent, below)
            except _Divide:
                log.info("A folder with many folders is listed one by one")
            else:
                return
        for folder in folders:
            yield from self._guarded(folder, below)

    def _guarded(self, folder: RemoteFile, below: _Found) -> Iterator[Listed | RemoteFile]:
        """A folder that cannot be read (external storage away, no right) costs only itself."""
        try:
            yield from self._folder(folder.path, folder, below)
        except (LoginRefused, HostBusy):
            raise
        except AssetGone:
            below.complete = False  # deleted or moved meanwhile; the next pass sees
        except (HostRefused, BadListing, AnswerFailed) as error:
            below.complete = False
            yield IntakeProblem(folder.path, "folder_unreadable", error.message, hides_below=True)

    def _may_ask_all(self, path: str) -> bool:
        if not self._may_ask_below or self.options.cuts_into(path):
            return False
        if not self._markers_known:
            self._find_markers()
        return self._may_ask_below

    def _find_markers(self) -> None:
        """Which folders hold no photos, since a `.nomedia` may come after the photos beside it."""
        self._markers_known = True
        hidden = hidden_folders(self.files)
        self._may_ask_below = hidden is not None
        self._hidden = hidden or frozenset()

    def _all_below(self, path: str, state: _Found) -> Iterator[Listed | RemoteFile]:
        """The folder and everything below in one answer. Raises `_Divide` where the server cannot do that."""
        folders: dict[str, str] = {}
        raws = LonelyRaws()
        deepest = surprised = 0
        depth = _depth(path)
        try:
            with self.files.listing(path, "infinity") as found:
                for file in found:
                    deepest = max(deepest, _depth(file.path) - depth)
                    surprised += is_marker(file) and not self._is_hidden(file.folder)
                    if not self._is_taken(file) or self._is_hidden(file.folder if file.path else None):
                        continue
                    raws.meet(file)
                    if file.is_folder:
                        folders[file.path] = self._mark(file)
                    else:
                        yield file
        except (LoginRefused, HostBusy, AssetGone):
            raise
        except (HostUnreachable, HostRefused) as error:
            log.info("A folder is listed in parts, since its listing as a whole failed: %s", error)
            raise _Divide from error
        self._clamped = self._clamped + 1 if deepest < 2 and len(folders) > 1 else 0
        if self._clamped:
            # As if we had asked for one level, which Sabre does when told to; or its folders are empty.
            self._may_ask_below = self._clamped < CLAMPED_AT_MOST
            raise _Divide
        yield from raws.problems()
        if surprised:
            state.complete = False  # a `.nomedia` that came meanwhile: listed again with the next pass
            return
        # Deepest first: a folder comes after all that is below it.
        for folder in sorted(folders, key=_depth, reverse=True):
            if folder or path:
                yield ListedFolder(folder, folders[folder])

    def _is_taken(self, file: RemoteFile) -> bool:
        return file.owner not in self.options.others and self.options.takes_folder(file.path)

    def _is_hidden(self, folder: str | None) -> bool:
        """Whether what is directly in this folder holds no photos; None is where nothing is above."""
        return folder is not None and lies_in(folder, self._hidden)

    def _is_known(self, folder: RemoteFile) -> bool:
        return bool(folder.etag) and self.known(folder.path) == self._mark(folder)

    def _mark(self, folder: RemoteFile) -> str:
        return f"{folder.etag} {self._generation}"


class _Divide(Exception):
    """Ask for less at once."""


def hidden_folders(files: UserFiles) -> frozenset[str] | None:
    """The folders a `.nomedia` lies in; None where the server cannot tell, or there are too many.

    Raises:
        LoginRefused, HostBusy.
    """
    names = "".join(
        f"<d:eq><d:prop><d:displayname/></d:prop><d:literal>{name}</d:literal></d:eq>" for name in sorted(MARKERS)
    )
    try:
        found = files.search(f"<d:or>{names}</d:or>", MARKERS_AT_MOST)
    except (LoginRefused, HostBusy):
        raise
    except (HostRefused, HostUnreachable, AssetGone):
        return None
    return frozenset(file.folder for file in found if is_marker(file)) if len(found) < MARKERS_AT_MOST else None


def lies_in(folder: str, folders: frozenset[str]) -> bool:
    """Whether the folder is one of these or lies below one."""
    return bool(folders) and (folder in folders or any(above in folders for above in _parents(folder)))


def lonely_raws(files: Iterable[RemoteFile]) -> list[IntakeProblem]:
    """Of the files of one folder."""
    raws = LonelyRaws()
    for file in files:
        raws.meet(file)
    return raws.problems()


def is_marker(file: RemoteFile) -> bool:
    """Whether it says that there are no photos beside and below it."""
    return not file.is_folder and file.name in MARKERS


def _depth(path: str) -> int:
    return path.count("/") + 1 if path else 0


def _parents(path: str) -> Iterator[str]:
    for parent in PurePosixPath(path).parents:
        yield "" if str(parent) == "." else str(parent)
