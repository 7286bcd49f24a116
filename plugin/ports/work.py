"""The port to the workers. Work itself is rows in the catalogue; a nudge only says "look there, soon"."""

from typing import Protocol

from plugin.domain import LibraryId


class Nudge(Protocol):
    """Wakes workers. Losing a nudge loses nothing: a sweep looks every minute."""

    def sync(self, library_id: LibraryId) -> None:
        """A library should be compared with its host."""
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
