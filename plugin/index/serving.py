"""Who answers for the embedding index at this moment, and what the index on disk still lacks. Thread-safe.

While the exact index answers, writes go to it, and the ids are remembered as *pending*: whatever the exact index then
says about a pending face is copied to disk, so neither order nor repetition matters.
"""

import threading
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from plugin.domain import FaceId, Float32Array
from plugin.errors import SearchIndexDamaged, SearchIndexError
from plugin.index.chroma import BATCH, ChromaIndex
from plugin.index.exact import ExactIndex
from plugin.ports.faces import IndexState
from plugin.ports.index import IndexStatus
from plugin.sentences import Sentence

Answer = TypeVar("Answer")


class Stopped(Exception):
    """The index was closed; ends the thread, and is no error."""


class Batch(NamedTuple):
    """Pending faces of one pack: those `present` with their embeddings, the others of `face_ids` were deleted."""

    pack: str
    face_ids: list[FaceId]
    present: list[FaceId]
    embeddings: Float32Array

    @property
    def deleted(self) -> list[FaceId]:
        """Those to delete."""
        return sorted(set(self.face_ids) - set(self.present))


class Serving:
    """Passes questions to Chroma, else to the exact index, else waits until there is one.

    Args:
        index_state: keeps the dirty flag.
        on_damage: called once, under the lock, after Chroma failed and was put aside; has to provide an exact index.
        on_retry: called when somebody asks although the catalogue could not be read.
    """

    def __init__(
        self,
        index_state: IndexState,
        on_damage: Callable[[ChromaIndex, SearchIndexDamaged], None],
        on_retry: Callable[[], None],
    ) -> None:
        self._index_state = index_state
        self._on_damage = on_damage
        self._on_retry = on_retry
        self._changed = threading.Condition()  # guards everything below
        self._chroma: ChromaIndex | None = None
        self._exact: ExactIndex | None = None
        self._pending: dict[str, set[FaceId]] = {}
        self._status = IndexStatus("opening")
        self._marked_dirty = False
        self._closed = False
        self._load_error: Exception | None = None

    @property
    def status(self) -> IndexStatus:
        """See `IndexStatus`."""
        with self._changed:
            return self._status

    def say(self, status: IndexStatus) -> None:
        """Set the status."""
        with self._changed:
            self._status = status
            self._changed.notify_all()

    def wait_until_settled(self, timeout: float | None) -> IndexStatus:
        """Wait until nothing goes on in the background."""
        with self._changed:
            self._changed.wait_for(self._settled, timeout)
            return self._status

    def ask(self, question: Callable[[ChromaIndex | ExactIndex], Answer]) -> Answer:
        """Ask whoever answers, waiting for the catalogue to be read if need be (2.5 seconds per 100,000 faces).

        One question at a time: Chroma lets readers wait for writers anyway, and nothing is swapped under a reader.

        Raises:
            SearchIndexError: closed, or the catalogue cannot be read.
        """
        with self._changed:
            while not self._closed:
                if self._chroma is not None:
                    try:
                        return question(self._chroma)
                    except SearchIndexDamaged as error:
                        chroma, self._chroma = self._chroma, None
                        self._on_damage(chroma, error)
                elif self._exact is not None:
                    return question(self._exact)
                elif self._load_error is not None:
                    error_before, self._load_error = self._load_error, None
                    self._on_retry()
                    raise SearchIndexError(
                        f"The faces could not be read from the catalogue ({error_before})", "Try again in a moment."
                    ) from error_before
                else:
                    self._changed.wait()
            raise SearchIndexError("The search index is closed")

    def change(self, pack: str, face_ids: list[FaceId], change: Callable[[ChromaIndex | ExactIndex], None]) -> None:
        """Ask for a change of these faces, and remember them when the index on disk was not there to take it."""

        def apply(index: ChromaIndex | ExactIndex) -> None:
            if index is self._exact:
                self.mark_dirty()
                self.add_pending(pack, set(face_ids))
            change(index)

        with self._changed:
            self.ask(apply)

    def clear(self) -> None:
        """Remove every face."""

        def apply(index: ChromaIndex | ExactIndex) -> None:
            if index is self._exact:
                self.mark_dirty()
                self.add_all_pending()
            index.clear()

        with self._changed:
            self.ask(apply)

    def mark_dirty(self) -> None:
        """Note in the catalogue that the index on disk must not be trusted before the next `hand_over`."""
        with self._changed:
            if not self._marked_dirty:
                self._index_state.set_dirty(dirty=True)
                self._marked_dirty = True

    def add_pending(self, pack: str, face_ids: set[FaceId]) -> None:
        """These faces have to be copied from the exact index to the one on disk."""
        with self._changed:
            self._pending.setdefault(pack, set()).update(face_ids)
            self._changed.notify_all()

    def add_all_pending(self) -> None:
        """Every face has to be copied."""
        with self._changed:
            for pack in self.exact.packs():
                self.add_pending(pack, self.exact.ids(pack))

    def pending(self, pack: str) -> set[FaceId]:
        """Faces of the pack that still have to be copied."""
        with self._changed:
            return set(self._pending.get(pack, ()))

    def wait_for_changes(self) -> None:
        """Wait until something has to be copied."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._closed)

    @property
    def exact(self) -> ExactIndex:
        """The exact index; only for the thread that hands over, which is the only one to drop it."""
        with self._changed:
            if self._exact is None:
                raise SearchIndexError("There is no exact index")
            return self._exact

    @property
    def has_exact(self) -> bool:
        """Whether the exact index was loaded."""
        with self._changed:
            return self._exact is not None

    def serve_exact(self, exact: ExactIndex) -> None:
        """From now on the exact index answers."""
        with self._changed:
            self._exact = exact
            self._changed.notify_all()

    def cannot_load(self, error: Exception) -> None:
        """The catalogue could not be read: tell one who asks, then try again."""
        with self._changed:
            self._load_error = error
            self.say(
                IndexStatus(
                    "opening",
                    message=Sentence("The faces could not be read from the catalogue: %(why)s", why=str(error)),
                )
            )
            self._changed.notify_all()

    def take_batch(self) -> Batch | None:
        """Some pending faces, no longer pending; None when there are none."""
        with self._changed:
            self.stop_if_closed()
            pack = next((pack for pack, ids in self._pending.items() if ids), None)
            if pack is None:
                return None
            face_ids = sorted(self._pending[pack])[:BATCH]
            self._pending[pack].difference_update(face_ids)
            return Batch(pack, face_ids, *self.exact.embeddings(pack, face_ids))

    def counts(self) -> tuple[int, int]:
        """Faces that are not pending, and all."""
        with self._changed:
            total = sum(len(self.exact.ids(pack)) for pack in self.exact.packs())
            return max(0, total - sum(map(len, self._pending.values()))), total

    def hand_over(self, chroma: ChromaIndex) -> bool:
        """Let Chroma answer and drop the exact index, unless something is still pending."""
        with self._changed:
            self.stop_if_closed()
            if any(self._pending.values()):
                return False
            self._index_state.set_dirty(dirty=False)
            self._marked_dirty = False
            self._pending = {}
            self._chroma, self._exact = chroma, None
            self.say(IndexStatus("ready"))
            return True

    def stop_if_closed(self) -> None:
        """Raises `Stopped` when the index was closed."""
        with self._changed:
            if self._closed:
                raise Stopped

    def _settled(self) -> bool:
        ready = self._status.state == "ready" and not any(self._pending.values())
        return ready or self._status.state == "exact" or self._load_error is not None or self._closed

    def close(self) -> None:
        """Answer nobody any more; the thread stops at the next batch."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def release(self) -> None:
        """Close what is open."""
        with self._changed:
            chroma, self._chroma, self._exact = self._chroma, None, None
            if chroma is not None:
                chroma.close()
