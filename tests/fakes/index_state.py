"""An in-memory catalogue as far as the embedding index sees it: `IndexState` and the embeddings of `FaceRows`."""

import threading
from collections.abc import Sequence

import numpy as np

from plugin.domain import FaceId, Float32Array
from plugin.errors import NotFound


def unit_vectors(count: int, dimension: int = 16, seed: int = 0) -> Float32Array:
    """`count` random unit-length embeddings, float32 (count, dimension)."""
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


class FakeIndexState:
    """`IndexState`, `FaceRows.embedding` and `FaceRows.embeddings` over dictionaries.

    It is also its own `index_state` and `faces`, so that it can stand for a whole catalogue where only these are used.
    `dirty_history` keeps every value of the flag.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._vectors: dict[str, dict[FaceId, Float32Array]] = {}
        self._waiting: dict[str, set[FaceId]] = {}
        self._tombstones: set[tuple[str, FaceId]] = set()
        self.dirty_history: list[bool] = [False]

    @property
    def index_state(self) -> "FakeIndexState":
        return self

    @property
    def faces(self) -> "FakeIndexState":
        return self

    def store(self, pack: str, face_ids: Sequence[FaceId], embeddings: Float32Array) -> None:
        """Detection stored (or changed) these faces."""
        with self._lock:
            self._vectors.setdefault(pack, {}).update(zip(face_ids, embeddings, strict=True))
            self._waiting.setdefault(pack, set()).update(face_ids)

    def remove(self, pack: str, face_ids: Sequence[FaceId]) -> None:
        """These faces were deleted."""
        with self._lock:
            for face_id in face_ids:
                if self._vectors[pack].pop(face_id, None) is not None:
                    self._tombstones.add((pack, face_id))
                self._waiting[pack].discard(face_id)

    def to_add(self, pack: str, limit: int) -> tuple[list[FaceId], Float32Array]:
        with self._lock:
            return self._rows(pack, sorted(self._waiting.get(pack, ()))[:limit])

    def added(self, pack: str, face_ids: Sequence[FaceId]) -> None:
        with self._lock:
            self._waiting[pack].difference_update(face_ids)

    def to_delete(self, limit: int) -> list[tuple[str, FaceId]]:
        with self._lock:
            return sorted(self._tombstones)[:limit]

    def deleted(self, faces: Sequence[tuple[str, FaceId]]) -> None:
        with self._lock:
            self._tombstones.difference_update(faces)

    def face_ids(self, pack: str) -> set[FaceId]:
        with self._lock:
            return set(self._vectors.get(pack, ()))

    def packs(self) -> list[str]:
        with self._lock:
            return sorted(pack for pack, vectors in self._vectors.items() if vectors)

    def forget(self) -> None:
        with self._lock:
            self._waiting = {pack: set(vectors) for pack, vectors in self._vectors.items()}
            self._tombstones.clear()

    def dirty(self) -> bool:
        return self.dirty_history[-1]

    def set_dirty(self, *, dirty: bool) -> None:
        self.dirty_history.append(dirty)

    def embedding(self, face_id: FaceId) -> Float32Array:
        with self._lock:
            for vectors in self._vectors.values():
                if face_id in vectors:
                    return vectors[face_id]
        raise NotFound(f"There is no face {face_id}")

    def embeddings(self, pack: str, after: FaceId, limit: int) -> tuple[list[FaceId], Float32Array]:
        with self._lock:
            later = (face_id for face_id in self._vectors.get(pack, ()) if face_id > after)
            return self._rows(pack, sorted(later)[:limit])

    def _rows(self, pack: str, face_ids: list[FaceId]) -> tuple[list[FaceId], Float32Array]:
        if not face_ids:
            return [], np.empty((0, 0), dtype=np.float32)
        return face_ids, np.stack([self._vectors[pack][face_id] for face_id in face_ids])
