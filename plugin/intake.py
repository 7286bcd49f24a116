"""What is new, changed, moved or gone on a host: one pass over its listing, compared with the catalogue.

Every call into the catalogue is one transaction, and a pass can be cut off between any two of them (`kill -9`, a full
disk) and simply be repeated: each step asks how things are now, none relies on an earlier one of the same pass.

How a move is told from a copy (hosts whose keys are paths): a key whose content is not the one stored for it, and whose
content the catalogue holds under another key that this pass has not met, is that asset moved, provided the host no
longer has that content under the old key. So a copy stays an asset of its own, `mv a b` over an existing `b` keeps the
faces of `a`, and two files that swap names keep their own. New and changed content waits until the listing is through:
`mv a b`, then another picture under the name `a`, must first find `a` under `b`, or the faces of one picture would be
looked for in the other.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from plugin.domain import Asset, AssetId, HostAsset, IntakeProblem, Library, ListedFolder, SyncSummary
from plugin.errors import HostError, HostRefused, HostUnreachable
from plugin.ports.catalogue import Catalogue
from plugin.ports.host import DatedHost, FolderMarkingHost, Host, Listed, NamingHost

BLOCK = 200
"""Assets per transaction: few enough that progress moves and a screen never waits, many enough to be fast."""

HELD = 5_000
"""New and changed assets that wait for the end of a listing, at most (some 3 MB); beyond that the oldest go first."""


MARKS_EVERY = 5_000
"""Assets listed between two times that marks of folders are kept: a kill costs so many listed again, at most."""

HOST_AWAY = ("host_unreachable", "host_refused", "host_busy", "login_refused", "certificate_refused", "answer_failed")
"""Photos that were given up because the host was away for long; they are looked at once it is back."""

PREVIEWS_AWAY = ("host_unreachable", "host_busy")
"""Of these the listing need not have failed: only what makes previews was away. They are tried once more after every
pass; not more often, since a single file on a dying disk fails in the same way."""

WAS_BUSY = ("host_busy",)


def _never() -> bool:
    return False


class Intake:
    """Brings the catalogue in line with hosts.

    Args:
        catalogue: where the assets are.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def sync(
        self,
        library: Library,
        host: Host,
        on_progress: Callable[[SyncSummary], None] | None = None,
        should_stop: Callable[[], bool] = _never,
    ) -> SyncSummary:
        """Compare one library with its host.

        Args:
            library: the library.
            host: its host.
            on_progress: told the counts so far after every block.
            should_stop: asked after every block; a pass that ends early removes nothing and is requested again.

        Returns:
            What was found.

        Raises:
            HostError: the host went away or refused; recorded on the library, and nothing was taken for deleted.
        """
        libraries = self._catalogue.libraries
        sync = _Pass(self._catalogue, library, host, libraries.sync_started(library.id), on_progress)
        try:
            complete = sync.take_listing(should_stop)
            if complete:
                sync.mark_gone()
        except HostError as error:
            sync.keep_marks()
            self._keep_problems(library, sync.problems)
            libraries.sync_finished(library.id, str(error.explanation))
            raise
        if complete:
            if sync.is_unchanged:  # not everything was listed, so problems of earlier passes still stand
                self._keep_problems(library, sync.problems)
            else:
                libraries.replace_problems(library.id, [*self._still_standing(library, sync), *sync.problems])
            self._retry(library)  # first: killed in between, the next pass still knows that the host was away
            libraries.sync_finished(library.id, None)
        else:
            sync.keep_marks()
            self._keep_problems(library, sync.problems)
            libraries.request_sync(library.id)
        return sync.summary

    def _retry(self, library: Library) -> None:
        if library.last_sync_error is not None:
            self._catalogue.detection.retry_of_library(library.id, HOST_AWAY)
        else:
            self._catalogue.detection.once_more(library.id, PREVIEWS_AWAY, WAS_BUSY)

    def look_up(self, library: Library, host: Host, host_keys: Sequence[str]) -> list[AssetId]:
        """Take a few assets somebody named, before the host is listed; those there are to look at.

        Nothing is taken for gone here, and what is not found is left to the next pass.

        Raises:
            HostError: recorded nowhere; the pass that follows meets it, too.
        """
        found = host.look_up_named(host_keys) if isinstance(host, NamingHost) else []
        seen = self._catalogue.assets.looked_up(library.id, found)
        return [one.asset_id for one in seen if one.outcome != "same"]

    def _still_standing(self, library: Library, sync: "_Pass") -> list[IntakeProblem]:
        """Problems of earlier passes in folders that were not listed, since nothing changed there."""
        if not sync.skipped_folders:
            return []
        problems = self._catalogue.libraries.problems(library.id)
        return [one for one in problems if not sync.skipped_folders.isdisjoint(_above(one.path))]

    def _keep_problems(self, library: Library, found: Sequence[IntakeProblem]) -> None:
        """After an incomplete pass, problems of earlier passes still stand."""
        if not found:
            return
        libraries = self._catalogue.libraries
        by_place = {(problem.path, problem.code): problem for problem in [*libraries.problems(library.id), *found]}
        libraries.replace_problems(library.id, list(by_place.values()))


class _Pass:
    """One pass over one library: its number, its counts and its problems."""

    def __init__(
        self,
        catalogue: Catalogue,
        library: Library,
        host: Host,
        number: int,
        on_progress: Callable[[SyncSummary], None] | None,
    ) -> None:
        self.summary = SyncSummary()
        self.problems: list[IntakeProblem] = []
        self.is_unchanged = False
        self._assets = catalogue.assets
        self._marks = catalogue.folder_marks
        self._library = library
        self._host = host
        self._number = number
        self._on_progress = on_progress
        self._unchanged: set[tuple[str, str]] = set()
        self.skipped_folders: set[str] = set()
        self._new_marks: dict[str, str] = {}
        self._marks_kept_at = 0
        self._known_marks: Mapping[str, str] | None = None
        self._held: list[HostAsset] = []
        self._folder: str | None = None
        self._contents: dict[str, tuple[str, str]] = {}
        # The first listing of an account has nothing to find moves among: spares a query per photo.
        self._may_have_moved = not host.stable_keys and any(catalogue.assets.counts(library.account_id))

    def take_listing(self, should_stop: Callable[[], bool]) -> bool:
        """Take what the host lists, block by block; False when asked to stop before the end."""
        for block in _in_blocks(self._listing()):
            self._take([entry for entry in block if isinstance(entry, HostAsset)])
            self._note([entry for entry in block if isinstance(entry, IntakeProblem)])
            self._count(problems=len(self.problems) - self.summary.problems)
            self._take_folders([entry for entry in block if isinstance(entry, ListedFolder)])
            if should_stop():
                return False
        self._release(keep=0)
        return True

    def _note(self, problems: Sequence[IntakeProblem]) -> None:
        """A folder that is listed in two ways during one pass tells of the same problem twice."""
        if problems:
            found = [*self.problems, *problems]
            self.problems = list({(problem.path, problem.code): problem for problem in found}.values())

    def _listing(self) -> Iterator[Listed]:
        host = self._host
        if isinstance(host, DatedHost):
            return host.changes_since(self._marks.get(self._library.id, ""))
        if isinstance(host, FolderMarkingHost):
            return host.changes(self._known_mark)
        return iter(host.listing(self._known))

    def _known_mark(self, path: str) -> str | None:
        """The mark of a folder as it was when the pass began; all are read when the first one below the root is asked.

        One that is dropped meanwhile belongs to a folder that something left, and that so has another mark by now.
        """
        if not path:
            return self._marks.get(self._library.id, path)
        if self._known_marks is None:
            self._known_marks = self._marks.all(self._library.id)
        return self._known_marks.get(path)

    def _take_folders(self, folders: list[ListedFolder]) -> None:
        """Note which folders are as their marks say."""
        self.skipped_folders |= {folder.path for folder in folders if folder.unchanged}
        self.is_unchanged = "" in self.skipped_folders
        is_dated = isinstance(self._host, DatedHost)
        self._new_marks |= {folder.path: folder.mark for folder in folders if is_dated or not folder.unchanged}
        if self.summary.listed - self._marks_kept_at >= MARKS_EVERY:
            self.keep_marks()

    def keep_marks(self) -> None:
        """Remember the folders that are through although the pass is not: a pass that follows goes on from there.

        A mark says that the catalogue holds what the folder holds, and nothing else. So those with assets the pass has
        not met (deleted ones, or moved to a folder that is still to come) wait until these are hidden.
        """
        self._marks_kept_at = self.summary.listed
        if not self._new_marks:
            return
        waiting = set[str]()
        for _, folder in self._unmet():
            waiting |= {folder, *_above(folder)}
        safe = {path: mark for path, mark in self._new_marks.items() if path not in waiting}
        self._marks.put(self._library.id, safe)
        self._new_marks = {path: mark for path, mark in self._new_marks.items() if path in waiting}

    def mark_gone(self) -> None:
        """Hide what the pass did not meet, except where a problem hid it.

        Raises:
            HostUnreachable: the listing was empty, as a folder is whose disk is not mounted.
        """
        if self.is_unchanged:
            if self._new_marks:
                self._marks.put(self._library.id, self._new_marks)
            return
        # All ids first (a few MB at most): marking while reading would move the blocks the catalogue streams.
        gone, stale = [], set[str]()
        for asset_id, folder in self._unmet():
            gone.append(asset_id)
            stale |= {folder, *_above(folder)}
        if gone and not self.summary.listed and not self.skipped_folders:
            raise HostUnreachable(
                f"{self._library.name} has no photos any more, so nothing was removed",
                "Is the disk mounted? If the photos were deleted on purpose, remove the library",
            )
        # Folders that were not listed, such as those below a `.nomedia`, are not as their marks say any more.
        self._marks.drop(self._library.id, stale)
        for block in _blocks(gone):
            self._assets.mark_gone(block)
            self._count(gone=len(block))
        self._marks.put(self._library.id, self._new_marks)

    def _unmet(self) -> Iterator[tuple[AssetId, str]]:
        """(id, folder) of present assets the pass did not meet, except where a problem or a mark kept it away."""
        hidden = {problem.path for problem in self.problems if problem.hides_below} | self.skipped_folders
        kept: dict[str, bool] = {}  # folder -> whether it is at or below one of these
        for asset_id, path in self._assets.unseen_places(self._library.id, self._number):
            folder = path.rpartition("/")[0]
            if folder not in kept:
                kept[folder] = not hidden.isdisjoint({folder, *_above(folder)})
            if not kept[folder] and path not in hidden:
                yield asset_id, folder

    def _take(self, listed: list[HostAsset]) -> None:
        self._count(listed=len(listed))
        self._store([entry for entry in listed if self._is_settled(entry)])
        self._release(keep=HELD)

    def _release(self, keep: int) -> None:
        """Take what waited, oldest first, until only so many wait."""
        while len(self._held) > keep:
            self._store(self._held[:BLOCK])
            del self._held[:BLOCK]

    def _store(self, listed: list[HostAsset]) -> None:
        if not listed:
            return
        outcomes = Counter(seen.outcome for seen in self._assets.seen(self._library.id, listed, self._number))
        self._count(new=outcomes["new"], changed=outcomes["changed"], returned=outcomes["returned"])

    def _is_settled(self, listed: HostAsset) -> bool:
        """Whether this can be stored at once; moves are done here, what is new or changed is held back."""
        if not self._may_have_moved or self._is_unchanged(listed):
            return True
        candidates = self._candidates(listed)
        own = next((asset for asset in candidates if asset.host_key == listed.host_key), None)
        if own is not None and not own.gone:
            return True  # touched, not changed
        # A copy deleted here earlier gives way to one that was visible until now: that is the one users corrected.
        possible = [asset for asset in candidates if own is None or not asset.gone]
        origin = next((asset for asset in possible if not self._still_there(asset)), None)
        if origin is not None:
            self._assets.moved(origin.id, listed, self._number)
            self._count(moved=1)
        elif own is None:
            self._held.append(listed)
        return origin is None and own is not None

    def _candidates(self, listed: HostAsset) -> list[Asset]:
        """What may have been moved here, the likeliest first."""
        if listed.size_bytes == 0:
            return []  # empty files all have the same content, which says nothing
        candidates = self._assets.unseen_with_content(self._library.id, listed.content_key, self._number)
        return sorted(candidates, key=lambda asset: _likeness(asset, listed))

    def _is_unchanged(self, listed: HostAsset) -> bool:
        key = (listed.host_key, listed.content_key)
        unchanged = key in self._unchanged
        self._unchanged.discard(key)
        return unchanged

    def _still_there(self, asset: Asset) -> bool:
        try:
            now = self._host.look_up(asset.host_key, self._assets_known)
        except HostRefused:
            return True  # it may be there unreadable; taking it for moved could lose it
        except HostUnreachable:
            self._host.check()  # raises when the whole host is away
            return True
        return now is not None and now.content_key == asset.content_key

    def _known(self, host_key: str, change_key: str) -> str | None:
        """As `_assets_known`, with one question a folder: an unchanged library costs little more than its listing."""
        folder = host_key.rpartition("/")[0]
        if folder != self._folder:
            self._folder, self._contents = folder, self._assets.contents(self._library.id, folder)
        change, content = self._contents.get(host_key, ("", ""))
        if not change or change != change_key:
            return None
        if self._may_have_moved:
            self._unchanged.add((host_key, content))
        return content

    def _assets_known(self, host_key: str, change_key: str) -> str | None:
        return self._assets.content_key(self._library.id, host_key, change_key)

    def _count(self, **more: int) -> None:
        self.summary = replace(self.summary, **{name: getattr(self.summary, name) + n for name, n in more.items()})
        if self._on_progress is not None:
            self._on_progress(self.summary)


def _likeness(asset: Asset, listed: HostAsset) -> tuple[bool, bool, bool, AssetId]:
    """Sorts likely origins of a move first: not gone long ago, the same name, the same folder, the oldest."""
    old, new = PurePosixPath(asset.path), PurePosixPath(listed.path)
    return (asset.gone, old.name != new.name, old.parent != new.parent, asset.id)


def _above(folder: str) -> Iterator[str]:
    """The folders this one is in; "" is the whole library."""
    while folder:
        folder = folder.rpartition("/")[0]
        yield folder


def _in_blocks(listing: Iterator[Listed]) -> Iterator[list[Listed]]:
    """The listing in blocks; what came before the host went away is not thrown away."""
    block: list[Listed] = []
    try:
        for entry in listing:
            block.append(entry)
            if len(block) == BLOCK:
                yield block
                block = []
    except HostError:
        yield block
        raise
    yield block


def _blocks(ids: list[AssetId]) -> Iterator[list[AssetId]]:
    return (ids[start : start + BLOCK] for start in range(0, len(ids), BLOCK))
