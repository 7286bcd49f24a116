"""What changes while somebody looks: a cheap sign of change, new people, and how fast the work goes."""

from datetime import datetime

from sqlalchemy import Integer, cast, func, select

from plugin.catalogue.asset_rows import present
from plugin.catalogue.privacy import FORGOT
from plugin.catalogue.tables import asset, event, event_change, face, library, person, preference, verdict
from plugin.catalogue.transactions import Transactions
from plugin.domain import AccountId, PersonId


class SqlLive:
    """`LiveRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def marker(self, account_id: AccountId) -> str:
        """Differs from an earlier one when faces, people or verdicts of the account may have changed since.

        Each part is the end of an index or a few rows. What users do writes `event_change`; an undo, `event`; the
        machine, `recognised_at`; detection makes faces; a pass over a host moves `last_sync_at`; forgetting leaves its
        mark. Some are common to all accounts, so that a change elsewhere costs a needless look, never a missed one.
        """
        mine = event.c.account_id == account_id
        parts = (
            select(func.max(event_change.c.id)),
            select(func.max(event.c.undone_at)).where(mine),
            select(func.count(event.c.undone_at)).where(mine),
            select(func.max(verdict.c.id)),
            select(func.max(face.c.recognised_at)),
            select(func.max(face.c.id)),
            select(func.max(person.c.id)),
            select(func.max(asset.c.detected_at)),
            select(preference.c.value).where(preference.c.key == FORGOT),
            select(func.group_concat(library.c.id.op("||")(":").op("||")(func.coalesce(library.c.last_sync_at, ""))))
            .where(library.c.account_id == account_id),
        )  # fmt: skip
        with self._transactions.read() as connection:
            row = connection.execute(select(*(part.scalar_subquery() for part in parts))).one()
        return "|".join(str(value) for value in row)

    def newest_person(self, account_id: AccountId) -> PersonId:
        """The highest id of a person of the account that has a face; 0 for nobody."""
        shown = select(face.c.id).where(face.c.person_id == person.c.id).exists()
        query = select(person.c.id).where(person.c.account_id == account_id, shown).order_by(person.c.id.desc())
        with self._transactions.read() as connection:
            return connection.execute(query.limit(1)).scalar() or 0

    def throughput(self, account_id: AccountId, since: datetime, step_seconds: int, steps: int) -> list[int]:
        """How many assets detection finished in each of `steps` spans of time from `since` on."""
        seconds = cast(func.strftime("%s", asset.c.detected_at), Integer) - int(since.timestamp())
        step = (seconds // step_seconds).label("step")
        query = select(step, func.count()).where(*present(account_id), asset.c.detected_at >= since).group_by("step")
        counts = [0] * steps
        with self._transactions.read() as connection:
            for number, count in connection.execute(query):
                if 0 <= number < steps:
                    counts[number] = count
        return counts
