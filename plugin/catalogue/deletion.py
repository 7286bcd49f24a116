"""Deleting faces and empty persons: what every caller must not forget."""

from sqlalchemy import ColumnElement, Connection, delete, exists, false, func, insert, or_, select

from plugin.catalogue.tables import embedding, face, index_tombstone, person, verdict
from plugin.domain import AssignedBy, FaceState, VerdictKind


def kept_by_user() -> ColumnElement[bool]:
    """Faces a user spoke about or drew: no detection and no Reset deletes them."""
    return or_(
        face.c.source == "user",
        # Never NULL, or NOT of the whole would hold for no face at all.
        func.coalesce(face.c.assigned_by == AssignedBy.USER, false()),
        face.c.state == FaceState.IGNORED,
        exists().where(verdict.c.face_id == face.c.id),
    )


def kept_persons() -> ColumnElement[bool]:
    """Persons a user said something about; the machine neither merges them nor lets them go."""
    theirs = or_(verdict.c.person_id == person.c.id, verdict.c.other_person_id == person.c.id)
    return or_(
        person.c.name != "",
        person.c.hidden,
        person.c.favourite,
        person.c.birth_date.is_not(None),
        person.c.feature_face_id.is_not(None),
        exists().where(verdict.c.kind == VerdictKind.PERSONS_DIFFER, theirs),
    )


def delete_faces(connection: Connection, which: ColumnElement[bool]) -> int:
    """Delete the faces for which `which` (a condition on `face`) holds, and remember that the index has to follow.

    Verdicts must be gone first; the foreign key refuses otherwise. Returns how many faces were deleted.
    """
    doomed = select(face.c.id).where(which)
    bury(connection, embedding.c.face_id.in_(doomed))
    connection.execute(delete(embedding).where(embedding.c.face_id.in_(doomed)))
    return connection.execute(delete(face).where(which)).rowcount


def bury(connection: Connection, which: ColumnElement[bool]) -> None:
    """Note for the index that the embeddings for which `which` holds are going, each in its pack."""
    known = exists().where(index_tombstone.c.pack == embedding.c.pack, index_tombstone.c.face_id == embedding.c.face_id)
    connection.execute(
        insert(index_tombstone).from_select(
            ["pack", "face_id"], select(embedding.c.pack, embedding.c.face_id).where(which, ~known)
        )
    )


def delete_empty_persons(connection: Connection, which: ColumnElement[bool] | None = None) -> int:
    """Delete unnamed persons without any face, hidden ones on gone assets counted as faces; returns how many."""
    empty = [person.c.name == "", ~exists().where(face.c.person_id == person.c.id)]
    if which is not None:
        empty.append(which)
    return connection.execute(delete(person).where(*empty)).rowcount
