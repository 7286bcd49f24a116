"""Faces -> people: what waits gets its turn; the nightly second look; Missing and Reset; what a verdict spreads to.

There are two ways: the default engine (`plugin.faces.grouping`) regroups what is new with its surroundings, Immich's
algorithm (`plugin.faces.immich`) decides face by face and is kept as a yardstick. Here they meet the catalogue. A few
new faces ask the embedding index, many at once are compared in memory. Work is rows: a face's state says whether it
waits, so a run may be killed anywhere and the next one goes on.

Read `regrouping` for a run of the default engine and `surroundings` for what it looks at; `runs` and `albums` are the
same for Immich's algorithm; `verdicts` comes before both.
"""

import threading
from collections.abc import Callable, Collection, Sequence

from plugin.domain import AccountId, AssetId, FaceId, FaceState, LibraryId, Preferences
from plugin.errors import NotFound, SearchIndexError
from plugin.ports.catalogue import Catalogue
from plugin.ports.index import EmbeddingIndex
from plugin.recognition.albums import FEWEST_NEIGHBOURS
from plugin.recognition.regrouping import Regrouping
from plugin.recognition.runs import IN_MEMORY_FROM, SLICE, RecognitionSummary, Run
from plugin.recognition.verdicts import apply_verdicts

__all__ = ["Recognition", "RecognitionSummary"]


class Recognition:
    """Groups faces into persons.

    Args:
        catalogue: the faces, and where decisions go.
        index: finds neighbours of single faces; may lag or fail, the catalogue then answers.
        preferences: the values to run with, read at the start of each run.
    """

    def __init__(self, catalogue: Catalogue, index: EmbeddingIndex, preferences: Callable[[], Preferences]) -> None:
        self._catalogue = catalogue
        self._index = index
        self._preferences = preferences
        self._one_run = threading.Lock()
        self._slice = threading.Lock()
        self._run: Run | None = None

    def ready(self, resting: Collection[LibraryId] = ()) -> bool:
        """Whether detection has nothing left to do now, so that no face is judged before its neighbours are known.

        Assets that rest before another try (their host is away), and libraries that rest for long, would hold
        everything up for hours; they do not count.
        """
        return not self._catalogue.detection.busy(resting)

    def many_wait(self) -> bool:
        """Whether so many faces wait that a run compares them in memory and does not ask the index."""
        states = self._catalogue.faces.state_counts(None)
        return states[FaceState.PENDING] + states[FaceState.DEFERRED] > IN_MEMORY_FROM

    def run(
        self,
        should_stop: Callable[[], bool] = lambda: False,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> RecognitionSummary:
        """Give every waiting face its turn: pending ones first, then deferred ones. One run at a time.

        Args:
            should_stop: asked between slices; what is left stays waiting.
            progress: called with (faces decided, faces to decide) after each slice.
        """
        with self._one_run:
            # A person whose founding face was not assigned before a kill would stay for ever, empty and unnamed.
            self._catalogue.people.delete_empty()
            apply_verdicts(self._catalogue)
            try:
                return self._by_method(should_stop, progress)
            finally:
                self._catalogue.people.delete_empty()

    def _by_method(self, should_stop: Callable[[], bool], progress: Callable[[int, int], None]) -> RecognitionSummary:
        preferences = self._preferences()
        if preferences.method == "immich":
            self._run = Run(self._catalogue, self._index, preferences, self._slice)
            try:
                return self._run.to_the_end(should_stop, progress)
            finally:
                self._run = None
        regrouping = self._regrouping(preferences)
        for account in self._catalogue.accounts.all():
            if self._catalogue.preferences.get(_scratch_key(account.id)) and not should_stop():
                regrouping.from_scratch(account.id)
                self._catalogue.preferences.delete(_scratch_key(account.id))
        return regrouping.to_the_end(should_stop, progress)

    def _regrouping(self, preferences: Preferences) -> Regrouping:
        return Regrouping(self._catalogue, self._index, preferences, self._slice)

    def missing(self, account_id: AccountId | None = None) -> int:
        """Make unassigned faces wait for recognition again; returns how many."""
        return self._catalogue.faces.requeue_unassigned(account_id)

    def nightly(self, should_stop: Callable[[], bool] = lambda: False) -> int:
        """A second look; returns how many faces were looked at. What is left when it stops early comes the next time.

        By Immich's algorithm every unassigned face gets another chance. By ours only people that changed since the last
        night are looked at, now face by face even if they are large: mistakes made with few photos mend with more.
        """
        self._catalogue.people.delete_empty()
        preferences = self._preferences()
        if preferences.method == "immich":
            return self.missing()
        with self._one_run:
            apply_verdicts(self._catalogue)
            regrouping = self._regrouping(preferences)
            accounts = (account for account in self._catalogue.accounts.all() if not should_stop())
            looked_at = sum(regrouping.look_again(account.id) for account in accounts)
            self._catalogue.people.delete_empty()
            return looked_at

    def reset(self, account_id: AccountId | None = None) -> None:
        """From scratch: only what users said stays. A running run notices. Every step may be repeated.

        By our engine people keep who they are (the next run regroups all faces, `plugin.faces.known.anchored`); by
        Immich's algorithm people nobody named are gone at once.
        """
        faces, preferences = self._catalogue.faces, self._preferences()
        if preferences.method != "immich":
            self.missing(account_id)
            for account in self._catalogue.accounts.all():
                if account_id in (None, account.id):
                    self._catalogue.preferences.set(_scratch_key(account.id), "yes")
            return
        with self._slice:
            self.missing(account_id)
            while waiting := faces.to_recognise(preferences.pack, FaceState.DEFERRED, SLICE):
                faces.set_state([face.id for face in waiting], FaceState.PENDING)
            faces.unassign_machine(account_id)
            if self._run is not None:
                self._run.forget()

    def spread(self, account_id: AccountId, face_ids: Sequence[FaceId]) -> None:
        """A user just said who these faces are: decide at once what that decides.

        While a run is on, or the index cannot answer, faces near them wait for the next run instead.
        """
        preferences = self._preferences()
        if preferences.method != "immich" and self._one_run.acquire(blocking=False):
            try:
                self._regrouping(preferences).around(account_id, face_ids)
            except SearchIndexError:
                return  # the nightly run looks at them
            finally:
                self._one_run.release()
        else:
            self.reconsider(account_id, face_ids)

    def meet(self, account_id: AccountId, asset_ids: Sequence[AssetId]) -> int:
        """Give waiting faces of a few photos to people there are already, although detection has other work yet.

        What is nobody's waits for the next run, and so does everything while a run is on (it takes these faces in), by
        Immich's algorithm, and while the index cannot answer.

        Returns:
            How many faces have a person now.
        """
        preferences = self._preferences()
        if preferences.method == "immich" or not self._one_run.acquire(blocking=False):
            return 0
        try:
            return self._regrouping(preferences).meet(account_id, asset_ids)
        except SearchIndexError:
            return 0
        finally:
            self._one_run.release()

    def reconsider(self, account_id: AccountId, face_ids: Sequence[FaceId]) -> int:
        """Make unassigned faces near these wait again: a user just said who these are. Returns how many."""
        preferences = self._preferences()
        near: set[FaceId] = set()
        try:
            for face_id in face_ids:
                embedding = self._catalogue.faces.embedding(face_id)
                found = self._index.nearest(preferences.pack, embedding, FEWEST_NEIGHBOURS)
                near.update(n.face_id for n in found if n.distance <= preferences.maximum_distance)
        except (SearchIndexError, NotFound):
            return 0  # the nightly run looks at all of them
        chosen = [
            face.id
            for face in self._catalogue.faces.many(sorted(near))
            if face.account_id == account_id and face.state is FaceState.UNASSIGNED
        ]
        if chosen:
            self._catalogue.faces.set_state(chosen, FaceState.PENDING)
        return len(chosen)


def _scratch_key(account_id: AccountId) -> str:
    """The row that says an account waits to be regrouped from scratch."""
    return f"from_scratch.{account_id}"
