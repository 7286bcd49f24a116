"""How many rows stand in which state, and how fast a queue of them moves."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Select, bindparam, func, select

from plugin.catalogue.tables import tally
from plugin.domain import AccountId, QueueStatus

WINDOW = timedelta(minutes=2)

SHORTEST_SECONDS = 5.0
"""A run that has only just begun is counted over this long, so that one quick item does not promise wonders."""


def tallied(connection: Connection, kind: str, account_id: AccountId | None) -> dict[str, int]:
    """Rows by state, of the account or of all; states without any may be missing. See `tables.tally` for the kinds."""
    rows = connection.execute(_tallies(of_one=account_id is not None), {"kind": kind, "account_id": account_id})
    return {state: int(number) for state, number in rows}


@cache
def _tallies(*, of_one: bool) -> Select[Any]:
    """Kept, as every page asks for it, and to put it together takes longer than to run it."""
    query: Select[Any] = select(tally.c.state, func.sum(tally.c.number)).where(tally.c.kind == bindparam("kind"))
    if of_one:
        query = query.where(tally.c.account_id == bindparam("account_id"))
    return query.group_by(tally.c.state)


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
    query = _finished(finished_at, owner, of_one=account_id is not None)
    count, first = connection.execute(query, {"since": now - WINDOW, "account_id": account_id}).one()
    if not count:
        return None
    return float(count / max((now - first).total_seconds(), SHORTEST_SECONDS))


@cache
def _finished(finished_at: ColumnElement[Any], owner: ColumnElement[int], *, of_one: bool) -> Executable:
    """Two columns of one index and nothing else: SQLite does not know how few are new, and would choose another one."""
    since = bindparam("since", type_=finished_at.type)
    query = select(func.count(), func.min(finished_at)).where(finished_at > since)
    return query.where(owner == bindparam("account_id")) if of_one else query


def queue_status(*, waiting: int, running: int, done: int, failed: int, rate: float | None) -> QueueStatus:
    """The status with the time that is left at this rate."""
    left = (waiting + running) / rate if rate else None
    return QueueStatus(waiting=waiting, running=running, done=done, failed=failed, rate=rate, seconds_left=left)
