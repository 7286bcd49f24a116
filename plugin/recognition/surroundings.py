"""The faces a run has to look at: all of an account, or new ones with what the embedding index finds around them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from plugin.domain import AccountId, FaceId, Float32Array, Neighbour, PersonId, Preferences, VerdictKind
from plugin.faces.grouping import TRUSTED_QUALITY
from plugin.faces.immich import NOBODY
from plugin.faces.known import KnownFaces, KnownPeople
from plugin.faces.regrouping import NEAREST, near_faces, surroundings
from plugin.ports.catalogue import Catalogue
from plugin.ports.faces import BoolArray, IntArray, RecognitionRows
from plugin.ports.index import EmbeddingIndex

SAMPLE = 64
"""Faces that stand for a person who takes part as a whole: their mean is off by 0.01, a tenth of what matters."""

MANY_WAIT = 5
"""When one face in so many waits, nearly all are near one that does; looking for them costs more than it spares."""

ASKED = NEAREST + 10
"""Neighbours asked of the index at first; more when too many of them are of other accounts, ignored or gone."""

MOST_NEIGHBOURS = 2000
"""Asked of the index at most, when nearly all answers are other accounts' faces or of photos that are gone."""


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What one regrouping looks at.

    Attributes:
        face_id: int64 (n,), which faces `faces` are.
        waiting: bool (n,), for recognition.
        quality: float32 (n,), 0..1.
        faces: arrays of n faces.
        people: what has to be respected.
    """

    face_id: IntArray
    waiting: BoolArray
    quality: Float32Array
    faces: KnownFaces
    people: KnownPeople

    def near_waiting(self, maximum_distance: float) -> "Surroundings":
        """Only what the waiting faces can change anything for; everything when many wait."""
        if np.count_nonzero(self.waiting) * MANY_WAIT >= len(self.waiting):
            return self
        rows = surroundings(self.faces, np.flatnonzero(self.waiting), maximum_distance)
        place = {row: i for i, row in enumerate(rows.tolist())}
        rejected = {place[row]: who for row, who in (self.people.rejected or {}).items() if row in place}
        people = replace(self.people, rejected=rejected)
        return Surroundings(self.face_id[rows], self.waiting[rows], self.quality[rows], self.faces.some(rows), people)


class AccountFaces:
    """Reads the faces of one account for the engine, with what users said about them.

    Args:
        catalogue: where the faces are.
        account_id: whose.
        preferences: the values to run with.
    """

    def __init__(self, catalogue: Catalogue, account_id: AccountId, preferences: Preferences) -> None:
        self._catalogue = catalogue
        self._account_id = account_id
        self._preferences = preferences
        self._known: dict[FaceId, tuple[int, int] | None] = {}

    def all(self) -> Surroundings:
        """Every face."""
        rows = self._catalogue.faces.recognition_rows(self._account_id, self._preferences.pack)
        return self._with_verdicts(rows)

    def around(self, face_ids: Sequence[FaceId], index: EmbeddingIndex) -> Surroundings:
        """These faces and what they can change anything for; as `plugin.faces.regrouping.surroundings`, by the index.

        Raises:
            SearchIndexError: the index cannot answer.
        """
        rows, pack = self._catalogue.faces, self._preferences.pack
        new = rows.recognition_rows(self._account_id, pack, face_ids)
        loose: set[FaceId] = set(new.face_id.tolist())
        persons: set[PersonId] = set()
        groups: set[FaceId] = set()
        for face_id, person, group, distance in self._neighbours(new.embedding, index):
            nobodys, who = near_faces(face_id, person, distance, self._preferences.maximum_distance)
            loose.update(nobodys.tolist())
            groups.update(group[np.isin(face_id, nobodys) & (group >= 0)].tolist())
            persons.update(who)
        loose.update(rows.places(self._account_id, pack, group_ids=sorted(groups)).face_id.tolist())
        sampled, totals = rows.samples(self._account_id, pack, sorted(persons), SAMPLE)
        found = rows.recognition_rows(self._account_id, pack, sorted(loose.union(sampled)))
        near = self._with_verdicts(found)
        appearances = rows.appearances(self._account_id, np.unique(found.asset_id).tolist())
        return replace(near, people=replace(near.people, faces=totals, appearances=appearances))

    def _neighbours(
        self, embeddings: Float32Array, index: EmbeddingIndex
    ) -> Iterator[tuple[IntArray, IntArray, IntArray, Float32Array]]:
        """For each face its nearest comparable ones: (face, person, group, distance), nearest first."""
        pack = self._preferences.pack
        answers = [index.nearest(pack, embedding, ASKED) for embedding in embeddings]
        self._places([neighbour.face_id for answer in answers for neighbour in answer[:NEAREST]])  # in one go
        for embedding, answer in zip(embeddings, answers, strict=True):
            found = self._comparable(answer)
            count, more = ASKED, answer
            while len(found) < NEAREST and len(more) == count < MOST_NEIGHBOURS:
                count *= 4
                more = index.nearest(pack, embedding, count)
                found = self._comparable(more)
            near = np.array([neighbour.face_id for neighbour in found], dtype=np.int64)
            places = self._places(near.tolist())
            person, group = np.array([places[i] for i in near.tolist()], dtype=np.int64).reshape(-1, 2).T
            yield near, person, group, np.array([neighbour.distance for neighbour in found], dtype=np.float32)

    def _comparable(self, answer: Sequence[Neighbour]) -> list[Neighbour]:
        """The nearest that are neither other accounts' faces nor of photos that are gone, at most `NEAREST`.

        Where the further ones stand is read only when some of the first are not comparable: half of it all.
        """
        first = [neighbour.face_id for neighbour in answer[:NEAREST]]
        if len(places := self._places(first)) < len(first):
            places = self._places([neighbour.face_id for neighbour in answer])
        return [neighbour for neighbour in answer if neighbour.face_id in places][:NEAREST]

    def _places(self, face_ids: Sequence[FaceId]) -> dict[FaceId, tuple[int, int]]:
        """(person, group) of the comparable ones among these faces; each is read once."""
        if new := [face_id for face_id in face_ids if face_id not in self._known]:
            found = self._catalogue.faces.places(self._account_id, self._preferences.pack, face_ids=new)
            self._known.update(dict.fromkeys(new))
            placed = zip(found.person_id.tolist(), found.group_id.tolist(), strict=True)
            self._known.update(zip(found.face_id.tolist(), placed, strict=True))
        return {face_id: place for face_id in face_ids if (place := self._known[face_id]) is not None}

    def _with_verdicts(self, rows: RecognitionRows) -> Surroundings:
        row_of = {face_id: row for row, face_id in enumerate(rows.face_id.tolist())}
        kept: set[PersonId] = set(self._catalogue.people.kept(self._account_id))
        rejected: dict[int, set[PersonId]] = {}
        for verdict in self._catalogue.verdicts.all(self._account_id):
            if verdict.kind is VerdictKind.IS_NOT_PERSON and verdict.face_id in row_of and verdict.person_id:
                rejected.setdefault(row_of[verdict.face_id], set()).add(verdict.person_id)
        faces = KnownFaces(
            rows.embedding,
            rows.asset_id,
            rows.person_id,
            np.where(rows.by_user, rows.person_id, NOBODY),
            rows.group_id,
            rows.taken_at,
            rows.quality >= TRUSTED_QUALITY,
            rows.quality,
        )
        births = self._catalogue.people.birth_dates(self._account_id)
        return Surroundings(
            rows.face_id, rows.waiting, rows.quality, faces, KnownPeople(kept, birth_dates=births, rejected=rejected)
        )
