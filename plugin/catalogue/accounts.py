"""Accounts."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.deletion import bury
from plugin.catalogue.names import name_key
from plugin.catalogue.privacy import note_leftovers, overwrite_deleted
from plugin.catalogue.tables import account, embedding, face, invitation, metadata
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
            connection.execute(delete(invitation).where(invitation.c.account_id == account_id))

    def rename(self, account_id: AccountId, name: str) -> None:
        """Raises `Refused` when another account has the name, or it is empty."""
        with self._transactions.write() as connection:
            key = _free_key(connection, name, besides=account_id)
            changed = connection.execute(
                update(account).where(account.c.id == account_id).values(name=name.strip(), name_key=key)
            )
            _require(changed.rowcount)

    def set_admin(self, account_id: AccountId, *, is_admin: bool) -> None:
        """Raises `Refused` when no administrator who can log in would be left."""
        with self._transactions.write() as connection:
            if not is_admin:
                _require_other_admin(connection, account_id)
            changed = connection.execute(update(account).where(account.c.id == account_id).values(is_admin=is_admin))
            _require(changed.rowcount)

    def remove(self, account_id: AccountId) -> None:
        """With libraries, people and everything else of it; raises `Refused` for the last administrator."""
        with self._transactions.write() as connection:
            _require_other_admin(connection, account_id)
            overwrite_deleted(connection)
            remove_rows(connection, account_id)
            note_leftovers(connection)
            _require(connection.execute(delete(account).where(account.c.id == account_id)).rowcount)

    def invite(self, account_id: AccountId, token_hash: str, expires_at: datetime) -> None:
        """Let the holder of a token set the password; an earlier invitation of the account ends."""
        values = {"account_id": account_id, "token_hash": token_hash, "expires_at": expires_at}
        with self._transactions.write() as connection:
            _require(len(connection.execute(select(account.c.id).where(account.c.id == account_id)).all()))
            connection.execute(delete(invitation).where(invitation.c.account_id == account_id))
            connection.execute(insert(invitation).values(**values))

    def invited(self, token_hash: str) -> Account | None:
        """Whose invitation this is; None when it was used, replaced or has expired."""
        with self._transactions.read() as connection:
            row = connection.execute(self._invitation(token_hash)).first()
        return _account(row) if row else None

    def accept_invitation(self, token_hash: str, password_hash: str) -> Account:
        """Set the password and end the invitation, in one; raises `Refused` when it does not hold any more."""
        with self._transactions.write() as connection:
            row = connection.execute(self._invitation(token_hash)).first()
            if row is None:
                raise Refused("This link is not valid any more", "Ask for a new one")
            connection.execute(delete(invitation).where(invitation.c.account_id == row.id))
            changed = (
                update(account)
                .where(account.c.id == row.id)
                .values(password_hash=password_hash, session_epoch=account.c.session_epoch + 1)
                .returning(*COLUMNS)
            )
            return _account(connection.execute(changed).one())

    def open_invitations(self) -> dict[AccountId, datetime]:
        """Until when invitations hold that nobody has used."""
        query = select(invitation).where(invitation.c.expires_at > self._transactions.now())
        with self._transactions.read() as connection:
            return {row.account_id: row.expires_at for row in connection.execute(query)}

    def _invitation(self, token_hash: str) -> Select[Any]:
        holds = (invitation.c.token_hash == token_hash, invitation.c.expires_at > self._transactions.now())
        return select(*COLUMNS).join(invitation, invitation.c.account_id == account.c.id).where(*holds)


def remove_rows(connection: Connection, account_id: AccountId) -> None:
    """Everything of an account, in every table that names accounts, whoever adds one; children before parents."""
    bury(connection, embedding.c.face_id.in_(select(face.c.id).where(face.c.account_id == account_id)))
    for table in reversed(metadata.sorted_tables):
        if table is not account and "account_id" in table.c:
            connection.execute(delete(table).where(table.c.account_id == account_id))


def _require_other_admin(connection: Connection, account_id: AccountId) -> None:
    """Somebody who can log in must be left to look after everything."""
    others = (account.c.id != account_id, account.c.is_admin, account.c.password_hash.is_not(None))
    is_admin = connection.execute(select(account.c.is_admin).where(account.c.id == account_id)).scalar()
    if is_admin and connection.execute(select(account.c.id).where(*others)).first() is None:
        raise Refused("This is the last administrator", "Make somebody else an administrator first")


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
