"""The embedding index on disk: Chroma's embedded client, one collection per pack, ids only, no metadata.

Chroma 1.5.9 is used within what was measured to be safe (docs/decisions/chroma-is-a-disposable-index.md): it keeps
every write in its SQLite log, and only a bulk build lets it write its HNSW files, because a kill in that moment ruins
them. The folder must never be open in two processes; `GuardedIndex` holds a lock for that.
"""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from plugin.domain import FaceId, Float32Array, Neighbour
from plugin.errors import SearchIndexDamaged, SearchIndexError
from plugin.index.folder import remove_folder

logger = logging.getLogger(__name__)

NEVER = 1_000_000_000
"""`sync_threshold` that is never reached: nothing but SQLite is written, and 20 of 20 kill -9 did no harm."""

BATCH = 1000
"""Rows per call: full speed (about 2,000 a second on an idle machine), and a search waits half a second at most.

Chroma refuses more than 5,461.
"""

EF_SEARCH = 300
"""Breadth of the search: recall at 10 on 100,000 faces is .94 at 100, .98 at 400; 300 costs about 4 ms a query."""

PREFIX = "faces."


class ChromaIndex:
    """`EmbeddingIndex` on a Chroma folder.

    Opening imports `chromadb`, which takes two to four seconds.

    Args:
        folder: created when missing.
        persist_every: rows after which Chroma writes its HNSW files; only for collections that this object creates.

    Raises:
        SearchIndexError: `chromadb` cannot be imported.
        SearchIndexDamaged: the folder cannot be opened.
    """

    def __init__(self, folder: Path, persist_every: int = NEVER) -> None:
        self._folder = folder
        self._persist_every = persist_every
        self._lock = threading.RLock()
        # Chroma's own types lack `close` and would need a cast at every call.
        self._client: Any = None
        self._collections: dict[str, Any] = {}
        _import_chromadb()
        self._open()

    def add(self, pack: str, face_ids: list[FaceId], embeddings: Float32Array) -> None:
        """See `EmbeddingIndex.add`.

        Raises:
            ValueError: when the embeddings do not have the length of the pack's others.
        """
        for first in range(0, len(face_ids), BATCH):
            ids = [str(face_id) for face_id in face_ids[first : first + BATCH]]
            with self._lock, self._guard():
                self._collection(pack).upsert(ids=ids, embeddings=embeddings[first : first + BATCH])

    def delete(self, pack: str, face_ids: list[FaceId]) -> None:
        """See `EmbeddingIndex.delete`."""
        for first in range(0, len(face_ids), BATCH):
            ids = [str(face_id) for face_id in face_ids[first : first + BATCH]]
            with self._lock, self._guard():
                if (collection := self._existing(pack)) is not None:
                    collection.delete(ids=ids)

    def nearest(self, pack: str, embedding: Float32Array, count: int) -> list[Neighbour]:
        """See `EmbeddingIndex.nearest`; approximate, see `EF_SEARCH`."""
        with self._lock, self._guard():
            collection = self._existing(pack)
            if collection is None or count <= 0:
                return []
            query = embedding.reshape(1, -1)
            found = collection.query(query_embeddings=query, n_results=count, include=["distances"])
            pairs = zip(found["ids"][0], found["distances"][0], strict=True)
            neighbours = [Neighbour(int(face_id), max(0.0, float(distance))) for face_id, distance in pairs]
        return sorted(neighbours, key=lambda neighbour: (neighbour.distance, neighbour.face_id))

    def ids(self, pack: str) -> set[FaceId]:
        """See `EmbeddingIndex.ids`; read from Chroma's SQLite, 3 ms per 1,000."""
        with self._lock, self._guard():
            collection = self._existing(pack)
            return {int(face_id) for face_id in collection.get(include=[])["ids"]} if collection is not None else set()

    def packs(self) -> list[str]:
        """Every pack that has a collection."""
        with self._lock:
            return sorted(self._collections)

    def embeddings(self, pack: str, face_ids: list[FaceId]) -> tuple[list[FaceId], Float32Array]:
        """Those of the faces that are here, with their embeddings float32 (n, d) as they were added."""
        with self._lock, self._guard():
            collection = self._existing(pack)
            if collection is None or not face_ids:
                return [], np.empty((0, 0), dtype=np.float32)
            ids = [str(face_id) for face_id in face_ids]
            found = collection.get(ids=ids, include=["embeddings"])
            return [int(face_id) for face_id in found["ids"]], np.asarray(found["embeddings"], dtype=np.float32)

    def clear(self) -> None:
        """See `EmbeddingIndex.clear`: the folder is removed and created anew."""
        with self._lock, self._guard():
            self.close()
            remove_folder(self._folder)
            self._open()

    def stop_persisting(self) -> None:
        """From the next time the folder is opened, Chroma writes nothing but its SQLite log."""
        # Changing a collection re-reads its configuration, which has no embedding function on purpose.
        warnings.filterwarnings("ignore", message="legacy embedding function config", category=DeprecationWarning)
        with self._lock, self._guard():
            for collection in self._collections.values():
                collection.modify(configuration={"hnsw": {"sync_threshold": NEVER}})

    def close(self) -> None:
        """See `EmbeddingIndex.close`."""
        with self._lock:
            client, self._client = self._client, None
            self._collections = {}
            if client is None:
                return
            try:
                with self._guard():
                    client.close()
            except SearchIndexDamaged as error:
                logger.warning("Chroma did not close cleanly: %s", error)
                _forget_clients()

    def _open(self) -> None:
        from chromadb import PersistentClient  # noqa: PLC0415 - takes seconds, see the class
        from chromadb.config import Settings  # noqa: PLC0415 - as above

        try:
            with self._guard():
                self._folder.mkdir(parents=True, exist_ok=True)
                self._client = PersistentClient(str(self._folder), settings=Settings(anonymized_telemetry=False))
                for listed in self._client.list_collections():
                    collection = self._client.get_collection(listed.name, embedding_function=None)
                    self._collections[listed.name.removeprefix(PREFIX)] = collection
        except SearchIndexDamaged:
            self.close()
            _forget_clients()
            raise

    def _existing(self, pack: str) -> Any:  # noqa: ANN401 - see `_collections`
        """The pack's collection, or None."""
        if self._client is None:
            raise SearchIndexError("The search index is closed")
        return self._collections.get(pack)

    def _collection(self, pack: str) -> Any:  # noqa: ANN401 - see `_collections`
        collection = self._existing(pack)
        if collection is None:
            hnsw = {"space": "cosine", "ef_search": EF_SEARCH, "sync_threshold": self._persist_every}
            collection = self._collections[pack] = self._client.get_or_create_collection(
                PREFIX + pack, embedding_function=None, configuration={"hnsw": hnsw}
            )
        return collection

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Turn whatever comes out of Chroma into `SearchIndexDamaged`, a panic of its Rust part included."""
        from chromadb.errors import InvalidArgumentError  # noqa: PLC0415 - see `_open`

        try:
            yield
        except (SearchIndexError, KeyboardInterrupt, SystemExit):
            raise
        except InvalidArgumentError as error:
            raise ValueError(str(error)) from error
        except BaseException as error:
            raise SearchIndexDamaged(
                f"The search index in {self._folder.name} failed ({type(error).__name__}: {error})",
                "It is rebuilt from the catalogue by itself; nothing is lost.",
            ) from error


def _forget_clients() -> None:
    """Chroma keeps a client that failed to start and would hand it out again for the folder built in its place."""
    from chromadb.api.shared_system_client import SharedSystemClient  # noqa: PLC0415 - see `ChromaIndex`

    SharedSystemClient.clear_system_cache()


def _import_chromadb() -> None:
    try:
        import chromadb  # noqa: F401, PLC0415 - see `ChromaIndex`
    except Exception as error:
        raise SearchIndexError(
            f"The package chromadb cannot be loaded ({type(error).__name__}: {error})",
            "Faces are searched without it, which is slower in libraries of more than 50,000 faces. "
            "Installing Kinfolk again usually repairs it.",
        ) from error
