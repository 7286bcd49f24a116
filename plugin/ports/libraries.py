"""The ports to libraries, to logins at their hosts and to how folders were listed; like `plugin.ports.catalogue`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from plugin.domain import (
    AccountId,
    IntakeProblem,
    Library,
    LibraryId,
)


class LibraryRows(Protocol):
    """Libraries and what their last sync said."""

    def all(self, account_id: AccountId | None = None) -> list[Library]: ...
    def get(self, library_id: LibraryId, account_id: AccountId | None = None) -> Library: ...
    def add(self, account_id: AccountId, host: str, name: str, address: str) -> Library:
        """The existing library is returned when this account already has that host and address."""
        ...

    def remove(self, library_id: LibraryId, account_id: AccountId | None = None) -> None:
        """With all its assets, faces, embeddings; unnamed persons that lose their last face go too."""
        ...

    def request_sync(self, library_id: LibraryId) -> None: ...
    def sync_started(self, library_id: LibraryId) -> int:
        """A new, larger pass number for `AssetRows.seen`."""
        ...

    def sync_finished(self, library_id: LibraryId, error: str | None) -> None:
        """Clears the request; `error` is None when the pass was complete."""
        ...

    def replace_problems(self, library_id: LibraryId, problems: Sequence[IntakeProblem]) -> None: ...
    def problems(self, library_id: LibraryId) -> list[IntakeProblem]: ...
    def all_problems(self, account_id: AccountId) -> dict[LibraryId, list[IntakeProblem]]:
        """Of every library of the account that has any, in the order they were met."""
        ...

    def example_problems(self, account_id: AccountId, each: int) -> list[IntakeProblem]:
        """Of each kind at most so many, in the order they were met."""
        ...


@dataclass(frozen=True, slots=True)
class HostLogin:
    """How Kinfolk logs in at the host of one library.

    Attributes:
        name: of the user.
        secret: encrypted; the key is not in the catalogue. "" where the host wants no login of ours: we are an app of
            it, or it is open to everybody. What is chosen and whether it refused us is kept all the same.
        fingerprint: of a certificate the user confirmed, None for one that is vouched for.
        options: what the user chose, such as folders to read; each a tuple of paths.
        refused: why the host does not accept it any more; None while it does.
    """

    name: str
    secret: str = field(repr=False)
    fingerprint: str | None = None
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: str | None = None


class HostLoginRows(Protocol):
    """Logins at hosts on the network; they go with their library."""

    def get(self, library_id: LibraryId) -> HostLogin | None: ...
    def put(self, library_id: LibraryId, login: HostLogin) -> None: ...
    def refuse(self, library_id: LibraryId, secret: str, reason: str) -> None:
        """The host does not accept this secret any more; a newer one stays. "": it let us in without, and stopped."""
        ...


class FolderMarkRows(Protocol):
    """What hosts said of folders when everything at and below them was stored. Paths: "" is the whole library."""

    def get(self, library_id: LibraryId, path: str) -> str | None: ...
    def all(self, library_id: LibraryId) -> dict[str, str]: ...
    def put(self, library_id: LibraryId, marks: Mapping[str, str]) -> None: ...
    def drop(self, library_id: LibraryId, paths: Collection[str]) -> None: ...
    def clear(self, library_id: LibraryId) -> None: ...
