"""Undoing the changes of one event: in their order, the last one first, and many alike by one statement.

A merge changes tens of thousands of faces; row by row, taking it back took ten times as long as doing it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Column, Connection, delete, select, text, update

from plugin.catalogue.asset_rows import blocks
from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.drawn_faces import TABLE as DRAWN_FACE
from plugin.catalogue.drawn_faces import take_back as take_back_drawn
from plugin.catalogue.event_triggers import RECORDED, decoded
from plugin.catalogue.tables import event_change, face, person
from plugin.domain import FaceState, PersonId

LET_GO = {"person_id": None, "assigned_by": None, "state": str(FaceState.PENDING)}
"""A face whose person is not there any more waits for recognition."""


def take_back(connection: Connection, event_id: int) -> None:
    """Undo the changes, the last one first: people come back before what names them, and go after it."""
    query = select(event_change).where(event_change.c.event_id == event_id).order_by(event_change.c.id.desc())
    changes = connection.execute(query).all()
    people = [change for change in changes if change.table_name == "person"]
    _restore_in_order(connection, [change for change in people if change.before is not None])
    _restore_in_order(connection, [change for change in changes if change.table_name != "person"])
    for change in people:
        if change.before is None:
            _remove_person(connection, change.row_id)


def _restore_in_order(connection: Connection, changes: Iterable[AnyRow]) -> None:
    """Neighbours in time that one statement can undo go together; within it, their order stays."""
    for (table, before, after), alike in groupby(changes, key=_kind):
        if table == DRAWN_FACE:
            for change in alike:
                take_back_drawn(connection, change)
        elif not before:
            _execute_many(connection, f"DELETE FROM {table} WHERE id = :id", ({"id": c.row_id} for c in alike))  # noqa: S608  from RECORDED
        else:
            _restore_rows(connection, table, list(alike), changed=after)


def _kind(change: AnyRow) -> tuple[str, bool, bool]:
    """What decides which statement undoes a change."""
    return change.table_name, change.before is not None, change.after is not None


def _restore_rows(connection: Connection, table: str, changes: Sequence[AnyRow], *, changed: bool) -> None:
    """Give rows of one table their former values, or bring them back when they went."""
    columns = RECORDED[table]
    rows = [{"id": change.row_id, **decoded(change.before, columns)} for change in changes]
    if changed:
        values = ", ".join(f"{column} = :{column}" for column in columns)
        statement = f"UPDATE {table} SET {values} WHERE id = :id"  # noqa: S608  from RECORDED
    else:
        names, values = ", ".join(columns), ", ".join(f":{column}" for column in columns)
        statement = f"INSERT OR IGNORE INTO {table} (id, {names}) VALUES (:id, {values})"  # noqa: S608  as above
    if table == "face":
        rows = list(_possible(connection, rows))
    elif table == "verdict":
        rows = list(_about_what_is_there(connection, rows))
    _execute_many(connection, statement, rows)


def _possible(connection: Connection, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A face whose person the machine let go meanwhile waits for recognition instead."""
    there = _there(connection, person.c.id, (row["person_id"] for row in rows))
    for row in rows:
        yield row if row["person_id"] in there else {**row, **LET_GO, "group_id": None}


def _about_what_is_there(connection: Connection, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Verdicts about nothing but what exists (still, or again)."""
    faces = _there(connection, face.c.id, (row["face_id"] for row in rows))
    named = (row[column] for row in rows for column in ("person_id", "other_person_id"))
    people: set[PersonId | None] = _there(connection, person.c.id, named)
    for row in rows:
        if row["face_id"] in faces and row["person_id"] in people and row["other_person_id"] in people:
            yield row


def _there(connection: Connection, column: Column[int], row_ids: Iterable[int | None]) -> set[int | None]:
    """Those that exist; None, which names nothing that could be missing, is among them."""
    found: set[int | None] = {None}
    for block in blocks(sorted({row_id for row_id in row_ids if row_id is not None})):
        found.update(connection.execute(select(column).where(column.in_(block))).scalars())
    return found


def _execute_many(connection: Connection, statement: str, rows: Iterable[dict[str, Any]]) -> None:
    if parameters := list(rows):
        connection.execute(text(statement), parameters)


def _remove_person(connection: Connection, person_id: int) -> None:
    """A person the event made goes; faces recognised as this person since then wait for recognition."""
    connection.execute(update(face).where(face.c.person_id == person_id).values(**LET_GO))
    connection.execute(delete(person).where(person.c.id == person_id))
