"""Finding what the undo history knows about a person, so that it can be forgotten with them.

It knows values of rows, and of faces users drew the embedding, too, also when such a face was deleted long ago.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Select, delete, select

from plugin.catalogue.asset_rows import blocks
from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.drawn_faces import TABLE as DRAWN_FACE
from plugin.catalogue.drawn_faces import drawn
from plugin.catalogue.event_triggers import RECORDED, decoded
from plugin.catalogue.tables import asset, event, event_change, face, person
from plugin.domain import AccountId, FaceId, LibraryId, PersonId


def forget_events_about(
    connection: Connection, account_id: AccountId, person_id: PersonId, face_ids: Collection[FaceId]
) -> None:
    """Delete every event that changed the person or these faces, or that names the person.

    Whole events: undoing the half of one would leave something nobody ever did.
    """
    name = str(connection.execute(select(person.c.name).where(person.c.id == person_id)).scalar() or "")
    doomed = _events_that_name(connection, account_id, name)
    theirs = frozenset(face_ids) | _deleted_faces(connection, account_id, person_id)
    doomed.update(_events_that_changed(connection, account_id, person_id, theirs))
    for block in blocks(sorted(doomed)):
        connection.execute(delete(event).where(event.c.id.in_(block)))


def _events_that_name(connection: Connection, account_id: AccountId, name: str) -> set[int]:
    if not name:
        return set()
    whole = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    titles = connection.execute(select(event.c.id, event.c.title).where(event.c.account_id == account_id))
    return {row.id for row in titles if whole.search(row.title)}


def forget_drawn_on(connection: Connection, account_id: AccountId, library_id: LibraryId) -> None:
    """Delete what the history keeps of faces drawn on photos of a library.

    The rest of each event stays: without the photos, its undo would have left these faces out, too.
    """
    here = frozenset(connection.execute(select(asset.c.id).where(asset.c.library_id == library_id)).scalars())
    drawings = _changes(account_id).where(event_change.c.table_name == DRAWN_FACE)
    doomed = [
        row.id for row in connection.execute(drawings) if any(side["asset_id"] in here for side in _sides_of(row))
    ]
    for block in blocks(doomed):
        connection.execute(delete(event_change).where(event_change.c.id.in_(block)))


def forget_drawn_in(connection: Connection, event_id: int) -> None:
    """Delete what an event keeps of drawn faces, once it was taken back: nothing reads it any more."""
    this = (event_change.c.event_id == event_id, event_change.c.table_name == DRAWN_FACE)
    connection.execute(delete(event_change).where(*this))


def _deleted_faces(connection: Connection, account_id: AccountId, person_id: PersonId) -> frozenset[FaceId]:
    """Faces that were the person's at some time, as far as the history tells, and are not there any more."""
    were_theirs = {
        face_id
        for row in connection.execute(_changes(account_id).where(event_change.c.table_name != "person"))
        for side in _sides_of(row)
        if side.get("person_id") == person_id and (face_id := _face_of(row, side)) is not None
    }
    there: set[FaceId] = set()
    for block in blocks(sorted(were_theirs)):
        there.update(connection.execute(select(face.c.id).where(face.c.id.in_(block))).scalars())
    return frozenset(were_theirs - there)


def _events_that_changed(
    connection: Connection, account_id: AccountId, person_id: PersonId, face_ids: frozenset[FaceId]
) -> Iterator[int]:
    for row in connection.execute(_changes(account_id)):
        if _is_about(row, person_id, face_ids):
            yield row.event_id


def _changes(account_id: AccountId) -> Select[Any]:
    """What the events of the account changed, in order."""
    joined = select(event_change).join(event, event.c.id == event_change.c.event_id)
    return joined.where(event.c.account_id == account_id).order_by(event_change.c.id)


def _is_about(row: AnyRow, person_id: PersonId, face_ids: frozenset[FaceId]) -> bool:
    if row.table_name == "person" and row.row_id == person_id:
        return True
    return any(
        person_id in {side.get("person_id"), side.get("other_person_id")} or _face_of(row, side) in face_ids
        for side in _sides_of(row)
    )


def _face_of(row: AnyRow, side: Mapping[str, Any]) -> FaceId | None:
    """The face that was changed, or that a verdict is about."""
    return row.row_id if row.table_name in {"face", DRAWN_FACE} else side.get("face_id")


def _sides_of(row: AnyRow) -> list[Mapping[str, Any]]:
    """The values before and after, as far as the row was there."""
    sides = [side for side in (row.before, row.after) if side is not None]
    if row.table_name == DRAWN_FACE:
        return [drawn(side) for side in sides]
    return [decoded(side, RECORDED[row.table_name]) for side in sides]
