"""What the catalogue knows about the embedding index: which faces still have to reach it, which have to leave."""

import threading
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from plugin.catalogue.column_types import from_blobs
from plugin.catalogue.tables import embedding, index_status, index_tombstone
from plugin.catalogue.transactions import Transactions
from plugin.domain import FaceId, Float32Array


class SqlIndexState:
    """`IndexState` in SQL.

    An embedding may change between `to_add` and `added`; the revision handed out is remembered, so that only what the
    index really got counts as added. In memory is enough: after a crash nothing was acknowledged, and one process at
    a time writes the index.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._handed_out: dict[tuple[str, FaceId], int] = {}
        self._lock = threading.Lock()

    def to_add(self, pack: str, limit: int) -> tuple[list[FaceId], Float32Array]:
        """Embeddings (new or changed) the index does not have yet, float32 (n, d), lowest face id first."""
        query = (
            select(embedding.c.face_id, embedding.c.revision, embedding.c.vector)
            .where(embedding.c.pack == pack, embedding.c.indexed.is_(False))
            .order_by(embedding.c.face_id)
            .limit(limit)
        )
        with self._transactions.read() as connection:
            rows = connection.execute(query).all()
        with self._lock:
            self._handed_out.update({(pack, row.face_id): row.revision for row in rows})
        return [row.face_id for row in rows], from_blobs([row.vector for row in rows])

    def added(self, pack: str, face_ids: Sequence[FaceId]) -> None:
        """The index has these now, as they were handed out (by another way than `to_add`: as they are)."""
        with self._lock:
            revisions = {face_id: self._handed_out.pop((pack, face_id), None) for face_id in face_ids}
        this = (embedding.c.face_id == bindparam("which"), embedding.c.pack == pack)
        as_handed_out = update(embedding).where(*this, embedding.c.revision == bindparam("handed")).values(indexed=True)
        as_it_is = update(embedding).where(*this).values(indexed=True)
        known = [{"which": face_id, "handed": revision} for face_id, revision in revisions.items() if revision]
        unknown: list[dict[str, Any]] = [{"which": face_id} for face_id, revision in revisions.items() if not revision]
        with self._transactions.write() as connection:
            if known:
                connection.execute(as_handed_out, known)
            if unknown:
                connection.execute(as_it_is, unknown)

    def to_delete(self, limit: int) -> list[tuple[str, FaceId]]:
        """(pack, face) of deleted faces, and of faces that left the pack, that may still be in the index."""
        query = select(index_tombstone.c.pack, index_tombstone.c.face_id).order_by(
            index_tombstone.c.pack, index_tombstone.c.face_id
        )
        with self._transactions.read() as connection:
            return [(row.pack, row.face_id) for row in connection.execute(query.limit(limit))]

    def deleted(self, faces: Sequence[tuple[str, FaceId]]) -> None:
        """The index no longer has these."""
        which = (index_tombstone.c.pack == bindparam("of_pack"), index_tombstone.c.face_id == bindparam("which"))
        if faces:
            with self._transactions.write() as connection:
                rows = [{"of_pack": pack, "which": face_id} for pack, face_id in faces]
                connection.execute(delete(index_tombstone).where(*which), rows)

    def face_ids(self, pack: str) -> set[FaceId]:
        """Every face with an embedding of this pack."""
        with self._transactions.read() as connection:
            return set(connection.execute(select(embedding.c.face_id).where(embedding.c.pack == pack)).scalars())

    def packs(self) -> list[str]:
        """Every pack that has embeddings."""
        with self._transactions.read() as connection:
            query = select(embedding.c.pack).distinct().order_by(embedding.c.pack)
            return list(connection.execute(query).scalars())

    def forget(self) -> None:
        """The index was cleared: everything has to be added again, nothing has to be deleted."""
        with self._lock:
            self._handed_out.clear()
        with self._transactions.write() as connection:
            connection.execute(update(embedding).where(embedding.c.indexed.is_(True)).values(indexed=False))
            connection.execute(delete(index_tombstone))

    def dirty(self) -> bool:
        """Whether a write to the index on disk may have been cut off."""
        with self._transactions.read() as connection:
            return bool(connection.execute(select(index_status.c.dirty)).scalar_one())

    def set_dirty(self, *, dirty: bool) -> None:
        """Note that a write begins, or that all of it reached the disk."""
        with self._transactions.write() as connection:
            connection.execute(update(index_status).values(dirty=dirty))
