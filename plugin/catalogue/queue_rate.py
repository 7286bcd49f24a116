"""How many rows stand in which state, and how fast a queue of them moves."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from plugin.catalogue.tables import tally
from plugin.domain import AccountId, QueueStatus

WINDOW = timedelta(minutes=2)

SHORTEST_SECONDS = 5.0
"""A run that has only just begun is counted over this long, so that one quick item does not promise wonders."""


def tallied(connection: Connection, kind: str, account_id: AccountId | None) -> dict[str, int]:
    """Rows by state, of the account or of all; states without any may be missing. See `tables.tally` for the kinds."""
    query = select(tally.c.state, func.sum(tally.c.number)).where(tally.c.kind == kind).group_by(tally.c.state)
    if account_id is not None:
        query = query.where(tally.c.account_id == account_id)
    return {state: int(number) for state, number in connection.execute(query)}


def recent_rate(
    connection: Connection,
    finished_at: ColumnElement[Any],
    owner: ColumnElement[int],
    account_id: AccountId | None,
    now: datetime,
) -> float | None:
    """Items per second finished within the last two minutes, or since the first of these; None for none.

    Items of assets that went since count too: they were work, and a look at each asset would cost a second.
    """
    # Two columns of one index and nothing else: SQLite does not know how few are new, and would choose another one.
    query = select(func.count(), func.min(finished_at)).where(finished_at > now - WINDOW)
    if account_id is not None:
        query = query.where(owner == account_id)
    count, first = connection.execute(query).one()
    if not count:
        return None
    return float(count / max((now - first).total_seconds(), SHORTEST_SECONDS))


def queue_status(*, waiting: int, running: int, done: int, failed: int, rate: float | None) -> QueueStatus:
    """The status with the time that is left at this rate."""
    left = (waiting + running) / rate if rate else None
    return QueueStatus(waiting=waiting, running=running, done=done, failed=failed, rate=rate, seconds_left=left)
