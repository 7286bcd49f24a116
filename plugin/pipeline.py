"""What follows what: sync -> detection -> index -> recognition. The workers and the foreground scan both run this."""

import ctypes
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from plugin.detection import FaceDetection
from plugin.domain import Asset, AssetId, AssetKind, Library, LibraryId, Preferences, SyncSummary
from plugin.errors import CatalogueError, DiskFull, HostError, KinfolkError, ModelError, SearchIndexError
from plugin.intake import Intake
from plugin.pace import Pace
from plugin.ports.catalogue import Catalogue
from plugin.ports.host import FetchingHost, Host
from plugin.ports.vision import FaceModel, FaceModels
from plugin.recognition import Recognition, RecognitionSummary
from plugin.restraint import CpuShare

log = logging.getLogger(__name__)

LEASE_SECONDS = 1800.0
"""Longer than the longest video takes; a dead worker's leases are given back at the next start, not by waiting."""

CLAIM_AT_ONCE = 4
INDEX_BLOCK = 500

FEW_BLOCKS = 4
"""So many are taken into the index before faces of a named photo meet people: with more missing these wait."""

SECOND_LOOK = "pause.second_look"
"""Set while the second look of a night waits for the end of a pause; kept, since quiet hours may cover every night."""


def give_back_memory() -> None:
    """Return to the system what malloc keeps after thousands of decoded pictures: 50 MB, measured, on a small machine.

    glibc only (`man malloc_trim`), it takes a few milliseconds; elsewhere nothing happens.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class CatchesUp(Protocol):
    """Brings the embeddings recognition searches in up to date (`plugin.indexing.Indexing`)."""

    def catch_up(self, limit: int) -> int:
        """Take up to `limit` embeddings over; how many. 0: nothing is left."""
        ...


@dataclass(slots=True)
class Troubles:
    """What keeps whole kinds of work from going on now, in words for the Status page, by topic."""

    now: dict[str, str] = field(default_factory=dict)

    def note(self, topic: str, error: KinfolkError) -> None:
        """Remember (and log once) what is wrong."""
        if self.now.get(topic) != error.explanation:
            log.warning("%s: %s", topic, error.explanation)
        self.now[topic] = error.explanation

    def over(self, topic: str) -> None:
        """This topic works again."""
        self.now.pop(topic, None)


@dataclass(frozen=True, slots=True)
class DetectionSlice:
    """What one slice of detection did; `more` tells whether the queue still had work when it ended."""

    assets: int
    faces: int
    more: bool


class Pipeline:
    """Chains the steps.

    Args:
        worker: name under which assets are leased; the same at every start, so a dead run's leases can be given back.
        host_of: the host of a library.
        should_stop: true once the process is shutting down; long steps look at it and end early, losing nothing.
        share: how much of the processors finding faces may take; all of them without.
        held: true while work in the background rests (`plugin.pausing`); what was begun is finished, nothing is lost.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        intake: Intake,
        detection: FaceDetection,
        recognition: Recognition,
        indexing: CatchesUp,
        models: FaceModels,
        preferences: Callable[[], Preferences],
        host_of: Callable[[Library], Host],
        worker: str,
        should_stop: Callable[[], bool],
        share: CpuShare | None = None,
        held: Callable[[], bool] = lambda: False,
    ) -> None:
        self._catalogue = catalogue
        self._intake = intake
        self._detection = detection
        self._recognition = recognition
        self._indexing = indexing
        self._models = models
        self._preferences = preferences
        self._host_of = host_of
        self._worker = worker
        self._should_stop = should_stop
        self._share = share or CpuShare(100, 1)
        self.held = held
        self.troubles = Troubles()
        self.pace = Pace()

    def begin(self) -> None:
        """Give back what an earlier run of this worker had leased when it was killed. Call once, before any work."""
        self._catalogue.detection.release(self._worker, count_attempt=True)

    def end(self) -> None:
        """Give back what is still leased at a clean stop. Call once, after the last work."""
        self._catalogue.detection.release(self._worker)

    def sync(self, library_id: LibraryId, on_progress: Callable[[SyncSummary], None] | None = None) -> SyncSummary:
        """Compare a library with its host.

        Raises:
            NotFound: the library was removed meanwhile.
            HostError: recorded on the library; nothing was taken for deleted.
        """
        library = self._catalogue.libraries.get(library_id)
        return self._intake.sync(library, self._host_of(library), on_progress, self._rests)

    def take_named(
        self, library_id: LibraryId, host_keys: Sequence[str], turn: AbstractContextManager[object] | None = None
    ) -> int:
        """Look up what somebody named, look at it before all that waits, and give faces to people there are already.

        The rest (new people, and what a pause or a missing model keeps from being done) is left to the usual steps.

        Args:
            library_id: the library.
            host_keys: what was named.
            turn: held while photos are looked at, a few at a time: no more are decoded at once than there are workers.

        Returns:
            How many assets are new or changed.

        Raises:
            NotFound, HostError: nothing was looked up.
        """
        library = self._catalogue.libraries.get(library_id)
        found = self._intake.look_up(library, self._host_of(library), host_keys)
        # Without the faces that came meanwhile somebody new may be taken for whom they look like most.
        done = self._detect_these(found, turn or nullcontext()) if found else 0
        if done and not self._is_quiet() and self._is_nearly_indexed():
            self._recognition.meet(library.account_id, found)
        return len(found)

    def _detect_these(self, asset_ids: Sequence[AssetId], turn: AbstractContextManager[object]) -> int:
        """How many of them were looked at."""
        preferences = self._preferences()
        model = None if self._rests() else self.model(preferences)
        done = 0
        try:
            while model is not None and not self._rests():
                with turn:
                    claimed = self._claim(asset_ids)
                    for asset in claimed:
                        self._look_at(asset, model, preferences)
                if not claimed:
                    break
                done += len(claimed)
        except (DiskFull, CatalogueError) as error:
            self.troubles.note("catalogue", error)
        return done

    def model(self, preferences: Preferences) -> FaceModel | None:
        """The model of the chosen pack, or None with the reason noted: without a model no asset is at fault."""
        try:
            model = self._models.load(preferences.pack)
        except ModelError as error:
            self.troubles.note("model", error)
            return None
        self.troubles.over("model")
        return model

    def fetch_model(self) -> bool:
        """Fetch and load the chosen pack before there is work for it; whether it is there now."""
        return self.model(self._preferences()) is not None

    def detect(self, seconds: float, on_asset: Callable[[Asset, int], None] | None = None) -> DetectionSlice:
        """Work on the detection queue for about this long. Without work no model is fetched or loaded."""
        preferences = self._preferences()
        model = self.model(preferences) if not self.held() and not self._is_quiet() else None
        assets = faces = 0
        if model is None:
            return DetectionSlice(0, 0, more=False)
        deadline = time.monotonic() + seconds
        try:
            claimed = [] if self._rests() else self._claim()
            while claimed and not self._should_stop():
                in_time = time.monotonic() < deadline
                # Claimed one block ahead, so that a host far away brings it while this one is looked at.
                ahead = self._claim() if in_time and not self._rests() else []
                for asset in claimed:
                    found = self._look_at(asset, model, preferences)
                    assets, faces = assets + 1, faces + found
                    if on_asset:
                        on_asset(asset, found)
                self.troubles.over("catalogue")
                if not in_time:
                    break
                claimed = ahead
            else:
                return DetectionSlice(assets, faces, more=bool(claimed))
        except (DiskFull, CatalogueError) as error:
            self.troubles.note("catalogue", error)
            return DetectionSlice(assets, faces, more=False)
        return DetectionSlice(assets, faces, more=True)

    def _look_at(self, asset: Asset, model: FaceModel, preferences: Preferences) -> int:
        stint = self._share.begin()
        found = self._detection.process(asset, model, preferences)
        self.pace.note(model.provider)
        stint.rest(self._should_stop)
        return found

    def _is_quiet(self, *, as_it_is: bool = False) -> bool:
        """Whether detection has nothing to do now, so that faces can be recognised together.

        A library that rests for a minute goes on soon and is waited for, unless things are to be taken `as_it_is`.
        """
        resting = self._detection.resting
        return self._recognition.ready(resting.now() if as_it_is else resting.long())

    def _rests(self) -> bool:
        return self._should_stop() or self.held()

    def _claim(self, among: Sequence[AssetId] | None = None) -> list[Asset]:
        """The next few assets (of these); hosts far away begin to fetch photos; videos are too large to lie there."""
        resting = self._detection.resting.now()
        claimed = self._catalogue.detection.claim(self._worker, CLAIM_AT_ONCE, LEASE_SECONDS, resting, among)
        for library_id in {asset.library_id for asset in claimed}:
            host = self._host_of(self._catalogue.libraries.get(library_id))
            if isinstance(host, FetchingHost):
                photos = (asset for asset in claimed if asset.kind is AssetKind.PHOTO)
                host.fetch_ahead([photo.host_key for photo in photos if photo.library_id == library_id])
        return claimed

    def recognise(self, *, as_it_is: bool = False) -> RecognitionSummary | None:
        """Bring the index up to date and group every waiting face; None while detection still has work.

        `as_it_is`: nobody comes back to it, so libraries that rest for a minute are not waited for.

        Many faces are compared in memory, without the index: then they come first, so that people appear sooner and
        the faces in memory and what the index needs to take them up never add up.
        """
        if self.held() or not self._is_quiet(as_it_is=as_it_is):
            return None
        if self._recognition.many_wait():
            give_back_memory()
            summary = self._recognition.run(self._rests)
            self._catch_up()
            give_back_memory()
            return summary
        self._catch_up()
        return self._recognition.run(self._rests)

    def _is_nearly_indexed(self) -> bool:
        """Whether a little work brought the index up to date; where it is broken, what comes later mends it."""
        try:
            return any(not self._indexing.catch_up(INDEX_BLOCK) for _ in range(FEW_BLOCKS))
        except SearchIndexError:
            return False

    def _catch_up(self) -> None:
        while not self._rests() and self._indexing.catch_up(INDEX_BLOCK):
            pass

    def nightly(self) -> RecognitionSummary | None:
        """Give faces that belong to nobody another chance; after the pause where work rests now."""
        saved = self._catalogue.preferences
        if not self._rests():
            self._recognition.nightly(self._rests)
        # Where it was cut off, what is left is looked at once more; what is done costs next to nothing then.
        if self._rests():
            saved.set(SECOND_LOOK, "due")
            return None
        if saved.get(SECOND_LOOK) is not None:
            saved.delete(SECOND_LOOK)
        return self.recognise()

    def owes_second_look(self) -> bool:
        """Whether `nightly` had to wait and may be called now."""
        return not self._rests() and self._catalogue.preferences.get(SECOND_LOOK) is not None

    def sync_all(self, on_progress: Callable[[Library, SyncSummary], None]) -> None:
        """Compare every library with its host; one that is away does not stop the others."""
        for library in self._catalogue.libraries.all():
            try:
                on_progress(library, self.sync(library.id, partial(on_progress, library)))
            except HostError as error:
                self.troubles.note(library.name, error)
            else:
                self.troubles.over(library.name)
