"""The port to the workers. Work itself is rows in the catalogue; a nudge only says "look there, soon"."""

from collections.abc import Sequence
from typing import Protocol

from plugin.domain import LibraryId


class Nudge(Protocol):
    """Wakes workers. Losing a nudge loses nothing: a sweep looks every minute."""

    def sync(self, library_id: LibraryId) -> None:
        """A library should be compared with its host."""
        ...

    def named(self, library_id: LibraryId, host_keys: Sequence[str]) -> None:
        """These assets of a library should be looked up at its host, before all of it is compared."""
        ...

    def detection(self) -> None:
        """There may be assets to look at."""
        ...

    def recognition(self) -> None:
        """There may be faces to recognise."""
        ...

    def model(self) -> None:
        """The chosen pack should be fetched now, although nothing needs it yet."""
        ...

    def writeback(self) -> None:
        """There may be names to tell a host."""
        ...
