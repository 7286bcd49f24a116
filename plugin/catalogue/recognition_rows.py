"""Faces as arrays for recognition."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, select

from plugin.catalogue.asset_rows import present
from plugin.catalogue.column_types import VECTOR_TYPE, AnyRow
from plugin.catalogue.tables import asset, embedding, face
from plugin.domain import AccountId, AssignedBy, FaceState, Float32Array
from plugin.ports.catalogue import RecognitionRows

VECTORS_AT_ONCE = 1000


def read_recognition_rows(connection: Connection, account_id: AccountId, pack: str) -> RecognitionRows:
    """Every face of present assets of the account and pack that is not ignored, lowest id first."""
    joined = embedding.join(face, face.c.id == embedding.c.face_id).join(asset, asset.c.id == face.c.asset_id)
    which = (*present(account_id), face.c.account_id == account_id, face.c.state != FaceState.IGNORED)
    rows = connection.execute(
        select(face.c.id, face.c.person_id, face.c.assigned_by, face.c.asset_id, asset.c.taken_at)
        .select_from(joined)
        .where(embedding.c.pack == pack, *which)
        .order_by(face.c.id)
    ).all()
    return RecognitionRows(
        face_id=np.array([row.id for row in rows], dtype=np.int64),
        embedding=_vectors(connection, pack, rows),
        person_id=np.array([-1 if row.person_id is None else row.person_id for row in rows], dtype=np.int64),
        by_user=np.array([row.assigned_by == AssignedBy.USER for row in rows], dtype=np.bool_),
        asset_id=np.array([row.asset_id for row in rows], dtype=np.int64),
        taken_at=np.array([row.taken_at for row in rows], dtype="datetime64[s]"),
    )


def _vectors(connection: Connection, pack: str, rows: Sequence[AnyRow]) -> Float32Array:
    """The embeddings of these faces, in their order (lowest id first).

    They are a few hundred megabytes in a large library: read by ranges of ids (a join makes SQLite sort them all) and
    straight into their final place.
    """
    vectors = np.empty((0, 0), dtype=np.float32)
    place = {row.id: i for i, row in enumerate(rows)}
    for start in range(0, len(rows), VECTORS_AT_ONCE):
        last = min(start + VECTORS_AT_ONCE, len(rows)) - 1
        query = select(embedding.c.face_id, embedding.c.vector).where(
            embedding.c.pack == pack, embedding.c.face_id.between(rows[start].id, rows[last].id)
        )
        for face_id, blob in connection.execute(query):
            if face_id in place:
                vector = np.frombuffer(blob, dtype=VECTOR_TYPE)
                if not vectors.size:
                    vectors = np.empty((len(rows), vector.size), dtype=np.float32)
                vectors[place[face_id]] = vector
    return vectors
