"""Keep the disposable embedding index in step with the catalogue; check and repair it.

The catalogue says what still has to reach the index (`IndexState`). Every step writes to the index first and tells the
catalogue afterwards, so a kill in between repeats the step, and repeating changes nothing.
"""

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from plugin.domain import FaceId
from plugin.ports.catalogue import Catalogue
from plugin.ports.index import EmbeddingIndex

BLOCK = 500
"""Faces moved at once: a few hundred milliseconds of work, one transaction of the catalogue."""

SAMPLE = 100
"""Faces of each pack that `check` searches for by their own embedding."""

FIND_WITHIN = 10
"""A face must be among this many answers to its own embedding; copies of one photo may share the first places."""

SAME = 1e-3
"""Cosine distance below which two embeddings are the same, whatever the index rounds."""

Progress = Callable[[int, int], None]
"""Called with (faces done, faces in all)."""


@dataclass(frozen=True, slots=True)
class PackCheck:
    """How index and catalogue compare for one pack.

    Attributes:
        faces: in the catalogue. missing: of these not in the index. surplus: in the index only.
        searched: faces looked for by their own embedding. astray: of these not found.
    """

    pack: str
    faces: int
    missing: tuple[FaceId, ...] = ()
    surplus: tuple[FaceId, ...] = ()
    searched: int = 0
    astray: tuple[FaceId, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexCheck:
    """What `Indexing.check` found, before it repaired anything."""

    packs: tuple[PackCheck, ...]
    repaired: bool = False

    @property
    def missing(self) -> int:
        """Faces the index lacks."""
        return sum(len(pack.missing) for pack in self.packs)

    @property
    def surplus(self) -> int:
        """Faces only the index has."""
        return sum(len(pack.surplus) for pack in self.packs)

    @property
    def astray(self) -> int:
        """Faces, of those tried, that a search for their own embedding does not find."""
        return sum(len(pack.astray) for pack in self.packs)

    @property
    def findings(self) -> tuple[str, ...]:
        """One sentence per kind of difference and pack, none when catalogue and index agree."""
        return tuple(sentence for pack in self.packs for sentence in _findings(pack))


class Indexing:
    """Moves embeddings from the catalogue to the index, for one caller at a time; others wait."""

    def __init__(self, catalogue: Catalogue, index: EmbeddingIndex) -> None:
        self._state = catalogue.index_state
        self._faces = catalogue.faces
        self._index = index
        # `check` and `rebuild` would misjudge or lose what another thread adds meanwhile.
        self._one_at_a_time = threading.RLock()

    def catch_up(self, limit: int = BLOCK) -> int:
        """Move up to `limit` deletions, else up to `limit` embeddings of each pack; how many. 0: nothing is left.

        All deletions go first: a face that left a pack and came back is in both lists, and has to end up in the index.
        """
        with self._one_at_a_time:
            return self._delete(limit) or sum(self._add(pack, limit) for pack in self._state.packs())

    def check(self, *, repair: bool) -> IndexCheck:
        """Bring the index up to date, compare ids and search for a sample of faces; mend what differs when asked."""
        with self._one_at_a_time:
            while self.catch_up():
                pass
            packs = tuple(self._check_pack(pack) for pack in self._state.packs())
            found = IndexCheck(packs)
            if not repair or not found.findings:
                return found
            for pack in packs:
                self._repair(pack)
            return IndexCheck(packs, repaired=True)

    def rebuild(self, progress: Progress = lambda _done, _total: None) -> int:
        """Empty the index and fill it again; the number of faces. A kill in between is continued by `catch_up`."""
        with self._one_at_a_time:
            # First the catalogue: a kill between the two adds again what is there, the other order would lose it.
            self._state.forget()
            self._index.clear()
            total = sum(len(self._state.face_ids(pack)) for pack in self._state.packs())
            done = 0
            progress(done, total)
            while moved := self.catch_up():
                done += moved
                progress(min(done, total), total)
            return total

    def _delete(self, limit: int) -> int:
        gone = self._state.to_delete(limit)
        for pack in {pack for pack, _ in gone}:
            self._index.delete(pack, [face_id for of_pack, face_id in gone if of_pack == pack])
        if gone:
            self._state.deleted(gone)
        return len(gone)

    def _add(self, pack: str, limit: int) -> int:
        face_ids, embeddings = self._state.to_add(pack, limit)
        if face_ids:
            self._index.add(pack, face_ids, embeddings)
            self._state.added(pack, face_ids)
        return len(face_ids)

    def _check_pack(self, pack: str) -> PackCheck:
        expected, held = self._state.face_ids(pack), self._index.ids(pack)
        both = sorted(expected & held)
        sample = random.sample(both, min(SAMPLE, len(both)))
        return PackCheck(
            pack,
            faces=len(expected),
            missing=tuple(sorted(expected - held)),
            surplus=tuple(sorted(held - expected)),
            searched=len(sample),
            astray=tuple(sorted(face_id for face_id in sample if not self._is_found(pack, face_id))),
        )

    def _is_found(self, pack: str, face_id: FaceId) -> bool:
        neighbours = self._index.nearest(pack, self._faces.embedding(face_id), FIND_WITHIN)
        if len(neighbours) == FIND_WITHIN and neighbours[-1].distance < SAME:
            return True  # so many copies of one photo that this one need not be among them
        return any(found.face_id == face_id and found.distance < SAME for found in neighbours)

    def _repair(self, pack: PackCheck) -> None:
        self._index.delete(pack.pack, [*pack.surplus, *pack.astray])
        wanted = {*pack.missing, *pack.astray}
        for after, limit in _blocks(sorted(wanted)):
            face_ids, embeddings = self._faces.embeddings(pack.pack, after, limit)
            rows = [row for row, face_id in enumerate(face_ids) if face_id in wanted]
            if rows:
                self._index.add(pack.pack, [face_ids[row] for row in rows], embeddings[rows])


def _blocks(face_ids: list[FaceId]) -> Iterator[tuple[FaceId, int]]:
    """(id before, number of ids) of blocks that together cover the faces, none wider than `BLOCK` ids."""
    covered = 0
    for face_id in face_ids:
        if face_id > covered:
            covered = face_id - 1 + BLOCK
            yield face_id - 1, BLOCK


def _findings(pack: PackCheck) -> Iterator[str]:
    if pack.missing:
        yield f"The search index lacks {len(pack.missing)} of {pack.faces} faces of {pack.pack}"
    if pack.surplus:
        yield f"The search index holds {len(pack.surplus)} faces of {pack.pack} that the catalogue does not have"
    if pack.astray:
        yield f"A search did not find {len(pack.astray)} of {pack.searched} faces of {pack.pack} tried"
