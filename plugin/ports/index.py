"""The port to the embedding index: a disposable copy of the catalogue's embeddings that answers "who is near?"."""

from dataclasses import dataclass
from typing import Literal, Protocol

from plugin.domain import FaceId, Float32Array, Neighbour
from plugin.sentences import Sentence

STANDS = {
    "opening": Sentence("The search index is being opened."),
    "ready": Sentence("The search index is ready."),
    "rebuilding": Sentence("The search index is being rebuilt."),
    "exact": Sentence("Faces are searched without the index on disk."),
}
"""How the index stands, by `IndexStatus.state`, where there is nothing more to say."""

ELSEWHERE = Sentence("The search index is looked after by the separate worker.")


class EmbeddingIndex(Protocol):
    """Nearest neighbours by cosine distance within one pack. Thread-safe. Never the only copy of anything."""

    def add(self, pack: str, face_ids: list[FaceId], embeddings: Float32Array) -> None:
        """Add or replace; embeddings are float32 (n, d), unit length. Repeating the call changes nothing."""
        ...

    def delete(self, pack: str, face_ids: list[FaceId]) -> None:
        """Remove; ids that are not there are ignored."""
        ...

    def nearest(self, pack: str, embedding: Float32Array, count: int) -> list[Neighbour]:
        """Up to `count` faces, nearest first, the face itself included when it was added. Approximate answers allowed.

        Raises:
            SearchIndexDamaged: rebuild it.
        """
        ...

    def ids(self, pack: str) -> set[FaceId]:
        """Every face id the index holds for the pack (for `check`)."""
        ...

    def clear(self) -> None:
        """Remove everything, whatever state the store is in."""
        ...

    def close(self) -> None:
        """Flush and release the store. Safe to call twice."""
        ...


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """How the index stands, for the Status page.

    Attributes:
        state: `opening` (exact search answers while the index on disk is looked at), `ready`, `rebuilding` (exact
            search answers), `exact` (the index on disk cannot be used; exact search goes on answering).
        done: faces copied so far, of `total`; both 0 unless something is being copied.
        message: one or two sentences for a person; "" when there is nothing to say.
    """

    state: Literal["opening", "ready", "rebuilding", "exact"]
    done: int = 0
    total: int = 0
    message: str = ""

    @property
    def sentence(self) -> str:
        """The message, or what there is to say without one."""
        return self.message or STANDS[self.state]
