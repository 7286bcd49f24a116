"""Who may look at which library."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from plugin.catalogue.libraries import get_library
from plugin.catalogue.tables import account, library, library_share
from plugin.catalogue.transactions import Transactions
from plugin.domain import AccountId, LibraryId, Share, SharedLibrary, View
from plugin.errors import NotFound, Refused


class SqlShares:
    """`ShareRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def grant(self, owner_id: AccountId, library_id: LibraryId, account_id: AccountId, *, may_correct: bool) -> None:
        """Let an account look (and correct, or not any more)."""
        if account_id == owner_id:
            raise Refused("This library is yours already", "Choose somebody else")
        values = {"library_id": library_id, "account_id": account_id, "may_correct": may_correct}
        with self._transactions.write() as connection:
            get_library(connection, library_id, owner_id)
            if connection.execute(select(account.c.id).where(account.c.id == account_id)).first() is None:
                raise NotFound("There is no such account")
            added = insert(library_share).values(**values)
            keys = ["library_id", "account_id"]
            connection.execute(added.on_conflict_do_update(index_elements=keys, set_={"may_correct": may_correct}))

    def end(self, owner_id: AccountId, library_id: LibraryId, account_id: AccountId) -> None:
        """Nothing happens when it was not shared."""
        one = (library_share.c.library_id == library_id, library_share.c.account_id == account_id)
        with self._transactions.write() as connection:
            get_library(connection, library_id, owner_id)
            connection.execute(delete(library_share).where(*one))

    def given(self, owner_id: AccountId) -> list[Share]:
        """What this account shares, by name of those it is shared with."""
        query = (
            select(library_share, account.c.name)
            .join(library, library.c.id == library_share.c.library_id)
            .join(account, account.c.id == library_share.c.account_id)
            .where(library.c.account_id == owner_id)
            .order_by(account.c.name_key)
        )
        with self._transactions.read() as connection:
            rows = connection.execute(query).all()
        return [Share(row.library_id, row.account_id, row.name, row.may_correct) for row in rows]

    def owners(self, visitor_id: AccountId) -> dict[AccountId, str]:
        """Who shares something with this account: their names, in the order of names."""
        mine = library_share.c.account_id == visitor_id
        owners = (
            select(library.c.account_id).join(library_share, library_share.c.library_id == library.c.id).where(mine)
        )
        query = select(account.c.id, account.c.name).where(account.c.id.in_(owners)).order_by(account.c.name_key)
        with self._transactions.read() as connection:
            return {row.id: row.name for row in connection.execute(query)}

    def view(self, visitor_id: AccountId, owner_id: AccountId) -> View:
        """What the owner shares with the visitor now."""
        shared = (
            select(library.c.id, library.c.name, library_share.c.may_correct)
            .join(library_share, library_share.c.library_id == library.c.id)
            .where(library.c.account_id == owner_id, library_share.c.account_id == visitor_id)
            .order_by(library.c.id)
        )
        names = select(account.c.id, account.c.name).where(account.c.id.in_((owner_id, visitor_id)))
        with self._transactions.read() as connection:
            libraries = tuple(SharedLibrary(*row) for row in connection.execute(shared))
            known = {row.id: row.name for row in connection.execute(names)}
        if not libraries or visitor_id == owner_id:
            raise NotFound("Nothing of that account is shared with you")
        return View(owner_id, known[owner_id], known[visitor_id], libraries)
