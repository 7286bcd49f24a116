"""A run of the default engine: what is new is regrouped with its surroundings, and all of it is stored at once."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from plugin.domain import AccountId, AssetId, FaceId, FaceState, PersonId, Preferences
from plugin.errors import SearchIndexError
from plugin.faces.immich import NOBODY
from plugin.faces.regrouping import WHOLE_FROM, Regrouped, regroup
from plugin.faces.typicality import by_typicality
from plugin.ports.catalogue import Catalogue
from plugin.ports.index import EmbeddingIndex
from plugin.recognition.runs import FACES_PER_SEARCH, IN_MEMORY_FROM, SLICE, TRIES, RecognitionSummary
from plugin.recognition.surroundings import AccountFaces, Surroundings

log = logging.getLogger(__name__)


class Regrouping:
    """Gives every waiting face a person or a group, account by account.

    Args:
        catalogue: the faces, and where decisions go.
        index: finds the neighbours of single faces.
        preferences: the values to run with.
        slice_lock: held while one part is decided and written.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        index: EmbeddingIndex,
        preferences: Preferences,
        slice_lock: AbstractContextManager[object],
    ) -> None:
        self._catalogue = catalogue
        self._index = index
        self._preferences = preferences
        self._slice_lock = slice_lock
        self._tries: Counter[FaceId] = Counter()
        self._assigned = self._founded = self._unassigned = 0

    def to_the_end(self, should_stop: Callable[[], bool], progress: Callable[[int, int], None]) -> RecognitionSummary:
        """Take waiting faces until none is left; see `Recognition.run`."""
        total = sum(self._waiting(account.id) for account in self._catalogue.accounts.all())
        while not should_stop():
            with self._slice_lock:
                more = self._next()
            if not more:
                return self._summary(stopped=False)
            decided = self._assigned + self._unassigned
            progress(decided, max(total, decided))
        return self._summary(stopped=True)

    def from_scratch(self, account_id: AccountId) -> None:
        """Regroup every face of an account from what users said alone."""
        with self._slice_lock:
            everything = AccountFaces(self._catalogue, account_id, self._preferences).all()
            self._regroup(account_id, everything, from_scratch=True)

    def around(self, account_id: AccountId, face_ids: Sequence[FaceId]) -> None:
        """Give faces of nobody to the person a user just said these faces are, where that decides it.

        Other people stay as they are: that two are one is for the user to say.


        Raises:
            SearchIndexError: the index cannot answer.
        """
        with self._slice_lock:
            near = AccountFaces(self._catalogue, account_id, self._preferences).around(face_ids, self._index)
            self._regroup(account_id, near, whole_from=1)

    def meet(self, account_id: AccountId, asset_ids: Sequence[AssetId]) -> int:
        """Give waiting faces of these photos to people there are already; returns how many. Nothing else changes.

        Raises:
            SearchIndexError: the index cannot answer.
        """
        with self._slice_lock:
            faces = [face for asset_id in asset_ids for face in self._catalogue.faces.of_asset(asset_id, account_id)]
            new = [face.id for face in faces if face.state is FaceState.PENDING]
            near = AccountFaces(self._catalogue, account_id, self._preferences).around(new, self._index)
            if not len(near.faces):
                return 0
            done = self._grouped(near, whole_from=1)
            met = np.isin(near.face_id[done.rows], new) & near.waiting[done.rows] & (done.person > NOBODY)
            self._store(
                account_id, near, replace(done, rows=done.rows[met], person=done.person[met], group=done.group[met])
            )
            return int(np.count_nonzero(met))

    def look_again(self, account_id: AccountId) -> int:
        """Regroup people with faces recognised since the last time, face by face; returns how many those are."""
        key, started = f"looked_again.{account_id}", datetime.now(UTC)
        since = self._catalogue.preferences.get(key)
        changed = self._catalogue.faces.recognised_since(account_id, datetime.fromisoformat(since) if since else None)
        if changed:
            with self._slice_lock:
                everything = AccountFaces(self._catalogue, account_id, self._preferences).all()
                look = replace(everything, waiting=np.isin(everything.face_id, changed))
                near = look.near_waiting(self._preferences.maximum_distance)
                self._regroup(account_id, near, whole_from=None)
        self._catalogue.preferences.set(key, started.isoformat())
        return len(changed)

    def _summary(self, *, stopped: bool) -> RecognitionSummary:
        return RecognitionSummary(self._assigned, self._founded, self._unassigned, stopped=stopped)

    def _next(self) -> bool:
        """Decide one part of what waits; False when nothing does."""
        waiting = [
            face
            for state in (FaceState.PENDING, FaceState.DEFERRED)
            for face in self._catalogue.faces.to_recognise(self._preferences.pack, state, SLICE)
        ]
        if not waiting:
            return False
        account_id = waiting[0].account_id
        face_ids = [face.id for face in waiting if face.account_id == account_id][:SLICE]
        self._tries.update(face_ids)
        if hopeless := [face_id for face_id in face_ids if self._tries[face_id] > TRIES]:
            log.warning("%d faces could not be given a person and are left unassigned", len(hopeless))
            self._catalogue.faces.set_state(hopeless, FaceState.UNASSIGNED)
            return all(self._tries[face_id] <= TRIES + 1 for face_id in hopeless)
        self._take_in(account_id, face_ids)
        return True

    def _take_in(self, account_id: AccountId, face_ids: Sequence[FaceId]) -> None:
        faces = AccountFaces(self._catalogue, account_id, self._preferences)
        if not self._many_wait(account_id):
            try:
                self._regroup(account_id, faces.around(face_ids, self._index))
            except SearchIndexError as error:
                log.warning("Recognition goes on without the embedding index: %s", error.explanation)
            else:
                return
        self._regroup(account_id, faces.all().near_waiting(self._preferences.maximum_distance))

    def _regroup(
        self,
        account_id: AccountId,
        look: Surroundings,
        *,
        whole_from: int | None = WHOLE_FROM,
        from_scratch: bool = False,
    ) -> None:
        if len(look.faces):
            self._store(account_id, look, self._grouped(look, whole_from=whole_from, from_scratch=from_scratch))

    def _grouped(self, look: Surroundings, *, whole_from: int | None, from_scratch: bool = False) -> Regrouped:
        return regroup(
            look.faces,
            look.people,
            maximum_distance=self._preferences.maximum_distance,
            minimum_faces=self._preferences.minimum_faces,
            linking=self._preferences.linking,
            whole_from=whole_from,
            from_scratch=from_scratch,
        )

    def _store(self, account_id: AccountId, look: Surroundings, done: Regrouped) -> None:
        groups = np.where(done.group >= 0, look.face_id[done.group], -1)
        face_ids = look.face_id[done.rows]
        founded = self._catalogue.faces.regroup(account_id, face_ids, done.person, groups)
        self._founded += len(founded)
        self._show_typical_faces(account_id, look, done, founded)
        now = done.person[look.waiting[done.rows]]
        self._assigned += int(np.count_nonzero(now != NOBODY))
        self._unassigned += int(np.count_nonzero(now == NOBODY))

    def _show_typical_faces(
        self, account_id: AccountId, look: Surroundings, done: Regrouped, founded: Mapping[int, PersonId]
    ) -> None:
        """Choose anew which face stands for the people whose faces changed."""
        now = look.faces.person.copy()
        now[done.rows] = done.person
        changed = np.unique(now[(now != look.faces.person) & (now != NOBODY)])
        typical: dict[PersonId, FaceId] = {}
        for person in changed.tolist():
            rows = np.flatnonzero(now == person)
            best = by_typicality(look.faces.embedding[rows], look.quality[rows])[0]
            typical[founded.get(person, person)] = int(look.face_id[rows[best]])
        self._catalogue.people.set_typical_faces(account_id, typical)

    def _waiting(self, account_id: AccountId) -> int:
        states = self._catalogue.faces.state_counts(account_id)
        return states[FaceState.PENDING] + states[FaceState.DEFERRED]

    def _many_wait(self, account_id: AccountId) -> bool:
        """Whether comparing in memory is cheaper, or needed because the index lacks faces."""
        waiting = self._waiting(account_id)
        everything = sum(self._catalogue.faces.state_counts(account_id).values())
        cheaper = waiting > IN_MEMORY_FROM or waiting * FACES_PER_SEARCH >= everything
        return cheaper or bool(self._catalogue.index_state.to_add(self._preferences.pack, 1)[0])
