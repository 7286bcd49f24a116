"""Exact search in memory with NumPy: the oracle of the tests, and what answers while Chroma is opened or rebuilt."""

import threading

import numpy as np

from plugin.domain import FaceId, Float32Array, Neighbour
from plugin.faces.neighbours import IntArray, nearest

FIRST_CAPACITY = 1024
GROWTH = 1.5
"""Rows are added in place until the block is full; growing copies it once, so a row costs about three copies in all."""


class ExactIndex:
    """`EmbeddingIndex` over one float32 matrix per pack: 100,000 faces of 512 numbers are 195 MB and 37 ms a search."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._packs: dict[str, _Rows] = {}
        self._reserved: dict[str, int] = {}

    def reserve(self, pack: str, capacity: int) -> None:
        """Before the first face: room for so many at once, so that loading a large library never copies what it has."""
        self._reserved[pack] = capacity

    def add(self, pack: str, face_ids: list[FaceId], embeddings: Float32Array) -> None:
        """See `EmbeddingIndex.add`.

        Raises:
            ValueError: when the embeddings do not have the length of the pack's others.
        """
        if not face_ids:
            return
        with self._lock:
            rows = self._packs.get(pack)
            if rows is None:
                capacity = max(len(face_ids), self._reserved.pop(pack, 0))
                rows = self._packs[pack] = _Rows(embeddings.shape[1], capacity)
            rows.check(embeddings)
            rows.put(face_ids, embeddings)

    def delete(self, pack: str, face_ids: list[FaceId]) -> None:
        """See `EmbeddingIndex.delete`."""
        with self._lock:
            if rows := self._packs.get(pack):
                for face_id in face_ids:
                    rows.remove(face_id)

    def nearest(self, pack: str, embedding: Float32Array, count: int) -> list[Neighbour]:
        """See `EmbeddingIndex.nearest`; exact."""
        with self._lock:
            rows = self._packs.get(pack)
            if rows is None or count <= 0:
                return []
            query = embedding.reshape(1, -1)
            rows.check(query)
            indices, distances = nearest(rows.matrix[: rows.size], query, min(count, rows.size))
            there = indices[0] >= 0  # an embedding that is not a number is near to nothing
            ids, distances = rows.ids[indices[0][there]].tolist(), distances[0][there]
        found = [Neighbour(face_id, distance) for face_id, distance in zip(ids, distances.tolist(), strict=True)]
        return sorted(found, key=lambda neighbour: (neighbour.distance, neighbour.face_id))

    def ids(self, pack: str) -> set[FaceId]:
        """See `EmbeddingIndex.ids`."""
        with self._lock:
            rows = self._packs.get(pack)
            return set(rows.row_of) if rows else set()

    def packs(self) -> list[str]:
        """Every pack with at least one face."""
        with self._lock:
            return sorted(pack for pack, rows in self._packs.items() if rows.size)

    def embeddings(self, pack: str, face_ids: list[FaceId]) -> tuple[list[FaceId], Float32Array]:
        """Those of the faces that are here, in the order given, with their embeddings float32 (n, d), copied."""
        with self._lock:
            rows = self._packs.get(pack)
            if rows is None:
                return [], np.empty((0, 0), dtype=np.float32)
            present = [face_id for face_id in face_ids if face_id in rows.row_of]
            return present, rows.matrix[[rows.row_of[face_id] for face_id in present]]

    def clear(self) -> None:
        """See `EmbeddingIndex.clear`."""
        with self._lock:
            self._packs.clear()

    def close(self) -> None:
        """See `EmbeddingIndex.close`; frees the memory."""
        self.clear()


class _Rows:
    """The faces of one pack: a matrix with room to grow, without gaps (the last row moves into a deleted one)."""

    def __init__(self, dimension: int, capacity: int) -> None:
        capacity = max(capacity, FIRST_CAPACITY)
        self.matrix: Float32Array = np.empty((capacity, dimension), dtype=np.float32)
        self.ids: IntArray = np.empty(capacity, dtype=np.int64)
        self.row_of: dict[FaceId, int] = {}

    @property
    def size(self) -> int:
        return len(self.row_of)

    def check(self, embeddings: Float32Array) -> None:
        if embeddings.shape[1] != self.matrix.shape[1]:
            raise ValueError(f"this pack's embeddings have {self.matrix.shape[1]} numbers, not {embeddings.shape[1]}")

    def put(self, face_ids: list[FaceId], embeddings: Float32Array) -> None:
        self._make_room(self.size + len(face_ids))
        for face_id, embedding in zip(face_ids, embeddings, strict=True):
            row = self.row_of.setdefault(face_id, len(self.row_of))
            self.matrix[row], self.ids[row] = embedding, face_id

    def remove(self, face_id: FaceId) -> None:
        row = self.row_of.pop(face_id, None)
        if row is None or row == self.size:
            return
        last = int(self.ids[self.size])
        self.matrix[row], self.ids[row] = self.matrix[self.size], last
        self.row_of[last] = row

    def _make_room(self, size: int) -> None:
        if size <= len(self.ids):
            return
        capacity = max(size, int(len(self.ids) * GROWTH))
        matrix = np.empty((capacity, self.matrix.shape[1]), dtype=np.float32)
        matrix[: self.size] = self.matrix[: self.size]
        ids = np.empty(capacity, dtype=np.int64)
        ids[: self.size] = self.ids[: self.size]
        self.matrix, self.ids = matrix, ids
