"""What changes while somebody looks: a cheap sign of change, new people, and how fast the work goes."""

from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from plugin.catalogue.column_types import UtcDateTime
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
        moments = {f"at_{number}": since + timedelta(seconds=number * step_seconds) for number in range(steps + 1)}
        with self._transactions.read() as connection:
            return list(connection.execute(_spans(steps), {**moments, "account_id": account_id}).one())


@cache
def _spans(steps: int) -> Select[Any]:
    """The counts of so many spans from `at_0` to `at_<steps>`; kept, as to put it together takes longer than to run it.

    Each is a stretch of one index. Photos that went since are counted, too (they were work): to look at the row of
    each photo, or to reckon with its time, takes ten times as long.
    """
    moments = [bindparam(f"at_{number}", type_=UtcDateTime) for number in range(steps + 1)]
    mine = asset.c.account_id == bindparam("account_id")
    return select(
        *(
            select(func.count()).where(mine, asset.c.detected_at >= start, asset.c.detected_at < end).scalar_subquery()
            for start, end in pairwise(moments)
        )
    )
