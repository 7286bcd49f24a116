"""The tokens of programs."""

from hmac import compare_digest

from sqlalchemy import delete, insert, select, update

from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.tables import account, api_token
from plugin.catalogue.transactions import Transactions
from plugin.domain import AccountId, ApiToken, TokenScope
from plugin.errors import NotFound


class SqlTokens:
    """`TokenRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def add(self, account_id: AccountId, name: str, scope: TokenScope, digest: bytes) -> ApiToken:
        """A new token; `NotFound` when there is no such account."""
        values = {"account_id": account_id, "name": name, "scope": scope, "digest": digest}
        with self._transactions.write() as connection:
            if connection.execute(select(account.c.id).where(account.c.id == account_id)).first() is None:
                raise NotFound("There is no such account")
            added = insert(api_token).values(**values, created_at=self._transactions.now()).returning(api_token)
            return _token(connection.execute(added).one())

    def all(self, account_id: AccountId) -> list[ApiToken]:
        """The newest first."""
        query = select(api_token).where(api_token.c.account_id == account_id).order_by(api_token.c.id.desc())
        with self._transactions.read() as connection:
            return [_token(row) for row in connection.execute(query)]

    def by_digest(self, digest: bytes) -> ApiToken | None:
        """The token with this digest, or None."""
        with self._transactions.read() as connection:
            row = connection.execute(select(api_token).where(api_token.c.digest == digest)).first()
        # The index compares hashes of 256 random bits, whose timing tells nothing; this compares once more in full.
        return _token(row) if row and compare_digest(row.digest, digest) else None

    def used(self, token_id: int) -> None:
        """Remember that it was used now; a token that is gone is left alone."""
        with self._transactions.write() as connection:
            change = update(api_token).where(api_token.c.id == token_id)
            connection.execute(change.values(last_used_at=self._transactions.now()))

    def revoke(self, token_id: int, account_id: AccountId) -> None:
        """It opens nothing any more; `NotFound` when there is none or it is another account's."""
        mine = (api_token.c.id == token_id, api_token.c.account_id == account_id)
        with self._transactions.write() as connection:
            if connection.execute(delete(api_token).where(*mine)).rowcount == 0:
                raise NotFound("There is no such token")


def _token(row: AnyRow) -> ApiToken:
    return ApiToken(row.id, row.account_id, row.name, TokenScope(row.scope), row.created_at, row.last_used_at)
