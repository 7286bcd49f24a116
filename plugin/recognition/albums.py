"""The faces of one account, compared with each other: in memory, or through the embedding index."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeAlias

import numpy as np

from plugin.domain import AccountId, Face, FaceId, FaceState, Neighbour, PersonId, Preferences, VerdictKind
from plugin.faces.immich import NOBODY, Action, Decision, Rules, barred_persons, decide, take_turns, within
from plugin.ports.catalogue import Catalogue
from plugin.ports.faces import RecognitionRows
from plugin.ports.index import EmbeddingIndex

FEWEST_NEIGHBOURS = 100
"""Asked of the index at first: other accounts' faces and those of absent photos are among them and fall out."""

Found: TypeAlias = Callable[[FaceId], PersonId]
"""Makes the person that a face founds."""

Turn: TypeAlias = tuple[FaceId, Decision]


class Album(Protocol):
    """The faces of one account, able to give some of them their turn."""

    def knows(self, faces: Sequence[Face]) -> bool:
        """Whether all of these can be given a turn."""
        ...

    def turns(self, faces: Sequence[Face], found: Found, *, deferred: bool) -> Iterator[Turn]:
        """Decide these faces, in this order; unknown ones are passed over.

        Raises:
            SearchIndexError: the index cannot answer.
            NotFound: a face is gone.
        """
        ...


@dataclass(frozen=True, slots=True)
class AccountRules:
    """What holds for one account during a run."""

    preferences: Preferences
    birth_dates: Mapping[PersonId, date]
    rejected: Mapping[FaceId, set[PersonId]]

    @classmethod
    def read(cls, catalogue: Catalogue, account_id: AccountId, preferences: Preferences) -> "AccountRules":
        """Collect what the catalogue says: birth dates, and verdicts that a face is not a person."""
        rejected: dict[FaceId, set[PersonId]] = {}
        for verdict in catalogue.verdicts.all(account_id):
            if verdict.kind is VerdictKind.IS_NOT_PERSON and verdict.face_id is not None and verdict.person_id:
                rejected.setdefault(verdict.face_id, set()).add(verdict.person_id)
        return cls(preferences, catalogue.people.birth_dates(account_id), rejected)


class InMemory:
    """Compares all faces of an account as arrays; right whatever the state of the index."""

    def __init__(self, rows: RecognitionRows, rules: AccountRules) -> None:
        self._row_of = {face_id: row for row, face_id in enumerate(rows.face_id.tolist())}
        self._face_id = rows.face_id
        self._person = np.where(rows.person_id < 0, NOBODY, rows.person_id).astype(np.int64)
        self._search = within(rows.embedding, rules.preferences.maximum_distance)
        self._rules = Rules(
            rules.preferences.minimum_faces,
            rules.preferences.maximum_distance,
            birth_dates=rules.birth_dates,
            taken_at=rows.taken_at,
            rejected={self._row_of[face]: persons for face, persons in rules.rejected.items() if face in self._row_of},
        )

    def knows(self, faces: Sequence[Face]) -> bool:
        """See `Album.knows`: whether all of these were there when the rows were read."""
        return all(face.id in self._row_of for face in faces)

    def turns(self, faces: Sequence[Face], found: Found, *, deferred: bool) -> Iterator[Turn]:
        """See `Album.turns`."""
        rows = [self._row_of[face.id] for face in faces if face.id in self._row_of]
        self._person[rows] = NOBODY  # they wait for a turn, so they belong to nobody, whatever an older slice thought

        def founded_by(row: int) -> PersonId:
            return found(int(self._face_id[row]))

        for row, decision in take_turns(rows, self._person, self._search, self._rules, founded_by, deferred=deferred):
            yield int(self._face_id[row]), decision


class ByIndex:
    """Asks the embedding index for the neighbours of each face, and the catalogue for who they are."""

    def __init__(self, catalogue: Catalogue, index: EmbeddingIndex, account_id: AccountId, rules: AccountRules) -> None:
        self._catalogue = catalogue
        self._index = index
        self._account_id = account_id
        self._rules = rules

    def knows(self, faces: Sequence[Face]) -> bool:  # noqa: ARG002 - the port's name; the index is asked anew each time
        """See `Album.knows`."""
        return True

    def turns(self, faces: Sequence[Face], found: Found, *, deferred: bool) -> Iterator[Turn]:
        """See `Album.turns`."""
        preferences = self._rules.preferences
        decided: dict[FaceId, PersonId] = {}  # not yet in the catalogue
        for face in faces:
            near = self._neighbours(face, decided)
            decision = decide(
                np.array([0.0, *(distance for distance, _ in near)], dtype=np.float32),
                np.array([NOBODY, *(person for _, person in near)], dtype=np.int64),
                minimum_faces=preferences.minimum_faces,
                maximum_distance=preferences.maximum_distance,
                deferred=deferred,
            )
            if decision.action is Action.FOUND:
                decision = Decision(Action.FOUND, found(face.id))
            if decision.person is not None:
                decided[face.id] = decision.person
            yield face.id, decision

    def _neighbours(self, face: Face, decided: Mapping[FaceId, PersonId]) -> list[tuple[float, PersonId]]:
        """(distance, person) of the faces it may be compared with, nearest first, without the face itself."""
        preferences = self._rules.preferences
        embedding = self._catalogue.faces.embedding(face.id)
        count = max(FEWEST_NEIGHBOURS, 4 * preferences.minimum_faces)
        while True:
            answer = self._index.nearest(preferences.pack, embedding, count)
            near = [n for n in answer if n.distance <= preferences.maximum_distance and n.face_id != face.id]
            allowed = self._allowed(face, near, decided)
            settled = len(allowed) >= preferences.minimum_faces and any(person != NOBODY for _, person in allowed)
            if settled or len(near) < len(answer) - 1 or len(answer) < count:
                return allowed
            count *= 4

    def _allowed(
        self, face: Face, near: Sequence[Neighbour], decided: Mapping[FaceId, PersonId]
    ) -> list[tuple[float, PersonId]]:
        taken_on = face.taken_at.date() if face.taken_at else None
        barred = barred_persons(taken_on, self._rules.birth_dates, self._rules.rejected.get(face.id, ()))
        distance = {neighbour.face_id: neighbour.distance for neighbour in near}
        allowed: list[tuple[float, PersonId]] = []
        for other in self._catalogue.faces.many(list(distance)):
            person = decided.get(other.id, NOBODY if other.person_id is None else other.person_id)
            if self._comparable(other) and person not in barred:
                allowed.append((distance[other.id], person))
        return allowed

    def _comparable(self, other: Face) -> bool:
        same_kind = other.account_id == self._account_id and other.pack == self._rules.preferences.pack
        return same_kind and other.state is not FaceState.IGNORED
