"""Who and what looks like a person: people to merge with, and faces of nobody that may be this person, too.

Worked out when somebody asks, in two looks: one face stands for everybody (a few megabytes, one query), then the few
nearest are compared by the mean of several.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from plugin.domain import AccountId, FaceId, Float32Array, Person, PersonId, Preferences
from plugin.ports.catalogue import Catalogue

SAMPLE = 8
"""Faces whose mean stands for a person."""

MOST_UNASSIGNED = 4000
"""Faces of nobody that are compared, those of best quality: 8 MB of embeddings."""

SURELY, PERHAPS = 0.85, 1.2
"""Times the maximum recognition distance: what is called very alike, and what is worth showing at all."""

SEARCHED = 200
"""People found by name that are sorted by likeness."""


@dataclass(frozen=True, slots=True)
class LikePerson:
    """Somebody, and how far away they look: cosine distance of the means, 0..2, None without comparable faces."""

    person: Person
    distance: float | None
    very_alike: bool


@dataclass(frozen=True, slots=True)
class LikeFace:
    """A face of nobody, and its cosine distance to the mean of the person, 0..2."""

    face_id: FaceId
    distance: float


class Likeness:
    """Compares people by their faces.

    Args:
        catalogue: where everything is.
        preferences: the pack and the distance in force.
    """

    def __init__(self, catalogue: Catalogue, preferences: Callable[[], Preferences]) -> None:
        self._catalogue = catalogue
        self._preferences = preferences

    def people(self, account_id: AccountId, person_id: PersonId, search: str = "", limit: int = 60) -> list[LikePerson]:
        """Everybody else (whose name fits the search), hidden people too, those first that look most alike.

        Raises:
            NotFound: there is no such person.
        """
        self._catalogue.people.get(person_id, account_id)
        mean = self._means(account_id, [person_id]).get(person_id)
        found = self._named(account_id, search) if search else self._nearest(account_id, mean, limit + 1)
        found = [person for person in found if person.id != person_id]
        distances = self._distances(account_id, mean, [person.id for person in found])
        near = SURELY * self._preferences().maximum_distance
        alike = [
            LikePerson(person, distances.get(person.id), distances.get(person.id, 2.0) <= near) for person in found
        ]
        alike.sort(key=lambda one: 3.0 if one.distance is None else one.distance)
        return alike[:limit]

    def faces(self, account_id: AccountId, person_id: PersonId, limit: int = 24) -> list[LikeFace]:
        """Faces of nobody that look like the person, nearest first; none on photos where the person is already.

        Raises:
            NotFound: there is no such person.
        """
        self._catalogue.people.get(person_id, account_id)
        mean = self._means(account_id, [person_id]).get(person_id)
        rows = self._catalogue.person_photos
        face_ids, embeddings = rows.unassigned(account_id, self._preferences().pack, MOST_UNASSIGNED)
        if mean is None or not face_ids:
            return []
        distance = 1 - embeddings @ mean
        refused = rows.rejected(person_id, account_id)
        order = [row for row in np.argsort(distance, kind="stable").tolist() if face_ids[row] not in refused]
        far = PERHAPS * self._preferences().maximum_distance
        found = [LikeFace(face_ids[row], float(distance[row])) for row in order[: 3 * limit] if distance[row] <= far]
        return self._elsewhere(account_id, person_id, found)[:limit]

    def _elsewhere(self, account_id: AccountId, person_id: PersonId, found: list[LikeFace]) -> list[LikeFace]:
        """Nobody is on one photo twice."""
        asset_of = {face.id: face.asset_id for face in self._catalogue.faces.many([one.face_id for one in found])}
        there = self._catalogue.faces.appearances(account_id, sorted(set(asset_of.values())))
        theirs = {asset for asset, person in there.tolist() if person == person_id}
        return [one for one in found if one.face_id in asset_of and asset_of[one.face_id] not in theirs]

    def _named(self, account_id: AccountId, search: str) -> list[Person]:
        return self._catalogue.people.all(account_id, include_hidden=True, search=search, limit=SEARCHED)

    def _nearest(self, account_id: AccountId, mean: Float32Array | None, limit: int) -> list[Person]:
        """By one face each; people without comparable faces fill up what is left."""
        found: list[Person] = []
        if mean is not None:
            person_ids, embeddings = self._catalogue.person_photos.typical(account_id, self._preferences().pack)
            order = np.argsort(-(embeddings @ mean), kind="stable")[:limit].tolist()
            found = self._catalogue.people.existing(account_id, [person_ids[row] for row in order])
        if len(found) < limit:
            known = {person.id for person in found}
            others = self._catalogue.people.all(account_id, include_hidden=True, limit=limit)
            found += [person for person in others if person.id not in known]
        return found

    def _distances(
        self, account_id: AccountId, mean: Float32Array | None, person_ids: Sequence[PersonId]
    ) -> dict[PersonId, float]:
        if mean is None:
            return {}
        return {who: 1 - float(theirs @ mean) for who, theirs in self._means(account_id, person_ids).items()}

    def _means(self, account_id: AccountId, person_ids: Sequence[PersonId]) -> dict[PersonId, Float32Array]:
        """Of each with comparable faces the mean of some of them, unit length."""
        pack = self._preferences().pack
        face_ids, _ = self._catalogue.faces.samples(account_id, pack, person_ids, SAMPLE)
        rows = self._catalogue.faces.recognition_rows(account_id, pack, face_ids)
        means: dict[PersonId, Float32Array] = {}
        for person_id in set(rows.person_id.tolist()):
            mean = rows.embedding[rows.person_id == person_id].mean(axis=0)
            means[person_id] = mean / max(float(np.linalg.norm(mean)), 1e-9)
        return means
