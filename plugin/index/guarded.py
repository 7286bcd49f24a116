"""The embedding index the product uses: Chroma while it is sound, exact search while it is opened or rebuilt.

Opening never waits for Chroma. A thread loads every embedding from the catalogue into an `ExactIndex`, which answers
from then on; meanwhile `Builder` opens, mends or rebuilds the folder and hands over. Anything Chroma does wrong later
leads back to the same path.

The dirty flag in the catalogue is set while the folder must not be trusted: while it is being rebuilt (Chroma writes
its HNSW files only then), and from the first write that only the exact index took until Chroma has it too.
docs/decisions/chroma-is-a-disposable-index.md says what a kill at each point leaves behind.
"""

import contextlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from plugin.domain import FaceId, Float32Array, Neighbour
from plugin.errors import KinfolkError, SearchIndexDamaged
from plugin.index.building import BUILDING, CUT_OFF, DAMAGED, Builder
from plugin.index.chroma import BATCH, ChromaIndex
from plugin.index.exact import ExactIndex
from plugin.index.folder import hold_folder
from plugin.index.loading import EmbeddingBlocks, ExactLoader
from plugin.index.probe import Probe, probe
from plugin.index.serving import Serving, Stopped
from plugin.ports.faces import IndexState
from plugin.ports.index import IndexStatus
from plugin.sentences import Sentence

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 30.0
"""How long `close` waits for the thread, which looks up after every batch and every step of opening."""


class GuardedIndex:
    """`EmbeddingIndex` that always answers, whatever state the folder is in.

    Args:
        folder: Chroma's; removed and created as needed. Nothing else may live in it.
        index_state: the catalogue's rows about the index.
        faces: the catalogue's embeddings.
        open_chroma: opens or creates the index on disk, (folder, persist_every) as `ChromaIndex`.
        probe_folder: judges a folder before it is opened.

    Raises:
        AlreadyRunning: another process uses the folder.
    """

    def __init__(
        self,
        folder: Path,
        index_state: IndexState,
        faces: EmbeddingBlocks,
        *,
        open_chroma: Callable[[Path, int], ChromaIndex] = ChromaIndex,
        probe_folder: Callable[[Path], Probe] = probe,
    ) -> None:
        self._folder = folder
        self._index_state = index_state
        self._faces = faces
        self._held = hold_folder(folder)
        self._serving = Serving(index_state, self._put_aside, self._start)
        self._builder = Builder(self._serving, index_state, folder, open_chroma, probe_folder)
        self._start()

    @property
    def status(self) -> IndexStatus:
        """How the index stands, for the Status page."""
        return self._serving.status

    def wait_until_settled(self, timeout: float | None = None) -> IndexStatus:
        """Wait until nothing goes on in the background (`ready` or `exact`), for the command line and tests."""
        return self._serving.wait_until_settled(timeout)

    def add(self, pack: str, face_ids: list[FaceId], embeddings: Float32Array) -> None:
        """See `EmbeddingIndex.add`."""
        for first in range(0, len(face_ids), BATCH):  # so that a search never waits for more than one batch
            self._add_batch(pack, face_ids[first : first + BATCH], embeddings[first : first + BATCH])

    def delete(self, pack: str, face_ids: list[FaceId]) -> None:
        """See `EmbeddingIndex.delete`."""
        if face_ids:
            self._serving.change(pack, face_ids, lambda index: index.delete(pack, face_ids))

    def nearest(self, pack: str, embedding: Float32Array, count: int) -> list[Neighbour]:
        """See `EmbeddingIndex.nearest`; exact unless `status` is `ready`."""
        return self._serving.ask(lambda index: index.nearest(pack, embedding, count))

    def ids(self, pack: str) -> set[FaceId]:
        """See `EmbeddingIndex.ids`."""
        return self._serving.ask(lambda index: index.ids(pack))

    def clear(self) -> None:
        """See `EmbeddingIndex.clear`. An index that had been given up gets another chance."""
        self._serving.clear()
        if self.status.state == "exact":
            self._builder.failures = 0
            self._start(BUILDING)

    def close(self) -> None:
        """See `EmbeddingIndex.close`. A rebuild that is under way is given up and starts again next time."""
        self._serving.close()
        self._thread.join(CLOSE_SECONDS)
        self._serving.release()
        self._held.release()

    def _add_batch(self, pack: str, face_ids: list[FaceId], embeddings: Float32Array) -> None:
        self._serving.change(pack, face_ids, lambda index: index.add(pack, face_ids, embeddings))

    def _put_aside(self, chroma: ChromaIndex, error: SearchIndexDamaged) -> None:
        logger.warning("%s", error)
        self._builder.failures += 1
        self._serving.say(IndexStatus("rebuilding", message=DAMAGED))
        chroma.close()
        self._start(DAMAGED)

    def _start(self, reason: str = "") -> None:
        """Start the thread; with a reason (for a person) it rebuilds the folder without looking at it."""
        self._thread = threading.Thread(target=self._run, args=(reason,), name="search-index", daemon=True)
        self._thread.start()

    def _run(self, reason: str) -> None:
        with contextlib.suppress(Stopped):
            try:
                if reason:
                    self._serving.mark_dirty()
                elif self._index_state.dirty():
                    reason = CUT_OFF
                if not self._serving.has_exact:
                    self._serving.serve_exact(self._load_exact())
            except Stopped:
                raise
            except Exception as error:
                logger.exception("The embeddings could not be read from the catalogue")
                self._serving.cannot_load(error)
                return
            try:
                self._builder.provide(self._wait_for_faces() or reason)
            except Stopped:
                raise
            except Exception as error:
                logger.exception("Exact search stays in use")
                self._stay_exact(error)

    def _load_exact(self) -> ExactIndex:
        exact = ExactIndex()
        for pack in self._index_state.packs():
            exact.reserve(pack, len(self._index_state.face_ids(pack)))
            loader = ExactLoader(self._faces, pack, exact)
            while loader.catch_up(BATCH):
                self._serving.stop_if_closed()
        return exact

    def _wait_for_faces(self) -> str:
        """An empty library needs no Chroma, whose import alone costs seconds and 84 MB: wait for the first face."""
        if self._serving.exact.packs() or self._folder.exists():
            return ""
        self._serving.say(IndexStatus("ready"))
        self._serving.wait_for_changes()
        return BUILDING

    def _stay_exact(self, error: Exception) -> None:
        with contextlib.suppress(KinfolkError):  # the log has the first error, which says more
            self._serving.mark_dirty()
        why = error.explanation if isinstance(error, KinfolkError) else f"{error}."
        said = Sentence("Faces are searched without the index on disk: %(why)s", why=why)
        self._serving.say(IndexStatus("exact", message=said))
