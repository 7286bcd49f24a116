"""Finding what the undo history knows about a person, so that it can be forgotten with them."""

import re
from collections.abc import Collection, Iterator

from sqlalchemy import Connection, delete, select

from plugin.catalogue.asset_rows import blocks
from plugin.catalogue.column_types import AnyRow
from plugin.catalogue.event_triggers import RECORDED, decoded
from plugin.catalogue.tables import event, event_change, person
from plugin.domain import AccountId, FaceId, PersonId


def forget_events_about(
    connection: Connection, account_id: AccountId, person_id: PersonId, face_ids: Collection[FaceId]
) -> None:
    """Delete every event that changed the person or these faces, or that names the person.

    Whole events: undoing the half of one would leave something nobody ever did.
    """
    name = str(connection.execute(select(person.c.name).where(person.c.id == person_id)).scalar() or "")
    doomed = _events_that_name(connection, account_id, name)
    doomed.update(_events_that_changed(connection, account_id, person_id, frozenset(face_ids)))
    for block in blocks(sorted(doomed)):
        connection.execute(delete(event).where(event.c.id.in_(block)))


def _events_that_name(connection: Connection, account_id: AccountId, name: str) -> set[int]:
    if not name:
        return set()
    whole = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    titles = connection.execute(select(event.c.id, event.c.title).where(event.c.account_id == account_id))
    return {row.id for row in titles if whole.search(row.title)}


def _events_that_changed(
    connection: Connection, account_id: AccountId, person_id: PersonId, face_ids: frozenset[FaceId]
) -> Iterator[int]:
    query = (
        select(event_change)
        .join(event, event.c.id == event_change.c.event_id)
        .where(event.c.account_id == account_id)
        .order_by(event_change.c.id)
    )
    for row in connection.execute(query):
        if _is_about(row, person_id, face_ids):
            yield row.event_id


def _is_about(row: AnyRow, person_id: PersonId, face_ids: frozenset[FaceId]) -> bool:
    if row.table_name == "person" and row.row_id == person_id:
        return True
    if row.table_name == "face" and row.row_id in face_ids:
        return True
    columns = RECORDED.get(row.table_name, ())
    sides = [decoded(side, columns) for side in (row.before, row.after) if side is not None]
    return any(
        person_id in {side.get("person_id"), side.get("other_person_id")} or side.get("face_id") in face_ids
        for side in sides
    )
