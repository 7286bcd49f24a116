"""How fast a queue of rows moves."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, func, select

from plugin.domain import QueueStatus

WINDOW = timedelta(minutes=2)

SHORTEST_SECONDS = 5.0
"""A run that has only just begun is counted over this long, so that one quick item does not promise wonders."""


def recent_rate(
    connection: Connection,
    rows: FromClause,
    finished_at: ColumnElement[Any],
    conditions: list[ColumnElement[bool]],
    now: datetime,
) -> float | None:
    """Items per second finished within the last two minutes, or since the first of these; None for none."""
    count, first = connection.execute(
        select(func.count(), func.min(finished_at)).select_from(rows).where(finished_at > now - WINDOW, *conditions)
    ).one()
    if not count:
        return None
    return float(count / max((now - first).total_seconds(), SHORTEST_SECONDS))


def queue_status(*, waiting: int, running: int, done: int, failed: int, rate: float | None) -> QueueStatus:
    """The status with the time that is left at this rate."""
    left = (waiting + running) / rate if rate else None
    return QueueStatus(waiting=waiting, running=running, done=done, failed=failed, rate=rate, seconds_left=left)
