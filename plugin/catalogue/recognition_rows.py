"""Faces as arrays for recognition."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, select

from plugin.catalogue.asset_rows import present
from plugin.catalogue.column_types import VECTOR_TYPE, AnyRow
from plugin.catalogue.tables import asset, embedding, face
from plugin.domain import AccountId, AssignedBy, FaceState, Float32Array
from plugin.ports.catalogue import BoolArray, IntArray, RecognitionRows, TimeArray

ROWS_AT_ONCE = 1000


def read_recognition_rows(connection: Connection, account_id: AccountId, pack: str) -> RecognitionRows:
    """Every face of present assets of the account and pack that is not ignored, lowest id first."""
    joined = embedding.join(face, face.c.id == embedding.c.face_id).join(asset, asset.c.id == face.c.asset_id)
    which = (*present(account_id), face.c.account_id == account_id, face.c.state != FaceState.IGNORED)
    query = (
        select(face.c.id, face.c.person_id, face.c.assigned_by, face.c.asset_id, asset.c.taken_at)
        .select_from(joined)
        .where(embedding.c.pack == pack, *which)
        .order_by(face.c.id)
    )
    # Arrays as soon as they are read: as Python objects, 100,000 rows would take 60 MB that never come back.
    blocks = [_arrays(rows) for rows in connection.execute(query).partitions(ROWS_AT_ONCE)] or [_arrays([])]
    face_id, person_id, by_user, asset_id, taken_at = (np.concatenate(column) for column in zip(*blocks, strict=True))
    vectors = _vectors(connection, pack, face_id)
    return RecognitionRows(face_id, vectors, person_id, by_user, asset_id, taken_at)


def _arrays(rows: Sequence[AnyRow]) -> tuple[IntArray, IntArray, BoolArray, IntArray, TimeArray]:
    """(face id, person id, by user, asset id, taken at), as in `RecognitionRows`."""
    return (
        np.array([row.id for row in rows], dtype=np.int64),
        np.array([-1 if row.person_id is None else row.person_id for row in rows], dtype=np.int64),
        np.array([row.assigned_by == AssignedBy.USER for row in rows], dtype=np.bool_),
        np.array([row.asset_id for row in rows], dtype=np.int64),
        np.array([row.taken_at for row in rows], dtype="datetime64[s]"),
    )


def _vectors(connection: Connection, pack: str, face_ids: IntArray) -> Float32Array:
    """The embeddings of these faces, in their order (lowest id first).

    They are a few hundred megabytes in a large library: read by ranges of ids (a join makes SQLite sort them all) and
    straight into their final place.
    """
    vectors = np.empty((0, 0), dtype=np.float32)
    for start in range(0, len(face_ids), ROWS_AT_ONCE):
        wanted = face_ids[start : start + ROWS_AT_ONCE].tolist()
        place = {face_id: start + i for i, face_id in enumerate(wanted)}
        query = select(embedding.c.face_id, embedding.c.vector).where(
            embedding.c.pack == pack, embedding.c.face_id.between(wanted[0], wanted[-1])
        )
        for face_id, blob in connection.execute(query):
            if face_id in place:
                vector = np.frombuffer(blob, dtype=VECTOR_TYPE)
                if not vectors.size:
                    vectors = np.empty((len(face_ids), vector.size), dtype=np.float32)
                vectors[place[face_id]] = vector
    return vectors
