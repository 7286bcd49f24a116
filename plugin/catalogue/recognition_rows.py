"""Faces as arrays for recognition."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, func, select

from plugin.catalogue.asset_rows import belongs, blocks, present
from plugin.catalogue.column_types import VECTOR_TYPE, AnyRow
from plugin.catalogue.tables import asset, embedding, face
from plugin.domain import AccountId, AssignedBy, FaceId, FaceState, Float32Array, PersonId
from plugin.ports.faces import BoolArray, FacePlaces, IntArray, RecognitionRows, TimeArray

ROWS_AT_ONCE = 1000

WAITING = frozenset({FaceState.PENDING, FaceState.DEFERRED})


def read_recognition_rows(
    connection: Connection, account_id: AccountId, pack: str, face_ids: Sequence[FaceId] | None = None
) -> RecognitionRows:
    """See `FaceRows.recognition_rows`."""
    joined = embedding.join(face, face.c.id == embedding.c.face_id).join(asset, asset.c.id == face.c.asset_id)
    query = (
        select(
            face.c.id,
            face.c.person_id,
            face.c.assigned_by,
            face.c.asset_id,
            asset.c.taken_at,
            face.c.quality,
            face.c.group_id,
            face.c.state,
        )
        .select_from(joined)
        .where(embedding.c.pack == pack, *_comparable(account_id))
        .order_by(face.c.id)
    )
    scopes = [None] if face_ids is None else blocks(sorted(set(face_ids)))
    # Arrays as soon as they are read: as Python objects, 100,000 rows would take 60 MB that never come back.
    parts = [
        _arrays(rows)
        for scope in scopes
        for rows in connection.execute(query if scope is None else query.where(face.c.id.in_(scope))).partitions(
            ROWS_AT_ONCE
        )
    ] or [_arrays([])]
    face_id, *columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    read = _vectors if face_ids is None else _scattered_vectors
    return RecognitionRows(face_id, read(connection, pack, face_id), *columns)


def read_places(
    connection: Connection, account_id: AccountId, pack: str, among: Sequence[tuple[ColumnElement[int], Sequence[int]]]
) -> FacePlaces:
    """Where faces stand that have one of these values in one of these columns of `face`; see `FaceRows.places`."""
    query = _places_query(account_id, pack)
    found: dict[FaceId, AnyRow] = {}
    for column, values in among:
        for scope in blocks(dict.fromkeys(values)):
            found.update((row.id, row) for row in connection.execute(query.where(column.in_(scope))).all())
    return FacePlaces(*_place_arrays(list(found.values())))


def read_samples(
    connection: Connection, account_id: AccountId, pack: str, person_ids: Sequence[PersonId], largest: int
) -> tuple[list[FaceId], dict[PersonId, int]]:
    """See `FaceRows.samples`. Counted in SQL: a person with 40,000 faces must not become as many Python objects."""
    numbered = (
        select(
            face.c.id,
            face.c.person_id,
            (func.row_number().over(partition_by=face.c.person_id, order_by=face.c.id) - 1).label("number"),
            func.count().over(partition_by=face.c.person_id).label("total"),
        )
        .join(asset, asset.c.id == face.c.asset_id)
        .where(face.c.pack == pack, *_comparable(account_id))
    )
    found: list[FaceId] = []
    totals: dict[PersonId, int] = {}
    for scope in blocks(dict.fromkeys(person_ids)):
        rows = numbered.where(face.c.person_id.in_(scope)).subquery()
        step = (rows.c.total + largest - 1) // largest
        query = select(rows.c.id, rows.c.person_id, rows.c.total).where(rows.c.number % step == 0)
        for row in connection.execute(query).all():
            found.append(row.id)
            totals[row.person_id] = row.total
    return found, totals


def read_all_places(connection: Connection, account_id: AccountId, pack: str) -> FacePlaces:
    """See `FaceRows.all_places`."""
    rows = connection.execute(_places_query(account_id, pack)).partitions(ROWS_AT_ONCE)
    parts = [_place_arrays(part) for part in rows] or [_place_arrays([])]
    return FacePlaces(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _places_query(account_id: AccountId, pack: str) -> Select[Any]:
    columns = (face.c.id, face.c.person_id, face.c.group_id, face.c.asset_id, face.c.quality)
    joined = face.join(asset, asset.c.id == face.c.asset_id)
    return select(*columns).select_from(joined).where(face.c.pack == pack, *_comparable(account_id))


def _place_arrays(rows: Sequence[AnyRow]) -> tuple[IntArray, IntArray, IntArray, IntArray, Float32Array]:
    return (
        np.array([row.id for row in rows], dtype=np.int64),
        np.array([_or_none(row.person_id) for row in rows], dtype=np.int64),
        np.array([_or_none(row.group_id) for row in rows], dtype=np.int64),
        np.array([row.asset_id for row in rows], dtype=np.int64),
        np.array([row.quality for row in rows], dtype=np.float32),
    )


def _comparable(account_id: AccountId) -> tuple[ColumnElement[bool], ...]:
    return (*present(), belongs(face.c.account_id, account_id), face.c.state != FaceState.IGNORED)


def _or_none(value: int | None) -> int:
    return -1 if value is None else value


Columns: TypeAlias = tuple[IntArray, IntArray, BoolArray, IntArray, TimeArray, Float32Array, IntArray, BoolArray]


def _arrays(rows: Sequence[AnyRow]) -> Columns:
    """The columns of `RecognitionRows` but the embedding."""
    return (
        np.array([row.id for row in rows], dtype=np.int64),
        np.array([_or_none(row.person_id) for row in rows], dtype=np.int64),
        np.array([row.assigned_by == AssignedBy.USER for row in rows], dtype=np.bool_),
        np.array([row.asset_id for row in rows], dtype=np.int64),
        np.array([row.taken_at for row in rows], dtype="datetime64[s]"),
        np.array([row.quality for row in rows], dtype=np.float32),
        np.array([_or_none(row.group_id) for row in rows], dtype=np.int64),
        np.array([row.state in WAITING for row in rows], dtype=np.bool_),
    )


def _scattered_vectors(connection: Connection, pack: str, face_ids: IntArray) -> Float32Array:
    """The embeddings of a few faces, in their order."""
    found: dict[FaceId, Float32Array] = {}
    for scope in blocks(face_ids.tolist()):
        query = select(embedding.c.face_id, embedding.c.vector)
        scoped = query.where(embedding.c.face_id.in_(scope), embedding.c.pack == pack)
        for face_id, blob in connection.execute(scoped).all():
            found[face_id] = np.frombuffer(blob, dtype=VECTOR_TYPE)
    if not found:
        return np.empty((0, 0), dtype=np.float32)
    return np.stack([found[face_id] for face_id in face_ids.tolist()]).astype(np.float32, copy=False)


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
