"""Logins at hosts on the network. Secrets come and go encrypted; this file never sees a key."""

from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from plugin.catalogue.tables import host_login, library
from plugin.catalogue.transactions import Transactions
from plugin.domain import LibraryId
from plugin.ports.libraries import HostLogin


class SqlHostLogins:
    """`HostLoginRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def get(self, library_id: LibraryId) -> HostLogin | None:
        """The login of a library, None when it has none."""
        with self._transactions.read() as connection:
            row = connection.execute(select(host_login).where(host_login.c.library_id == library_id)).first()
        if row is None:
            return None
        options = {name: tuple(values) for name, values in row.options.items()}
        return HostLogin(row.name, row.secret, row.fingerprint, options, row.refused)

    def put(self, library_id: LibraryId, login: HostLogin) -> None:
        """Add or replace."""
        options = {name: list(values) for name, values in login.options.items()}
        values: dict[str, Any] = {
            "name": login.name,
            "secret": login.secret,
            "fingerprint": login.fingerprint,
            "options": options,
            "refused": login.refused,
        }
        with self._transactions.write() as connection:
            connection.execute(delete(host_login).where(host_login.c.library_id == library_id))
            connection.execute(insert(host_login).values(library_id=library_id, **values))

    def refuse(self, library_id: LibraryId, secret: str, reason: str) -> None:
        """The host does not accept this secret any more; says nothing about one that was stored since."""
        same = (host_login.c.library_id == library_id, host_login.c.secret == secret)
        with self._transactions.write() as connection:
            known = connection.execute(update(host_login).where(*same).values(refused=reason)).rowcount
            if not known and not secret:
                _add_without_secret(connection, library_id, reason)


def _add_without_secret(connection: Connection, library_id: LibraryId, reason: str) -> None:
    """For a host that asks us for no login, unless there is one by now, or no library any more."""
    there = select(library.c.id).where(library.c.id == library_id)
    taken = select(host_login.c.library_id).where(host_login.c.library_id == library_id)
    if connection.execute(there).first() is not None and connection.execute(taken).first() is None:
        values = {"name": "", "secret": "", "options": {}, "refused": reason}
        connection.execute(insert(host_login).values(library_id=library_id, **values))
