"""Storing what detection found on one asset, so that storing it twice is storing it once."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select, update

from plugin.catalogue.column_types import AnyRow, from_blob, to_blob
from plugin.catalogue.deletion import bury, delete_faces, kept_by_user
from plugin.catalogue.face_matching import KnownFace, match_faces
from plugin.catalogue.forgotten import NOT_KEPT, forgotten_places, is_forgotten
from plugin.catalogue.tables import embedding, face, index_tombstone
from plugin.domain import Asset, Box, FaceId, FaceState, FoundFace


def store_faces(connection: Connection, asset: Asset, pack: str, found: Sequence[FoundFace]) -> list[FaceId]:
    """Match, update, add, and delete what is no longer there; see `DetectionQueue.finish`.

    Returns:
        The id of each found face, in the order given; `NOT_KEPT` for one that must not be stored.
    """
    known = {row.id: row for row in _known_rows(connection, asset)}
    matches = match_faces([_known_face(row, pack) for row in known.values()], found)
    barred = forgotten_places(connection, asset.id)
    ids = []
    for there, face_id in zip(found, matches, strict=True):
        if face_id is None and is_forgotten(barred, there):
            ids.append(NOT_KEPT)
        elif face_id is None:
            ids.append(add_face(connection, asset, pack, there))
        else:
            renew_face(connection, known[face_id], pack, _as_drawn(known[face_id], there))
            ids.append(face_id)
    lost = set(known) - set(ids)
    if lost:
        delete_faces(connection, and_(face.c.id.in_(lost), ~kept_by_user()))
    return ids


def _known_rows(connection: Connection, asset: Asset) -> Sequence[AnyRow]:
    joined = face.outerjoin(embedding, embedding.c.face_id == face.c.id)
    columns = (face, embedding.c.pack.label("embedding_pack"), embedding.c.vector, embedding.c.revision)
    query = select(*columns).select_from(joined).where(face.c.asset_id == asset.id).order_by(face.c.id)
    return connection.execute(query).all()


def _known_face(row: AnyRow, pack: str) -> KnownFace:
    comparable = row.vector is not None and row.embedding_pack == pack
    vector = from_blob(row.vector) if comparable else None
    return KnownFace(row.id, Box(row.x, row.y, row.w, row.h), row.frame_ms, vector)


def _measured(there: FoundFace, pack: str) -> dict[str, Any]:
    return {
        "x": there.box.x,
        "y": there.box.y,
        "w": there.box.w,
        "h": there.box.h,
        "landmarks": to_blob(there.landmarks),
        "score": float(there.score),
        "quality": float(there.quality),
        "norm": float(there.norm),
        "sharpness": float(there.sharpness),
        "pose": float(there.pose),
        "width_px": float(there.width_px),
        "frame_ms": there.frame_ms,
        "pack": pack,
    }


def _as_drawn(row: AnyRow, there: FoundFace) -> FoundFace:
    """A box a user drew stays where they drew it, also when detection finds the face by itself later."""
    return replace(there, box=Box(row.x, row.y, row.w, row.h)) if row.source == "user" else there


def add_face(connection: Connection, asset: Asset, pack: str, there: FoundFace, source: str = "machine") -> FaceId:
    """A new face that waits for recognition. `source` is machine or user."""
    values = {"asset_id": asset.id, "account_id": asset.account_id, "source": source, "state": FaceState.PENDING}
    added = connection.execute(insert(face).values(**values, **_measured(there, pack)).returning(face.c.id))
    face_id = int(added.scalar_one())
    _add_embedding(connection, face_id, pack, there)
    return face_id


def _add_embedding(connection: Connection, face_id: FaceId, pack: str, there: FoundFace) -> None:
    values = {"face_id": face_id, "pack": pack, "vector": to_blob(there.embedding)}
    connection.execute(insert(embedding).values(**values, revision=1, indexed=False))


def renew_face(connection: Connection, row: AnyRow, pack: str, there: FoundFace) -> None:
    """Store what was measured anew; `row` is the face with `embedding_pack`, `vector` and `revision`."""
    values = _measured(there, pack)
    vector = to_blob(there.embedding)
    if row.vector is None:
        _add_embedding(connection, row.id, pack, there)
    elif row.embedding_pack != pack or row.vector != vector:
        _replace_embedding(connection, row, pack, vector)
        if row.state == FaceState.UNASSIGNED:
            # Nobody was near the old embedding; the new one deserves a look of its own.
            values["state"] = FaceState.PENDING
    connection.execute(update(face).where(face.c.id == row.id).values(**values))


def _replace_embedding(connection: Connection, row: AnyRow, pack: str, vector: bytes) -> None:
    if row.embedding_pack != pack:
        bury(connection, embedding.c.face_id == row.id)
        # It comes back to a pack it may have left before the index heard of it.
        coming = (index_tombstone.c.pack == pack, index_tombstone.c.face_id == row.id)
        connection.execute(delete(index_tombstone).where(*coming))
    changed = {"pack": pack, "vector": vector, "revision": row.revision + 1, "indexed": False}
    connection.execute(update(embedding).where(embedding.c.face_id == row.id).values(**changed))
