"""Accounts."""

from sqlalchemy import Connection, insert, select, update

from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.names import name_key
from plugin.catalogue.tables import account
from plugin.catalogue.transactions import Transactions
from plugin.domain import Account, AccountId
from plugin.errors import NotFound, Refused

COLUMNS = (account.c.id, account.c.name, account.c.password_hash, account.c.is_admin, account.c.session_epoch)


class SqlAccounts:
    """`AccountRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def all(self) -> list[Account]:
        """Every account, the first one first."""
        with self._transactions.read() as connection:
            return [_account(row) for row in connection.execute(select(*COLUMNS).order_by(account.c.id))]

    def get(self, account_id: AccountId) -> Account | None:
        """The account, or None."""
        with self._transactions.read() as connection:
            row = connection.execute(select(*COLUMNS).where(account.c.id == account_id)).first()
        return _account(row) if row else None

    def by_name(self, name: str) -> Account | None:
        """Case-insensitive."""
        with self._transactions.read() as connection:
            row = connection.execute(select(*COLUMNS).where(account.c.name_key == name_key(name))).first()
        return _account(row) if row else None

    def add(self, name: str, password_hash: str | None, *, is_admin: bool) -> Account:
        """A new account; raises `Refused` when the name is taken or empty."""
        with self._transactions.write() as connection:
            key = _free_key(connection, name)
            values = {"name": name.strip(), "name_key": key, "password_hash": password_hash, "is_admin": is_admin}
            added = connection.execute(insert(account).values(**values, session_epoch=0).returning(*COLUMNS)).one()
        return _account(added)

    def set_password(self, account_id: AccountId, password_hash: str) -> None:
        """Replace the hash and end every session."""
        with self._transactions.write() as connection:
            changed = connection.execute(
                update(account)
                .where(account.c.id == account_id)
                .values(password_hash=password_hash, session_epoch=account.c.session_epoch + 1)
            )
            _require(changed.rowcount)

    def rename(self, account_id: AccountId, name: str) -> None:
        """Raises `Refused` when another account has the name, or it is empty."""
        with self._transactions.write() as connection:
            key = _free_key(connection, name, besides=account_id)
            changed = connection.execute(
                update(account).where(account.c.id == account_id).values(name=name.strip(), name_key=key)
            )
            _require(changed.rowcount)


def _account(row: AnyRow) -> Account:
    return Account(row.id, row.name, row.password_hash, row.is_admin, row.session_epoch)


def _free_key(connection: Connection, name: str, besides: AccountId | None = None) -> str:
    key = name_key(name)
    if not key:
        raise Refused("An account needs a name")
    holder = connection.execute(select(account.c.id).where(account.c.name_key == key)).scalar()
    if holder is not None and holder != besides:
        raise Refused("There is an account named %(name)s already", "Choose another name", name=name.strip())
    return key


def _require(rows: int) -> None:
    if rows == 0:
        raise NotFound("There is no such account")
