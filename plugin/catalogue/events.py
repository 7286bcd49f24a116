"""What users did, and taking it back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    union_all,
    update,
)

from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.drawn_faces import TABLE as DRAWN_FACE
from plugin.catalogue.event_traces import forget_drawn_in
from plugin.catalogue.tables import event, event_change, person
from plugin.catalogue.taking_back import take_back
from plugin.catalogue.transactions import Transactions
from plugin.domain import AccountId, Event
from plugin.errors import NotFound, Refused, Stale
from plugin.ports.galleries import Touched
from plugin.sentences import Sentence, packed, unpacked

MOST_LOOKED_AT = 50
"""Changes of one event that are looked at for its pictures: some change tens of thousands of faces."""

KEPT_EVENTS = 1000
"""Of each account; older ones cannot be taken back any more."""


class SqlEvents:
    """`EventRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @contextmanager
    def record(self, account_id: AccountId, title: str) -> Iterator[None]:
        """Whatever this thread changes inside is one event; within another one, it is part of that."""
        if self._transactions.recorded_event() is not None:
            yield
            return
        with self._transactions.write() as connection:
            values = {"account_id": account_id, "title": str(title), "at": self._transactions.now()}
            values["wording"] = packed(title) if isinstance(title, Sentence) else None
            event_id = int(connection.execute(insert(event).values(**values).returning(event.c.id)).scalar_one())
        try:
            with self._transactions.recording(event_id):
                yield
        finally:
            with self._transactions.write() as connection:
                _forget_empty(connection, event_id)
                _forget_old(connection, account_id)

    def all(self, account_id: AccountId, limit: int, offset: int = 0) -> list[Event]:
        """What users of this account did, newest first."""
        query = select(event).where(event.c.account_id == account_id).order_by(event.c.id.desc())
        with self._transactions.read() as connection:
            rows = connection.execute(query.limit(limit).offset(offset)).all()
        return [_to_event(row) for row in rows]

    def count(self, account_id: AccountId) -> int:
        """How many events are kept of this account."""
        with self._transactions.read() as connection:
            return connection.execute(select(func.count()).where(event.c.account_id == account_id)).scalar_one()

    def standing_since(self, account_id: AccountId, event_id: int) -> list[Event]:
        """This event and all later ones that were not taken back, newest first; `NotFound` when it does not stand."""
        standing = event.c.account_id == account_id, event.c.undone_at.is_(None), event.c.id >= event_id
        with self._transactions.read() as connection:
            rows = connection.execute(select(event).where(*standing).order_by(event.c.id.desc())).all()
        if not rows or rows[-1].id != event_id:
            raise NotFound("There is no such event, or it was taken back")
        return [_to_event(row) for row in rows]

    def touched(self, event_ids: Sequence[int], each: int) -> list[Touched]:
        """At most `each` faces of each event, the first ones."""
        if not event_ids:
            return []
        which = {f"event_{number}": event_id for number, event_id in enumerate(event_ids)}
        with self._transactions.read() as connection:
            rows = connection.execute(_touched_by(len(event_ids)), {**which, "each": each}).all()
        return [Touched(row.event_id, row.face_id) for row in rows if row.face_id is not None]

    def standing(self, account_id: AccountId) -> Event | None:
        """The newest event that was not taken back."""
        with self._transactions.read() as connection:
            row = _standing(connection, account_id)
        return None if row is None else _to_event(row)

    def undo(self, account_id: AccountId, expected: int | None = None) -> Event:
        """Take back the newest event that still stands, all of it or nothing."""
        with self._transactions.write() as connection:
            row = _standing(connection, account_id)
            if row is None:
                raise Refused("There is nothing to undo", "Only what you did yourself can be taken back")
            if expected not in {None, row.id}:
                raise Stale(
                    "Something newer has happened, or this was taken back already", "The history shows what stands"
                )
            # Rows come back in any order; references are checked at the end.
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
            take_back(connection, row.id)
            forget_drawn_in(connection, row.id)
            connection.execute(update(event).where(event.c.id == row.id).values(undone_at=self._transactions.now()))
        return replace(_to_event(row), undone=True)


@cache
def _touched_by(events: int) -> CompoundSelect[Any]:
    """`touched` for so many events; kept, as to put it together takes far longer than to run it."""
    return union_all(*(_touched(bindparam(f"event_{number}", type_=Integer)) for number in range(events)))


def _touched(event_id: BindParameter[int]) -> Select[Any]:
    """Faces, or the faces of people, in the order in which the event changed them; one row of each."""
    stands_for = func.coalesce(person.c.feature_face_id, person.c.typical_face_id)
    of_face = event_change.c.table_name.in_(["face", DRAWN_FACE])
    face_id = case((of_face, event_change.c.row_id), else_=stands_for).label("face_id")
    joined = event_change.outerjoin(
        person, (event_change.c.table_name == "person") & (person.c.id == event_change.c.row_id)
    )
    query = select(event_id.label("event_id"), face_id).select_from(joined)
    here = event_change.c.event_id == event_id, event_change.c.table_name != "verdict"
    part = query.where(*here).order_by(event_change.c.id).limit(MOST_LOOKED_AT).subquery()
    each_once = select(part.c.event_id, part.c.face_id).where(part.c.face_id.is_not(None)).distinct()
    few = each_once.limit(bindparam("each", type_=Integer)).subquery()
    # Selected once more: SQLite takes no LIMIT in the parts of a union.
    return select(few.c.event_id, few.c.face_id)


def _standing(connection: Connection, account_id: AccountId) -> AnyRow | None:
    standing = event.c.account_id == account_id, event.c.undone_at.is_(None)
    return connection.execute(select(event).where(*standing).order_by(event.c.id.desc()).limit(1)).first()


def _to_event(row: AnyRow) -> Event:
    title = row.title if row.wording is None else unpacked(row.wording)
    return Event(row.id, row.account_id, title, row.at, undone=row.undone_at is not None)


def _forget_empty(connection: Connection, event_id: int) -> None:
    """An action that failed or changed nothing is no event."""
    changed = exists().where(event_change.c.event_id == event.c.id)
    connection.execute(delete(event).where(event.c.id == event_id, ~changed))


def _forget_old(connection: Connection, account_id: AccountId) -> None:
    mine = event.c.account_id == account_id
    newest = select(event.c.id).where(mine).order_by(event.c.id.desc()).limit(KEPT_EVENTS)
    connection.execute(delete(event).where(mine, event.c.id.not_in(newest)))
