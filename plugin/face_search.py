"""Who is like whom: the faces and people nearest to a face of the album, or to a picture somebody brings along."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from plugin.detection import DetectionLimits, find_faces
from plugin.domain import AccountId, Face, FaceId, FaceState, Float32Array, FoundFace, PersonId, Preferences
from plugin.errors import PackUnavailable, SearchIndexError
from plugin.ports.catalogue import Catalogue
from plugin.ports.index import EmbeddingIndex
from plugin.ports.vision import FaceModels, Media

MOST_LOOKED_AT = 2000
"""The index holds the faces of all accounts: so many neighbours are gone through to find those of one."""

FACES_BEHIND_PEOPLE = 60
"""Neighbours from which likely people are taken: a few large families of photos must not hide everybody else."""


@dataclass(frozen=True, slots=True, eq=False)
class AlikeFace:
    """A face of the account and its cosine distance, 0..2."""

    face: Face
    distance: float


@dataclass(frozen=True, slots=True)
class LikelyPerson:
    """Somebody of the account and the distance of their nearest face."""

    person_id: PersonId
    distance: float


class FaceSearch:
    """Searches by face. Nothing is stored.

    Args:
        catalogue: whose faces may be shown to whom.
        index: finds neighbours; opened when it is needed.
        preferences: the pack and the score in force.
        models: for pictures that are brought along.
        media: decodes them, within its limits.
        limits: how pictures are looked at.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        index: Callable[[], EmbeddingIndex],
        preferences: Callable[[], Preferences],
        models: FaceModels,
        media: Media,
        limits: DetectionLimits,
    ) -> None:
        self._catalogue = catalogue
        self._index = index
        self._preferences = preferences
        self._models = models
        self._media = media
        self._limits = limits

    def faces_in(self, picture: IO[bytes]) -> list[FoundFace]:
        """The faces of a picture, left to right.

        Raises:
            PictureError: it is no picture, or too large.
            ModelError: the model pack is not on this machine yet; it is not fetched while somebody waits.
        """
        preferences = self._preferences()
        if not self._models.installed(preferences.pack):
            raise PackUnavailable("The model that knows faces is not on this machine yet", "Scan some photos first")
        decoded = self._media.photo(cast(BinaryIO, picture), self._limits.working_long_side)
        model = self._models.load(preferences.pack)
        found = find_faces(decoded, model, self._media, preferences.minimum_score, self._limits.long_side)
        return sorted(found, key=lambda face: face.box.x + face.box.w / 2)

    def like(self, account_id: AccountId, embedding: Float32Array, count: int) -> list[AlikeFace]:
        """The nearest faces of the account to an embedding of the pack in use; faces taken away are left out.

        Raises:
            SearchIndexError: the index cannot answer now.
        """
        return self._nearest(account_id, self._preferences().pack, embedding, count)

    def like_face(self, account_id: AccountId, face_id: FaceId, count: int) -> list[AlikeFace]:
        """The nearest other faces of the account to one of its faces.

        Raises:
            NotFound: another account's face.
            SearchIndexError: the index cannot answer now.
        """
        face = self._catalogue.faces.get(face_id, account_id)
        embedding = self._catalogue.faces.embedding(face_id)
        near = self._nearest(account_id, face.pack, embedding, count + 1)
        return [alike for alike in near if alike.face.id != face_id][:count]

    def likely_people(self, account_id: AccountId, face_id: FaceId, count: int) -> list[LikelyPerson]:
        """Who a face may be, the most likely first; those it is not (a user said so) are left out.

        Nobody when the index cannot answer: likely people are a help, not the only way.

        Raises:
            NotFound: another account's face.
        """
        try:
            near = self.like_face(account_id, face_id, FACES_BEHIND_PEOPLE)
        except SearchIndexError:
            return []
        refused = self._catalogue.verdicts.rejected_persons(face_id)
        return [person for person in people_of(near) if person.person_id not in refused][:count]

    def _nearest(self, account_id: AccountId, pack: str, embedding: Float32Array, count: int) -> list[AlikeFace]:
        wanted = 2 * count
        while True:
            near = self._index().nearest(pack, embedding, wanted)
            faces = {face.id: face for face in self._catalogue.faces.many([neighbour.face_id for neighbour in near])}
            mine = [
                AlikeFace(faces[neighbour.face_id], neighbour.distance)
                for neighbour in near
                if neighbour.face_id in faces and _shown(faces[neighbour.face_id], account_id)
            ]
            if len(mine) >= count or len(near) < wanted or wanted >= MOST_LOOKED_AT:
                return mine[:count]
            wanted *= 4


def people_of(near: list[AlikeFace]) -> list[LikelyPerson]:
    """The people these faces belong to, each with the distance of the nearest; nearest first."""
    nearest: dict[PersonId, float] = {}
    for alike in near:
        if alike.face.person_id is not None:
            nearest.setdefault(alike.face.person_id, alike.distance)
    return [LikelyPerson(person_id, distance) for person_id, distance in nearest.items()]


def _shown(face: Face, account_id: AccountId) -> bool:
    return face.account_id == account_id and face.state is not FaceState.IGNORED
