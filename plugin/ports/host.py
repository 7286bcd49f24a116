"""The port to the program that owns the photos."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol, runtime_checkable

from plugin.domain import HostAsset, IntakeProblem, ListedFolder

KnownContent = Callable[[str, str], str | None]
"""(host_key, change_key) -> the content key stored for them, or None; spares the host reading the file again."""


KnownMark = Callable[[str], str | None]
"""path of a folder -> the mark stored for it, or None."""

Listed = HostAsset | IntakeProblem | ListedFolder


class Host(Protocol):
    """One connection to a host, bound to one library. Instances are used by several threads at once."""

    @property
    def stable_keys(self) -> bool:
        """Whether `host_key` survives a rename on the host. If not, intake recognises moves by content key."""
        ...

    def check(self) -> None:
        """Prove that the host answers and may be read.

        Raises:
            HostUnreachable: down, not mounted, vanished.
            HostRefused: credentials or rights.
        """
        ...

    def listing(self, known: KnownContent) -> Iterator[HostAsset | IntakeProblem]:
        """Every photo and video, in any order, streamed; what cannot be taken comes as an `IntakeProblem`.

        Raises:
            HostUnreachable: the host went away; the listing is incomplete and nothing may be taken for deleted.
        """
        ...

    def look_up(self, host_key: str, known: KnownContent) -> HostAsset | None:
        """The asset under this key as it is now, or None when it is not there (or is excluded)."""
        ...

    def open(self, host_key: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of an asset as a seekable binary file.

        Raises:
            AssetGone, HostUnreachable, HostRefused.
        """
        ...

    def link(self, host_key: str) -> str | None:
        """Where a person sees this asset in the host's own interface, or None where there is none."""
        ...


@runtime_checkable
class FolderMarkingHost(Host, Protocol):
    """A host that can tell whether anything at or below a folder changed, without listing it. Needs stable keys."""

    def changes(self, known: KnownMark) -> Iterator[Listed]:
        """As `listing`, but a folder whose mark is the known one comes as a `ListedFolder` that is `unchanged`.

        A folder with a problem below it is not given as a `ListedFolder`, nor are those it is in.

        Raises:
            HostUnreachable: as for `listing`.
        """
        ...


@runtime_checkable
class NamingHost(Host, Protocol):
    """A host that can look a few assets up at once, more cheaply than it is listed. Needs stable keys."""

    def look_up_named(self, host_keys: Sequence[str]) -> list[HostAsset]:
        """Those of these keys that a listing would give now; may leave some out, which the next listing finds.

        Keys come from outside and may be anything.

        Raises:
            HostUnreachable, HostRefused.
        """
        ...


@runtime_checkable
class DatedHost(Host, Protocol):
    """A host that can tell what changed since it was listed last, but not in which folders. Needs stable keys."""

    def changes_since(self, mark: str | None) -> Iterator[Listed]:
        """What is new or changed since the listing that gave this mark; everything where there is none or it is old.

        The last entry is a `ListedFolder` of "" with the next mark. It is `unchanged` when not everything was listed:
        then nothing may be taken for deleted.

        Raises:
            HostUnreachable: as for `listing`; the mark stays the former one.
        """
        ...


@runtime_checkable
class FetchingHost(Host, Protocol):
    """A host far away, which can bring what will be opened next while something else is looked at."""

    def fetch_ahead(self, host_keys: Sequence[str]) -> None:
        """Begin to fetch; `open` takes over. Never raises, and forgets what is not opened soon."""
        ...


@runtime_checkable
class PreviewingHost(Host, Protocol):
    """A host whose `open` gives something smaller than the original, which is enough to look at."""

    def open_original(self, host_key: str) -> AbstractContextManager[BinaryIO]:
        """As `open`, the bytes as they were uploaded."""
        ...


class Watch(Protocol):
    """A running observation of a host; a hint only, the periodic listing finds what it missed."""

    @property
    def holds(self) -> bool:
        """Whether it still observes; one that does not has to be begun anew. Asked every minute, so cheap."""
        ...

    @property
    def sees_everything(self) -> bool:
        """Whether every change is told, so that a listing is hardly needed. Cheap, too."""
        ...

    def stop(self) -> None:
        """End the observation and its threads. Safe to call twice."""
        ...


@runtime_checkable
class WatchableHost(Host, Protocol):
    """A host that can tell of changes by itself."""

    def watch(self, on_change: Callable[[], None]) -> Watch | None:
        """Call `on_change` (debounced, from another thread) after a change; None where watching is impossible."""
        ...
