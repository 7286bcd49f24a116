"""Many people changed at once: a thousand cost no more statements than one (but for blocks): one click stays one."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, String, cast, delete, insert, literal, select, update

from plugin.catalogue.asset_rows import blocks
from plugin.catalogue.column_types import UtcDateTime
from plugin.catalogue.person_rows import people_query, to_people
from plugin.catalogue.tables import face, person, verdict
from plugin.domain import AccountId, FaceState, Person, PersonId, VerdictKind


def existing_people(connection: Connection, account_id: AccountId, person_ids: Sequence[PersonId]) -> list[Person]:
    """See `PersonRows.existing`."""
    found: dict[PersonId, Person] = {}
    for block in blocks(dict.fromkeys(person_ids)):
        rows = connection.execute(people_query(account_id).where(person.c.id.in_(block))).all()
        found.update((one.id, one) for one in to_people(connection, rows))
    return [found[person_id] for person_id in dict.fromkeys(person_ids) if person_id in found]


def mark_people(
    connection: Connection,
    account_id: AccountId,
    person_ids: Sequence[PersonId],
    *,
    hidden: bool | None,
    favourite: bool | None,
) -> None:
    """See `PersonRows.mark`."""
    values = {name: value for name, value in (("hidden", hidden), ("favourite", favourite)) if value is not None}
    for block in blocks(person_ids) if values else ():
        mine = (person.c.id.in_(block), person.c.account_id == account_id)
        connection.execute(update(person).where(*mine).values(**values))


def hide_unnamed(connection: Connection, account_id: AccountId) -> int:
    """See `PersonRows.hide_unnamed`."""
    seen = (person.c.account_id == account_id, person.c.name == "", person.c.hidden.is_(False))
    return connection.execute(update(person).where(*seen).values(hidden=True)).rowcount


def make_strangers(connection: Connection, account_id: AccountId, person_ids: Sequence[PersonId], now: datetime) -> int:
    """See `PersonRows.make_strangers`. What was said about the faces before is replaced, as by a single verdict."""
    faces = 0
    for block in blocks(person_ids):
        theirs = select(face.c.id).where(face.c.person_id.in_(block), face.c.account_id == account_id)
        said = verdict.c.kind.in_([VerdictKind.IS_PERSON, VerdictKind.IS_NOBODY])
        connection.execute(delete(verdict).where(verdict.c.face_id.in_(theirs), said))
        nobody = (cast(literal(VerdictKind.IS_NOBODY.value), String), literal(now, UtcDateTime()))
        rows = select(face.c.account_id, face.c.id, *nobody).where(face.c.id.in_(theirs))
        connection.execute(insert(verdict).from_select(["account_id", "face_id", "kind", "said_at"], rows))
        taken = {"person_id": None, "assigned_by": None, "group_id": None, "state": FaceState.IGNORED}
        faces += connection.execute(update(face).where(face.c.id.in_(theirs)).values(**taken)).rowcount
        connection.execute(delete(person).where(person.c.id.in_(block), person.c.account_id == account_id))
    return faces
