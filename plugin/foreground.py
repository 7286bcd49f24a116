"""A scan in the foreground: the same pipeline as the workers, run to the end, with progress for a person who waits."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from plugin.domain import FaceState, Library, QueueStatus, ScanProgress, ScanStage, ScanSummary, SyncSummary
from plugin.errors import KinfolkError
from plugin.pipeline import DetectionSlice, Pipeline
from plugin.ports.catalogue import Catalogue

OnProgress = Callable[[ScanProgress], None]

SLICE_SECONDS = 3600.0
LOOK_EVERY_SECONDS = 0.5


class ForegroundScan:
    """Runs the pipeline to the end.

    Args:
        pipeline: what follows what.
        catalogue: for the counts.
        workers: detection threads.
        minimum_faces: people with fewer faces do not count as found.
    """

    def __init__(
        self, pipeline: Pipeline, catalogue: Catalogue, workers: int, minimum_faces: Callable[[], int]
    ) -> None:
        self._pipeline = pipeline
        self._catalogue = catalogue
        self._workers = workers
        self._minimum_faces = minimum_faces

    def run(self, on_progress: OnProgress) -> ScanSummary:
        """Sync every library, detect, recognise; then count."""
        started = time.monotonic()
        self.sync(on_progress)
        self.detect(on_progress)
        self.recognise(on_progress)
        return self.summary(time.monotonic() - started)

    def sync(self, on_progress: OnProgress) -> None:
        """Compare every library with its host."""

        def report(library: Library, seen: SyncSummary) -> None:
            on_progress(ScanProgress(ScanStage.SYNC, seen.listed, None, failed=seen.problems, message=library.name))

        self._pipeline.sync_all(report)

    def detect(self, on_progress: OnProgress) -> None:
        """Work until no asset is due any more; assets that wait for a later try are left for later.

        Raises:
            KinfolkError: nothing could be done at all, for the reason given (no model, disk full).
        """
        faces = _Counter()
        started = time.monotonic()
        before = self._catalogue.detection.status()
        with ThreadPoolExecutor(self._workers, thread_name_prefix="detect") as threads:
            slices = {
                threads.submit(self._pipeline.detect, SLICE_SECONDS, lambda _, found: faces.add(found))
                for _ in range(self._workers)
            }
            self._follow(slices, before, faces, started, on_progress)
        for future in slices:
            future.result()
        trouble = self._pipeline.troubles.now
        if "model" in trouble or "catalogue" in trouble:
            raise KinfolkError((trouble.get("model") or trouble["catalogue"]).rstrip("."))

    def recognise(self, on_progress: OnProgress) -> None:
        """Group every waiting face."""
        waiting = self._catalogue.faces.recognition_status().waiting
        on_progress(ScanProgress(ScanStage.RECOGNISE, 0, waiting))
        self._pipeline.recognise(as_it_is=True)
        on_progress(ScanProgress(ScanStage.RECOGNISE, waiting, waiting))

    def summary(self, seconds: float) -> ScanSummary:
        """What the catalogue holds now, over all accounts."""
        counts = self._catalogue.faces.state_counts(None)
        people = sum(
            self._catalogue.people.count(account.id, minimum_faces=self._minimum_faces(), include_hidden=True)
            for account in self._catalogue.accounts.all()
        )
        return ScanSummary(
            assets=self._catalogue.assets.counts(None)[0],
            faces=sum(counts.values()),
            people=people,
            unassigned=counts.get(FaceState.UNASSIGNED, 0),
            failures=tuple(self._catalogue.assets.failures(None)),
            seconds=seconds,
        )

    def _follow(
        self,
        slices: set[Future[DetectionSlice]],
        before: QueueStatus,
        faces: "_Counter",
        started: float,
        on_progress: OnProgress,
    ) -> None:
        running = set(slices)
        while running:
            running = wait(running, LOOK_EVERY_SECONDS, return_when=FIRST_COMPLETED)[1]
            status = self._catalogue.detection.status()
            left = status.waiting + status.running
            total = before.waiting + before.running
            done = max(0, total - left)
            rate = done / max(time.monotonic() - started, 1e-6)
            on_progress(
                ScanProgress(
                    ScanStage.DETECT,
                    done,
                    max(total, done),
                    failed=max(0, status.failed - before.failed),
                    faces=faces.value,
                    rate=rate or None,
                    seconds_left=left / rate if rate else None,
                )
            )


class _Counter:
    """A count that several threads raise."""

    def __init__(self) -> None:
        self.value = 0
        self._lock = threading.Lock()

    def add(self, amount: int) -> None:
        with self._lock:
            self.value += amount
