"""Faces as arrays for recognition."""

import numpy as np
from sqlalchemy import Connection, func, select

from plugin.catalogue.asset_rows import present
from plugin.catalogue.column_types import VECTOR_TYPE
from plugin.catalogue.tables import asset, embedding, face
from plugin.domain import AccountId, AssignedBy, FaceState
from plugin.ports.catalogue import RecognitionRows

ROWS_AT_ONCE = 1000


def read_recognition_rows(connection: Connection, account_id: AccountId, pack: str) -> RecognitionRows:
    """Every face of present assets of the account and pack that is not ignored, lowest id first.

    The embeddings of a large library are a few hundred megabytes: they are read into their final place row by row.
    """
    which = (*present(account_id), face.c.account_id == account_id, face.c.state != FaceState.IGNORED)
    joined = embedding.join(face, face.c.id == embedding.c.face_id).join(asset, asset.c.id == face.c.asset_id)
    count, size = connection.execute(
        select(func.count(), func.max(func.length(embedding.c.vector)))
        .select_from(joined)
        .where(embedding.c.pack == pack, *which)
    ).one()
    rows = _empty(count, (size or 0) // VECTOR_TYPE.itemsize)
    query = (
        select(face.c.id, face.c.person_id, face.c.assigned_by, face.c.asset_id, asset.c.taken_at, embedding.c.vector)
        .select_from(joined)
        .where(embedding.c.pack == pack, *which)
        .order_by(embedding.c.face_id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    for i, row in enumerate(connection.execute(query)):
        rows.face_id[i] = row.id
        rows.embedding[i] = np.frombuffer(row.vector, dtype=VECTOR_TYPE)
        rows.person_id[i] = -1 if row.person_id is None else row.person_id
        rows.by_user[i] = row.assigned_by == AssignedBy.USER
        rows.asset_id[i] = row.asset_id
        rows.taken_at[i] = np.datetime64("NaT") if row.taken_at is None else np.datetime64(row.taken_at, "s")
    return rows


def _empty(count: int, dimension: int) -> RecognitionRows:
    return RecognitionRows(
        face_id=np.empty(count, dtype=np.int64),
        embedding=np.empty((count, dimension), dtype=np.float32),
        person_id=np.empty(count, dtype=np.int64),
        by_user=np.empty(count, dtype=np.bool_),
        asset_id=np.empty(count, dtype=np.int64),
        taken_at=np.empty(count, dtype="datetime64[s]"),
    )
