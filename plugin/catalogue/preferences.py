"""Small named values."""

from sqlalchemy import delete, insert, select

from plugin.catalogue.tables import preference
from plugin.catalogue.transactions import Transactions


class SqlPreferences:
    """`PreferenceRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def get(self, key: str) -> str | None:
        """The value, or None where none was saved."""
        with self._transactions.read() as connection:
            value: str | None = connection.execute(
                select(preference.c.value).where(preference.c.key == key)
            ).scalar_one_or_none()
        return value

    def all(self) -> dict[str, str]:
        """Everything that was saved: a few rows."""
        with self._transactions.read() as connection:
            return {row.key: row.value for row in connection.execute(select(preference.c.key, preference.c.value))}

    def set(self, key: str, value: str) -> None:
        """Save, replacing what was there."""
        with self._transactions.write() as connection:
            connection.execute(delete(preference).where(preference.c.key == key))
            connection.execute(insert(preference).values(key=key, value=value))

    def delete(self, key: str) -> None:
        """Forget; nothing happens where nothing was saved."""
        with self._transactions.write() as connection:
            connection.execute(delete(preference).where(preference.c.key == key))
