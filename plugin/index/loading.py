"""Exact search for one command: what the catalogue holds, loaded when it is needed, kept nowhere."""

from typing import Protocol

from plugin.domain import FaceId, Float32Array
from plugin.index.exact import ExactIndex


class EmbeddingBlocks(Protocol):
    """The part of `FaceRows` that is needed to load every embedding of a pack."""

    def embeddings(self, pack: str, after: FaceId, limit: int) -> tuple[list[FaceId], Float32Array]:
        """See `FaceRows.embeddings`."""
        ...


class ExactLoader:
    """Fills an `ExactIndex` from the catalogue, as `Indexing.catch_up` fills the index on disk.

    A command that ends soon gains nothing from Chroma (3 s to import, another process to probe its folder), and what
    the catalogue has marked as waiting for the index reaches it when Kinfolk serves. 100,000 faces load in 2.5 s.

    Args:
        faces: the catalogue's embeddings.
        pack: the pack in use; faces of others are never compared with its.
        index: filled.
    """

    def __init__(self, faces: EmbeddingBlocks, pack: str, index: ExactIndex) -> None:
        self._faces = faces
        self._pack = pack
        self._index = index
        self._last: FaceId = 0

    def catch_up(self, limit: int) -> int:
        """Load up to `limit` faces more; how many it were."""
        face_ids, embeddings = self._faces.embeddings(self._pack, self._last, limit)
        if face_ids:
            self._index.add(self._pack, face_ids, embeddings)
            self._last = face_ids[-1]
        return len(face_ids)
