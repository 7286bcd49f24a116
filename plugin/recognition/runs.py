"""One run of recognition: slice by slice, each decided as a whole and written so that a kill -9 changes nothing."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby

from plugin.domain import AccountId, AssignedBy, Face, FaceId, FaceState, PersonId, Preferences
from plugin.errors import NotFound, SearchIndexError
from plugin.faces.immich import Action
from plugin.ports.catalogue import Catalogue
from plugin.ports.index import EmbeddingIndex
from plugin.recognition.albums import AccountRules, Album, ByIndex, InMemory, Turn

log = logging.getLogger(__name__)

SLICE = 250
"""Faces decided and written together: what a kill -9 makes us decide again, and how long a stop waits."""

IN_MEMORY_FROM = 2000
"""With more waiting faces than this an account is compared in memory, however large it is."""

FACES_PER_SEARCH = 200
"""One search through the index takes about as long as loading this many faces into memory."""

TRIES = 3
"""So often a slice is decided anew when the catalogue changed under it; then its faces wait for the nightly run."""


@dataclass(frozen=True, slots=True)
class RecognitionSummary:
    """What a run did.

    Attributes:
        assigned: faces that got a person, founding faces included.
        founded: new persons.
        unassigned: faces that belong to nobody after their last turn.
        stopped: whether it ended early because it was asked to.
    """

    assigned: int = 0
    founded: int = 0
    unassigned: int = 0
    stopped: bool = False


class Run:
    """Gives every waiting face its turn.

    Args:
        catalogue: the faces, and where decisions go.
        index: finds the neighbours of single faces.
        preferences: the values to run with.
        slice_lock: held while one slice is decided and written.
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
        self._albums: dict[AccountId, Album] = {}
        self._counts: Counter[Action] = Counter()
        self._tries: Counter[tuple[FaceId, FaceState]] = Counter()

    def forget(self) -> None:
        """Read everything anew before the next slice: the catalogue was changed on a large scale."""
        self._albums.clear()

    def to_the_end(self, should_stop: Callable[[], bool], progress: Callable[[int, int], None]) -> RecognitionSummary:
        """Take slices until nothing waits; see `Recognition.run`."""
        states = self._catalogue.faces.state_counts(None)
        total = states.get(FaceState.PENDING, 0) + states.get(FaceState.DEFERRED, 0)
        while not should_stop():
            with self._slice_lock:
                more = self._slice()
            if not more:
                return self._summary(stopped=False)
            decided = self._counts.total() - self._counts[Action.DEFER]
            progress(decided, max(total, decided))
        return self._summary(stopped=True)

    def _summary(self, *, stopped: bool) -> RecognitionSummary:
        founded = self._counts[Action.FOUND]
        return RecognitionSummary(
            self._counts[Action.ASSIGN] + founded, founded, self._counts[Action.LEAVE], stopped=stopped
        )

    def _slice(self) -> bool:
        """Decide and write one slice; False when nothing waits.

        A face that waits still, though it had its turn, tells that the catalogue changed under us (a verdict, a merge,
        a deleted person): everything is read anew, and after a few tries the face is left for the nightly run.
        """
        faces = self._next_faces()
        self._tries.update((face.id, face.state) for face in faces)
        tries = {face.id: self._tries[face.id, face.state] for face in faces}
        if any(count > 1 for count in tries.values()):
            self._albums.clear()
        if hopeless := [face.id for face in faces if tries[face.id] > TRIES]:
            log.warning("%d faces could not be given a person and are left unassigned", len(hopeless))
            self._catalogue.faces.set_state(hopeless, FaceState.UNASSIGNED)
            return all(tries[face_id] <= TRIES + 1 for face_id in hopeless)
        try:
            for account_id, group in groupby(sorted(faces, key=_account), key=_account):
                self._write(self._decide(account_id, list(group)))
        except NotFound:
            self._albums.clear()
        return bool(faces)

    def _next_faces(self) -> list[Face]:
        """Waiting faces of one state, lowest id first; deferred ones only when nothing else waits."""
        for state in (FaceState.PENDING, FaceState.DEFERRED):
            if faces := self._catalogue.faces.to_recognise(self._preferences.pack, state, SLICE):
                return faces
        return []

    def _decide(self, account_id: AccountId, faces: Sequence[Face]) -> list[Turn]:
        deferred = faces[0].state is FaceState.DEFERRED

        def found(face_id: FaceId) -> PersonId:  # noqa: ARG001 - the best face stands for a person, not the first one
            return self._catalogue.people.add(account_id)

        try:
            return list(self._album(account_id, faces).turns(faces, found, deferred=deferred))
        except SearchIndexError as error:
            log.warning("Recognition goes on without the embedding index: %s", error.explanation)
            self._albums[account_id] = self._in_memory(account_id)
            return list(self._albums[account_id].turns(faces, found, deferred=deferred))

    def _write(self, turns: Sequence[Turn]) -> None:
        """Store decisions. Deferrals come first: they depend on no person, so a kill after them changes no outcome.

        All assignments are one transaction, because each may rest on the ones before it.
        """
        rows = self._catalogue.faces
        for action, state in ((Action.DEFER, FaceState.DEFERRED), (Action.LEAVE, FaceState.UNASSIGNED)):
            if nobody := [(face_id, None) for face_id, decision in turns if decision.action is action]:
                rows.assign(nobody, AssignedBy.MACHINE, state)
        if pairs := [(face_id, decision.person) for face_id, decision in turns if decision.person is not None]:
            rows.assign(pairs, AssignedBy.MACHINE)
        self._counts.update(decision.action for _, decision in turns)

    def _album(self, account_id: AccountId, faces: Sequence[Face]) -> Album:
        album = self._albums.get(account_id)
        if album is None:
            album = self._in_memory(account_id) if self._many_wait(account_id) else self._by_index(account_id)
        elif not album.knows(faces):
            album = self._in_memory(account_id)
        self._albums[account_id] = album
        return album

    def _many_wait(self, account_id: AccountId) -> bool:
        """Whether comparing in memory is cheaper, or needed because the index lacks faces."""
        states = self._catalogue.faces.state_counts(account_id)
        waiting = states.get(FaceState.PENDING, 0) + states.get(FaceState.DEFERRED, 0)
        cheaper = waiting > IN_MEMORY_FROM or waiting * FACES_PER_SEARCH >= sum(states.values())
        return cheaper or bool(self._catalogue.index_state.to_add(self._preferences.pack, 1)[0])

    def _in_memory(self, account_id: AccountId) -> InMemory:
        rows = self._catalogue.faces.recognition_rows(account_id, self._preferences.pack)
        return InMemory(rows, AccountRules.read(self._catalogue, account_id, self._preferences))

    def _by_index(self, account_id: AccountId) -> ByIndex:
        rules = AccountRules.read(self._catalogue, account_id, self._preferences)
        return ByIndex(self._catalogue, self._index, account_id, rules)


def _account(face: Face) -> AccountId:
    return face.account_id
