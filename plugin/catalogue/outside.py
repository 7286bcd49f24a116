"""Hooks of libraries, and users of hosts who have an account."""

from collections.abc import Sequence

from sqlalchemy import delete, insert, select, update

from plugin.catalogue.tables import library, library_hook, outside_user
from plugin.catalogue.transactions import Transactions
from plugin.domain import AccountId, LibraryId
from plugin.errors import NotFound, Refused
from plugin.ports.outside import LibraryHook


class SqlHooks:
    """`HookRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def get(self, library_id: LibraryId) -> LibraryHook | None:
        """The hook, or None."""
        with self._transactions.read() as connection:
            row = connection.execute(select(library_hook).where(library_hook.c.library_id == library_id)).first()
        if row is None:
            return None
        return LibraryHook(row.library_id, row.secret_digest, row.registered_at, row.heard_at, tuple(row.urls or ()))

    def put(self, library_id: LibraryId, secret_digest: str, urls: Sequence[str] = ()) -> None:
        """A new secret in place of the former one."""
        values = {
            "library_id": library_id,
            "secret_digest": secret_digest,
            "registered_at": self._transactions.now(),
            "urls": list(urls),
        }
        with self._transactions.write() as connection:
            if connection.execute(select(library.c.id).where(library.c.id == library_id)).first() is None:
                raise NotFound("There is no such library")
            connection.execute(delete(library_hook).where(library_hook.c.library_id == library_id))
            connection.execute(insert(library_hook).values(**values))

    def told_at(self, library_id: LibraryId, urls: Sequence[str]) -> None:
        """The host tells at these addresses and no others."""
        self._set(library_id, urls=list(urls))

    def close(self, library_id: LibraryId) -> None:
        """The secret opens nothing any more, but the host may still be telling."""
        self._set(library_id, secret_digest="")

    def heard(self, library_id: LibraryId) -> None:
        """The host told something now."""
        self._set(library_id, heard_at=self._transactions.now())

    def _set(self, library_id: LibraryId, **values: object) -> None:
        with self._transactions.write() as connection:
            connection.execute(update(library_hook).where(library_hook.c.library_id == library_id).values(**values))

    def remove(self, library_id: LibraryId) -> None:
        """Forget it."""
        with self._transactions.write() as connection:
            connection.execute(delete(library_hook).where(library_hook.c.library_id == library_id))


class SqlOutsideUsers:
    """`OutsideUserRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def account_of(self, origin: str, user_id: str) -> AccountId | None:
        """Whose account it is; names of users are compared exactly."""
        of_user = (outside_user.c.origin == origin) & (outside_user.c.user_id == user_id)
        with self._transactions.read() as connection:
            found: int | None = connection.execute(select(outside_user.c.account_id).where(of_user)).scalar()
        return found

    def has_user(self, account_id: AccountId) -> bool:
        """Whether somebody outside has this account."""
        of_account = select(outside_user.c.user_id).where(outside_user.c.account_id == account_id)
        with self._transactions.read() as connection:
            return connection.execute(of_account).first() is not None

    def put(self, origin: str, user_id: str, account_id: AccountId) -> None:
        """Remember whose account it is; the same twice is no error."""
        of_user = (outside_user.c.origin == origin) & (outside_user.c.user_id == user_id)
        with self._transactions.write() as connection:
            known = connection.execute(select(outside_user.c.account_id).where(of_user)).scalar()
            if known is None:
                values = {"origin": origin, "user_id": user_id, "account_id": account_id}
                connection.execute(insert(outside_user).values(**values))
            elif known != account_id:
                raise Refused("This user has an account already")

    def move(self, origin: str, user_id: str, account_id: AccountId) -> None:
        """In one transaction, so that the user always has exactly one."""
        of_user = (outside_user.c.origin == origin) & (outside_user.c.user_id == user_id)
        with self._transactions.write() as connection:
            connection.execute(delete(outside_user).where(of_user))
            connection.execute(insert(outside_user).values(origin=origin, user_id=user_id, account_id=account_id))
