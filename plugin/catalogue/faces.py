"""Faces, their embeddings and who they belong to."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, select, update

from plugin.catalogue.asset_rows import belongs, blocks, get_asset, present
from plugin.catalogue.assignment import machine_proposes, set_states, unassign_all_machine, user_decides
from plugin.catalogue.column_types import AnyRow, from_blob, from_blobs
from plugin.catalogue.deletion import delete_empty_persons
from plugin.catalogue.drawn_faces import draw_face, erase_face, redraw_face
from plugin.catalogue.face_rows import faces_query, get_face, to_face
from plugin.catalogue.person_rows import require_person
from plugin.catalogue.queue_rate import queue_status, recent_rate, tallied
from plugin.catalogue.recognition_rows import read_all_places, read_places, read_recognition_rows, read_samples
from plugin.catalogue.regrouping import Outcome, store_outcome
from plugin.catalogue.tables import asset, embedding, face, library, person
from plugin.catalogue.transactions import BLOCK, Transactions
from plugin.domain import (
    AccountId,
    AssetId,
    AssignedBy,
    ExportedFace,
    Face,
    FaceId,
    FaceState,
    Float32Array,
    FoundFace,
    PersonId,
    QueueStatus,
)
from plugin.errors import NotFound
from plugin.ports.faces import FacePlaces, IntArray, RecognitionRows


class SqlFaces:
    """`FaceRows` in SQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def get(self, face_id: FaceId, account_id: AccountId | None = None) -> Face:
        """The face, also on an asset that is gone."""
        with self._transactions.read() as connection:
            return get_face(connection, face_id, account_id)

    def many(self, face_ids: Sequence[FaceId]) -> list[Face]:
        """Faces of present assets that exist among these, in the order given."""
        found: dict[FaceId, Face] = {}
        with self._transactions.read() as connection:
            for block in blocks(dict.fromkeys(face_ids)):
                query = faces_query().where(*present(), face.c.id.in_(block))
                found.update((row.id, to_face(row)) for row in connection.execute(query))
        return [found[face_id] for face_id in face_ids if face_id in found]

    def of_asset(self, asset_id: AssetId, account_id: AccountId) -> list[Face]:
        """Every face, ignored ones included, left to right."""
        with self._transactions.read() as connection:
            get_asset(connection, asset_id, account_id)
            query = faces_query().where(face.c.asset_id == asset_id).order_by(face.c.x + face.c.w / 2, face.c.id)
            return [to_face(row) for row in connection.execute(query)]

    def of_person(self, person_id: PersonId, account_id: AccountId, limit: int, offset: int = 0) -> list[Face]:
        """Faces on present assets, best quality first."""
        with self._transactions.read() as connection:
            require_person(connection, person_id, account_id)
            query = faces_query().where(*present(), face.c.person_id == person_id)
            query = query.order_by(face.c.quality.desc(), face.c.id).offset(offset).limit(limit)
            return [to_face(row) for row in connection.execute(query)]

    def embedding(self, face_id: FaceId) -> Float32Array:
        """Float32 (d,)."""
        with self._transactions.read() as connection:
            blob = connection.execute(select(embedding.c.vector).where(embedding.c.face_id == face_id)).scalar()
        if blob is None:
            raise NotFound("There is no such face")
        return from_blob(blob)

    def embeddings(self, pack: str, after: FaceId, limit: int) -> tuple[list[FaceId], Float32Array]:
        """The next block of faces with id > `after`, ids ascending; float32 (n, d)."""
        query = (
            select(embedding.c.face_id, embedding.c.vector)
            .where(embedding.c.pack == pack, embedding.c.face_id > after)
            .order_by(embedding.c.face_id)
            .limit(limit)
        )
        with self._transactions.read() as connection:
            rows = connection.execute(query).all()
        return [row.face_id for row in rows], from_blobs([row.vector for row in rows])

    def to_recognise(self, pack: str, state: FaceState, limit: int) -> list[Face]:
        """Faces of present assets in this state, oldest id first."""
        query = faces_query().where(*present(), face.c.state == state, face.c.pack == pack).order_by(face.c.id)
        with self._transactions.read() as connection:
            return [to_face(row) for row in connection.execute(query.limit(limit))]

    def recognition_rows(
        self, account_id: AccountId, pack: str, face_ids: Sequence[FaceId] | None = None
    ) -> RecognitionRows:
        """Every face (among these) of present assets of the account that is not ignored, lowest id first."""
        with self._transactions.read() as connection:
            return read_recognition_rows(connection, account_id, pack, face_ids)

    def places(
        self,
        account_id: AccountId,
        pack: str,
        *,
        face_ids: Sequence[FaceId] = (),
        person_ids: Sequence[PersonId] = (),
        group_ids: Sequence[FaceId] = (),
    ) -> FacePlaces:
        """Those faces of `recognition_rows` that are named, or belong to one of the persons or groups."""
        among = ((face.c.id, face_ids), (face.c.person_id, person_ids), (face.c.group_id, group_ids))
        with self._transactions.read() as connection:
            return read_places(connection, account_id, pack, among)

    def samples(
        self, account_id: AccountId, pack: str, person_ids: Sequence[PersonId], largest: int
    ) -> tuple[list[FaceId], dict[PersonId, int]]:
        """Of each person all faces or about `largest` of more, always the same; and how many faces each has."""
        with self._transactions.read() as connection:
            return read_samples(connection, account_id, pack, person_ids, largest)

    def all_places(self, account_id: AccountId, pack: str) -> FacePlaces:
        """Where every face of `recognition_rows` stands."""
        with self._transactions.read() as connection:
            return read_all_places(connection, account_id, pack)

    def appearances(self, account_id: AccountId, asset_ids: Sequence[AssetId]) -> IntArray:
        """Who is in which of these assets: (asset, person), int64 (k, 2)."""
        query = select(face.c.asset_id, face.c.person_id).distinct()
        query = query.where(belongs(face.c.account_id, account_id), face.c.person_id.is_not(None))
        found: list[tuple[AssetId, PersonId]] = []
        with self._transactions.read() as connection:
            for block in blocks(dict.fromkeys(asset_ids)):
                found += [
                    (row.asset_id, row.person_id) for row in connection.execute(query.where(face.c.asset_id.in_(block)))
                ]
        return np.array(found, dtype=np.int64).reshape(-1, 2)

    def regroup(
        self, account_id: AccountId, face_ids: IntArray, persons: IntArray, groups: IntArray
    ) -> dict[int, PersonId]:
        """Store what a run of recognition found; see `plugin.catalogue.regrouping`."""
        with self._transactions.write() as connection:
            found = Outcome(face_ids, persons, groups)
            return store_outcome(connection, account_id, found, self._transactions.now())

    def assign(
        self,
        assignments: Sequence[tuple[FaceId, PersonId | None]],
        by: AssignedBy,
        state: FaceState | None = None,
    ) -> None:
        """Set who faces belong to; see `plugin.catalogue.assignment` for what the machine may not change."""
        with self._transactions.write() as connection:
            if by is AssignedBy.USER:
                user_decides(connection, assignments, state)
            else:
                machine_proposes(connection, assignments, state, self._transactions.now())

    def set_state(self, face_ids: Sequence[FaceId], state: FaceState) -> None:
        """Set the state; ids that do not exist are left out."""
        with self._transactions.write() as connection:
            set_states(connection, face_ids, state, self._transactions.now())

    def draw(self, account_id: AccountId, asset_id: AssetId, pack: str, face: FoundFace) -> FaceId:
        """Store a face a user drew; see `plugin.catalogue.drawn_faces`."""
        with self._transactions.write() as connection:
            return draw_face(connection, self._transactions.recorded_event(), account_id, asset_id, pack, face)

    def redraw(self, account_id: AccountId, face_id: FaceId, pack: str, face: FoundFace) -> None:
        """Another box for a face a user drew."""
        with self._transactions.write() as connection:
            redraw_face(connection, self._transactions.recorded_event(), account_id, face_id, pack, face)

    def erase(self, account_id: AccountId, face_id: FaceId) -> None:
        """Delete a face a user drew, with what was said about it."""
        with self._transactions.write() as connection:
            erase_face(connection, self._transactions.recorded_event(), account_id, face_id)

    def unassign_machine(self, account_id: AccountId | None) -> None:
        """For Reset: faces the machine assigned become pending; unnamed persons without faces are deleted."""
        with self._transactions.write() as connection:
            unassign_all_machine(connection, account_id)
            delete_empty_persons(connection, None if account_id is None else person.c.account_id == account_id)

    def requeue_unassigned(self, account_id: AccountId | None) -> int:
        """Unassigned faces of present assets become pending again; returns how many."""
        here = face.c.asset_id.in_(select(asset.c.id).where(*present(account_id)))
        change = update(face).where(face.c.state == FaceState.UNASSIGNED, here).values(state=FaceState.PENDING)
        with self._transactions.write() as connection:
            return connection.execute(change).rowcount

    def recognised_since(self, account_id: AccountId, since: datetime | None) -> list[FaceId]:
        """Faces that recognition changed at or after this time (None: ever)."""
        query = select(face.c.id).where(face.c.account_id == account_id, face.c.recognised_at.is_not(None))
        if since is not None:
            query = query.where(face.c.recognised_at >= since)
        with self._transactions.read() as connection:
            return list(connection.execute(query.order_by(face.c.id)).scalars())

    def recognition_status(self, account_id: AccountId | None = None) -> QueueStatus:
        """Faces that wait for recognition (deferred ones too) and that were looked at."""
        with self._transactions.read() as connection:
            counts = _state_counts(connection, account_id)
            rate = recent_rate(
                connection, face.c.recognised_at, face.c.account_id, account_id, self._transactions.now()
            )
        waiting = counts[FaceState.PENDING] + counts[FaceState.DEFERRED]
        return queue_status(waiting=waiting, running=0, done=sum(counts.values()) - waiting, failed=0, rate=rate)

    def state_counts(self, account_id: AccountId | None) -> dict[FaceState, int]:
        """Over faces of present assets; every state has an entry."""
        with self._transactions.read() as connection:
            return _state_counts(connection, account_id)

    def export(self, account_id: AccountId | None) -> Iterator[ExportedFace]:
        """Faces of present assets, lowest id first, read in blocks."""
        after = 0
        while True:
            query = (
                faces_query()
                .join(library, library.c.id == asset.c.library_id)
                .add_columns(library.c.name.label("library"), asset.c.path)
                .where(*present(account_id), face.c.id > after)
                .order_by(face.c.id)
                .limit(BLOCK)
            )
            with self._transactions.read() as connection:
                rows: Sequence[AnyRow] = connection.execute(query).all()
            if not rows:
                return
            for row in rows:
                yield ExportedFace(row.library, row.path, to_face(row))
            after = rows[-1].id


def _state_counts(connection: Connection, account_id: AccountId | None) -> dict[FaceState, int]:
    counts = tallied(connection, "face", account_id)
    return {state: counts.get(state, 0) for state in FaceState}
