"""Two persons that are one: what moves, and which verdicts lose their meaning by it."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection, and_, delete, exists, insert, or_, select, update

from plugin.catalogue.column_types import from_blobs
from plugin.catalogue.tables import embedding, face, person, verdict
from plugin.domain import AssignedBy, PersonId, VerdictKind

BEST_FACES = 64
"""The typical face of a person is looked for among the best of this many."""


def merge_people(connection: Connection, into: PersonId, others: Sequence[PersonId]) -> None:
    """Move everything of `others` to `into`, then delete `others`. All belong to one account."""
    if not others:
        return
    for person_id in (into, *others):
        _remember_typical_face(connection, person_id)
    _inherit(connection, into, others)
    connection.execute(update(face).where(face.c.person_id.in_(others)).values(person_id=into))
    for column in (verdict.c.person_id, verdict.c.other_person_id):
        connection.execute(update(verdict).where(column.in_(others)).values({column: into}))
    _drop_contradicted(connection, into)
    _drop_repeated(connection, into)
    connection.execute(delete(person).where(person.c.id.in_(others)))


def _remember_typical_face(connection: Connection, person_id: PersonId) -> None:
    """Let a face stand for a person who is merged, as if the user had said of it who it is.

    Without, a run that groups these faces anew would see two people again.
    """
    said = exists().where(verdict.c.kind == VerdictKind.IS_PERSON, verdict.c.person_id == person_id)
    if connection.execute(select(said)).scalar():
        return
    query = (
        select(face.c.id, face.c.account_id, embedding.c.vector, embedding.c.pack)
        .join(embedding, embedding.c.face_id == face.c.id)
        .where(face.c.person_id == person_id)
        .order_by(face.c.quality.desc(), face.c.id)
        .limit(BEST_FACES)
    )
    rows = connection.execute(query).all()
    if not rows:
        return
    rows = [row for row in rows if row.pack == rows[0].pack]
    vectors = from_blobs([row.vector for row in rows])
    typical = rows[int(np.argmax(vectors @ vectors.mean(axis=0)))]
    values = {"account_id": typical.account_id, "kind": VerdictKind.IS_PERSON, "face_id": typical.id}
    connection.execute(insert(verdict).values(**values, person_id=person_id, said_at=datetime.now(UTC)))
    connection.execute(update(face).where(face.c.id == typical.id).values(assigned_by=AssignedBy.USER))


def _inherit(connection: Connection, into: PersonId, others: Sequence[PersonId]) -> None:
    rows = {row.id: row for row in connection.execute(select(person).where(person.c.id.in_([into, *others])))}
    kept, given = rows[into], [rows[other] for other in others]
    values = {}
    named = next((row for row in given if row.name), None)
    if not kept.name and named:
        values = {"name": named.name, "name_key": named.name_key, "search_words": named.search_words}
    born = next((row.birth_date for row in given if row.birth_date), None)
    if kept.birth_date is None and born:
        values["birth_date"] = born
    if values:
        connection.execute(update(person).where(person.c.id == into).values(**values))


def _drop_contradicted(connection: Connection, into: PersonId) -> None:
    """The merge is the newest thing the user said: what forbids it is withdrawn."""
    said_to_be = verdict.alias()
    belongs = or_(
        exists().where(face.c.id == verdict.c.face_id, face.c.person_id == into),
        exists().where(
            said_to_be.c.face_id == verdict.c.face_id,
            said_to_be.c.kind == VerdictKind.IS_PERSON,
            said_to_be.c.person_id == into,
        ),
    )
    rejected = and_(verdict.c.kind == VerdictKind.IS_NOT_PERSON, verdict.c.person_id == into, belongs)
    differs_from_itself = and_(
        verdict.c.kind == VerdictKind.PERSONS_DIFFER, verdict.c.person_id == verdict.c.other_person_id
    )
    connection.execute(delete(verdict).where(or_(rejected, differs_from_itself)))


def _drop_repeated(connection: Connection, into: PersonId) -> None:
    """Keep the newest of verdicts that now say the same; put pairs in order again."""
    touching = or_(verdict.c.person_id == into, verdict.c.other_person_id == into)
    seen: set[tuple[object, ...]] = set()
    for row in connection.execute(select(verdict).where(touching).order_by(verdict.c.id.desc())).all():
        said: tuple[object, ...] = (row.kind, row.face_id, row.person_id)
        if row.kind == VerdictKind.PERSONS_DIFFER:
            low, high = sorted((row.person_id, row.other_person_id))
            connection.execute(
                update(verdict).where(verdict.c.id == row.id).values(person_id=low, other_person_id=high)
            )
            said = (row.kind, low, high)
        if said in seen:
            connection.execute(delete(verdict).where(verdict.c.id == row.id))
        seen.add(said)
