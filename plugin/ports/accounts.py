"""The ports to accounts, their API tokens and what was set on the Settings pages; like `plugin.ports.catalogue`."""

from datetime import datetime
from typing import Protocol

from plugin.domain import (
    Account,
    AccountId,
    ApiToken,
    TokenScope,
)


class AccountRows(Protocol):
    """Accounts and their passwords (only hashes reach this port)."""

    def all(self) -> list[Account]: ...
    def get(self, account_id: AccountId) -> Account | None: ...
    def by_name(self, name: str) -> Account | None:
        """Case-insensitive."""
        ...

    def add(self, name: str, password_hash: str | None, *, is_admin: bool) -> Account:
        """Raises `Refused` when the name is taken or empty."""
        ...

    def set_password(self, account_id: AccountId, password_hash: str) -> None:
        """Also raises `session_epoch`, which ends every session of the account."""
        ...

    def rename(self, account_id: AccountId, name: str) -> None: ...
    def set_admin(self, account_id: AccountId, *, is_admin: bool) -> None:
        """Raises `Refused` when no administrator who can log in would be left."""
        ...

    def remove(self, account_id: AccountId) -> None:
        """With libraries, people and everything else of it; raises `Refused` for the last administrator."""
        ...

    def invite(self, account_id: AccountId, token_hash: str, expires_at: datetime) -> None:
        """Let the holder of a token set the password; an earlier invitation of the account ends."""
        ...

    def invited(self, token_hash: str) -> Account | None:
        """Whose invitation this is; None when it was used, replaced or has expired."""
        ...

    def accept_invitation(self, token_hash: str, password_hash: str) -> Account:
        """Set the password and end the invitation, in one; raises `Refused` when it does not hold any more."""
        ...

    def open_invitations(self) -> dict[AccountId, datetime]:
        """Until when invitations hold that nobody has used."""
        ...


class PreferenceRows(Protocol):
    """Small named values saved by the screens (thresholds, pack, accepted licences, last nightly run)."""

    def get(self, key: str) -> str | None: ...
    def all(self) -> dict[str, str]: ...
    def set(self, key: str, value: str) -> None: ...
    def delete(self, key: str) -> None: ...


class TokenRows(Protocol):
    """The tokens of programs; only digests of their secrets reach this port."""

    def add(self, account_id: AccountId, name: str, scope: TokenScope, digest: bytes) -> ApiToken: ...
    def all(self, account_id: AccountId) -> list[ApiToken]:
        """The newest first."""
        ...

    def by_digest(self, digest: bytes) -> ApiToken | None: ...
    def used(self, token_id: int) -> None:
        """Remember that it was used now."""
        ...

    def revoke(self, token_id: int, account_id: AccountId) -> None:
        """It opens nothing any more."""
        ...
