"""From a Chroma folder in any state to one that agrees with the catalogue, while the exact index answers."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from plugin.domain import Float32Array
from plugin.errors import SearchIndexDamaged, SearchIndexError
from plugin.index.chroma import NEVER, ChromaIndex
from plugin.index.exact import ExactIndex
from plugin.index.folder import fsync_folder, remove_folder
from plugin.index.probe import Probe
from plugin.index.serving import Serving
from plugin.ports.faces import IndexState
from plugin.ports.index import IndexStatus
from plugin.sentences import Sentence

logger = logging.getLogger(__name__)

PERSIST_EVERY = 2000
"""Rows between two writes of the HNSW files in a bulk build; at most this many are replayed at every later opening."""

DIFFERENCE_LIMIT = 2000
"""Faces that may be missing or surplus before rebuilding is preferred to mending; a kill leaves a few hundred."""

SAMPLE = 200
"""Vectors of each pack compared with the catalogue before Chroma may answer."""

ATTEMPTS = 3
"""Failures of Chroma in one run of the program after which exact search stays."""

BUILDING = Sentence("The search index is being built; until then every search compares all faces.")
CUT_OFF = Sentence(
    "Kinfolk was stopped while it wrote the search index. It is being rebuilt from the catalogue; nothing is lost."
)
DAMAGED = Sentence("The search index was damaged and is being rebuilt from the catalogue; nothing was lost.")
BEHIND = Sentence("The search index lacked many faces and is being rebuilt from the catalogue; nothing was lost.")
COMPACTING = Sentence("The search index has grown a lot and is being rewritten, so that it opens faster.")


class Builder:
    """Provides a sound `ChromaIndex` and hands over to it.

    Args:
        serving: has the exact index that is copied.
        index_state: the catalogue's rows about the index.
        folder: Chroma's.
        open_chroma: opens or creates it, (folder, persist_every) as `ChromaIndex`.
        probe_folder: judges it before it is opened.
    """

    def __init__(
        self,
        serving: Serving,
        index_state: IndexState,
        folder: Path,
        open_chroma: Callable[[Path, int], ChromaIndex],
        probe_folder: Callable[[Path], Probe],
    ) -> None:
        self._serving = serving
        self._index_state = index_state
        self._folder = folder
        self._open_chroma = open_chroma
        self._probe_folder = probe_folder
        self.failures = 0

    def provide(self, reason: str) -> None:
        """Open the folder, or rebuild it for `reason` (for a person; "" when it may be sound), and hand over.

        Raises:
            SearchIndexError: Chroma cannot be used; exact search has to stay.
            OSError: the folder cannot be written.
        """
        reason = reason or self._judge_folder() or self._reuse()
        while reason:
            if self.failures >= ATTEMPTS:
                raise SearchIndexError(f"it failed {self.failures} times", "See the log for the reason.")
            try:
                self._rebuild(reason)
                reason = ""
            except SearchIndexDamaged as error:
                reason = self._failed(error)

    def _judge_folder(self) -> str:
        """Why the folder has to be rebuilt, for a person; "" when it can be opened."""
        if not self._folder.exists() and not self._folder.is_symlink():
            return BUILDING
        found = self._probe_folder(self._folder)
        if found.verdict == "unusable":
            raise SearchIndexError(found.detail)
        if found.verdict == "damaged":
            logger.warning("The search index is damaged: %s", found.detail)
            return DAMAGED
        return COMPACTING if found.verdict == "overgrown" else ""

    def _reuse(self) -> str:
        """Open the folder, add what it lacks and hand over; why not, for a person, otherwise."""
        try:
            chroma = self._open_chroma(self._folder, NEVER)
            try:
                if self._note_differences(chroma) > DIFFERENCE_LIMIT:
                    chroma.close()
                    return BEHIND
                self._hand_over(chroma)
            except BaseException:
                chroma.close()
                raise
        except SearchIndexDamaged as error:
            return self._failed(error)
        return ""

    def _note_differences(self, chroma: ChromaIndex) -> int:
        """Make everything pending in which the folder differs from the catalogue; how many faces that is."""
        count = 0
        for pack in sorted({*chroma.packs(), *self._serving.exact.packs()}):
            different = chroma.ids(pack) ^ self._serving.exact.ids(pack)
            different.update(self._index_state.to_add(pack, DIFFERENCE_LIMIT)[0])
            self._serving.add_pending(pack, different)
            count += len(different)
        return count

    def _rebuild(self, reason: str) -> None:
        """Remove the folder and build it anew. A kill anywhere in here finds the dirty flag set."""
        self._serving.say(IndexStatus("rebuilding", message=reason))
        self._serving.mark_dirty()
        remove_folder(self._folder)
        self._serving.add_all_pending()
        chroma = self._open_chroma(self._folder, PERSIST_EVERY)
        try:
            while self._copy_batch(chroma):
                self._serving.say(IndexStatus("rebuilding", *self._serving.counts(), message=reason))
            chroma.stop_persisting()
        finally:
            chroma.close()
        fsync_folder(self._folder)
        chroma = self._open_chroma(self._folder, NEVER)
        try:
            self._hand_over(chroma)
        except BaseException:
            chroma.close()
            raise

    def _hand_over(self, chroma: ChromaIndex) -> None:
        """Copy what is pending, verify, hand over; again when writes came in meanwhile."""
        while self._copy_batch(chroma):
            pass
        _verify(chroma, self._serving)
        while not self._serving.hand_over(chroma):
            self._copy_batch(chroma)

    def _copy_batch(self, chroma: ChromaIndex) -> bool:
        """Copy some pending faces; False when there were none. A batch that fails stays pending."""
        batch = self._serving.take_batch()
        if batch is None:
            return False
        try:
            chroma.add(batch.pack, batch.present, batch.embeddings)
            chroma.delete(batch.pack, batch.deleted)
        except BaseException:
            self._serving.add_pending(batch.pack, set(batch.face_ids))
            raise
        return True

    def _failed(self, error: SearchIndexDamaged) -> str:
        logger.warning("%s", error)
        self.failures += 1
        return DAMAGED


def _verify(chroma: ChromaIndex, serving: Serving) -> None:
    """Compare a sample of vectors, and search once per pack, which also loads its index into memory.

    Raises:
        SearchIndexDamaged: a vector differs, or a search finds nothing.
    """
    exact: ExactIndex = serving.exact
    for pack in exact.packs():
        face_ids = sorted(exact.ids(pack) - serving.pending(pack))
        sample, expected = exact.embeddings(pack, face_ids[:: len(face_ids) // SAMPLE + 1])
        if not sample:
            continue
        found = dict(zip(*chroma.embeddings(pack, sample), strict=True))
        if not chroma.nearest(pack, expected[0], 1):
            raise SearchIndexDamaged(f"A search among the faces of {pack} found nothing")
        for face_id, vector in zip(sample, expected, strict=True):
            # A write that came in just now is pending, and the exact index is rightly ahead.
            if not _same(found.get(face_id), vector) and face_id not in serving.pending(pack):
                raise SearchIndexDamaged(f"The search index has another embedding of face {face_id} than the catalogue")


def _same(found: Float32Array | None, expected: Float32Array) -> bool:
    return found is not None and np.allclose(found, expected, atol=1e-6)
