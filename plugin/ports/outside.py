"""The ports to what other programs may tell Kinfolk, and to whose accounts their users have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from plugin.domain import AccountId, Library, LibraryId


@dataclass(frozen=True, slots=True)
class LibraryHook:
    """The right of a host to tell that a library changed.

    Attributes:
        secret_digest: SHA-256 in hex; the secret itself is only known to the host. "": it opens nothing any more.
        registered_at: when the host was asked to tell.
        heard_at: when it did so last; None: never yet.
        urls: where it may be telling; none for what was registered before this was written down.
    """

    library_id: LibraryId
    secret_digest: str
    registered_at: datetime
    heard_at: datetime | None = None
    urls: tuple[str, ...] = ()


class HookRows(Protocol):
    """Which libraries are told about."""

    def get(self, library_id: LibraryId) -> LibraryHook | None:
        """The hook of a library, or None."""
        ...

    def put(self, library_id: LibraryId, secret_digest: str, urls: Sequence[str] = ()) -> None:
        """Remember a new secret; the former one opens nothing any more. Raises `NotFound`."""
        ...

    def told_at(self, library_id: LibraryId, urls: Sequence[str]) -> None:
        """The host tells at these addresses and no others."""
        ...

    def close(self, library_id: LibraryId) -> None:
        """The secret opens nothing any more; what the host was asked stays written down."""
        ...

    def heard(self, library_id: LibraryId) -> None:
        """The host told something now."""
        ...

    def remove(self, library_id: LibraryId) -> None:
        """Nothing happens where there is none."""
        ...


class OutsideUserRows(Protocol):
    """Users of a host who have an account here without a password."""

    def account_of(self, origin: str, user_id: str) -> AccountId | None:
        """Whose account it is, or None; the user's id is compared exactly."""
        ...

    def has_user(self, account_id: AccountId) -> bool:
        """Whether somebody outside has this account."""
        ...

    def put(self, origin: str, user_id: str, account_id: AccountId) -> None:
        """Raises `Refused` when the user has another account already."""
        ...

    def move(self, origin: str, user_id: str, account_id: AccountId) -> None:
        """The user has this account from now on, whichever it was before; the same twice is no error."""
        ...


class HookRegistrar(Protocol):
    """Asks a host to tell about changes of a library."""

    def user(self, library: Library) -> str | None:
        """Whose files the library holds, by the host's own name; None for a host that cannot tell."""
        ...

    def as_app(self, library: Library) -> bool:
        """Whether no administrator is needed, since Kinfolk is an app of that host."""
        ...

    def told_at(self, library: Library, url: str) -> str:
        """Where the host will tell when a user gives it this address."""
        ...

    def register(
        self,
        library: Library,
        urls: Sequence[str],
        secret: str,
        name: str,
        password: str,
        registered: Callable[[], None],
    ) -> None:
        """Ask to be told at the first address, and not at the others any more; twice is the same as once.

        `registered` is called once the host has the new secret, while it still has the former one. Raises `HostError`.
        """
        ...

    def remove(self, library: Library, urls: Sequence[str], name: str, password: str) -> None:
        """Ask no more at any of these; what is not there is no error. Raises `HostError`."""
        ...
